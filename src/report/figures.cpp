#include "report/figures.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "base/units.h"

namespace hysteron::report {
namespace {

/// Calls `visit(name, info)` for every figure; parts of objects have the names "key.part", of lists "key[].part".
template <typename Visit>
void visit_infos(const std::vector<FigureInfo>& infos, const std::string& prefix, const Visit& visit) {
  for (const FigureInfo& info : infos) {
    const std::string name = prefix + info.key;
    visit(name, info);
    visit_infos(info.parts, name + (info.is_list ? "[]." : "."), visit);
  }
}

const FigureInfo* find_metric(const std::vector<FigureInfo>& infos, const std::string& metric) {
  const FigureInfo* found = nullptr;
  visit_infos(infos, "", [&](const std::string& name, const FigureInfo& info) {
    if (name == metric && info.better != Better::kNeither && name.find("[]") == std::string::npos) found = &info;
  });
  return found;
}

const FigureInfo& metric_of(const std::string& metric, const std::string& text, const std::vector<FigureInfo>& infos) {
  const FigureInfo* info = find_metric(infos, metric);
  if (info != nullptr) return *info;
  throw Error(ErrorKind::kUsage, fmt::format("unknown metric {} in {}; expected one of {}", quoted(metric),
                                             quoted(text), metric_names(infos)));
}

/// The number that a metric is; none where there is no such one.
std::optional<double> find_figure(const Json& result, const std::string& metric) {
  const auto* at = &result.tree();
  for (std::size_t begin = 0; begin <= metric.size();) {
    const std::size_t end = std::min(metric.find('.', begin), metric.size());
    const auto part = at->find(metric.substr(begin, end - begin));
    if (!at->is_object() || part == at->end()) return std::nullopt;
    at = &*part;
    begin = end + 1;
  }
  return at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

std::string_view direction(Better better) {
  if (better == Better::kNeither) return "";
  return better == Better::kHigher ? "higher" : "lower";
}

}  // namespace

std::string metric_names(const std::vector<FigureInfo>& infos) {
  std::vector<std::string> names;
  visit_infos(infos, "", [&](const std::string& name, const FigureInfo& info) {
    if (info.better != Better::kNeither && name.find("[]") == std::string::npos) names.push_back(name);
  });
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string markdown_table(const std::vector<FigureInfo>& infos) {
  std::string text = "| key | unit | better | meaning |\n|---|---|---|---|\n";
  visit_infos(infos, "", [&](const std::string& name, const FigureInfo& info) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", name + (info.is_list ? "[]" : ""), info.unit,
                        direction(info.better), info.meaning);
  });
  return text;
}

Requirement parse_requirement(const std::string& text, const std::vector<FigureInfo>& infos) {
  const std::size_t sign = text.find_first_of("<>");
  if (sign == std::string::npos || text.size() < sign + 2 || text[sign + 1] != '=') {
    throw Error(ErrorKind::kUsage, fmt::format("{}: expected METRIC<=VALUE or METRIC>=VALUE with METRIC one of {}",
                                               quoted(text), metric_names(infos)));
  }
  Requirement requirement{text.substr(0, sign), text[sign] == '<', 0.0};
  const FigureInfo& info = metric_of(requirement.metric, text, infos);
  if (requirement.is_upper != (info.better == Better::kLower)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: {} {} is better; expected {}{}VALUE", quoted(text), direction(info.better),
                            requirement.metric, requirement.metric, requirement.is_upper ? ">=" : "<="));
  }
  requirement.value = parse_si(text.substr(sign + 2), requirement.metric);
  return requirement;
}

Requirement parse_fail_under(const std::string& text, const std::vector<FigureInfo>& infos) {
  const std::size_t sign = text.find('=');
  if (sign == std::string::npos) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: expected METRIC=VALUE with METRIC one of {}", quoted(text), metric_names(infos)));
  }
  const std::string metric = text.substr(0, sign);
  const FigureInfo& info = metric_of(metric, text, infos);
  return {metric, info.better == Better::kLower, parse_si(text.substr(sign + 1), metric)};
}

void check_requirements(const std::vector<Requirement>& requirements, const Json& result) {
  std::vector<std::string> missed;
  for (const Requirement& requirement : requirements) {
    const std::optional<double> value = find_figure(result, requirement.metric);
    if (!value) {
      missed.push_back(fmt::format("{} was not measured", requirement.metric));
      continue;
    }
    const bool holds = requirement.is_upper ? *value <= requirement.value : *value >= requirement.value;
    if (holds) continue;
    missed.push_back(fmt::format("{} is {:.6g}; required {} {:.6g}", requirement.metric, *value,
                                 requirement.is_upper ? "<=" : ">=", requirement.value));
  }
  if (!missed.empty()) throw Error(ErrorKind::kLimitMissed, fmt::format("{}", fmt::join(missed, "; ")));
}

}  // namespace hysteron::report
