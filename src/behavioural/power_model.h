#pragma once

#include <span>

#include "model/network.h"
#include "technology/technology.h"

namespace hysteron::behavioural {

/// Mean supply power of a circuit by what draws it, watt. Everything leaves the supply through a PMOS device or as an
/// input's or the reference's own current; what NMOS devices pull comes from those.
struct PowerSplit {
  double inputs = 0.0;       ///< currents of the inputs, as they come
  double input_rails = 0.0;  ///< copied rails of the inputs
  double rails = 0.0;        ///< copied rails of inner values, and the P diodes of negative parts
  double square_legs = 0.0;  ///< legs of the d x d weights between values and cells
  double other_legs = 0.0;   ///< legs of input map, readout, biases and skip path
  double reference = 0.0;    ///< unit current and its rail
  double cells = 0.0;        ///< M1 to M9
  double wells = 0.0;        ///< bulks of PMOS devices; measured alone, the model has none

  double feedforward() const { return inputs + input_rails + rails + square_legs + other_legs + reference + wells; }
  double total() const { return feedforward() + cells; }
};

/// What the circuit of `network` draws while it plays `features` [frames, inputs], from the values of the discrete-time
/// model alone: no circuit is built, so that widths of a thousand are no matter. `supply` in volt, `unit_current` in
/// ampere; the share of copied rails is that of `technology`. With `on` [layers, frames, cells of the widest layer]
/// cells are on where that says so, whatever they would do themselves: what a circuit draws, given the bits it held.
PowerSplit model_power(const model::Network& network, std::span<const float> features,
                       const technology::Technology& technology, double supply, double unit_current,
                       std::span<const char> on = {});

}  // namespace hysteron::behavioural
