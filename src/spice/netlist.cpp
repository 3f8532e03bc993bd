#include "spice/netlist.h"

#include <fmt/format.h>

#include <vector>

#include "spice/dialect_writer.h"

namespace hysteron::spice {
namespace {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::Polarity;
using circuit::Transistor;
using technology::Technology;

constexpr const char* kNoiseNet = "hysteron_noise";

std::string device_line(const Circuit& circuit, const Technology& technology, const Transistor& transistor,
                        const std::string& name) {
  const bool is_n = transistor.polarity == Polarity::kN;
  return fmt::format("x{} {} {} {} {} {} w={:.6g} l={:.6g}\n", name, circuit.net_name(transistor.drain),
                     circuit.net_name(transistor.gate), circuit.net_name(transistor.source),
                     circuit.net_name(is_n ? Circuit::kGround : Circuit::kSupply),
                     is_n ? technology.n.subcircuit : technology.p.subcircuit, transistor.width, transistor.length);
}

std::string capacitor_line(const Circuit& circuit, const circuit::Capacitor& capacitor, const std::string& name) {
  return fmt::format("c{} {} {} {:.6g}\n", name, circuit.net_name(capacitor.net), circuit.net_name(Circuit::kGround),
                     capacitor.capacitance);
}

/// Every capacitor of the flat circuit.
std::string capacitor_lines(const Circuit& circuit) {
  std::string text;
  for (const circuit::Capacitor& capacitor : circuit.capacitors()) {
    text += capacitor_line(circuit, capacitor, circuit::joined_name(capacitor.block, capacitor.name));
  }
  return text;
}

std::string waveform(const sim::PiecewiseLinear& points) {
  if (points.size() == 1) return fmt::format("dc {:.9g}\n", points.front().value);
  std::vector<std::string> words;
  words.reserve(points.size());
  for (const sim::Breakpoint& point : points) words.push_back(fmt::format("{:.9g} {:.9g}", point.time, point.value));
  words.back() += ")";
  return wrapped("pwl(", words, "+", "");
}

std::string sources(const sim::Testbench& bench) {
  const Circuit& circuit = *bench.circuit;
  std::string text = fmt::format("vvdd vdd 0 dc {0:.6g}\nvvddc vddc 0 dc {0:.6g}\n", bench.supply);
  for (std::size_t i = 0; i < bench.voltage_sources.size(); ++i) {
    const sim::VoltageSource& source = bench.voltage_sources[i];
    text += fmt::format("v{} {} 0 {}", i, circuit.net_name(source.net), waveform(source.voltage));
  }
  for (std::size_t i = 0; i < bench.current_sources.size(); ++i) {
    const sim::CurrentSource& source = bench.current_sources[i];
    const bool is_input = bench.noise && bench.noise->input == i;
    text += fmt::format("i{} {} {} {}{}", i, circuit.net_name(source.from), circuit.net_name(source.to),
                        is_input ? "ac 1 " : "", waveform(source.current));
  }
  return text;
}

/// The sum of the outputs as the voltage of a net of its own: controlled sources in series, which are free of noise.
std::string noise_output(const sim::Testbench& bench) {
  std::string text;
  std::string below = "0";
  const std::vector<sim::Probe>& outputs = bench.noise->outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string net = i + 1 == outputs.size() ? kNoiseNet : fmt::format("{}_{}", kNoiseNet, i);
    if (outputs[i].kind == sim::Probe::Kind::kVoltage) {
      text += fmt::format("enoise{} {} {} {} 0 1\n", i, net, below, bench.circuit->net_name(outputs[i].index));
    } else {
      text += fmt::format("hnoise{} {} {} v{} 1\n", i, net, below, outputs[i].index);
    }
    below = net;
  }
  return text;
}

/// Everything is saved: the names of the devices' shares are the simulator's.
std::string noise_analysis(const sim::Testbench& bench, const std::vector<std::string>& signals) {
  std::string text = noise_output(bench) + wrapped(".save all", signals, "+", "");
  for (const auto& [net, voltage] : bench.initial_voltages) {
    text += fmt::format(".nodeset v({})={:.9g}\n", bench.circuit->net_name(net), voltage);
  }
  const sim::NoiseAnalysis& noise = *bench.noise;
  return text + fmt::format(".op\n.noise v({}) i{} dec {} {:.9g} {:.9g} 1\n", kNoiseNet, noise.input,
                            noise.points_per_decade, noise.low, noise.high);
}

std::string analysis(const sim::Testbench& bench, const Technology& technology) {
  std::vector<std::string> signals;
  for (const sim::Probe& probe : bench.probes) signals.push_back(signal_name(probe, bench, technology));
  if (bench.noise) return noise_analysis(bench, signals);
  std::string text = wrapped(".save", signals, "+", "");
  for (const auto& [net, voltage] : bench.initial_voltages) {
    text += fmt::format(".ic v({})={:.6g}\n", bench.circuit->net_name(net), voltage);
  }
  if (bench.stop_time <= 0.0) return text + ".op\n";
  const double step = bench.maximum_step > 0.0 ? bench.maximum_step : bench.stop_time / 50.0;
  return text + fmt::format(".tran {:.9g} {:.9g} 0 {:.9g}{}\n", step, bench.stop_time, step,
                            bench.starts_from_initial_voltages ? " uic" : "");
}

std::string device_parameter(const char* parameter, const sim::Probe& probe, const sim::Testbench& bench,
                             const Technology& technology) {
  return fmt::format("@{}[{}]", inner_device_name(probe.index, *bench.circuit, technology), parameter);
}

}  // namespace

