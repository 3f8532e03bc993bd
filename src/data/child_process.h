#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hysteron::data {

/// What a program that ended by itself left.
struct ChildResult {
  int exit_code = 0;
  std::string output;    ///< its stdout
  std::string messages;  ///< its stderr
};

/// Runs `arguments[0]` (looked up in PATH, never through a shell) with nothing on stdin, in a process group of its own,
/// so that Ctrl-C reaches only this program. Throws a bad-input Error where it is missing (with `install_hint`), ends
/// by a signal or takes longer than `limit`; it is then killed.
ChildResult run_child(const std::vector<std::string>& arguments, std::chrono::milliseconds limit,
                      const std::string& install_hint);

}  // namespace hysteron::data
