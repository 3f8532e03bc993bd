#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/reporter.h"

namespace hysteron {

/// A child process to start: an argument vector and an environment, never a shell.
struct ProcessRequest {
  std::filesystem::path program;         ///< absolute
  std::vector<std::string> arguments;    ///< without the program's own name
  std::vector<std::string> environment;  ///< "NAME=value"
  std::filesystem::path folder;          ///< where it runs
  std::chrono::duration<double> time_limit{0.0};
  std::size_t file_limit = 0;            ///< bytes any file it writes may have; 0 means no limit
  std::size_t kept_output = 256 * 1024;  ///< bytes kept of the beginning and of the end of stdout and of stderr each
  const StopFlag* stop = nullptr;
  /// How long the group has to end by itself after SIGINT when `stop` is raised, before it is killed.
  std::chrono::duration<double> grace{0.0};
};

struct ProcessOutcome {
  enum class End { kExited, kSignalled, kTimedOut, kStopped };
  End end = End::kExited;
  int code = 0;        ///< exit code, or the signal's number
  std::string output;  ///< stdout; of a long one the beginning and the end
  std::string errors;  ///< stderr, likewise
  double seconds = 0.0;
};

/// Runs the child with stdin at /dev/null in a process group of its own and waits for it. At the time limit, or when
/// the stop flag is raised and the grace is over, the whole group is killed; whatever the child left running in its
/// group dies with it. Throws a simulator Error when it cannot be started.
ProcessOutcome run_process(const ProcessRequest& request);

/// Absolute path of `program`: itself if it has a slash, else from `search_path` ("a:b:c"). Empty if nothing executable
/// is there.
std::filesystem::path find_program(const std::string& program, const std::string& search_path);

/// This process's environment without the names in `dropped` (or beginning with one that ends in '*'), then `added`.
std::vector<std::string> environment_with(const std::vector<std::string>& dropped,
                                          const std::vector<std::string>& added);

}  // namespace hysteron
