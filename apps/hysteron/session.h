#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "console.h"

/// What every command gets: where to report, whether to stop, and the action the parsed command line chose.
struct Session {
  ConsoleReporter reporter;
  hysteron::StopFlag& stop;
  std::function<int()> action;  ///< runs the chosen command; returns the exit code
};

/// Check of an unsigned option, for which the parser alone would take -1 for the largest number there is.
inline CLI::Validator not_negative() {
  const auto check = [](const std::string& text) {
    return text.starts_with('-') ? "expected a whole number from 0, not " + text : std::string();
  };
  return {check, "", "not_negative"};
}

/// The whole number from 0 to 2^64 - 1 that `text` is. Throws a bad-input Error that names the option `name`.
std::uint64_t parse_seed(const std::string& text, const std::string& name);

/// Adds an option that takes such a number. One out of range is bad input, not bad usage: seeds often come out of
/// files.
template <typename Seed>
CLI::Option* add_seed(CLI::App& command, const std::string& name, Seed& seed, const std::string& help) {
  const auto take = [&seed, name](const std::string& text) { seed = parse_seed(text, name); };
  return command.add_option_function<std::string>(name, take, help)->type_name("UINT");
}

/// Adds an option whose values have names; another word is refused with the list of them.
template <typename Value>
CLI::Option* add_choice(CLI::App& command, const std::string& name, Value& value,
                        const std::map<std::string, Value>& choices, const std::string& help) {
  std::vector<std::string> names;
  for (const auto& [word, ignored] : choices) names.push_back(word);
  const auto take = [&value, choices](const std::string& word) { value = choices.at(word); };
  return command.add_option_function<std::string>(name, take, help)->check(CLI::IsMember(names))->type_name("");
}

/// Adds subcommand `name` whose options live in one `Options` object: `declare(command, options)` adds the flags and
/// `run(options)` is called after parsing. `example` is shown at the end of --help.
template <typename Options, typename Declare, typename Run>
void add_command(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, Declare declare, Run run) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  auto options = std::make_shared<Options>();
  declare(*command, *options);
  command->callback([&session, options, run] { session.action = [options, run] { return run(*options); }; });
}
