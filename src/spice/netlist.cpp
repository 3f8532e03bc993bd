#include "hysteron/spice/netlist.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <vector>

namespace hysteron::spice {
namespace {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::NetId;
using circuit::Polarity;
using circuit::Transistor;
using technology::Technology;

// SPICE tools cut or wrap long lines differently; continuation lines keep every one short.
constexpr std::size_t kLineLimit = 110;

std::string wrapped(const std::string& first, const std::vector<std::string>& words) {
  std::string text = first;
  std::size_t column = first.size();
  for (const std::string& word : words) {
    if (column + 1 + word.size() > kLineLimit) {
      text += "\n+";
      column = 1;
    }
    text += ' ' + word;
    column += 1 + word.size();
  }
  return text + '\n';
}

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

std::vector<std::string> port_names(const Circuit& circuit) {
  std::vector<std::string> names = {circuit.net_name(Circuit::kSupply), circuit.net_name(Circuit::kCellSupply)};
  for (const NetId net : circuit.ports()) names.push_back(circuit.net_name(net));
  return names;
}

/// A block of the hierarchy: its own devices, its child blocks, and the nets its inside touches.
struct Block {
  std::vector<DeviceId> devices;
  std::vector<std::size_t> capacitors;
  std::vector<std::string> children;  // paths
  std::map<NetId, std::size_t> uses;  // net -> devices below here that touch it
};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

void touch(std::map<NetId, std::size_t>& uses, const Transistor& transistor) {
  const NetId bulk = transistor.polarity == Polarity::kN ? Circuit::kGround : Circuit::kSupply;
  for (const NetId net : std::set<NetId>{transistor.drain, transistor.gate, transistor.source, bulk}) ++uses[net];
}

void ensure_block(std::map<std::string, Block>& blocks, const std::string& path) {
  if (blocks.count(path) != 0) return;
  blocks[path];
  if (path.empty()) return;
  ensure_block(blocks, parent_of(path));
  blocks[parent_of(path)].children.push_back(path);
}

std::map<std::string, Block> collect_blocks(const Circuit& circuit) {
  std::map<std::string, Block> blocks;
  ensure_block(blocks, "");
  for (DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    const Transistor& transistor = circuit.transistor(id);
    ensure_block(blocks, transistor.block);
    blocks[transistor.block].devices.push_back(id);
    for (std::string path = transistor.block; !path.empty(); path = parent_of(path)) {
      touch(blocks[path].uses, transistor);
    }
    touch(blocks[""].uses, transistor);
  }
  for (std::size_t i = 0; i < circuit.capacitors().size(); ++i) {
    const circuit::Capacitor& capacitor = circuit.capacitors()[i];
    ensure_block(blocks, capacitor.block);
    blocks[capacitor.block].capacitors.push_back(i);
    for (std::string path = capacitor.block; !path.empty(); path = parent_of(path)) ++blocks[path].uses[capacitor.net];
    ++blocks[""].uses[capacitor.net];
  }
  return blocks;
}

/// Nets of `block` that something outside it touches too, in the order of their creation.
std::vector<std::string> block_ports(const Circuit& circuit, const Block& block, const Block& top) {
  std::vector<std::string> ports;
  for (const auto& [net, uses] : block.uses) {
    const auto& terminals = circuit.ports();
    const bool is_terminal = net == Circuit::kSupply || net == Circuit::kCellSupply ||
                             std::find(terminals.begin(), terminals.end(), net) != terminals.end();
    if (net != Circuit::kGround && (is_terminal || uses < top.uses.at(net))) ports.push_back(circuit.net_name(net));
  }
  return ports;
}

void write_block(const Circuit& circuit, const Technology& technology, const std::map<std::string, Block>& blocks,
                 const std::string& path, const std::string& top_name, std::string& text) {
  const Block& block = blocks.at(path);
  for (const std::string& child : block.children) {
    write_block(circuit, technology, blocks, child, top_name, text);
  }
  text += wrapped(".subckt " + (path.empty() ? top_name : circuit::joined_name(top_name + "/" + path, "block")),
                  path.empty() ? port_names(circuit) : block_ports(circuit, block, blocks.at("")));
  for (const DeviceId id : block.devices) {
    text += device_line(circuit, technology, circuit.transistor(id), circuit.transistor(id).name);
  }
  for (const std::size_t i : block.capacitors) {
    const circuit::Capacitor& capacitor = circuit.capacitors()[i];
    text += capacitor_line(circuit, capacitor, capacitor.name);
  }
  for (const std::string& child : block.children) {
    std::vector<std::string> words = block_ports(circuit, blocks.at(child), blocks.at(""));
    words.push_back(circuit::joined_name(top_name + "/" + child, "block"));
    text += wrapped("x" + last_of(child), words);
  }
  text += ".ends\n";
}

std::string conditions(const sim::Testbench& bench, const Technology& technology) {
  const technology::Models& models = technology.models;
  std::string text;
  for (const std::string& file : models.include) text += fmt::format(".include '{}'\n", file);
  text += ".param";
  for (const auto& [name, value] : technology.parameters) text += fmt::format(" {}={}", name, value);
  technology::check_corner(technology, bench.corner);
  const std::string& section = models.sections.at(bench.corner.empty() ? technology.typical_corner : bench.corner);
  text += fmt::format("\n.lib '{}' {}\n", models.library, section);
  // gmin's default of 1e-12 S would be a false leak of 1.8 pA at every node. The trapezoidal rule rings by a tenth of a
  // current; Gear's does not. Currents at the end of a frame are within 0.002 unit currents of a run ten times as fine
  // (docs/notes/ngspice-options.md, which also says why bypass must stay off and why chgtol must be far below the
  // charge of V0: a time step that is not held to it may end in a cell's other stable state).
  text += bench.stop_time > 0.0
              ? ".options method=gear gmin=1e-16 abstol=1e-14 reltol=1e-3 vntol=1e-5 chgtol=1e-16 bypass=0\n"
              : ".options gmin=1e-16 abstol=1e-17 reltol=1e-6 vntol=1e-9\n";
  if (bench.seed > 0) text += fmt::format(".options seed={}\n", bench.seed);
  text += fmt::format(".temp {:.6g}\n", bench.temperature);
  return text;
}

std::string waveform(const sim::PiecewiseLinear& points) {
  if (points.size() == 1) return fmt::format("dc {:.9g}\n", points.front().value);
  std::vector<std::string> words;
  words.reserve(points.size());
  for (const sim::Breakpoint& point : points) words.push_back(fmt::format("{:.9g} {:.9g}", point.time, point.value));
  words.back() += ")";
  return wrapped("pwl(", words);
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
    text += fmt::format("i{} {} {} {}", i, circuit.net_name(source.from), circuit.net_name(source.to),
                        waveform(source.current));
  }
  return text;
}

std::string analysis(const sim::Testbench& bench, const Technology& technology) {
  std::vector<std::string> signals;
  for (const sim::Probe& probe : bench.probes) signals.push_back(signal_name(probe, bench, technology));
  std::string text = wrapped(".save", signals);
  for (const auto& [net, voltage] : bench.initial_voltages) {
    text += fmt::format(".ic v({})={:.6g}\n", bench.circuit->net_name(net), voltage);
  }
  if (bench.stop_time <= 0.0) return text + ".op\n";
  const double step = bench.maximum_step > 0.0 ? bench.maximum_step : bench.stop_time / 50.0;
  return text + fmt::format(".tran {:.9g} {:.9g} 0 {:.9g}{}\n", step, bench.stop_time, step,
                            bench.starts_from_initial_voltages ? " uic" : "");
}

}  // namespace

std::string write_flat(const Circuit& circuit, const Technology& technology, const std::string& name) {
  std::string text = wrapped(".subckt " + name, port_names(circuit));
  for (DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    text += device_line(circuit, technology, circuit.transistor(id), circuit.full_name(id));
  }
  return text + capacitor_lines(circuit) + ".ends\n";
}

std::string write_hierarchical(const Circuit& circuit, const Technology& technology, const std::string& name) {
  std::string text;
  write_block(circuit, technology, collect_blocks(circuit), "", name, text);
  return text;
}

std::string signal_name(const sim::Probe& probe, const sim::Testbench& bench, const Technology& technology) {
  switch (probe.kind) {
    case sim::Probe::Kind::kDrainCurrent: {
      const bool is_n = bench.circuit->transistor(probe.index).polarity == Polarity::kN;
      return fmt::format("@m.x{}.{}[id]", bench.circuit->full_name(probe.index),
                         is_n ? technology.n.inner : technology.p.inner);
    }
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
  text += conditions(bench, technology);
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
