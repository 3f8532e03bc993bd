#pragma once

#include <string>
#include <vector>

#include "spice/ngspice.h"

namespace hysteron::spice {

/// What ngspice said about a run, without its banners and progress lines.
struct SimulatorLog {
  std::string error;            ///< its own words for what went wrong, with the netlist line; empty if nothing did
  bool is_convergence = false;  ///< the error is one that other options may cure
  std::vector<std::string> warnings;  ///< each once, with the netlist line; at most kMaxWarnings
};

inline constexpr std::size_t kMaxWarnings = 50;

/// Reads what a run of `deck` wrote on stdout and stderr.
SimulatorLog read_log(const std::string& output, const std::string& errors, const Deck& deck);

}  // namespace hysteron::spice
