#pragma once

#include <string>
#include <vector>

#include "compile/calibration.h"
#include "compile/compiled_network.h"
#include "sim/testbench.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// Under which conditions a cell is measured; it stays as it was sized.
struct CellEnvironment {
  std::string corner;         ///< empty: typical
  double supply = 0.0;        ///< volt; 0: that of sizing
  double temperature = 27.0;  ///< degree Celsius

  bool operator==(const CellEnvironment&) const = default;
};

/// Cells side by side that share nothing but the supplies: each has a bias diode and a candidate diode of its own, so a
/// bias that is a current stays right at every corner and temperature and no cell that switches reaches another.
struct CellBench {
  CompiledNetwork network;
  std::vector<circuit::NetId> bias;        ///< [cells], terminal of a cell's unit current
  std::vector<circuit::NetId> candidates;  ///< [cells], terminal of its candidate
  std::vector<CompiledCell> cells;
};

/// Builds cells with legs of these sizes.
CellBench build_cell_bench(const std::vector<CellSizes>& sizes, const technology::Technology& technology,
                           const GainCurves& curves, const Conditions& conditions);

/// What is recorded of every cell, in this order.
enum class CellProbe : std::size_t { kSwitch, kOutput, kCandidateCopy, kFeedbackDiode, kFeedback };
inline constexpr std::size_t kCellProbes = 5;

/// Index of a probe of cell `cell` in the waveforms of a bench from make_cell_testbench: V0 (volt), and the drain
/// currents of M4, M1, M7 and M9.
inline std::size_t probe_index(std::size_t cell, CellProbe probe) {
  return kCellProbes * cell + static_cast<std::size_t>(probe);
}

/// A run of `bench` (which must outlive it) in `environment` with these candidates and first states; the unit current
/// is an ideal source. One last probe is the current of the cells' supply. Throws a bad-input Error for a corner the
/// technology does not have.
sim::Testbench make_cell_testbench(const CellBench& bench, const CellEnvironment& environment,
                                   const std::vector<sim::PiecewiseLinear>& candidates,
                                   const std::vector<bool>& starts_on);

/// The lower bounds of the currents, in ampere.
struct CellFloor {
  double leakage = 0.0;       ///< the larger drain current of an N and a P reference device that is off, at the supply
  double smallest_leg = 0.0;  ///< the least current a leg of the technology carries

  /// Of any of the three currents: what is less than half the smallest leg is not made at all.
  double leg() const { return 0.5 * smallest_leg; }

  /// Of I_thresh: a tenth of it may be leakage, which calibration takes out at its own temperature.
  double threshold() const { return leg() > 10.0 * leakage ? leg() : 10.0 * leakage; }

  /// Of the lower threshold, below which leakage keeps a cell on.
  double fall() const { return 2.0 * leakage; }
};

/// Measures leakage at `temperature` (one operating point) and takes the smallest leg from the curves.
CellFloor measure_cell_floor(const technology::Technology& technology, const GainCurves& curves,
                             const Conditions& conditions, double temperature, const sim::Engine& engine);

/// The floor at the temperature of `conditions`, from the leakage stored for this technology, engine and conditions, or
/// newly measured and then stored in the cache.
CellFloor load_cell_floor(const technology::Technology& technology, const GainCurves& curves,
                          const Conditions& conditions, const sim::Engine& engine);

}  // namespace hysteron::compile
