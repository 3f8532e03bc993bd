#include "analysis/gate_margin.h"

#include <cmath>
#include <limits>

#include "analysis/cell_loop.h"

namespace hysteron::analysis {
namespace {

using circuit::Circuit;

// Slow enough that what V0's charge adds to a margin is below two percent of the unit current at 100 pA.
constexpr double kRampSeconds = 2.0;  // for one unit current
constexpr double kRampSteps = 50.0;
constexpr double kHoldSteps = 100.0;
constexpr double kBeforeEnd = 1e-6;  // of the hold

/// A bench that has to lead somewhere, even where no spike is needed for that.
GateBench lead_to(const compile::CompiledGates& gates, const SpikePlan& plan, const SpikeTiming& timing,
                  const compile::CellEnvironment& environment) {
  return make_gate_bench(gates, plan, {timing.period, timing.width, timing.period}, environment);
}

}  // namespace

std::vector<MarginNode> margin_nodes(const compile::CompiledGates& gates) {
  std::vector<MarginNode> nodes;
  for (std::size_t i = 0; i < gates.inputs.size(); ++i) {
    nodes.push_back({gates.logic.nets[gates.logic.inputs[i]], true, i, gates.inputs[i], gates.cells[i].v0});
  }
  for (const compile::DecisionNode& decision : gates.decisions) {
    nodes.push_back({decision.name, false, 0, decision.node, decision.node});
  }
  return nodes;
}

MarginBench make_margin_bench(const compile::CompiledGates& gates, const SpikePlan& plan, const MarginNode& node,
                              const SpikeTiming& timing, const compile::CellEnvironment& environment) {
  const GateBench lead = lead_to(gates, plan, timing, environment);
  const double unit = gates.network.conditions.unit_current;
  const double down = node.is_line ? gates.levels.rest : 1.0;
  MarginBench result;
  result.bench = lead.bench;
  result.begin = lead.bench.stop_time;
  const double top = result.begin + kRampSeconds;
  result.disturbance = {{result.begin, 0.0}, {top, unit}, {top + (1.0 + down) * kRampSeconds, -down * unit}};
  sim::Testbench& bench = result.bench;
  bench.stop_time = result.disturbance.back().time;
  bench.maximum_step = kRampSeconds / kRampSteps;
  bench.current_sources.push_back({Circuit::kSupply, node.into, result.disturbance});
  result.probe = bench.probes.size();
  bench.probes.push_back({sim::Probe::Kind::kVoltage, node.watch});
  return result;
}

double read_margin(const MarginBench& bench, const sim::Waveforms& waves) {
  const double level = 0.5 * bench.bench.supply;
  const bool is_up = waves.at(bench.probe, bench.begin) > level;
  const double when = crossing_time(waves, bench.probe, level, !is_up, bench.begin);
  return std::isnan(when) ? std::numeric_limits<double>::infinity() : std::abs(sim::value_at(bench.disturbance, when));
}

GateBench make_hold_bench(const compile::CompiledGates& gates, const SpikePlan& plan, double seconds,
                          const SpikeTiming& timing, const compile::CellEnvironment& environment) {
  GateBench result = lead_to(gates, plan, timing, environment);
  if (result.readings.empty()) {
    result.bench.stop_time = result.begin + timing.period;
    result.readings.push_back({result.begin + 0.5 * timing.period, model::GateState(gates.logic).outputs(), 0});
  }
  // One reading from before any time has passed, one from the end.
  result.readings.erase(result.readings.begin(), result.readings.end() - 1);
  result.bench.stop_time += seconds;
  result.bench.maximum_step = seconds / kHoldSteps;
  LevelReading last = result.readings.back();
  last.time = result.bench.stop_time - kBeforeEnd * seconds;
  result.readings.push_back(last);
  return result;
}

}  // namespace hysteron::analysis
