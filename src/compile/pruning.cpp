#include "hysteron/compile/pruning.h"

#include <cmath>

#include "hysteron/model/inference.h"

namespace hysteron::compile {
namespace {

template <typename Array>
std::size_t drop_small(Array& values, double below) {
  std::size_t dropped = 0;
  for (Eigen::Index i = 0; i < values.size(); ++i) {
    float& value = values.data()[i];
    if (value == 0.0F || std::abs(value) >= below) continue;
    value = 0.0F;
    ++dropped;
  }
  return dropped;
}

std::size_t drop_small(model::Affine& affine, double below) {
  return drop_small(affine.weight, below) + drop_small(affine.bias, below);
}

void measure_effect(const model::Network& network, const data::Features& features, Pruning& pruning) {
  std::size_t frames = 0;
  std::size_t changed_frames = 0;
  std::size_t changed_decisions = 0;
  const std::size_t outputs = network.outputs();
  for (std::size_t clip = 0; clip < features.clips; ++clip) {
    const auto before = model::frame_decisions(model::run_clip(network, features.clip(clip)).logits, outputs);
    const auto after = model::frame_decisions(model::run_clip(pruning.network, features.clip(clip)).logits, outputs);
    for (std::size_t t = 0; t < before.size(); ++t) changed_frames += before[t] != after[t] ? 1 : 0;
    frames += before.size();
    changed_decisions +=
        model::majority(model::vote_shares(before, outputs)) != model::majority(model::vote_shares(after, outputs)) ? 1
                                                                                                                    : 0;
  }
  pruning.clips = features.clips;
  if (frames == 0) return;
  pruning.frame_change = static_cast<double>(changed_frames) / static_cast<double>(frames);
  pruning.decision_change = static_cast<double>(changed_decisions) / static_cast<double>(features.clips);
}

}  // namespace

Pruning prune(const model::Network& network, double below, const data::Features& features) {
  Pruning pruning;
  pruning.network = network;
  pruning.below = below;
  pruning.dropped = drop_small(pruning.network.input, below) + drop_small(pruning.network.readout, below);
  for (model::Layer& layer : pruning.network.layers) {
    pruning.dropped += drop_small(layer.candidate, below) + drop_small(layer.output, below);
  }
  measure_effect(network, features, pruning);
  return pruning;
}

}  // namespace hysteron::compile
