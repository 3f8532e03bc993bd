#pragma once

#include <cstddef>

#include "base/parallel.h"
#include "data/features.h"
#include "model/network.h"

namespace hysteron::compile {

/// What a change of a network does to its decisions in software.
struct DecisionEffect {
  std::size_t clips = 0;         ///< that the shares below were taken over
  double frame_change = 0.0;     ///< share of frames with another argmax
  double decision_change = 0.0;  ///< share of clips with another decision
};

/// Runs both networks on `features` [clips, frames, inputs].
DecisionEffect decision_effect(const model::Network& before, const model::Network& after,
                               const data::Features& features, ThreadPool& pool);

/// A network without its smallest weights and biases, and what that does to it.
struct Pruning {
  model::Network network;
  double below = 0.0;       ///< the least magnitude that stays, model units
  std::size_t dropped = 0;  ///< weights and biases set to zero
  DecisionEffect effect;
};

/// Sets every weight and bias of a magnitude below `below` (model units) to zero: it then takes no transistor.
/// Thresholds, widths and gains stay. The effect is measured in software on `features` [clips, frames, inputs].
Pruning prune(const model::Network& network, double below, const data::Features& features, ThreadPool& pool);

}  // namespace hysteron::compile
