#include "behavioural/cell_charge.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "compile/cell_bench.h"

namespace hysteron::behavioural {
namespace {

// A cell in the middle of what networks have, unit currents.
constexpr compile::CellGains kGains{0.5, 0.3, 1.0};
constexpr double kMiddle = kGains.threshold - 0.5 * kGains.width;
// Beyond the threshold: more than sizing leaves of errors, less than what settles as slowly as V0 moves.
constexpr double kSteps[] = {0.04, 0.08};
constexpr double kCapacitances[] = {0.0, 100e-15};
constexpr double kQuietTime = 5e-3;  // seconds, in which the candidate is in the middle of the band
constexpr double kRamp = 1e-4;
constexpr double kWatched = 60e-3;

/// Seconds after the candidate's step at which the output goes through `half` of what it is when on, up or down.
double switching_time(const sim::Waveforms& waves, std::size_t cell, double half, bool sets) {
  sim::Waveforms output{waves.time, {waves.values[compile::probe_index(cell, compile::CellProbe::kOutput)]}};
  for (double& current : output.values[0]) current = std::abs(current);
  const double switched = sim::crossing_time(output, 0, half, sets, kQuietTime);
  if (!std::isnan(switched)) return switched - kQuietTime - 0.5 * kRamp;
  throw simulator_error("a cell whose candidate is beyond its threshold did not switch; its charge cannot be measured");
}

}  // namespace

CellCharges measure_cell_charges(const technology::Technology& technology, const compile::GainCurves& curves,
                                 const sim::Engine& engine, const compile::Conditions& conditions) {
  const double unit = conditions.unit_current;
  std::vector<double> added;
  std::vector<sim::PiecewiseLinear> candidates;
  std::vector<bool> starts_on;
  for (const bool resets : {false, true}) {
    for (const double capacitance : kCapacitances) {
      for (const double step : kSteps) {
        const double to = resets ? kGains.threshold - kGains.width - step : kGains.threshold + step;
        added.push_back(capacitance);
        candidates.push_back({{0.0, unit * kMiddle}, {kQuietTime, unit * kMiddle}, {kQuietTime + kRamp, unit * to}});
        starts_on.push_back(resets);
      }
    }
  }
  const std::vector<compile::CellSizes> sizes(added.size(), compile::draw_cell(kGains, technology, curves, conditions));
  compile::CellBench bench = compile::build_cell_bench(sizes, technology, curves, conditions);
  for (std::size_t i = 0; i < added.size(); ++i) {
    if (added[i] <= 0.0) continue;
    bench.network.circuit.add(circuit::Capacitor{fmt::format("charge{}", i), "", bench.cells[i].v0, added[i]});
  }
  compile::CellEnvironment environment;
  environment.temperature = conditions.temperature;
  sim::Testbench rig = compile::make_cell_testbench(bench, environment, candidates, starts_on);
  rig.stop_time = kQuietTime + kWatched;
  rig.maximum_step = 5e-4;
  const sim::Waveforms waves = engine.run(rig);
  std::size_t cell = 0;
  const auto next_charge = [&](bool sets) {
    const double half = 0.5 * unit * kGains.output;
    const double first = switching_time(waves, cell, half, sets);
    const double second = switching_time(waves, cell + 1, half, sets);
    cell += 2;
    return unit * (kSteps[1] - kSteps[0]) / (1.0 / second - 1.0 / first);
  };
  CellCharges result;
  for (SwitchCharge* charge : {&result.set, &result.reset}) {
    const bool sets = charge == &result.set;
    charge->own = next_charge(sets);
    charge->swing = (next_charge(sets) - charge->own) / kCapacitances[1];
  }
  return result;
}

}  // namespace hysteron::behavioural
