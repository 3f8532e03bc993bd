#include "analysis/device_bench.h"

#include <fmt/format.h>

namespace hysteron::analysis {
namespace {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::NetId;
using Kind = sim::Probe::Kind;

// The last of the sources that make_cell_testbench gives one cell.
constexpr std::size_t kCandidateSource = 2;

// Outputs move by a part in a thousand of their current.
constexpr double kTolerance = 1e-2;

}  // namespace

DeviceBench::DeviceBench(const CellTestSetup& lab, const compile::CellSizes& sizes, double low, double high)
    : cell_(build_bench(lab, {sizes})), environment_(lab.nominal_environment()), low_(low), high_(high) {}

sim::Testbench DeviceBench::noise_bench(double candidate, bool on, NetId output) const {
  sim::Testbench bench = compile::make_cell_testbench(cell_, environment_, {{{0.0, candidate}}}, {on});
  bench.probes.clear();
  for (NetId net = Circuit::kSupply; net < circuit().net_count(); ++net) bench.probes.push_back({Kind::kVoltage, net});
  for (DeviceId id = 0; id < circuit().transistors().size(); ++id) bench.probes.push_back({Kind::kDrainCurrent, id});
  bench.probes.push_back({Kind::kTransconductance, cell_.cells.front().m[3]});
  sim::NoiseAnalysis noise;
  noise.outputs = {{Kind::kVoltage, output}};
  noise.input = kCandidateSource;
  noise.low = low_;
  noise.high = high_;
  bench.noise = noise;
  return bench;
}

sim::Testbench DeviceBench::at_switch(double candidate, bool on) const {
  return noise_bench(candidate, on, cell_.cells.front().v0);
}

sim::Testbench DeviceBench::at_output(double candidate, bool on) const {
  return noise_bench(candidate, on, circuit().transistor(cell_.cells.front().m[3]).drain);
}

double DeviceBench::voltage(const sim::Waveforms& point, NetId net) const {
  return net == Circuit::kGround ? 0.0 : point.values[net - Circuit::kSupply].front();
}

double DeviceBench::switch_voltage(const sim::Waveforms& point) const { return voltage(point, cell_.cells.front().v0); }

double DeviceBench::output_transconductance(const sim::Waveforms& point) const { return point.values.back().front(); }

double DeviceBench::drain_current(const sim::Waveforms& point, DeviceId id) const {
  return point.values[circuit().net_count() - Circuit::kSupply + id].front();
}

sim::Testbench DeviceBench::alone(const sim::Waveforms& point, Circuit& devices) const {
  sim::Testbench bench;
  sim::NoiseAnalysis noise;
  for (DeviceId id = 0; id < circuit().transistors().size(); ++id) {
    circuit::Transistor device = circuit().transistor(id);
    // The order in which noise.outputs finds drains among the sources.
    noise.outputs.push_back({Kind::kSourceCurrent, bench.voltage_sources.size()});
    for (const auto& [net, terminal] : {std::pair{&device.drain, "d"}, {&device.gate, "g"}, {&device.source, "s"}}) {
      const double volt = voltage(point, *net);
      *net = devices.net(fmt::format("{}{}", terminal, id));
      bench.voltage_sources.push_back({*net, {{0.0, volt}}});
    }
    devices.add(device);
  }
  // Nothing is referred to it, but the analysis wants an input that reaches the output.
  bench.current_sources = {{Circuit::kSupply, devices.transistor(0).drain, {{0.0, 0.0}}}};
  noise.low = low_;
  noise.high = high_;
  bench.circuit = &devices;
  bench.supply = voltage(point, Circuit::kSupply);
  bench.temperature = environment_.temperature;
  bench.corner = environment_.corner;
  bench.noise = noise;
  return bench;
}

sim::Testbench DeviceBench::in_time(double candidate, bool on, const sim::Waveforms& point,
                                    const std::vector<std::vector<double>>& currents, double sample_seconds) const {
  sim::Testbench bench = compile::make_cell_testbench(cell_, environment_, {{{0.0, candidate}}}, {on});
  for (NetId net = Circuit::kCellSupply + 1; net < circuit().net_count(); ++net) {
    if (net != cell_.network.reset) bench.initial_voltages[net] = voltage(point, net);
  }
  for (DeviceId id = 0; id < currents.size(); ++id) {
    sim::CurrentSource source{circuit().transistor(id).drain, circuit().transistor(id).source, {}};
    for (std::size_t i = 0; i < currents[id].size(); ++i) {
      source.current.push_back({static_cast<double>(i) * sample_seconds, currents[id][i]});
    }
    bench.current_sources.push_back(std::move(source));
  }
  bench.stop_time = static_cast<double>(currents.front().size() - 1) * sample_seconds;
  bench.maximum_step = sample_seconds;
  bench.tolerance = kTolerance;
  return bench;
}

}  // namespace hysteron::analysis
