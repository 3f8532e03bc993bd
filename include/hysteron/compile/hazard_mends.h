#pragma once

#include <optional>

#include "hysteron/compile/compiled_network.h"

namespace hysteron::compile {

/// What can be done about hazards; docs/notes/hazards.md has what each of them was measured to do.
struct HazardMends {
  double input_ramp = kDefaultInputRamp;   ///< seconds an input takes from one frame's value to the next
  double input_pedestal = 0.0;             ///< unit currents on both terminals of every input: their rails stay charged
  std::optional<double> cell_capacitance;  ///< farad from V0 of every cell to ground; none: default_cell_capacitance
};

/// The capacitor at V0 that cells have where nothing else is asked for: 80 fF at a unit current of 1 nA and in
/// proportion at others, so that a settled candidate switches a cell as fast.
inline constexpr double default_cell_capacitance(double unit_current) { return 80e-15 / 1e-9 * unit_current; }

/// Puts `mends` into a network that has none yet.
void apply_mends(CompiledNetwork& network, const HazardMends& mends);

}  // namespace hysteron::compile
