#include "studies/cell_report.h"

#include <algorithm>
#include <cmath>

#include "design/finite_or_null.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;
using namespace analysis;

Json measured_json(const MeasuredLoop& measured) {
  Json json = loop_json(measured.loop);
  if (!measured.problem.empty()) json["problem"] = measured.problem;
  return json;
}

Json target_json(const compile::CellTarget& target) {
  return {{"i_thresh", target.rise}, {"i_width", target.rise - target.fall}, {"i_gain", target.high}};
}

Json cell_json(const TunedCell& cell) {
  Json json = target_json(cell.target);
  json.update(measured_json(cell.loop));
  json["uncalibrated"] = measured_json(cell.uncalibrated);
  return json;
}

Json cells_json(const std::vector<TunedCell>& cells) {
  Json json = Json::array();
  for (const TunedCell& cell : cells) json.push_back(cell_json(cell));
  return json;
}

Json fit_json(const LineFit& fit) {
  return {{"slope", design::finite_or_null(fit.slope)},
          {"offset", design::finite_or_null(fit.offset)},
          {"worst_residual", design::finite_or_null(fit.worst_residual)},
          {"points", fit.points}};
}

Json linearity_json(const std::vector<Linearity>& lines) {
  Json json;
  for (const Linearity& line : lines) {
    Json entry = fit_json(line.calibrated);
    entry["beside"] = line.beside;
    entry["uncalibrated"] = fit_json(line.uncalibrated);
    entry["slower_ramp"] = fit_json(line.slower);
    entry["cells"] = cells_json(line.cells);
    json[line.name] = entry;
  }
  return json;
}

Json environment_json(const compile::CellEnvironment& environment, const CellTestSetup& lab) {
  return {{"corner", environment.corner.empty() ? lab.technology.typical_corner : environment.corner},
          {"supply", environment.supply},
          {"temperature", environment.temperature}};
}

/// Largest deviation of rise and fall over the programmed threshold and of high over the programmed output.
Json worst_json(const EnvironmentRow& row, const std::vector<TunedCell>& anchors) {
  double rise = 0.0;
  double fall = 0.0;
  double high = 0.0;
  std::size_t good = 0;
  for (std::size_t a = 0; a < anchors.size(); ++a) {
    if (!row.loops[a].good()) continue;
    const compile::CellTarget& target = anchors[a].target;
    const compile::CellLoop& loop = row.loops[a].loop;
    rise = std::max(rise, std::abs(loop.rise - target.rise) / target.rise);
    fall = std::max(fall, std::abs(loop.fall - target.fall) / target.rise);
    high = std::max(high, std::abs(loop.high - target.high) / target.high);
    ++good;
  }
  const auto figure = [&](double value) { return good > 0 ? Json(value) : Json(nullptr); };
  return {{"rise", figure(rise)}, {"fall", figure(fall)}, {"high", figure(high)}, {"cells", good}};
}

Json environments_json(const std::vector<EnvironmentRow>& rows, const std::vector<TunedCell>& anchors,
                       const CellTestSetup& lab) {
  Json json = Json::array();
  for (const EnvironmentRow& row : rows) {
    Json entry = environment_json(row.environment, lab);
    entry["worst"] = worst_json(row, anchors);
    entry["cells"] = Json::array();
    for (std::size_t a = 0; a < anchors.size(); ++a) {
      Json cell = target_json(anchors[a].target);
      cell.update(measured_json(row.loops[a]));
      entry["cells"].push_back(cell);
    }
    json.push_back(entry);
  }
  return json;
}

Json matrix_json(const Sensitivities& sensitivities) {
  Json matrix = Json::array();
  for (const auto& row : sensitivities) {
    Json line = Json::array();
    for (const double value : row) line.push_back(design::finite_or_null(value));
    matrix.push_back(line);
  }
  return matrix;
}

Json response_json(const std::vector<Response>& responses) {
  Json json = Json::array();
  for (const Response& response : responses) {
    Json entry = {{"overdrive", response.overdrive},
                  {"set_switch", design::finite_or_null(response.set_switch)},
                  {"set_output", design::finite_or_null(response.set_output)},
                  {"reset_switch", design::finite_or_null(response.reset_switch)},
                  {"reset_output", design::finite_or_null(response.reset_output)}};
    if (!response.problem.empty()) entry["problem"] = response.problem;
    json.push_back(entry);
  }
  return json;
}

Json currents_json(const CellCurrents& currents) {
  Json json = {{"off_at_zero", design::finite_or_null(currents.off_at_zero)},
               {"off_in_band", design::finite_or_null(currents.off_in_band)},
               {"on_in_band", design::finite_or_null(currents.on_in_band)},
               {"set_charge", design::finite_or_null(currents.set_charge)},
               {"reset_charge", design::finite_or_null(currents.reset_charge)},
               {"set_peak", design::finite_or_null(currents.set_peak)}};
  if (!currents.problem.empty()) json["problem"] = currents.problem;
  return json;
}

/// Whether a state was held; null where that was not measured.
Json held_json(const Retention& retention) { return retention.problem.empty() ? Json(retention.held) : Json(nullptr); }

