#pragma once

#include <optional>

#include "compile/compiled_network.h"

namespace hysteron::compile {

/// What can be done about hazards; docs/notes/hazards.md has what each of them was measured to do.
struct HazardMitigations {
  double input_ramp = kDefaultInputRamp;   ///< seconds an input takes from one frame's value to the next
  double input_pedestal = 0.0;             ///< unit currents on both terminals of every input: their rails stay charged
  std::optional<double> cell_capacitance;  ///< farad from V0 of every cell to ground; none: default_cell_capacitance
};

/// The capacitor at V0 that cells have where nothing else is asked for: 80 fF at a unit current of 1 nA and in
/// proportion at others, so that a settled candidate switches a cell as fast.
inline constexpr double default_cell_capacitance(double unit_current) { return 80e-15 / 1e-9 * unit_current; }

// What docs/notes/hazards.md measured of capacitors at V0.
inline constexpr double kSwitchingSwing = 1.2;     ///< volt that V0 moves before its cell switches
inline constexpr double kOwnCapacitance = 20e-15;  ///< farad that V0 has by itself
/// The largest capacitor that lost nothing: 110 fF at 1 nA and frames of 10 ms, and in proportion to the charge that a
/// unit current brings in a frame.
inline constexpr double largest_cell_capacitance(double unit_current, double frame_seconds) {
  return 110e-15 / (1e-9 * 0.01) * unit_current * frame_seconds;
}

/// How far beyond its threshold, in ampere, a candidate has to settle to switch a cell with `capacitance` at V0 in a
/// frame; and the largest capacitor that a candidate switches that settles `overdrive` ampere beyond it (may be below
/// 0: none is small enough).
inline constexpr double overdrive_to_switch(double capacitance, double frame_seconds) {
  return kSwitchingSwing * (capacitance + kOwnCapacitance) / frame_seconds;
}
inline constexpr double capacitance_switched_by(double overdrive, double frame_seconds) {
  return overdrive * frame_seconds / kSwitchingSwing - kOwnCapacitance;
}

/// Puts `mitigations` into a network that has none yet.
void apply_mitigations(CompiledNetwork& network, const HazardMitigations& mitigations);

/// Puts `mitigations` in the place of those that apply_mitigations put into a network.
void replace_mitigations(CompiledNetwork& network, const HazardMitigations& mitigations);

}  // namespace hysteron::compile
