// How reference backbones do on a split.

#include <algorithm>
#include <array>
#include <numbers>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "train/perturber.h"
#include "train/sequence_shards.h"
#include "train/sequence_trainer.h"

namespace hysteron::train {

std::vector<SequenceShard> make_shards(const data::SequenceSource& source, data::Split split,
                                       const std::vector<std::uint64_t>& indices) {
  std::vector<SequenceShard> shards;
  for (std::size_t begin = 0; begin < indices.size(); begin += kShardSequences) {
    std::vector<data::Sequence> sequences;
    for (std::size_t i = begin; i < std::min(begin + kShardSequences, indices.size()); ++i) {
      sequences.push_back(source.sequence(split, indices[i]));
    }
    shards.push_back(pack_sequences(sequences, source.inputs(), source.per_frame()));
  }
  return shards;
}

double SequenceScore::bits() const { return loss / std::numbers::ln2; }

std::optional<double> SequenceScore::balanced_accuracy() const {
  if (confusion.empty()) return std::nullopt;
  return train::balanced_accuracy(confusion);
}

namespace {

/// What one shard adds to a score.
struct ShardScore {
  SequenceSums sums;
  std::vector<float> logits;  // [labels][kShardSequences]; empty where every frame has a target
  std::array<std::uint32_t, kShardSequences> targets{};
  std::size_t sequences = 0;
};

/// The largest logit decides, of equal ones the first.
void count_decisions(const ShardScore& shard, Confusion& confusion) {
  for (std::size_t lane = 0; lane < shard.sequences; ++lane) {
    std::size_t decision = 0;
    for (std::size_t k = 1; k < confusion.size(); ++k) {
      if (shard.logits[k * kShardSequences + lane] > shard.logits[decision * kShardSequences + lane]) decision = k;
    }
    ++confusion[shard.targets[lane]][decision];
  }
}

/// score_sequences with noise; the seed of shard i is options.seed + i.
SequenceScore score_with(const SequenceModel& model, std::span<const float> parameters,
                         const data::SequenceSource& source, data::Split split, std::size_t limit,
                         const SequencePass& options, ThreadPool& pool) {
  const std::size_t size = source.size(split);
  const std::size_t count = limit == 0 ? size : (size == 0 ? limit : std::min(size, limit));
  const std::size_t shards = (count + kShardSequences - 1) / kShardSequences;
  const bool whole = !source.per_frame();
  std::vector<ShardScore> parts(shards);
  WorkspacePool workspaces;
  pool.run(shards, [&](std::size_t i) {
    std::vector<std::uint64_t> indices;
    for (std::size_t k = i * kShardSequences; k < std::min((i + 1) * kShardSequences, count); ++k) indices.push_back(k);
    const SequenceShard shard = std::move(make_shards(source, split, indices).front());
    if (whole) std::ranges::copy(shard.targets, parts[i].targets.begin());
    parts[i].sequences = indices.size();
    SequencePass own = options;
    own.seed += static_cast<std::uint32_t>(i);
    auto workspace = workspaces.take();
    parts[i].sums = model.score(parameters, shard, own, *workspace, whole ? &parts[i].logits : nullptr, nullptr);
    workspaces.give(std::move(workspace));
  });
  SequenceScore score;
  score.sequences = count;
  if (whole) score.confusion = empty_confusion(source.labels().size());
  for (const ShardScore& part : parts) {
    score.terms += part.sums.terms;
    score.loss += part.sums.loss;
    score.accuracy += part.sums.right;
    if (whole) count_decisions(part, score.confusion);
  }
  if (score.terms > 0.0) {
    score.loss /= score.terms;
    score.accuracy /= score.terms;
  }
  if (whole) score.accuracy = accuracy(score.confusion);  // equal logits are right for one label alone
  return score;
}

}  // namespace

SequenceScore score_sequences(const SequenceModel& model, std::span<const float> parameters,
                              const data::SequenceSource& source, data::Split split, std::size_t limit,
                              ThreadPool& pool) {
  return score_with(model, parameters, source, split, limit, {}, pool);
}

PerturbedScore score_perturbed_sequences(const SequenceModel& model, std::span<const float> parameters,
                                         const data::SequenceSource& source, data::Split split,
                                         const Perturbation& perturbation, std::size_t draws, std::uint64_t seed,
                                         ThreadPool& pool, const StopFlag& stop) {
  const Perturber perturber(model.segments(), perturbation);
  const std::vector<float> plain(parameters.begin(), parameters.end());
  PerturbedScore result;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    if (stop.requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
    const Random random = Random(seed).child("die", draw);
    SequencePass options;
    options.additive_noise = static_cast<float>(perturbation.additive);
    options.multiplicative_noise = static_cast<float>(perturbation.multiplicative);
    options.seed = static_cast<std::uint32_t>(random.child("noise").bits());
    const Perturber::Drawn die = perturber.draw(plain, random.child("errors"));
    const SequenceScore score = score_with(model, die.parameters, source, split, 0, options, pool);
    result.accuracy.push_back(score.accuracy);
    if (const auto balanced = score.balanced_accuracy()) result.balanced.push_back(*balanced);
  }
  return result;
}

}  // namespace hysteron::train
