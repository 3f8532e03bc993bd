// The command line: parses, runs one command, turns errors into messages and exit codes.

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "commands.h"
#include "hysteron/base/error.h"

namespace {

hysteron::StopFlag stop_flag;  // reached from the signal handler, which can carry no argument

constexpr int kPatience = 3;  // requests to stop; the last one ends a program that does not get to look at the flag

void request_stop(int signal) {
  static volatile std::sig_atomic_t requests = 0;
  stop_flag.request();
  requests = requests + 1;
  if (requests >= kPatience - 1) std::signal(signal, SIG_DFL);
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
    const int code = app.exit(error);
    // What is missing is said before what was not understood; a mistyped command is both.
    if (code != 0) {
      for (const std::string& word : app.remaining(true)) fmt::print(stderr, "Not understood: {}\n", word);
    }
    return code == 0 ? 0 : static_cast<int>(hysteron::ErrorKind::kUsage);
  }
  const int code = session.action();
  if (std::fflush(stdout) != 0) throw hysteron::bad_input("stdout: cannot write what was asked for");
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
