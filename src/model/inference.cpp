#include "model/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>

#include "base/error.h"

namespace hysteron::model {
namespace {

using Wide = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // [frames, values]

Wide apply(const Affine& affine, const Wide& x) {
  return (x * affine.weight.cast<double>().transpose()).rowwise() + affine.bias.cast<double>().transpose();
}

Wide rectify(const Wide& x) { return x.cwiseMax(0.0); }

Wide rounded(const Wide& x) { return x.cast<float>().cast<double>(); }

/// h[t, j] = alpha_j or 0   [frames, m], from candidates of the same shape; both also go to the trace.
Wide run_cells(const Layer& layer, const Wide& candidates, std::size_t index, Trace& trace) {
  Wide outputs(candidates.rows(), candidates.cols());
  for (Eigen::Index j = 0; j < candidates.cols(); ++j) {
    bool on = layer.initial_state[j] != 0.0f;
    for (Eigen::Index t = 0; t < candidates.rows(); ++t) {
      const auto candidate = static_cast<float>(candidates(t, j));
      on = next_state(candidate, layer.beta_lo[j], layer.beta_hi[j], on);
      const float state = on ? layer.alpha[j] : 0.0f;
      outputs(t, j) = state;
      const std::size_t place = (index * trace.frames + static_cast<std::size_t>(t)) * trace.cells;
      trace.candidates[place + static_cast<std::size_t>(j)] = candidate;
      trace.states[place + static_cast<std::size_t>(j)] = state;
    }
  }
  return outputs;
}

void disturb(Wide& candidates, std::size_t layer, const CandidateNoise& noise) {
  for (Eigen::Index t = 0; t < candidates.rows(); ++t) {
    for (Eigen::Index j = 0; j < candidates.cols(); ++j) {
      candidates(t, j) = noise(layer, static_cast<std::size_t>(j), static_cast<std::size_t>(t), candidates(t, j));
    }
  }
}

Wide read_features(const Network& network, std::span<const float> features) {
  if (network.inputs() == 0 || features.size() % network.inputs() != 0) {
    throw bad_input(fmt::format("features: {} values are not a whole number of frames of {} features", features.size(),
                                network.inputs()));
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!std::isfinite(features[i])) {
      throw bad_input(fmt::format("features: frame {}, feature {} is {}; expected a finite number",
                                  i / network.inputs(), i % network.inputs(), features[i]));
    }
  }
  const auto width = static_cast<Eigen::Index>(network.inputs());
  return Eigen::Map<const Matrix>(features.data(), static_cast<Eigen::Index>(features.size()) / width, width)
      .cast<double>();
}

}  // namespace

Trace run_clip(const Network& network, std::span<const float> features) {
  return run_clip(network, features, CandidateNoise());
}

Trace run_clip(const Network& network, std::span<const float> features, const CandidateNoise& noise) {
  Wide v = rounded(apply(network.input, read_features(network, features)));
  Trace trace;
  trace.frames = static_cast<std::size_t>(v.rows());
  trace.layers = network.layers.size();
  trace.outputs = network.outputs();
  for (const Layer& layer : network.layers) trace.cells = std::max(trace.cells, layer.cells());
  trace.states.assign(trace.layers * trace.frames * trace.cells, 0.0f);
  trace.candidates.assign(trace.states.size(), 0.0f);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    Wide sums = apply(layer.candidate, rectify(v));
    if (noise) disturb(sums, i, noise);
    const Wide candidates = rounded(rectify(sums));
    const Wide h = run_cells(layer, candidates, i, trace);
    v = rounded(v + rectify(apply(layer.output, h)));
  }
  const Matrix logits = apply(network.readout, v).cast<float>();
  trace.logits.assign(logits.data(), logits.data() + logits.size());
  return trace;
}

std::vector<float> replay_candidates(const Network& network, std::span<const float> features,
                                     std::span<const char> on) {
  Wide v = rounded(apply(network.input, read_features(network, features)));
  const auto frames = static_cast<std::size_t>(v.rows());
  std::size_t cells = 0;
  for (const Layer& layer : network.layers) cells = std::max(cells, layer.cells());
  std::vector<float> result(network.layers.size() * frames * cells, 0.0f);
  assert(on.size() == result.size());
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const Wide candidates = rounded(rectify(apply(layer.candidate, rectify(v))));
    Wide h(candidates.rows(), candidates.cols());
    for (Eigen::Index t = 0; t < candidates.rows(); ++t) {
      for (Eigen::Index j = 0; j < candidates.cols(); ++j) {
        const std::size_t place = (i * frames + static_cast<std::size_t>(t)) * cells + static_cast<std::size_t>(j);
        result[place] = static_cast<float>(candidates(t, j));
        h(t, j) = on[place] != 0 ? layer.alpha[j] : 0.0f;
      }
    }
    v = rounded(v + rectify(apply(layer.output, h)));
  }
  return result;
}

std::vector<std::size_t> frame_decisions(std::span<const float> logits, std::size_t outputs) {
  std::vector<std::size_t> decisions(outputs == 0 ? 0 : logits.size() / outputs);
  for (std::size_t t = 0; t < decisions.size(); ++t) {
    const auto row = logits.subspan(t * outputs, outputs);
    decisions[t] = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return decisions;
}

std::vector<std::size_t> count_votes(const std::vector<std::size_t>& frame_decisions, std::size_t outputs) {
  std::vector<std::size_t> counts(outputs, 0);
  for (const std::size_t decision : frame_decisions) ++counts.at(decision);
  return counts;
}

std::size_t votes_ahead(const std::vector<std::size_t>& frame_decisions, std::size_t outputs) {
  std::vector<std::size_t> counts = count_votes(frame_decisions, outputs);
  std::ranges::sort(counts, std::greater<>());
  return counts.size() < 2 ? frame_decisions.size() : counts[0] - counts[1];
}

std::vector<double> vote_shares(const std::vector<std::size_t>& frame_decisions, std::size_t outputs) {
  const auto all = static_cast<double>(std::max<std::size_t>(frame_decisions.size(), 1));
  std::vector<double> shares;
  for (const std::size_t votes : count_votes(frame_decisions, outputs))
    shares.push_back(static_cast<double>(votes) / all);
  return shares;
}

std::size_t majority(const std::vector<double>& votes) {
  return static_cast<std::size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
}

}  // namespace hysteron::model
