#include "design/centering_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace hysteron::design {
namespace {

using compile::CenteredCell;
using compile::ThresholdMargin;
using nlohmann::json;

json finite(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json wrong_json(const compile::WrongBits& wrong) { return {{"nominal", wrong.nominal}, {"die", wrong.die}}; }

json margin_json(const ThresholdMargin& margin) {
  return {{"threshold", margin.threshold},
          {"margin_percent", finite(100.0 * margin.distance)},
          {"margin_sigma", finite(margin.sigmas)},
          {"expected_wrong_bits", wrong_json(margin.wrong)}};
}

json threshold_json(const ThresholdMargin& before, const ThresholdMargin& after) {
  return {{"before", margin_json(before)}, {"after", margin_json(after)}};
}

std::string number(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : std::string("-");
}

std::string row(const CenteredCell& cell, const char* name, const ThresholdMargin& before,
                const ThresholdMargin& after) {
  return fmt::format("layers.{} cell {:<4} {:<8} {:>8.4f} {:>8.4f}  {:>7} {:>7}  {:>6} {:>6}  {:>8.3f} {:>8.3f}\n",
                     cell.layer, cell.cell, name, before.threshold, after.threshold, number(100.0 * before.distance, 2),
                     number(100.0 * after.distance, 2), number(before.sigmas, 2), number(after.sigmas, 2),
                     100.0 * before.wrong.die, 100.0 * after.wrong.die);
}

}  // namespace

json centering_json(const compile::Centering& centering) {
  json cells = json::array();
  for (const CenteredCell& cell : centering.cells) {
    cells.push_back({{"layer", cell.layer},
                     {"cell", cell.cell},
                     {"beta_lo", threshold_json(cell.lower_before, cell.lower_after)},
                     {"beta_hi", threshold_json(cell.upper_before, cell.upper_after)}});
  }
  return {{"clips", centering.clips},
          {"frames", centering.frames},
          {"frame_change", centering.frame_change},
          {"decisions_changed", centering.decisions_changed},
          {"state_change", centering.state_change},
          {"thresholds_moved", centering.thresholds_moved},
          {"mismatch", centering.mismatch},
          {"expected_wrong_bits", {{"before", wrong_json(centering.before)}, {"after", wrong_json(centering.after)}}},
          {"cells", cells}};
}

json prepared_json(const compile::Centering* centering, const std::vector<compile::RestingCandidate>& resting) {
  json list = json::array();
  for (const compile::RestingCandidate& one : resting) {
    list.push_back({{"layer", one.layer},
                    {"cell", one.cell},
                    {"threshold_name", one.upper ? "beta_hi" : "beta_lo"},
                    {"threshold", one.threshold},
                    {"candidate", one.candidate},
                    {"distance", one.distance()},
                    {"frames", one.frames},
                    {"text", one.text()}});
  }
  json result = {{"resting_candidates", list}};
  if (centering != nullptr) result["centring"] = centering_json(*centering);
  return result;
}

std::string centering_table(const compile::Centering& centering) {
  std::string text = fmt::format(
      "centring on {} clips: {} thresholds moved, {:.2f} % of the frames changed, {} decisions changed\n"
      "expected wrong bits: nominal {:.3f} % -> {:.3f} %, die {:.3f} % -> {:.3f} %\n\n",
      centering.clips, centering.thresholds_moved, 100.0 * centering.frame_change, centering.decisions_changed,
      100.0 * centering.before.nominal, 100.0 * centering.after.nominal, 100.0 * centering.before.die,
      100.0 * centering.after.die);
  text += fmt::format("{:<23} {:>17}  {:>15}  {:>13}  {:>17}\n", "", "threshold", "margin, %", "margin, sigma",
                      "wrong on a die, %");
  for (const CenteredCell& cell : centering.cells) {
    text += row(cell, "beta_lo", cell.lower_before, cell.lower_after);
    text += row(cell, "beta_hi", cell.upper_before, cell.upper_after);
  }
  return text;
}

}  // namespace hysteron::design
