#include <algorithm>

#include "analysis/cell_study.h"

namespace hysteron::analysis {
namespace {

using compile::CellEnvironment;

std::vector<std::string> corners_of(const CellStudyRequest& request, const technology::Technology& technology) {
  if (!request.corners.empty()) return request.corners;
  std::vector<std::string> corners;
  for (const auto& [corner, section] : technology.models.sections) corners.push_back(corner);
  return corners;
}

/// Adds `environment` to `list` unless it is there; the typical corner has no name.
void add_once(std::vector<CellEnvironment>& list, CellEnvironment environment,
              const technology::Technology& technology) {
  if (environment.corner == technology.typical_corner) environment.corner.clear();
  if (std::find(list.begin(), list.end(), environment) == list.end()) list.push_back(environment);
}

}  // namespace

std::vector<CellEnvironment> study_environments(const CellStudyRequest& request,
                                                const CellEnvironment& nominal_environment,
                                                const technology::Technology& technology) {
  std::vector<CellEnvironment> result;
  const auto add = [&](const CellEnvironment& environment) { add_once(result, environment, technology); };
  const std::vector<std::string> corners = corners_of(request, technology);
  for (const double supply : request.supplies)
    add({nominal_environment.corner, supply, nominal_environment.temperature});
  for (const double temperature : request.temperatures)
    add({nominal_environment.corner, nominal_environment.supply, temperature});
  for (const std::string& corner : corners) add({corner, nominal_environment.supply, nominal_environment.temperature});
  const auto [low_v, high_v] = std::minmax_element(request.supplies.begin(), request.supplies.end());
  const auto [low_t, high_t] = std::minmax_element(request.temperatures.begin(), request.temperatures.end());
  for (const std::string& corner : corners) {
    for (const double supply : {*low_v, *high_v}) {
      for (const double temperature : {*low_t, *high_t}) add({corner, supply, temperature});
    }
  }
  return result;
}

std::vector<CellEnvironment> study_extremes(const CellStudyRequest& request, const CellEnvironment& nominal_environment,
                                            const technology::Technology& technology) {
  std::vector<CellEnvironment> result = {nominal_environment};
  const auto [low_v, high_v] = std::minmax_element(request.supplies.begin(), request.supplies.end());
  const auto [low_t, high_t] = std::minmax_element(request.temperatures.begin(), request.temperatures.end());
  for (const double supply : {*low_v, *high_v})
    add_once(result, {nominal_environment.corner, supply, nominal_environment.temperature}, technology);
  for (const double temperature : {*low_t, *high_t}) {
    add_once(result, {nominal_environment.corner, nominal_environment.supply, temperature}, technology);
  }
  for (const std::string& corner : corners_of(request, technology)) {
    add_once(result, {corner, nominal_environment.supply, nominal_environment.temperature}, technology);
  }
  result.erase(result.begin());
  return result;
}

}  // namespace hysteron::analysis
