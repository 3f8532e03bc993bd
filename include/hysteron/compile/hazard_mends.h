#pragma once

#include "hysteron/compile/compiled_network.h"

namespace hysteron::compile {

/// What can be done about hazards; docs/notes/hazards.md has what each of them was measured to do.
struct HazardMends {
  double input_ramp = kDefaultInputRamp;  ///< seconds an input takes from one frame's value to the next
  double input_pedestal = 0.0;            ///< unit currents on both terminals of every input: their rails stay charged
  double cell_capacitance = 50e-15;       ///< farad from V0 of every cell to ground
};

/// Puts `mends` into a network that has none yet.
void apply_mends(CompiledNetwork& network, const HazardMends& mends);

}  // namespace hysteron::compile
