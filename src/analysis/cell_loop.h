#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compile/cell_bench.h"
#include "sim/engine.h"

namespace hysteron::analysis {

/// What every measurement of cells needs.
struct CellTestSetup {
  const technology::Technology& technology;
  const compile::GainCurves& curves;
  compile::Conditions conditions;
  const sim::Engine& engine;
  int jobs = 0;                                         ///< simulations at once; 0: one per hardware thread
  sim::Engine::OnDone on_done = {};                     ///< called after each run of the batch in hand; may be empty
  double tolerance = 1.0;                               ///< factor on the simulator's tolerances
  double cell_capacitance = 0.0;                        ///< farad from V0 to ground, beside the devices' own
  std::vector<double> read_times = {};                  ///< of the waveforms (sim::Testbench)
  double calibration = compile::kCalibrationTolerance;  ///< what calibration is content with

  /// What calibrating its cells takes.
  compile::CellSetup cell_setup() const { return {technology, curves, conditions, engine, jobs, on_done, calibration}; }

  /// The conditions cells are sized and calibrated under.
  compile::CellEnvironment nominal_environment() const { return {"", conditions.supply, conditions.temperature}; }
};

/// A bench of the lab's cells, with its capacitor at every V0.
compile::CellBench build_bench(const CellTestSetup& lab, const std::vector<compile::CellSizes>& sizes);

/// A cell to be measured: its legs, where its thresholds are thought to be, and under which conditions.
struct LoopRequest {
  compile::CellSizes sizes;
  compile::CellTarget guess;
  compile::CellEnvironment environment;
  bool close = false;  ///< the guess is good to about a percent, which saves the wide window
};

/// A measured loop in ampere; NaN where the cell did not switch or was not solved, and then `problem` says why.
struct MeasuredLoop {
  compile::CellLoop loop;
  std::string problem;  ///< empty: all well
  bool solved = true;   ///< false where the engine failed rather than the cell

  bool good() const { return problem.empty(); }
  double width() const { return loop.rise - loop.fall; }
};

/// How a threshold is approached.
struct LoopProtocol {
  double slow_seconds = 0.5;      ///< time of one slow ramp through a window
  double window_share = 0.004;    ///< half a window over the rise, at the end of the search
  double window_extra = 0.3e-12;  ///< ampere added to it
  double longest_step = 2e-3;     ///< second
};

/// Measures loops on slow ramps of the candidate: the rise is the candidate at which V0 passes half the supply upwards,
/// the fall downwards, high the output after the rise, low the output before it. Each threshold is looked for in a wide
/// window first, then in ever narrower ones until one of the protocol's size holds it; at its ramp a threshold is seen
/// late by sqrt(2 Q r), Q the charge that V0 needs and r the ramp in ampere per second. Several cells share a run,
/// runs go in parallel; results in the order of the requests. A run the engine cannot solve costs its cells alone.
/// Throws bad-input Errors and kInterrupted.
std::vector<MeasuredLoop> measure_loops(const CellTestSetup& lab, const std::vector<LoopRequest>& requests,
                                        const LoopProtocol& protocol = {});

/// A cell, what it is to do, and the legs found for it.
struct TunedCell {
  compile::CellTarget target;
  compile::CellSizes sizes;
  MeasuredLoop loop;
  MeasuredLoop uncalibrated;  ///< with the legs the gain curves suggest
};

/// Calibrates cells as those of a network are (compile::calibrate_cells), and measures their loops with the legs that
/// the curves suggest and with those that calibration found. Throws as the engine where calibration cannot be solved.
std::vector<TunedCell> tune_cells(const CellTestSetup& lab, const std::vector<compile::CellTarget>& targets);

/// The whole loop of a cell: outputs over one grid of candidates, ampere.
struct LoopCurve {
  std::vector<double> candidate;  ///< ascending, from 0
  std::vector<double> up;         ///< output while the candidate rises
  std::vector<double> down;       ///< output while it falls
};

/// Traces the loop of one cell with candidates from 0 to `largest` and back at a constant rate. Throws as the engine.
LoopCurve trace_loop(const CellTestSetup& lab, const compile::CellSizes& sizes, double largest,
                     const compile::CellEnvironment& environment, std::size_t points = 401);

/// "candidate_a,output_up_a,output_down_a" and one line a point.
std::string loop_csv(const LoopCurve& curve);

/// Runs groups of cells of one environment, a few a bench: `candidates(i)` drives request i and `read(i, waves, slot)`
/// is called with the waveforms it is cell `slot` of, or `fail(i, message)`. For measurements of other kinds.
struct CellRun {
  compile::CellSizes sizes;
  compile::CellEnvironment environment;
  sim::PiecewiseLinear candidate;
  bool starts_on = false;
};

/// What all benches of a measurement have in common.
struct RunLimits {
  double stop_time = 0.0;     ///< second
  double longest_step = 0.0;  ///< second
  std::size_t cells_per_bench = 1;
};
using ReadCell = std::function<void(std::size_t run, const sim::Waveforms& waves, std::size_t slot)>;
using FailedCell = std::function<void(std::size_t run, const std::string& message)>;
void run_cells(const CellTestSetup& lab, const std::vector<CellRun>& runs, const RunLimits& limits,
               const ReadCell& read, const FailedCell& fail);

}  // namespace hysteron::analysis
