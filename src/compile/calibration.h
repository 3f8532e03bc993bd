#pragma once

#include <cstddef>
#include <vector>

#include "base/reporter.h"
#include "compile/compiled_network.h"
#include "sim/engine.h"

namespace hysteron::compile {

/// Passes a calibration makes at most, and the error that one of a network is content with.
inline constexpr int kCalibrationPasses = 8;
inline constexpr double kCalibrationTolerance = 0.003;

/// What measuring and calibrating cells takes.
struct CellSetup {
  const technology::Technology& technology;
  const GainCurves& curves;
  Conditions conditions;
  const sim::Engine& engine;
  int jobs = 1;                              ///< runs at once; 0: one per hardware thread
  sim::Engine::OnDone on_done = {};          ///< called after each run of the batch in hand; may be empty
  double tolerance = kCalibrationTolerance;  ///< of rise, fall and high, as counted_error has it

  double supply() const { return supply_of(technology, conditions); }  ///< volt
};

/// What one cell is to do, in ampere.
struct CellTarget {
  double rise = 0.0;  ///< upper threshold: I_thresh
  double fall = 0.0;  ///< lower threshold: I_thresh - I_width
  double high = 0.0;  ///< output of a cell that is on: I_gain
};

/// What one cell does, measured on slow ramps, in ampere. NaN where the cell never switched.
struct CellLoop {
  double rise = 0.0;  ///< candidate at which it sets
  double fall = 0.0;  ///< candidate at which it resets
  double high = 0.0;  ///< output when on
  double low = 0.0;   ///< output when off
};

/// The three legs that set a cell, as drawn.
using CellSizes = PerCellLeg<technology::Geometry>;

/// The sizes the curves suggest for `gains`.
CellSizes draw_cell(const CellGains& gains, const technology::Technology& technology, const GainCurves& curves,
                    const Conditions& conditions);

/// Gives the legs of `cell` these sizes.
void resize_cell(CompiledNetwork& network, const CompiledCell& cell, const CellSizes& sizes);

/// The gains of legs of these sizes, by the curves.
CellGains gains_of(const CellSizes& sizes, const GainCurves& curves, double supply);

/// One calibrated cell: its legs and the loop they gave.
struct CalibratedCell {
  CellSizes sizes{};
  CellLoop loop;
  double worst_error = 0.0;  ///< largest of the three errors, relative to the wanted current or to 2 % of the unit
                             ///< current (kCellErrorFloor over kCellTolerance) if that is more; infinite if it never
                             ///< switched
};

/// Cells that are measured side by side in one run: a cell that switches costs all of them time steps.
inline constexpr std::size_t kCellsInARun = 2;

/// Where to look closely for a cell's thresholds.
struct RampWindow {
  double rise_from = 0.0, rise_to = 0.0;  ///< ampere, ascending ramp
  double fall_from = 0.0, fall_to = 0.0;  ///< ampere, descending ramp
};

/// Measures the loops of cells with these legs, each on its own ramp through its window, kCellsInARun in a run.
std::vector<CellLoop> measure_cells(const std::vector<CellSizes>& sizes, const std::vector<RampWindow>& windows,
                                    const CellSetup& setup);

/// The gains the curves alone suggest for `target`.
CellGains nominal_gains(const CellTarget& target, const Conditions& conditions);

/// The calibrator of every cell there is, alone or in a network. Adjusts the gains of every cell until rise, fall and
/// high are within the tolerance or the passes are used up; near the end by single steps of the drawing grid.
std::vector<CalibratedCell> calibrate_cells(const std::vector<CellTarget>& targets, const CellSetup& setup,
                                            Reporter& reporter);

/// What rise, fall and high of a calibrated cell are to be within: this share of the wanted current, or this many unit
/// currents (0.1 pA at 1 nA) where that is more.
inline constexpr double kCellTolerance = 0.005;
inline constexpr double kCellErrorFloor = 1e-4;

/// Error of `measured` against `target` in ampere, relative to `target`, or to what kCellErrorFloor is kCellTolerance
/// of if that is more. `measured` may be NaN, a threshold never crossed: right for a target of 0, else infinite.
double counted_error(double measured, double target, double unit_current);

/// Names every calibrated cell that is not, with what is off and by how much.
void warn_of_cells(const CompiledNetwork& network, Reporter& reporter);

/// Calibrates every cell of `network` in place, and its legs.
void calibrate_network(CompiledNetwork& network, const technology::Technology& technology, const GainCurves& curves,
                       const sim::Engine& engine, int jobs, Reporter& reporter);

}  // namespace hysteron::compile
