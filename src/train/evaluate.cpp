#include "train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/random.h"
#include "model/inference.h"
#include "train/carry_chain.h"

namespace hysteron::train {
namespace {

constexpr double kMinProbability = 1e-6;  // of a label, so that its logarithm stays finite

/// What one clip adds to an Evaluation.
struct ClipScore {
  std::size_t decision = 0;
  double loss = 0.0;  // mean over frames
  double vote_loss = 0.0;
  std::size_t near_1 = 0;
  std::size_t near_3 = 0;
  std::size_t pairs = 0;
};

void score_losses(const model::Trace& trace, std::size_t label, ClipScore& score) {
  const double frames = static_cast<double>(std::max<std::size_t>(trace.frames, 1));
  double probabilities = 0.0;
  for (std::size_t t = 0; t < trace.frames; ++t) {
    const float* row = trace.logits.data() + t * trace.outputs;
    const double largest = *std::max_element(row, row + trace.outputs);
    double powers = 0.0;
    for (std::size_t k = 0; k < trace.outputs; ++k) powers += std::exp(row[k] - largest);
    const double log_probability = row[label] - largest - std::log(powers);
    score.loss -= log_probability / frames;
    probabilities += std::exp(log_probability);
  }
  score.vote_loss = -std::log(std::max(probabilities / frames, kMinProbability));
}

/// All frames' candidates are at hand and states alone are needed: a carry chain's work.
void count_near_thresholds(const model::Network& network, const model::Trace& trace, ClipScore& score) {
  std::vector<float> candidates(trace.frames);
  std::vector<std::uint64_t> states(state_words(trace.frames));
  for (std::size_t l = 0; l < trace.layers; ++l) {
    const model::Layer& layer = network.layers[l];
    for (std::size_t j = 0; j < layer.cells(); ++j) {
      const auto cell = static_cast<Eigen::Index>(j);
      const CellBand band{layer.beta_lo[cell], layer.beta_hi[cell], layer.initial_state[cell] != 0.0f};
      for (std::size_t t = 0; t < trace.frames; ++t) candidates[t] = trace.candidate(l, t, j);
      carry_chain_states(candidates.data(), 1, trace.frames, &band, states.data());
      bool on = band.initial;
      for (std::size_t t = 0; t < trace.frames; ++t) {
        const float distance = std::abs(candidates[t] - (on ? band.beta_lo : band.beta_hi));
        score.near_1 += distance <= 0.01f * band.beta_hi ? 1 : 0;
        score.near_3 += distance <= 0.03f * band.beta_hi ? 1 : 0;
        on = ((states[t / kWordFrames] >> (t % kWordFrames)) & 1U) != 0;
      }
      score.pairs += trace.frames;
    }
  }
}

std::size_t decide(const model::Trace& trace) {
  return model::majority(model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs));
}

void check_width(const model::Network& network, const ClipSet& clips) {
  if (clips.size() > 0 && clips.features.width != network.inputs()) {
    throw bad_input(fmt::format("the clips have {} features per frame; the network expects {}", clips.features.width,
                                network.inputs()));
  }
}

}  // namespace

Evaluation evaluate(const model::Network& network, const ClipSet& clips, ThreadPool& pool) {
  check_width(network, clips);
  std::vector<ClipScore> scores(clips.size());
  pool.run(clips.size(), [&](std::size_t i) {
    const model::Trace trace = model::run_clip(network, clips.features.clip(i));
    scores[i].decision = decide(trace);
    score_losses(trace, clips.labels[i], scores[i]);
    count_near_thresholds(network, trace, scores[i]);
  });
  Evaluation result;
  result.clips = clips.size();
  result.confusion = empty_confusion(network.outputs());
  std::vector<double> losses(network.outputs(), 0.0);
  std::vector<double> vote_losses(network.outputs(), 0.0);
  double near_1 = 0.0;
  double near_3 = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    ++result.confusion[clips.labels[i]][scores[i].decision];
    losses[clips.labels[i]] += scores[i].loss;
    vote_losses[clips.labels[i]] += scores[i].vote_loss;
    near_1 += static_cast<double>(scores[i].near_1);
    near_3 += static_cast<double>(scores[i].near_3);
    pairs += static_cast<double>(scores[i].pairs);
  }
  double present = 0.0;
  for (std::size_t k = 0; k < network.outputs(); ++k) {
    double of_label = 0.0;
    for (const std::size_t count : result.confusion[k]) of_label += static_cast<double>(count);
    if (of_label == 0.0) continue;
    present += 1.0;
    result.loss += losses[k] / of_label;
    result.vote_loss += vote_losses[k] / of_label;
  }
  if (clips.size() > 0) {
    result.accuracy = accuracy(result.confusion);
    result.balanced_accuracy = balanced_accuracy(result.confusion);
    result.loss /= present;
    result.vote_loss /= present;
    result.near_1_percent = near_1 / pairs;
    result.near_3_percent = near_3 / pairs;
  }
  return result;
}

