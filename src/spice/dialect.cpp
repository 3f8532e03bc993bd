#include "spice/dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "spice/dialect_writer.h"

namespace hysteron::spice {
namespace {

using circuit::Circuit;
using circuit::NetId;

// SPICE tools cut or wrap long lines differently; continuation lines keep every one short.
constexpr std::size_t kLineLimit = 110;

const std::string kTopInstance = "xnet";

std::unique_ptr<DialectWriter> writer_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::kSpectre:
      return spectre_writer();
    case Dialect::kXyce:
      return xyce_writer();
    case Dialect::kNgspice:
      break;
  }
  return ngspice_writer();
}

std::string comments(const std::vector<Comment>& lines, const DialectWriter& writer) {
  std::string text;
  for (const Comment& line : lines) text += writer.comment(line.text);
  return text;
}

/// Gives every source of a bench a name of its own, after the net it drives.
class SourceNames {
 public:
  std::string take(char kind, const std::string& net) {
    std::string name = kind + net;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}{}_{}", kind, net, i);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

Path below_top(const Path& path) {
  Path result = {kTopInstance};
  result.insert(result.end(), path.begin(), path.end());
  return result;
}

std::string transistor_current(const Circuit& circuit, const technology::Technology& technology,
                               const Hierarchy& hierarchy, circuit::DeviceId id) {
  const bool is_n = circuit.transistor(id).polarity == circuit::Polarity::kN;
  return fmt::format("@m.{}.{}[id]", joined(below_top(hierarchy.device(id)), '.'),
                     is_n ? technology.n.inner : technology.p.inner);
}

/// A node of the bench: a port by its name, a net inside by the way to it.
Path node_path(const Hierarchy& hierarchy, NetId net) {
  const Path& path = hierarchy.net(net);
  const std::vector<std::string>& ports = hierarchy.netlist().subcircuits.back().ports;
  const bool is_outside =
      path.size() == 1 && (path.front() == "0" || std::find(ports.begin(), ports.end(), path.front()) != ports.end());
  return is_outside ? path : below_top(path);
}

std::string node_name(const Hierarchy& hierarchy, NetId net) { return joined(node_path(hierarchy, net), '.'); }

}  // namespace

const std::vector<std::string>& dialect_names() {
  static const std::vector<std::string> names = {"ngspice", "spectre", "xyce"};
  return names;
}

Dialect dialect_named(const std::string& name) {
  for (std::size_t i = 0; i < dialect_names().size(); ++i) {
    if (dialect_names()[i] == name) return static_cast<Dialect>(i);
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("unknown dialect {}; expected {}", quoted(name), fmt::join(dialect_names(), ", ")));
}

std::string file_extension(Dialect dialect) {
  switch (dialect) {
    case Dialect::kSpectre:
      return ".scs";
    case Dialect::kXyce:
      return ".cir";
    case Dialect::kNgspice:
      break;
  }
  return ".spice";
}

std::string wrapped(const std::string& first, const std::vector<std::string>& words, const std::string& before,
                    const std::string& after) {
  std::string text = first;
  std::size_t column = first.size();
  for (const std::string& word : words) {
    if (column + 1 + word.size() > kLineLimit) {
      text += after + "\n" + before;
      column = before.size();
    }
    text += ' ' + word;
    column += 1 + word.size();
  }
  return text + '\n';
}

std::string corner_section(const sim::Testbench& bench, const technology::Technology& technology) {
  technology::check_corner(technology, bench.corner);
  return technology.models.sections.at(bench.corner.empty() ? technology.typical_corner : bench.corner);
}

std::string setting_text(const Setting& setting, const std::string& open, const std::string& close) {
  if (setting.reference.empty()) return fmt::format("{}={:.6g}", setting.name, setting.value);
  return fmt::format("{}={}{}{}", setting.name, open, setting.reference, close);
}

std::string format_netlist(const Netlist& netlist, Dialect dialect) {
  const std::unique_ptr<DialectWriter> writer = writer_of(dialect);
  const bool has_header = !netlist.header.empty();
  std::string text = writer->first_line(has_header ? netlist.header.front().text : "Netlist", false);
  for (std::size_t i = 1; i < netlist.header.size(); ++i) text += writer->comment(netlist.header[i].text);
  for (const Subcircuit& subcircuit : netlist.subcircuits) {
    text += "\n" + writer->begin(subcircuit);
    for (const Instance& instance : subcircuit.instances) {
      text += comments(instance.comments, *writer) + writer->instance(instance);
    }
    text += comments(subcircuit.comments, *writer) + writer->end(subcircuit);
  }
  return text;
}

std::string format_bench(const sim::Testbench& bench, const technology::Technology& technology,
                         const Hierarchy& hierarchy, const BenchFile& file, Dialect dialect) {
  const std::unique_ptr<DialectWriter> writer = writer_of(dialect);
  const Circuit& circuit = *bench.circuit;
  std::string text = writer->first_line(file.header.empty() ? "Test bench" : file.header.front(), true);
  for (std::size_t i = 1; i < file.header.size(); ++i) text += writer->comment(file.header[i]);
  text += writer->conditions(bench, technology) + writer->include(file.netlist);
  DialectWriter::Analysis analysis;
  SourceNames names;
  const auto hold = [&](NetId net, const sim::PiecewiseLinear& voltage) {
    const std::string node = node_name(hierarchy, net);
    analysis.sources.push_back(names.take('v', circuit.net_name(net)));
    text += writer->source('v', analysis.sources.back(), node, "0", voltage);
  };
  hold(Circuit::kSupply, {{0.0, bench.supply}});
  hold(Circuit::kCellSupply, {{0.0, bench.supply}});
  const std::size_t supplies = analysis.sources.size();
  for (const sim::VoltageSource& source : bench.voltage_sources) hold(source.net, source.voltage);
  for (const sim::CurrentSource& source : bench.current_sources) {
    const NetId other = source.to > Circuit::kCellSupply ? source.to : source.from;
    text += writer->source('i', names.take('i', circuit.net_name(other)), node_name(hierarchy, source.from),
                           node_name(hierarchy, source.to), source.current);
  }
  const Subcircuit& whole = hierarchy.netlist().subcircuits.back();
  text += writer->instance({kTopInstance, whole.ports, whole.name});
  for (const auto& [net, voltage] : bench.initial_voltages) {
    analysis.initial_voltages.emplace_back(node_path(hierarchy, net), voltage);
  }
  for (const sim::Probe& probe : bench.probes) {
    if (probe.kind == sim::Probe::Kind::kVoltage) {
      analysis.nodes.push_back(node_path(hierarchy, probe.index));
    } else if (probe.kind == sim::Probe::Kind::kSourceCurrent) {
      analysis.read_sources.push_back(analysis.sources[supplies + probe.index]);
    } else if (probe.kind == sim::Probe::Kind::kDrainCurrent) {
      analysis.transistor_currents.push_back(transistor_current(circuit, technology, hierarchy, probe.index));
    }
  }
  analysis.starts_from_initial_voltages = bench.starts_from_initial_voltages;
  analysis.stop = bench.stop_time;
  analysis.step = bench.maximum_step > 0.0 ? bench.maximum_step : bench.stop_time / 50.0;
  return text + writer->analysis(analysis, file);
}

}  // namespace hysteron::spice
