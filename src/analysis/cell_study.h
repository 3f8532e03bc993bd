#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/cell_characterisation.h"

namespace hysteron::analysis {

/// Lines are fitted over currents between these, exclusive: the width of the cells of the first line, whose threshold
/// is swept, and the threshold of those of the second, whose width is.
inline constexpr double kFittedAbove = 60e-12;
inline constexpr double kFittedBelow = 500e-12;

/// What a study of the cell looks at; ampere, volt, degree Celsius.
struct CellStudyRequest {
  std::vector<double> currents = {10e-12, 20e-12, 50e-12, 100e-12, 200e-12, 500e-12, 1e-9, 2e-9, 3e-9};
  std::vector<double> fitted = {100e-12, 150e-12, 200e-12, 250e-12, 300e-12, 350e-12, 400e-12};
  std::vector<double> supplies = {1.2, 1.4, 1.6, 1.8, 1.98};
  std::vector<double> temperatures = {-40.0, 0.0, 27.0, 85.0, 125.0};
  std::vector<std::string> corners;  ///< empty: all of the technology's
  std::vector<double> overdrives = {0.02, 0.05, 0.1, 0.2, 0.5, 1.0};
  std::vector<double> small_thresholds = {100e-12, 300e-12, 1e-9};  ///< of the cells of small width
  std::vector<double> small_widths = {1e-12, 2e-12, 5e-12, 10e-12, 20e-12, 50e-12};
  double lowest_supply = 0.2;  ///< of the search for the smallest supply
  double supply_step = 0.05;
  double retention_seconds = 100.0;
};

/// One of I_thresh, I_width and I_gain swept while what else there is stays.
struct CellSweep {
  std::string name;    ///< "threshold", "width" or "gain"
  std::string beside;  ///< what the other two currents were
  std::vector<TunedCell> cells;
};

/// Linearity of one current over CellStudyRequest::fitted, the other two fixed.
struct Linearity {
  std::string name;
  std::string beside;
  LineFit calibrated;
  LineFit uncalibrated;  ///< with the legs the gain curves suggest
  LineFit slower;        ///< calibrated, measured again on ramps half as fast: what the protocol adds
  std::vector<TunedCell> cells;
};

/// Largest deviations of loops from what was programmed; NaN where no cell has a loop.
struct LoopDeviation {
  double rise = kNoFigure;  ///< over I_thresh
  double fall = kNoFigure;  ///< likewise
  double high = kNoFigure;  ///< over I_gain
  std::size_t cells = 0;    ///< with a loop
};

/// Of `loops`, each against the target at its place.
LoopDeviation worst_deviation(const std::vector<compile::CellTarget>& targets, const std::vector<MeasuredLoop>& loops);

/// Loops of the anchors under one set of conditions: [anchors].
struct EnvironmentRow {
  compile::CellEnvironment environment;
  std::vector<MeasuredLoop> loops;
  LoopDeviation worst;
};

/// A cell of small width: what it was tuned to, its loop somewhere, and whether it still is a memory there.
struct SmallWidth {
  PlacedCell placed;
  bool holds = false;  ///< both states for a second in the middle of its band
};

/// What was found for each anchor; NaN where no supply was enough.
struct AnchorLimits {
  double smallest_switching_supply = 0.0;  ///< thresholds and output within a tenth of those at the supply the cell was
                                           ///< calibrated for, under the same other conditions; also at all higher ones
  double smallest_holding_supply = 0.0;    ///< both states held in the middle of the band, also at all higher ones
};

/// Cells going down in supply.
struct SupplySearch {
  std::vector<EnvironmentRow> rows;  ///< descending
  std::vector<Retention> retention;  ///< [rows][cells][off, on]
  std::vector<AnchorLimits> limits;  ///< [cells]
};

/// What changes with the conditions beyond the loops, of cells that were calibrated at home.
struct ExtremeRow {
  compile::CellEnvironment environment;
  std::vector<LineFit> lines;                    ///< of threshold, width and gain, as CellStudyResult::linearity
  std::vector<CellCurrents> currents;            ///< [anchors]
  std::vector<Sensitivities> sensitivities;      ///< [anchors]
  std::vector<std::vector<Response>> responses;  ///< [anchors][overdrives]
  std::vector<Retention> retention;              ///< [anchors][off, on], a second in the middle of the band there
  SupplySearch low_supplies;                     ///< of the anchors; none where the supply is what is extreme
  std::vector<SmallWidth> small_widths;          ///< as CellStudyResult::small_widths
};

struct CellStudyResult {
  compile::CellFloor floor;
  std::vector<CellSweep> sweeps;
  std::vector<Linearity> linearity;
  std::vector<TunedCell> anchors;
  std::vector<EnvironmentRow> environments;
  std::vector<ExtremeRow> extremes;              ///< at those of study_extremes
  std::vector<Sensitivities> sensitivities;      ///< [anchors]
  std::vector<std::vector<Response>> responses;  ///< [anchors][overdrives]
  std::vector<CellCurrents> currents;            ///< [anchors]
  std::vector<Retention> retention;              ///< of every anchor, low in the band, middle, high; off then on
  SupplySearch low_supplies;                     ///< of the anchors, from the highest supply down
  std::vector<SmallWidth> small_widths;          ///< [small_thresholds][small_widths]
  std::size_t points = 0;                        ///< measurements made
  std::vector<std::string> unsolved;  ///< those that gave no figure, each by name: the cell did not switch or the
                                      ///< engine failed
};

/// Told which part of the study begins, kStudyStages times.
inline constexpr std::size_t kStudyStages = 10;
using StageBegins = std::function<void(const std::string& stage)>;

/// Sizes and calibrates all cells under the lab's conditions, measures them there and under every other condition with
/// an ideal unit current. A point without a full loop has NaN, says why and is named in `unsolved`; where the smallest
/// supply is looked for, only engine failures are, since cells are expected to fail there. Throws bad-input Errors,
/// kInterrupted, and a simulator Error if nothing was solved at all.
CellStudyResult study_cells(CellTestSetup lab, const CellStudyRequest& request, const StageBegins& begins);

/// Every environment a study measures: each supply, temperature and corner by itself, and all combinations of the
/// extremes.
std::vector<compile::CellEnvironment> study_environments(const CellStudyRequest& request,
                                                         const compile::CellEnvironment& nominal_environment,
                                                         const technology::Technology& technology);

/// The ends of each axis by itself: the lowest and highest supply and temperature and every corner, but for `home`.
std::vector<compile::CellEnvironment> study_extremes(const CellStudyRequest& request,
                                                     const compile::CellEnvironment& nominal_environment,
                                                     const technology::Technology& technology);

}  // namespace hysteron::analysis
