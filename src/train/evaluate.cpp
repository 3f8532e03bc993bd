#include "hysteron/train/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hysteron/base/error.h"
#include "hysteron/base/random.h"
#include "hysteron/model/inference.h"

namespace hysteron::train {
namespace {

constexpr double kLeastProbability = 1e-6;  // of a label, so that its logarithm stays finite

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
  score.vote_loss = -std::log(std::max(probabilities / frames, kLeastProbability));
}

void count_near_thresholds(const model::Network& network, const model::Trace& trace, ClipScore& score) {
  for (std::size_t l = 0; l < trace.layers; ++l) {
    const model::Layer& layer = network.layers[l];
    for (std::size_t j = 0; j < layer.cells(); ++j) {
      const auto cell = static_cast<Eigen::Index>(j);
      bool on = layer.initial_state[cell] != 0.0f;
      for (std::size_t t = 0; t < trace.frames; ++t) {
        const float candidate = trace.candidate(l, t, j);
        const float distance = std::abs(candidate - (on ? layer.beta_lo[cell] : layer.beta_hi[cell]));
        score.near_1 += distance <= 0.01f * layer.beta_hi[cell] ? 1 : 0;
        score.near_3 += distance <= 0.03f * layer.beta_hi[cell] ? 1 : 0;
        on = model::next_state(candidate, layer.beta_lo[cell], layer.beta_hi[cell], on);
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
    throw bad_input(fmt::format("the clips have {} features a frame; the network expects {}", clips.features.width,
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
  result.confusion.assign(network.outputs(), std::vector<std::size_t>(network.outputs(), 0));
  std::vector<double> losses(network.outputs(), 0.0);
  std::vector<double> vote_losses(network.outputs(), 0.0);
  std::size_t right = 0;
  double near_1 = 0.0;
  double near_3 = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    ++result.confusion[clips.labels[i]][scores[i].decision];
    losses[clips.labels[i]] += scores[i].loss;
    vote_losses[clips.labels[i]] += scores[i].vote_loss;
    right += scores[i].decision == clips.labels[i] ? 1 : 0;
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
    result.balanced_accuracy += static_cast<double>(result.confusion[k][k]) / of_label;
    result.loss += losses[k] / of_label;
    result.vote_loss += vote_losses[k] / of_label;
  }
  if (clips.size() > 0) {
    result.accuracy = static_cast<double>(right) / static_cast<double>(clips.size());
    result.balanced_accuracy /= present;
    result.loss /= present;
    result.vote_loss /= present;
    result.near_1_percent = near_1 / pairs;
    result.near_3_percent = near_3 / pairs;
  }
  return result;
}

namespace {

/// `network` with every parameter of its layers off by its own factor.
model::Network with_errors(const model::Network& network, double deviation, Random random) {
  model::Network copy = network;
  const auto disturb = [&](auto& values) {
    for (Eigen::Index i = 0; i < values.size(); ++i) {
      values.data()[i] *= static_cast<float>(1.0 + deviation * random.normal());
    }
  };
  for (model::Layer& layer : copy.layers) {
    model::Vector width = layer.beta_hi - layer.beta_lo;
    disturb(layer.candidate.weight);
    disturb(layer.candidate.bias);
    disturb(layer.beta_hi);
    disturb(width);
    disturb(layer.alpha);
    disturb(layer.output.weight);
    disturb(layer.output.bias);
    layer.beta_lo = (layer.beta_hi - width).cwiseMax(0.0f);  // as in the circuit, which sets beta_hi and the width
  }
  return copy;
}

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
  for (std::size_t i = 0; i < copies; ++i) {
    disturbed.push_back(with_errors(network, deviation, Random(seed).child("copy", i)));
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

}  // namespace hysteron::train
