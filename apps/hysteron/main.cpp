// The command line: parses, runs one command, turns errors into messages and exit codes.

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "commands.h"

namespace {

hysteron::StopFlag stop_flag;  // reached from the signal handler, which can carry no argument

constexpr int kPatience = 3;  // requests to stop; the last one ends a program that does not get to look at the flag

void request_stop(int signal) {
  static volatile std::sig_atomic_t requests = 0;
  stop_flag.request();
  requests = requests + 1;
  if (requests >= kPatience - 1) std::signal(signal, SIG_DFL);
}

/// The command that was called without one of its own commands, or null.
const CLI::App* without_command(const CLI::App& app) {
  if (app.get_require_subcommand_min() == 0) return nullptr;
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? &app : without_command(*chosen.front());
}

/// CLI11 says of an unknown word only that a command is missing.
void name_unknown_command(const CLI::App& app) {
  const CLI::App* at = without_command(app);
  const std::vector<std::string> words = app.remaining(true);
  if (at == nullptr || words.empty()) return;
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  throw hysteron::Error(
      hysteron::ErrorKind::kUsage,
      fmt::format("{} is no command; expected one of {}", hysteron::quoted(words.front()), fmt::join(names, ", ")));
}

/// 0, or a bad-input Error where stdout took less than was written to it.
int flushed(bool whole) {
  if (!whole) throw hysteron::bad_input("stdout: cannot write what was asked for");
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Hysteron: train bistable recurrent networks, compile them to analog circuits, verify them in ngspice");
  app.name("hysteron");
  app.set_version_flag("--version", HYSTERON_VERSION);
  app.require_subcommand(1);
  app.footer("Every command explains itself and gives an example: hysteron COMMAND --help");
  Session session{{}, stop_flag, {}};
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) name_unknown_command(app);
    if (app.exit(error) != 0) return static_cast<int>(hysteron::ErrorKind::kUsage);
    return flushed(std::cout.flush().good());
  }
  const int code = session.action();
  flushed(std::fflush(stdout) == 0);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const hysteron::Error& error) {
    fmt::print(stderr, "hysteron: error: {}\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "hysteron: internal error: {}\n", error.what());
    return 1;
  }
}