Json small_widths_json(const std::vector<SmallWidth>& widths) {
  Json json = Json::array();
  for (const SmallWidth& width : widths) {
    Json entry = target_json(width.placed.cell.target);
    entry.update(measured_json(width.placed.loop));
    entry["width"] = design::finite_or_null(width.placed.loop.width());
    entry["holds"] = width.holds;
    json.push_back(entry);
  }
  return json;
}

void add_limits(Json& json, const AnchorLimits& limits) {
  json["smallest_switching_supply"] = design::finite_or_null(limits.smallest_switching_supply);
  json["smallest_holding_supply"] = design::finite_or_null(limits.smallest_holding_supply);
}

/// What an anchor does at an extreme.
Json anchor_json(const ExtremeRow& row, std::size_t a, const compile::CellTarget& target) {
  Json json = target_json(target);
  json["currents"] = currents_json(row.currents[a]);
  json["independence"] = matrix_json(row.sensitivities[a]);
  json["response"] = response_json(row.responses[a]);
  json["holds"] = {{"off", held_json(row.retention[2 * a])}, {"on", held_json(row.retention[2 * a + 1])}};
  if (!row.retention[2 * a].problem.empty()) json["holds"]["problem"] = row.retention[2 * a].problem;
  if (!row.low_supplies.limits.empty()) add_limits(json, row.low_supplies.limits[a]);
  return json;
}

Json extremes_json(const CellStudyResult& study, const CellTestSetup& lab) {
  Json json = Json::array();
  for (const ExtremeRow& row : study.extremes) {
    Json entry = environment_json(row.environment, lab);
    for (std::size_t k = 0; k < row.lines.size(); ++k) {
      entry["linearity"][study.linearity[k].name] = fit_json(row.lines[k]);
    }
    entry["anchors"] = Json::array();
    for (std::size_t a = 0; a < study.anchors.size(); ++a) {
      entry["anchors"].push_back(anchor_json(row, a, study.anchors[a].target));
    }
    entry["small_widths"] = small_widths_json(row.small_widths);
    json.push_back(entry);
  }
  return json;
}

Json anchors_json(const CellStudyResult& study) {
  Json json = Json::array();
  for (std::size_t a = 0; a < study.anchors.size(); ++a) {
    Json entry = cell_json(study.anchors[a]);
    entry["response"] = response_json(study.responses[a]);
    entry["currents"] = currents_json(study.currents[a]);
    entry["independence"] = matrix_json(study.sensitivities[a]);
    add_limits(entry, study.low_supplies.limits[a]);
    json.push_back(entry);
  }
  return json;
}

Json retention_json(const CellStudyResult& study) {
  Json points = Json::array();
  std::size_t held = 0;
  for (std::size_t i = 0; i < study.retention.size(); ++i) {
    const Retention& one = study.retention[i];
    const std::size_t per_anchor = study.retention.size() / study.anchors.size();
    Json entry = target_json(study.anchors[i / per_anchor].target);
    entry["position"] = one.position;
    entry["state"] = one.on ? "on" : "off";
    entry["held"] = held_json(one);
    entry["output"] = design::finite_or_null(one.output);
    if (!one.problem.empty()) entry["problem"] = one.problem;
    points.push_back(entry);
    held += one.held ? 1 : 0;
  }
  const double seconds = study.retention.empty() ? 0.0 : study.retention.front().seconds;
  return {{"seconds", seconds}, {"held", held}, {"of", study.retention.size()}, {"points", points}};
}

}  // namespace

Json loop_json(const compile::CellLoop& loop) {
  return {{"rise", design::finite_or_null(loop.rise)},
          {"fall", design::finite_or_null(loop.fall)},
          {"high", design::finite_or_null(loop.high)},
          {"low", design::finite_or_null(loop.low)}};
}

Json cell_study_json(const CellStudyResult& study, const CellTestSetup& lab) {
  Json sweeps;
  for (const CellSweep& sweep : study.sweeps) {
    sweeps[sweep.name] = {{"beside", sweep.beside}, {"cells", cells_json(sweep.cells)}};
  }
  const double supply = compile::supply_of(lab.technology, lab.conditions);
  return {{"study", "cell"},
          {"technology", lab.technology.name},
          {"engine", lab.engine.version()},
          {"unit_current", lab.conditions.unit_current},
          {"supply", supply},
          {"temperature", lab.conditions.temperature},
          {"floor",
           {{"leakage", study.floor.leakage},
            {"smallest_leg", study.floor.smallest_leg},
            {"leg", study.floor.leg()},
            {"threshold", study.floor.threshold()},
            {"fall", study.floor.fall()}}},
          {"linearity", linearity_json(study.linearity)},
          {"independence", {{"rows", {"rise", "width", "high"}}, {"columns", {"i_thresh", "i_width", "i_gain"}}}},
          {"anchors", anchors_json(study)},
          {"sweeps", sweeps},
          {"environments", environments_json(study.environments, study.anchors, lab)},
          {"extremes", extremes_json(study, lab)},
          {"low_supplies", environments_json(study.low_supplies.rows, study.anchors, lab)},
          {"retention", retention_json(study)},
          {"small_widths", small_widths_json(study.small_widths)},
          {"points", study.points},
          {"unsolved", study.unsolved}};
}

}  // namespace hysteron::studies
