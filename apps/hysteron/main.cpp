// The command line: parses, runs one command, turns errors into messages and exit codes.

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

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

/// 0, or a bad-input Error where stdout took less than was written to it.
int flushed(bool whole) {
  if (!whole) throw hysteron::bad_input("stdout: cannot write the output");
  return 0;
}

int run(int argc, char** argv) {
  Program program(
      "hysteron",
      "Hysteron: train bistable recurrent networks, compile them to analog circuits, verify them in ngspice",
      HYSTERON_VERSION, "For help and an example: hysteron COMMAND --help");
  Session session{{}, stop_flag, {}};
  Command root = program.root();
  add_commands(root, session);
  if (const auto exit_code = program.parse(argc, argv)) {
    return *exit_code != 0 ? *exit_code : flushed(std::cout.flush().good());
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
