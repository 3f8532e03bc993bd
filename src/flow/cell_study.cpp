#include "hysteron/flow/cell_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "hysteron/base/error.h"
#include "hysteron/base/units.h"
#include "hysteron/report/cell_report.h"

namespace hysteron::flow {
namespace {

// Currents a study takes; cells are in weak inversion up to some tens of nanoampere.
constexpr double kLeastCurrent = 1e-12;
constexpr double kMostCurrent = 100e-9;

// Supplies a study takes: below the first no device conducts, above the second (times the technology's) none survives.
constexpr double kLeastSupply = 0.3;
constexpr double kMostSupplyRatio = 2.0;

analysis::CellLab make_lab(const Workshop& workshop) {
  analysis::CellLab lab{workshop.technology(), workshop.curves(), workshop.options().conditions, workshop.engine(),
                        workshop.options().jobs};
  lab.conditions.supply = workshop.supply();
  return lab;
}

void check_corner(const std::string& corner, const technology::Technology& technology) {
  const auto& sections = technology.models.sections;
  if (corner.empty() || sections.count(corner) != 0) return;
  std::vector<std::string> names;
  for (const auto& [name, section] : sections) names.push_back(name);
  throw bad_input(fmt::format("corner {}: technology {} has none of that name; expected one of {}", quoted(corner),
                              technology.name, fmt::join(names, ", ")));
}

void check_temperature(double temperature, const technology::Technology& technology) {
  if (temperature >= technology.temperature_low && temperature <= technology.temperature_high) return;
  throw bad_input(fmt::format("temperature {:g} °C: expected {:g} to {:g} °C, the range of {}", temperature,
                              technology.temperature_low, technology.temperature_high, technology.name));
}

void check_supply(double supply, const technology::Technology& technology) {
  const double most = kMostSupplyRatio * technology.supply;
  if (supply >= kLeastSupply && supply <= most) return;
  throw bad_input(fmt::format("supply {:g} V: expected {:g} to {:g} V", supply, kLeastSupply, most));
}

void check_above_floor(double current, const char* what, const compile::CellFloor& floor) {
  if (current >= floor.threshold()) return;
  throw bad_input(fmt::format(
      "{} {}: below the floor of {}; the smallest leg carries {} and an off device leaks {}, which must be at most 1 %",
      what, format_si(current, "A"), format_si(floor.threshold(), "A"), format_si(floor.smallest_leg, "A"),
      format_si(floor.leakage, "A")));
}

void check_request(const CellRequest& request, const compile::CellFloor& floor) {
  check_above_floor(request.threshold, "I_thresh", floor);
  check_above_floor(request.width, "I_width", floor);
  check_above_floor(request.gain, "I_gain", floor);
  const double fall = request.threshold - request.width;
  if (!(fall >= 100.0 * floor.leakage)) {
    throw bad_input(fmt::format(
        "I_width {}: expected less than I_thresh {} by {} at least, 100 times the leakage; the cell would never reset",
        format_si(request.width, "A"), format_si(request.threshold, "A"), format_si(100.0 * floor.leakage, "A")));
  }
}

/// Progress of the stage in hand, run by run.
void follow(analysis::CellLab& lab, const std::string& stage, Reporter& reporter) {
  lab.on_done = [stage, &reporter](std::size_t done, std::size_t total) { reporter.progress(stage, done, total, ""); };
}

}  // namespace

CellMeasurement measure_cell(const Workshop& workshop, const CellRequest& request, Reporter& reporter) {
  const technology::Technology& technology = workshop.technology();
  check_corner(request.corner, technology);
  check_supply(workshop.supply(), technology);
  analysis::CellLab lab = make_lab(workshop);
  const double temperature = request.temperature.value_or(lab.conditions.temperature);
  check_temperature(temperature, technology);
  const compile::CellFloor floor =
      compile::measure_cell_floor(technology, lab.curves, lab.conditions, lab.conditions.temperature, lab.engine);
  check_request(request, floor);
  follow(lab, "calibrating the cell", reporter);
  const compile::CellTarget target = {request.threshold, request.threshold - request.width, request.gain};
  CellMeasurement result;
  result.cell = analysis::tune_cells(lab, {target}).front();
  result.loop = result.cell.loop;
  const compile::CellEnvironment there = {request.corner, lab.conditions.supply, temperature};
  if (there != lab.home()) result.loop = analysis::measure_loops(lab, {{result.cell.gains, target, there}}).front();
  if (!result.loop.good()) throw simulator_error("the cell could not be measured: " + result.loop.problem);
  if (request.trace) {
    const double largest = 1.3 * std::max(request.threshold, result.loop.loop.rise);
    result.curve = analysis::trace_loop(lab, result.cell.gains, largest, there);
  }
  return result;
}

void check_cell_study(const analysis::CellStudyRequest& request, const technology::Technology& technology) {
  for (const auto* list : {&request.currents, &request.fitted, &request.small_widths}) {
    for (const double current : *list) {
      if (current >= kLeastCurrent && current <= kMostCurrent) continue;
      throw bad_input(fmt::format("current {}: expected {} to {}", format_si(current, "A"),
                                  format_si(kLeastCurrent, "A"), format_si(kMostCurrent, "A")));
    }
  }
  if (request.supplies.empty() || request.temperatures.empty() || request.currents.empty()) {
    throw bad_input("expected at least one current, one supply and one temperature");
  }
  for (const double supply : request.supplies) check_supply(supply, technology);
  for (const double temperature : request.temperatures) check_temperature(temperature, technology);
  for (const std::string& corner : request.corners) check_corner(corner, technology);
}

nlohmann::ordered_json study_cells(const Workshop& workshop, const analysis::CellStudyRequest& request,
                                   Reporter& reporter) {
  check_cell_study(request, workshop.technology());
  analysis::CellLab lab = make_lab(workshop);
  const compile::CellFloor floor = compile::measure_cell_floor(workshop.technology(), lab.curves, lab.conditions,
                                                               lab.conditions.temperature, lab.engine);
  for (const double current : request.currents) check_above_floor(current, "current", floor);
  std::string stage;
  lab.on_done = [&](std::size_t done, std::size_t total) { reporter.progress(stage, done, total, ""); };
  const auto study = analysis::study_cells(lab, request, [&](const std::string& name) { stage = name; });
  return report::cell_study_json(study, lab);
}

}  // namespace hysteron::flow
