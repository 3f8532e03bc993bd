#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/reporter.h"
#include "console.h"
#include "options.h"

/// What every command gets: where to report, whether to stop, and the action the parsed command line chose.
struct Session {
  ConsoleReporter reporter;
  hysteron::StopFlag& stop;
  std::function<int()> action;  ///< runs the chosen command; returns the exit code
};

/// Adds subcommand `name` whose options live in one `Options` object: `declare(command, options)` adds the flags and
/// `run(options)` is called after parsing. `example` is shown at the end of --help.
template <typename Options, typename Declare, typename Run>
void add_command(Command& parent, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, Declare declare, Run run) {
  Command command = parent.add(name, description, example);
  auto options = std::make_shared<Options>();
  declare(command, *options);
  command.when_called([&session, options, run] { session.action = [options, run] { return run(*options); }; });
}
