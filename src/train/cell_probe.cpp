#include "train/cell_probe.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/random.h"

namespace hysteron::train {
namespace {

/// What one cell of one layer did, summed over sequences.
struct CellHistory {
  std::size_t changes = 0;
  std::size_t frames = 0;          // in which it could have changed
  bool more_than_once = false;     // in some sequence
  std::array<bool, 2> moved_to{};  // off, on
};

bool is_on(CellKind kind, float state) { return kind == CellKind::kFqBmru ? state > 0.5f : state > 0.0f; }

/// The states of every layer for a shard of sequences; `frames` holds each lane's length.
struct ShardStates {
  std::vector<LayerStates> layers;
  std::array<std::size_t, kShardSequences> frames{};
  std::size_t longest = 0;

  bool on(CellKind kind, std::size_t layer, std::size_t cell, std::size_t frame, std::size_t lane) const {
    return is_on(kind, layers[layer].states[(cell * longest + frame) * kShardSequences + lane]);
  }
};

class Probe {
 public:
  Probe(const SequenceModel& model, std::span<const float> parameters, const data::SequenceSource& source,
        data::Split split, std::size_t limit)
      : model_(model), parameters_(parameters), source_(source), split_(split) {
    const std::size_t size = source.size(split);
    count_ = limit == 0 ? size : (size == 0 ? limit : std::min(size, limit));
  }

  std::size_t shards() const { return (count_ + kShardSequences - 1) / kShardSequences; }

  ShardStates run(std::size_t shard, const SequencePass& options) const {
    ShardStates result;
    std::vector<data::Sequence> sequences;
    for (std::size_t i = shard * kShardSequences; i < std::min((shard + 1) * kShardSequences, count_); ++i) {
      sequences.push_back(source_.sequence(split_, i));
      result.frames[sequences.size() - 1] = sequences.back().frames;
    }
    const SequenceShard packed = pack_sequences(sequences, source_.inputs(), source_.per_frame());
    result.longest = packed.frames;
    SequenceModel::Workspace workspace;
    SequencePass own = options;
    own.seed += static_cast<std::uint32_t>(shard);
    model_.score(parameters_, packed, own, workspace, nullptr, &result.layers);
    return result;
  }

 private:
  const SequenceModel& model_;
  std::span<const float> parameters_;
  const data::SequenceSource& source_;
  data::Split split_;
  std::size_t count_ = 0;
};

void follow(CellKind kind, const ShardStates& states, std::size_t layer, std::size_t cell, CellHistory& history) {
  for (std::size_t lane = 0; lane < kShardSequences; ++lane) {
    std::size_t changes = 0;
    for (std::size_t t = 1; t < states.frames[lane]; ++t) {
      const bool now = states.on(kind, layer, cell, t, lane);
      if (now == states.on(kind, layer, cell, t - 1, lane)) continue;
      ++changes;
      history.moved_to[now ? 1 : 0] = true;
    }
    history.changes += changes;
    history.frames += states.frames[lane] > 0 ? states.frames[lane] - 1 : 0;
    history.more_than_once = history.more_than_once || changes > 1;
  }
}

}  // namespace

CellActivity cell_activity(const SequenceModel& model, std::span<const float> parameters,
                           const data::SequenceSource& source, data::Split split, std::size_t limit, ThreadPool& pool) {
  const Probe probe(model, parameters, source, split, limit);
  const std::size_t cells = model.shape().cells;
  std::vector<std::vector<CellHistory>> parts(probe.shards());
  pool.run(parts.size(), [&](std::size_t i) {
    const ShardStates states = probe.run(i, {});
    parts[i].resize(model.shape().layers * cells);
    for (std::size_t k = 0; k < parts[i].size(); ++k) {
      follow(model.shape().cell, states, k / cells, k % cells, parts[i][k]);
    }
  });
  CellActivity activity;
  double changes = 0.0;
  double frames = 0.0;
  const auto all = static_cast<double>(model.shape().layers * cells);
  for (std::size_t k = 0; k < model.shape().layers * cells; ++k) {
    CellHistory history;
    for (const auto& part : parts) {
      history.changes += part[k].changes;
      history.frames += part[k].frames;
      history.more_than_once = history.more_than_once || part[k].more_than_once;
      for (std::size_t to = 0; to < 2; ++to) history.moved_to[to] = history.moved_to[to] || part[k].moved_to[to];
    }
    changes += static_cast<double>(history.changes);
    frames += static_cast<double>(history.frames);
    const bool latches = !history.more_than_once && history.moved_to[0] != history.moved_to[1];
    if (history.changes == 0) {
      activity.dead += 1.0 / all;
    } else if (latches) {
      activity.stuck += 1.0 / all;
    }
  }
  activity.transition_rate = frames > 0.0 ? changes / frames : 0.0;
  return activity;
}

std::optional<double> bit_retention(const SequenceModel& model, std::span<const float> parameters,
                                    const data::SequenceSource& source, data::Split split, std::size_t limit,
                                    double noise, std::uint64_t seed, ThreadPool& pool) {
  const Probe probe(model, parameters, source, split, limit);
  struct Watched {
    double frames = 0.0;
    double lost = 0.0;
  };
  std::vector<Watched> parts(probe.shards());
  const CellKind kind = model.shape().cell;
  SequencePass plain;
  plain.seed = static_cast<std::uint32_t>(Random(seed).child("retention").bits());
  pool.run(parts.size(), [&](std::size_t i) {
    SequencePass noisy = plain;
    noisy.additive_noise = static_cast<float>(noise);
    const ShardStates without = probe.run(i, plain);  // the same seed: the same start states
    const ShardStates with = probe.run(i, noisy);
    for (std::size_t layer = 0; layer < model.shape().layers; ++layer) {
      for (std::size_t cell = 0; cell < model.shape().cells; ++cell) {
        for (std::size_t lane = 0; lane < kShardSequences; ++lane) {
          std::size_t t = 0;
          const auto same = [&] {
            return without.on(kind, layer, cell, t, lane) == with.on(kind, layer, cell, t, lane);
          };
          while (t < without.frames[lane] && same()) ++t;
          parts[i].frames += static_cast<double>(std::min(t + 1, without.frames[lane]));
          parts[i].lost += t < without.frames[lane] ? 1.0 : 0.0;
        }
      }
    }
  });
  double frames = 0.0;
  double lost = 0.0;
  for (const Watched& part : parts) {
    frames += part.frames;
    lost += part.lost;
  }
  return lost > 0.0 ? std::optional(frames / lost) : std::nullopt;
}

}  // namespace hysteron::train
