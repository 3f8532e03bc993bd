#include "figure_limits.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/units.h"

using hysteron::Error;
using hysteron::ErrorKind;

namespace {

FigureLimit parse_limit(const std::string& text, const nlohmann::json& known) {
  const std::size_t equals = text.find('=');
  FigureLimit limit;
  limit.metric = text.substr(0, equals);
  if (equals == std::string::npos || !known.contains(limit.metric) || !known[limit.metric].is_number()) {
    std::string names;
    for (const auto& [name, value] : known.items()) names += value.is_number() ? " " + name : "";
    throw Error(ErrorKind::kUsage,
                fmt::format("--fail-under: {} is no METRIC=VALUE; metrics are:{}", hysteron::quoted(text), names));
  }
  limit.value = hysteron::parse_si(text.substr(equals + 1), "--fail-under " + limit.metric);
  return limit;
}

bool higher_is_better(const std::string& metric) {
  return metric.ends_with("_agreement") || metric.starts_with("decision_yield") || metric == "clips" ||
         metric == "dies";
}

}  // namespace

std::vector<FigureLimit> parse_limits(const std::vector<std::string>& texts, const nlohmann::json& known) {
  std::vector<FigureLimit> limits;
  for (const std::string& text : texts) limits.push_back(parse_limit(text, known));
  return limits;
}

void check_limits(const std::vector<FigureLimit>& limits, const nlohmann::json& figures) {
  std::string complaints;
  for (const FigureLimit& limit : limits) {
    if (figures[limit.metric].is_null()) {
      complaints += fmt::format("{}{} was not measured", complaints.empty() ? "" : "; ", limit.metric);
      continue;
    }
    const double value = figures[limit.metric].get<double>();
    const bool is_missed = higher_is_better(limit.metric) ? value < limit.value : value > limit.value;
    if (!is_missed) continue;
    complaints += fmt::format("{}{} is {:.6g}; the limit is {:.6g}", complaints.empty() ? "" : "; ", limit.metric,
                              value, limit.value);
  }
  if (!complaints.empty()) throw Error(ErrorKind::kLimitMissed, complaints);
}
