#include "studies/cell_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/units.h"
#include "design/cell_test_setup.h"

namespace hysteron::studies {
namespace {

// Currents a study takes; cells are in weak inversion up to some tens of nanoampere.
constexpr double kMinCurrent = 1e-12;
constexpr double kMaxCurrent = 100e-9;

// Lines over cells are to show the circuit, not what calibration leaves of an error.
constexpr double kStudyTolerance = 2e-4;

void check_above_floor(double current, const char* what, double floor, const char* reason) {
  if (current >= floor) return;
  throw bad_input(
      fmt::format("{} {}: below the floor of {}: {}", what, format_si(current, "A"), format_si(floor, "A"), reason));
}

constexpr const char* kNoLeg = "half of what the smallest leg carries";
constexpr const char* kDrowned = "half the current of the smallest leg, or ten times the leakage of an off device";

void check_request(const CellRequest& request, const compile::CellFloor& floor) {
  check_above_floor(request.threshold, "I_thresh", floor.threshold(), kDrowned);
  check_above_floor(request.width, "I_width", floor.leg(), kNoLeg);
  check_above_floor(request.gain, "I_gain", floor.leg(), kNoLeg);
  check_above_floor(request.threshold - request.width, "I_thresh - I_width", floor.fall(),
                    "twice the leakage of an off device; the cell would never reset");
}

/// Tells the user where calibration could not reach what was asked for.
void warn_of_errors(const analysis::TunedCell& cell, Reporter& reporter) {
  constexpr double kWorthAWarning = 0.01;
  const compile::CellTarget& target = cell.target;
  const auto check = [&](const char* what, double wanted, double measured) {
    if (std::abs(measured - wanted) <= kWorthAWarning * wanted) return;
    reporter.warning(fmt::format("{}: target {}, measured {} after calibration", what, format_si(wanted, "A"),
                                 format_si(measured, "A", 4)));
  };
  check("I_thresh", target.rise, cell.loop.loop.rise);
  check("I_width", target.rise - target.fall, cell.loop.width());
  check("I_gain", target.high, cell.loop.loop.high);
}

/// Where no corner is named it is the typical one.
void name_corners(analysis::CellStudyResult& cells, const std::string& typical) {
  const auto name = [&](auto& rows) {
    for (auto& row : rows) {
      if (row.environment.corner.empty()) row.environment.corner = typical;
    }
  };
  name(cells.environments);
  name(cells.extremes);
  name(cells.low_supplies.rows);
}

}  // namespace

void check_cell(const CellRequest& request, const technology::Technology& technology, double supply) {
  technology::check_corner(technology, request.corner);
  if (supply > 0.0) design::check_supply(supply, technology);
  if (request.temperature) design::check_temperature(*request.temperature, technology);
}

CellMeasurement measure_cell(const design::DesignContext& context, const CellRequest& request, Reporter& reporter) {
  const technology::Technology& technology = context.technology();
  check_cell(request, technology, context.supply());
  analysis::CellTestSetup lab = design::make_lab(context);
  const double temperature = request.temperature.value_or(lab.conditions.temperature);
  const compile::CellFloor floor =
      compile::measure_cell_floor(technology, lab.curves, lab.conditions, lab.conditions.temperature, lab.engine);
  check_request(request, floor);
  design::StageProgress progress("calibrating the cell", 1, reporter);
  progress.begin("");
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  const compile::CellTarget target = {request.threshold, request.threshold - request.width, request.gain};
  CellMeasurement result;
  result.cell = analysis::tune_cells(lab, {target}).front();
  result.loop = result.cell.loop;
  result.calibrated_at = {technology.typical_corner, lab.conditions.supply, lab.conditions.temperature};
  if (result.cell.loop.good()) warn_of_errors(result.cell, reporter);
  const compile::CellEnvironment there = {request.corner, lab.conditions.supply, temperature};
  if (there != lab.nominal_environment())
    result.loop = analysis::measure_loops(lab, {{result.cell.sizes, target, there}}).front();
  if (!result.loop.good()) throw simulator_error("the cell could not be measured: " + result.loop.problem);
  if (request.trace) {
    const double largest = 1.3 * std::max(request.threshold, result.loop.loop.rise);
    result.curve = analysis::trace_loop(lab, result.cell.sizes, largest, there);
  }
  progress.finish();
  return result;
}

void check_cell_study(const analysis::CellStudyRequest& request, const technology::Technology& technology) {
  for (const auto* list : {&request.currents, &request.fitted, &request.small_widths}) {
    for (const double current : *list) {
      if (current >= kMinCurrent && current <= kMaxCurrent) continue;
      throw bad_input(fmt::format("current {}: expected {} to {}", format_si(current, "A"), format_si(kMinCurrent, "A"),
                                  format_si(kMaxCurrent, "A")));
    }
  }
  for (const double current : request.fitted) {
    if (current > analysis::kFittedAbove && current < analysis::kFittedBelow) continue;
    throw bad_input(fmt::format("current {} of the lines: expected more than {} and less than {}",
                                format_si(current, "A"), format_si(analysis::kFittedAbove, "A"),
                                format_si(analysis::kFittedBelow, "A")));
  }
  if (std::set<double>(request.fitted.begin(), request.fitted.end()).size() < 2) {
    throw bad_input("expected at least two different currents to fit lines over");
  }
  if (request.supplies.empty() || request.temperatures.empty() || request.currents.empty()) {
    throw bad_input("expected at least one current, one supply and one temperature");
  }
  for (const double supply : request.supplies) design::check_supply(supply, technology);
  for (const double temperature : request.temperatures) design::check_temperature(temperature, technology);
  for (const std::string& corner : request.corners) technology::check_corner(technology, corner);
}

CellStudy study_cells(const design::DesignContext& context, const analysis::CellStudyRequest& request,
                      Reporter& reporter) {
  check_cell_study(request, context.technology());
  analysis::CellTestSetup lab = design::make_lab(context);
  lab.calibration = kStudyTolerance;
  const compile::CellFloor floor = compile::measure_cell_floor(context.technology(), lab.curves, lab.conditions,
                                                               lab.conditions.temperature, lab.engine);
  for (const double current : request.currents) check_above_floor(current, "current", floor.threshold(), kDrowned);
  design::StageProgress progress("characterising cells", analysis::kStudyStages, reporter);
  lab.on_done = [&](std::size_t done, std::size_t total) { progress.run_done(done, total); };
  CellStudy study;
  study.operating_point = context.operating_point();
  study.engine = lab.engine.version();
  study.temperature = lab.conditions.temperature;
  study.cells = analysis::study_cells(lab, request, [&](const std::string& stage) { progress.begin(stage); });
  progress.finish();
  name_corners(study.cells, context.technology().typical_corner);
  study.held = static_cast<std::size_t>(std::ranges::count_if(study.cells.retention, &analysis::Retention::held));
  return study;
}

}  // namespace hysteron::studies