std::string ngspice_conditions(const sim::Testbench& bench, const Technology& technology) {
  const technology::Models& models = technology.models;
  std::string text;
  for (const std::string& file : models.include) text += fmt::format(".include '{}'\n", file);
  text += ".param";
  for (const auto& [name, value] : technology.parameters) text += fmt::format(" {}={}", name, value);
  text += fmt::format("\n.lib '{}' {}\n", models.library, corner_section(bench, technology));
  // gmin's default of 1e-12 S would be a false leak of 1.8 pA at every node. The trapezoidal rule rings by a tenth of a
  // current; Gear's does not. Currents at the end of a frame are within 0.002 unit currents of a run ten times as fine
  // (docs/notes/ngspice-options.md, which also says why bypass must stay off and why chgtol must be far below the
  // charge of V0: a time step that is not held to it may end in a cell's other stable state).
  text += bench.stop_time > 0.0
              ? ".options method=gear gmin=1e-16 abstol=1e-14 reltol=1e-3 vntol=1e-5 chgtol=1e-16 bypass=0\n"
              : ".options gmin=1e-16 abstol=1e-17 reltol=1e-6 vntol=1e-9\n";
  if (bench.tolerance != 1.0) {
    text += fmt::format(".options abstol={:g} reltol={:g} vntol={:g}\n", 1e-14 * bench.tolerance,
                        1e-3 * bench.tolerance, 1e-5 * bench.tolerance);
  }
  if (bench.seed > 0) text += fmt::format(".options seed={}\n", bench.seed);
  text += fmt::format(".temp {:.6g}\n", bench.temperature);
  return text;
}

std::string inner_device_name(DeviceId id, const Circuit& circuit, const Technology& technology) {
  const bool is_n = circuit.transistor(id).polarity == Polarity::kN;
  return fmt::format("m.x{}.{}", circuit.full_name(id), is_n ? technology.n.inner : technology.p.inner);
}

std::string signal_name(const sim::Probe& probe, const sim::Testbench& bench, const Technology& technology) {
  switch (probe.kind) {
    case sim::Probe::Kind::kDrainCurrent:
      return device_parameter("id", probe, bench, technology);
    case sim::Probe::Kind::kTransconductance:
      return device_parameter("gm", probe, bench, technology);
    case sim::Probe::Kind::kThresholdShift:
      return device_parameter("delvto", probe, bench, technology);
    case sim::Probe::Kind::kMobilityFactor:
      return device_parameter("mulu0", probe, bench, technology);
    case sim::Probe::Kind::kVoltage:
      return fmt::format("v({})", bench.circuit->net_name(probe.index));
    case sim::Probe::Kind::kSourceCurrent:
      return fmt::format("i(v{})", probe.index);
    case sim::Probe::Kind::kSupplyCurrent:
      return probe.index == Circuit::kSupply ? "i(vvdd)" : "i(vvddc)";
  }
  return {};
}

Deck make_deck(const sim::Testbench& bench, const Technology& technology) {
  const Circuit& circuit = *bench.circuit;
  std::string text = fmt::format("Hysteron testbench in {}\n", technology.name);
  text += ngspice_conditions(bench, technology);
  text += sources(bench);
  for (DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    text += device_line(circuit, technology, circuit.transistor(id), circuit.full_name(id));
  }
  text += capacitor_lines(circuit) + analysis(bench, technology) + ".end\n";
  Deck deck;
  deck.text = std::move(text);
  deck.files = technology.models.files;
  if (bench.stop_time > 0.0) deck.stop_time = bench.stop_time;
  return deck;
}

}  // namespace hysteron::spice
