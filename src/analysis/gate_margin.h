#pragma once

#include <string>
#include <vector>

#include "analysis/gate_proof.h"

namespace hysteron::analysis {

/// A node whose voltage says what was decided, and where a disturbance of it is pushed in.
struct MarginNode {
  std::string name;          ///< of the net; "q both" of an inner decision
  bool is_line = false;      ///< an input's line, disturbed at rest; else the current into a decision
  std::size_t input = 0;     ///< of a line
  circuit::NetId into = 0;   ///< where the disturbance goes
  circuit::NetId watch = 0;  ///< V0
};

/// Every input's line and every decision of `gates`.
std::vector<MarginNode> margin_nodes(const compile::CompiledGates& gates);

/// Leads `gates` into the state behind `plan` and then disturbs `node` slowly, first upwards to one unit current, then
/// downwards (a line down to no current).
struct MarginBench {
  sim::Testbench bench;
  double begin = 0.0;                     ///< of the disturbance
  sim::PiecewiseLinear disturbance = {};  ///< ampere
  std::size_t probe = 0;                  ///< of the node's voltage
};
MarginBench make_margin_bench(const compile::CompiledGates& gates, const SpikePlan& plan, const MarginNode& node,
                              const SpikeTiming& timing, const compile::CellEnvironment& environment);

/// Magnitude of the disturbance at which the node goes to its other side first, ampere; infinite where it does not.
double read_margin(const MarginBench& bench, const sim::Waveforms& waves);

/// Leads `gates` into the state behind `plan` and then leaves it alone for `seconds`: levels are read at the begin and
/// at the end, and no source changes between.
GateBench make_hold_bench(const compile::CompiledGates& gates, const SpikePlan& plan, double seconds,
                          const SpikeTiming& timing, const compile::CellEnvironment& environment);

}  // namespace hysteron::analysis
