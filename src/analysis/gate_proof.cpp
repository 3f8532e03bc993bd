#include "analysis/gate_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hysteron::analysis {
namespace {

using circuit::Circuit;
using sim::Probe;

// Reset is up until kReset; the first word comes when all has settled, in periods of the plan.
constexpr double kResetShare = 0.5;
constexpr double kBeginShare = 1.5;
constexpr double kRampShare = 0.05;         // of a spike's width, on either side
constexpr double kReadShare = 0.01;         // of the period, before the next word
constexpr double kStaticShare = 0.1;        // of the period, before that: what counts as settled power
constexpr double kLongestStepShare = 0.25;  // of the period

/// The line's value over time, spike by spike.
class Line {
 public:
  Line(const compile::SpikeLevels& levels, double unit) : levels_(levels), unit_(unit) {
    points_.push_back({0.0, levels.rest * unit});
  }

  void spike(double begin, double width, bool positive) {
    const double ramp = kRampShare * width;
    const double peak = (positive ? levels_.positive : levels_.negative) * unit_;
    const double rest = levels_.rest * unit_;
    points_.insert(points_.end(),
                   {{begin, rest}, {begin + ramp, peak}, {begin + width - ramp, peak}, {begin + width, rest}});
  }

  const sim::PiecewiseLinear& points() const { return points_; }

 private:
  compile::SpikeLevels levels_;
  double unit_;
  sim::PiecewiseLinear points_;
};

}  // namespace

GateBench make_gate_bench(const compile::CompiledGates& gates, const SpikePlan& plan, const SpikeTiming& timing,
                          const compile::CellEnvironment& environment) {
  const compile::CompiledNetwork& network = gates.network;
  const double unit = network.conditions.unit_current;
  GateBench result;
  sim::Testbench& bench = result.bench;
  bench.circuit = &network.circuit;
  bench.supply = environment.supply > 0.0 ? environment.supply : network.supply;
  bench.temperature = environment.temperature;
  bench.corner = environment.corner;
  std::vector<Line> lines(gates.inputs.size(), Line(gates.levels, unit));
  double now = result.begin = kBeginShare * timing.period;
  for (std::size_t w = 0; w < plan.size(); ++w) {
    const SpikeWord& word = plan[w];
    for (std::size_t k = 0; k < word.spikes.size(); ++k) {
      lines[word.spikes[k].input].spike(now, timing.width, word.spikes[k].positive);
      result.spikes.push_back(now);
      const bool is_last = k + 1 == word.spikes.size();
      if (is_last || timing.spacing >= timing.period) {
        result.readings.push_back({now + (1.0 - kReadShare) * timing.period, word.outputs[k], w});
      }
      now += is_last ? timing.period : timing.spacing;
    }
  }
  bench.stop_time = now;
  bench.maximum_step = kLongestStepShare * timing.period;
  bench.current_sources.push_back({Circuit::kSupply, network.reference, {{0.0, unit}}});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bench.current_sources.push_back({Circuit::kSupply, gates.inputs[i], lines[i].points()});
  }
  for (std::size_t k = 0; k < gates.outputs.size(); ++k) {
    bench.voltage_sources.push_back({gates.outputs[k], {{0.0, 0.5 * bench.supply}}});
    bench.probes.push_back({Probe::Kind::kSourceCurrent, k});
  }
  const double released = kResetShare * timing.period;
  bench.voltage_sources.push_back(
      {network.reset, {{0.0, bench.supply}, {released, bench.supply}, {released + kRampShare * timing.width, 0.0}}});
  bench.probes.push_back({Probe::Kind::kSupplyCurrent, Circuit::kSupply});
  bench.probes.push_back({Probe::Kind::kSupplyCurrent, Circuit::kCellSupply});
  for (const compile::CompiledCell& cell : gates.cells) {
    bench.initial_voltages[cell.v0] = 0.0;
  }
  return result;
}

GateRun judge_gates(const compile::CompiledGates& gates, const GateBench& bench, const sim::Waveforms& waves) {
  const double unit = gates.network.conditions.unit_current;
  const std::size_t outputs = gates.outputs.size();
  GateRun run;
  run.lowest_high = std::numeric_limits<double>::infinity();
  const auto power = [&](double begin, double end) {
    return bench.bench.supply * (waves.mean(outputs, begin, end) + waves.mean(outputs + 1, begin, end));
  };
  double settled_energy = 0.0;
  double begin = bench.begin;
  for (std::size_t i = 0; i < bench.readings.size(); ++i) {
    const LevelReading& reading = bench.readings[i];
    for (std::size_t k = 0; k < outputs; ++k) {
      // The source that holds an output absorbs its current.
      const double current = -waves.at(k, reading.time);
      const bool expected = reading.expected[k];
      ++run.readings;
      if (expected) run.lowest_high = std::min(run.lowest_high, current);
      if (!expected) run.highest_low = std::max(run.highest_low, current);
      if (std::abs(current / unit - (expected ? 1.0 : 0.0)) <= kLevelTolerance) continue;
      if (run.wrong++ == 0) {
        run.first_wrong =
            fmt::format("{} is {:.2f} of the unit current at {:.6g} s; expected {}",
                        gates.logic.nets[gates.logic.outputs[k]], current / unit, reading.time, expected ? 1 : 0);
      }
    }
    const bool is_last = i + 1 == bench.readings.size();
    const double end = is_last ? bench.bench.stop_time : reading.time;
    const double settled = power(reading.time - kStaticShare * (reading.time - begin), reading.time);
    run.most_static = std::max(run.most_static, settled);
    run.mean_static += settled / static_cast<double>(bench.readings.size());
    settled_energy += settled * (end - begin);
    begin = end;
  }
  const double seconds = bench.bench.stop_time - bench.begin;
  run.mean_power = power(bench.begin, bench.bench.stop_time);
  const double spikes = static_cast<double>(std::max<std::size_t>(bench.spikes.size(), 1));
  run.spike_energy = run.mean_power * seconds / spikes;
  run.switch_energy = (run.mean_power * seconds - settled_energy) / spikes;
  return run;
}

}  // namespace hysteron::analysis
