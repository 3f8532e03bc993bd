#include <algorithm>
#include <limits>

#include "analysis/yield.h"
#include "design/finite_or_null.h"
#include "studies/gate_study.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;
using design::finite_or_null;

Json fastest_json(const FastestSpikes& fastest) {
  return {{"period_s", finite_or_null(fastest.period)},
          {"rate_hz", finite_or_null(1.0 / fastest.period)},
          {"spacing_s", finite_or_null(fastest.spacing)},
          {"together_period_s", finite_or_null(fastest.period_together)},
          {"together_rate_hz", finite_or_null(1.0 / fastest.period_together)},
          {"together_spacing_s", finite_or_null(fastest.spacing_together)},
          {"together_energy_j", finite_or_null(fastest.energy)},
          {"failed", fastest.failed}};
}

Json margin_json(const MinMargin& margin) {
  return {{"current_a", finite_or_null(margin.current)}, {"node", margin.node}, {"state", margin.state}};
}

std::size_t right_of(const std::vector<GatePoint>& points) {
  return static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(), [](const GatePoint& point) { return point.right(); }));
}

/// The worst figures of the points that have any.
analysis::GateRun worst_of(const std::vector<GatePoint>& points) {
  analysis::GateRun worst;
  worst.lowest_high = std::numeric_limits<double>::infinity();
  for (const GatePoint& point : points) {
    if (!point.error.empty()) continue;
    worst.most_static = std::max(worst.most_static, point.run.most_static);
    worst.highest_low = std::max(worst.highest_low, point.run.highest_low);
    worst.lowest_high = std::min(worst.lowest_high, point.run.lowest_high);
  }
  return worst;
}

/// How often and by how much points are right, and the ones that are not.
Json points_json(const std::vector<GatePoint>& points, bool are_dies) {
  Json wrong = Json::array();
  std::size_t failed = 0;
  for (const GatePoint& point : points) {
    if (point.right()) continue;
    Json json = are_dies ? Json{{"seed", point.seed}}
                         : Json{{"corner", point.environment.corner},
                                {"supply_v", point.environment.supply},
                                {"temperature_c", point.environment.temperature}};
    if (point.error.empty()) {
      json["wrong"] = point.run.wrong;
      json["first_wrong"] = point.run.first_wrong;
    } else {
      ++failed;
      json["error"] = point.error;
    }
    wrong.push_back(json);
  }
  const analysis::GateRun worst = worst_of(points);
  return {{"points", points.size()},
          {"right", right_of(points)},
          {"failed", failed},
          {"most_static_w", worst.most_static},
          {"highest_low_a", worst.highest_low},
          {"lowest_high_a", finite_or_null(worst.lowest_high)},
          {"not_right", wrong}};
}

}  // namespace

std::size_t failed_runs(const std::vector<GateStudy>& studies) {
  std::size_t failed = 0;
  const auto count = [&](const std::vector<GatePoint>& points) {
    failed += static_cast<std::size_t>(
        std::ranges::count_if(points, [](const GatePoint& point) { return !point.error.empty(); }));
  };
  for (const GateStudy& study : studies) {
    count(study.corners);
    count(study.dies);
    if (study.hold) count(study.hold->states);
    if (study.margins) failed += study.margins->failed;
    if (study.fastest) failed += study.fastest->failed;
  }
  return failed;
}

void add_study(nlohmann::ordered_json& json, const std::vector<GateStudy>& studies) {
  for (std::size_t i = 0; i < studies.size(); ++i) {
    const GateStudy& study = studies[i];
    Json& gate = json["gates"][i];
    if (study.fastest) gate["fastest"] = fastest_json(*study.fastest);
    if (study.margins) {
      gate["noise_margin"] = {{"line", margin_json(study.margins->line)},
                              {"decision", margin_json(study.margins->decision)},
                              {"runs", study.margins->runs},
                              {"failed", study.margins->failed}};
    }
    if (study.hold) {
      gate["hold"] = points_json(study.hold->states, false);
      gate["hold"]["seconds"] = study.hold->seconds;
    }
    if (!study.corners.empty()) gate["corners"] = points_json(study.corners, false);
    if (!study.dies.empty()) {
      gate["dies"] = points_json(study.dies, true);
      const std::size_t right = right_of(study.dies);
      const analysis::Interval interval = analysis::wilson_interval(right, study.dies.size());
      gate["dies"]["yield"] = static_cast<double>(right) / static_cast<double>(study.dies.size());
      gate["dies"]["ci95"] = {interval.low, interval.high};
    }
  }
}

}  // namespace hysteron::studies
