#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "options.h"
#include "report/figures.h"

/// What becomes of a command's result.
struct OutputFlags {
  std::filesystem::path folder;           ///< -o: gets the result and what makes the command go on; empty: nothing
  std::vector<std::string> requirements;  ///< --require
  std::vector<std::string> fail_under;    ///< --fail-under
  bool json = false;
};

/// --json.
void add_json_flag(Command& command, OutputFlags& flags);

/// -o,--output with `help`.
void add_output_flag(Command& command, OutputFlags& flags, const std::string& help);

/// --require METRIC<=VALUE and its older form --fail-under METRIC=VALUE, for figures of `infos`.
void add_require_flag(Command& command, OutputFlags& flags, const std::vector<hysteron::report::FigureInfo>& infos);

/// Parses the requirements; --fail-under warns. Throws a usage Error.
std::vector<hysteron::report::Requirement> read_requirements(const OutputFlags& flags,
                                                             const std::vector<hysteron::report::FigureInfo>& infos,
                                                             hysteron::Reporter& reporter);

/// Writes `json` to the file `name` of the folder, if there is one, and prints it, or else `text`.
void print_result(const OutputFlags& flags, const std::string& name, const hysteron::report::Json& json,
                  const std::string& text);

/// Writes `json` to `file`, unless that is empty.
void write_json(const std::filesystem::path& file, const hysteron::report::Json& json);

/// The same as print_result of a result and its table; gives the JSON.
template <typename Result>
hysteron::report::Json print_result(const OutputFlags& flags, const std::string& name,
                                    const hysteron::report::Table<Result>& table, const Result& result) {
  hysteron::report::Json json = table.json(result);
  print_result(flags, name, json, flags.json ? std::string() : table.text(result));
  return json;
}
