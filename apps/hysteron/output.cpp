#include "output.h"

#include <fmt/format.h>

#include "base/file.h"

namespace report = hysteron::report;

namespace {

/// Those that are no parts of others.
std::vector<report::FigureInfo> own_figures(std::vector<report::FigureInfo> infos) {
  for (report::FigureInfo& info : infos) info.parts.clear();
  return infos;
}

}  // namespace

void add_json_flag(Command& command, OutputFlags& flags) { command.shared(hysteron::parameters::kJson, flags.json); }

void add_output_flag(Command& command, OutputFlags& flags, const std::string& help) {
  command.path("-o,--output", flags.folder, help);
}

void add_require_flag(Command& command, OutputFlags& flags, const std::vector<report::FigureInfo>& infos) {
  command.repeated(
      "--require", flags.requirements,
      "METRIC>=VALUE or METRIC<=VALUE; exit with 5 if the result misses it. Metrics, and more in docs/json.md: " +
          report::metric_names(own_figures(infos)));
  command.repeated("--fail-under", flags.fail_under, "METRIC=VALUE: deprecated form of --require");
}

std::vector<report::Requirement> read_requirements(const OutputFlags& flags,
                                                   const std::vector<report::FigureInfo>& infos,
                                                   hysteron::Reporter& reporter) {
  std::vector<report::Requirement> requirements;
  for (const std::string& text : flags.requirements) requirements.push_back(report::parse_requirement(text, infos));
  for (const std::string& text : flags.fail_under) {
    const report::Requirement requirement = report::parse_fail_under(text, infos);
    reporter.warning(fmt::format("--fail-under is deprecated; use --require '{}{}{}'", requirement.metric,
                                 requirement.is_upper ? "<=" : ">=", text.substr(text.find('=') + 1)));
    requirements.push_back(requirement);
  }
  return requirements;
}

void write_json(const std::filesystem::path& file, const report::Json& json) {
  if (!file.empty()) hysteron::write_file(file, report::json_text(json, 1) + "\n");
}

void print_result(const OutputFlags& flags, const std::string& name, const report::Json& json,
                  const std::string& text) {
  if (!flags.folder.empty() && !name.empty()) {
    hysteron::make_directories(flags.folder);
    write_json(flags.folder / name, json);
  }
  if (flags.json) {
    fmt::print("{}\n", report::json_text(json));
  } else {
    fmt::print("{}", text);
  }
}
