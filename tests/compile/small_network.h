#pragma once

#include <cmath>
#include <vector>

#include "model/network.h"

namespace hysteron {

/// Two inputs, width 2, one layer of two cells, two labels: every kind of leg there is. Candidates stay far from the
/// thresholds for inputs of -1, 0 and 1.
inline model::Network small_network() {
  model::Network network;
  network.input.weight.resize(2, 2);
  network.input.weight << 0.8F, -0.3F, -0.5F, 0.6F;
  network.input.bias.resize(2);
  network.input.bias << 0.2F, -0.1F;
  model::Layer layer;
  layer.candidate.weight.resize(2, 2);
  layer.candidate.weight << 0.9F, 0.4F, -0.3F, 1.2F;
  layer.candidate.bias.resize(2);
  layer.candidate.bias << 0.05F, 0.1F;
  layer.beta_lo.resize(2);
  layer.beta_lo << 0.15F, 0.2F;
  layer.beta_hi.resize(2);
  layer.beta_hi << 0.6F, 0.5F;
  layer.alpha.resize(2);
  layer.alpha << 0.8F, 0.5F;
  layer.initial_state.resize(2);
  layer.initial_state << 0.0F, 1.0F;
  layer.output.weight.resize(2, 2);
  layer.output.weight << 0.7F, -0.4F, 0.3F, 0.9F;
  layer.output.bias.resize(2);
  layer.output.bias << 0.1F, -0.05F;
  network.layers.push_back(layer);
  network.readout.weight.resize(2, 2);
  network.readout.weight << 0.8F, -0.5F, -0.6F, 0.7F;
  network.readout.bias.resize(2);
  network.readout.bias << 0.1F, 0.2F;
  network.labels = {"yes", "other"};
  return network;
}

/// Twelve frames of the two inputs that set, hold and reset both cells: [12, 2]. While cell 0 is on, the first value
/// stays positive until it is to be reset: a value that changes sign lets its rail start late, and the dip between two
/// frames could reset the cell (docs/compiler.md, "Hazards").
inline std::vector<float> small_features() {
  return {0, 0, -1, 0, 0, 0, -1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, -1, -0.5F, 0, 0, 0};
}

}  // namespace hysteron