namespace {

struct Differences {
  std::size_t frames = 0;
  std::size_t states = 0;
  bool decision = false;
};

Differences differences(const model::Trace& a, const model::Trace& b) {
  Differences result;
  const auto first = model::frame_decisions(a.logits, a.outputs);
  const auto second = model::frame_decisions(b.logits, b.outputs);
  for (std::size_t t = 0; t < first.size(); ++t) result.frames += first[t] != second[t] ? 1 : 0;
  for (std::size_t i = 0; i < a.states.size(); ++i) {
    result.states += (a.states[i] > 0.0f) != (b.states[i] > 0.0f) ? 1 : 0;
  }
  result.decision = decide(a) != decide(b);
  return result;
}

}  // namespace

Robustness robustness(const model::Network& network, const ClipSet& clips, double deviation, std::size_t copies,
                      std::uint64_t seed, ThreadPool& pool) {
  check_width(network, clips);
  std::vector<model::Network> disturbed;
  Perturbation errors;
  errors.weights = errors.thresholds = errors.widths = errors.gains = 3.0 * deviation;
  for (std::size_t i = 0; i < copies; ++i) {
    disturbed.push_back(make_die(network, errors, Random(seed).child("copy", i)));
  }
  std::vector<Differences> sums(clips.size());
  std::vector<std::size_t> decisions(clips.size());
  pool.run(clips.size(), [&](std::size_t i) {
    const model::Trace plain = model::run_clip(network, clips.features.clip(i));
    for (const model::Network& copy : disturbed) {
      const Differences found = differences(plain, model::run_clip(copy, clips.features.clip(i)));
      sums[i].frames += found.frames;
      sums[i].states += found.states;
      decisions[i] += found.decision ? 1 : 0;
    }
  });
  double frames = 0.0;
  double states = 0.0;
  double decided = 0.0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    frames += static_cast<double>(sums[i].frames);
    states += static_cast<double>(sums[i].states);
    decided += static_cast<double>(decisions[i]);
  }
  std::size_t cells = 0;
  for (const model::Layer& layer : network.layers) cells += layer.cells();
  const double runs = static_cast<double>(clips.size() * copies);
  Robustness result;
  if (runs == 0.0) return result;
  result.decision_agreement = 1.0 - decided / runs;
  result.frame_agreement = 1.0 - frames / (runs * static_cast<double>(clips.features.frames));
  result.state_mismatch = states / (runs * static_cast<double>(clips.features.frames * cells));
  return result;
}

Spread spread(const std::vector<double>& values) {
  Spread result;
  if (values.empty()) return result;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) result.mean += value / count;
  for (const double value : values) result.deviation += (value - result.mean) * (value - result.mean);
  result.deviation = values.size() > 1 ? std::sqrt(result.deviation / (count - 1.0)) : 0.0;
  result.worst = std::ranges::min(values);
  return result;
}

namespace {

/// The noise of one clip on one die: its numbers in the order in which a clip asks for them.
model::CandidateNoise clip_noise(const model::Network& die, const Perturbation& perturbation, Random& random) {
  if (!perturbation.has_noise()) return {};
  return [&die, &perturbation, &random](std::size_t layer, std::size_t cell, std::size_t, double candidate) {
    const double upper = die.layers[layer].beta_hi[static_cast<Eigen::Index>(cell)];
    const double scaled = candidate * (1.0 + perturbation.multiplicative * random.normal());
    return scaled + perturbation.additive * upper * random.normal();
  };
}

}  // namespace

PerturbedScore score_perturbed(const model::Network& network, const ClipSet& clips, const Perturbation& perturbation,
                               std::size_t draws, std::uint64_t seed, ThreadPool& pool, const StopFlag& stop) {
  check_width(network, clips);
  model::Network made = network;
  if (perturbation.has_grid()) WeightGrid(perturbation).snap(made);
  PerturbedScore score{std::vector<double>(draws), std::vector<double>(draws)};
  pool.run(draws, [&](std::size_t draw) {
    if (stop.requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
    const Random random = Random(seed).child("die", draw);
    const model::Network die = make_die(made, perturbation, random.child("errors"));
    Confusion confusion = empty_confusion(network.outputs());
    for (std::size_t i = 0; i < clips.size(); ++i) {
      Random noise = random.child("clip", i);
      const model::Trace trace = model::run_clip(die, clips.features.clip(i), clip_noise(die, perturbation, noise));
      ++confusion[clips.labels[i]][decide(trace)];
    }
    score.accuracy[draw] = accuracy(confusion);
    score.balanced[draw] = balanced_accuracy(confusion);
  });
  return score;
}

}  // namespace hysteron::train
