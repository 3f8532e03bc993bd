#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

/// One --fail-under METRIC=VALUE.
struct FigureLimit {
  std::string metric;
  double value = 0.0;
};

/// Parses the texts of --fail-under against `known`, figures by name. Throws a usage Error that names the metrics there
/// are.
std::vector<FigureLimit> parse_limits(const std::vector<std::string>& texts, const nlohmann::json& known);

/// Agreements and yields must not be below their limits, errors and mismatches not above them: throws a limit-missed
/// Error that says all that are.
void check_limits(const std::vector<FigureLimit>& limits, const nlohmann::json& figures);
