#include "spice/netlist_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace hysteron::spice {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::NetId;
using circuit::Polarity;
using circuit::Transistor;
using technology::Technology;

namespace {

NetId bulk_of(const Transistor& transistor) {
  return transistor.polarity == Polarity::kN ? Circuit::kGround : Circuit::kSupply;
}

std::array<NetId, 4> terminals(const Transistor& transistor) {
  return {transistor.drain, transistor.gate, transistor.source, bulk_of(transistor)};
}

const std::string& master_of(const Transistor& transistor, const Technology& technology) {
  return transistor.polarity == Polarity::kN ? technology.n.subcircuit : technology.p.subcircuit;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// "cell1" without what counts it: "cell".
std::string without_number(std::string name) {
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0) name.pop_back();
  return name;
}

/// "h0_1_v0" without the numbers that tell one block from another: "h_v0".
std::string general_name(const std::string& net) {
  std::string result;
  std::size_t begin = 0;
  for (bool first = true; begin <= net.size(); first = false) {
    const std::size_t end = std::min(net.find('_', begin), net.size());
    std::string word = net.substr(begin, end - begin);
    if (first) word = without_number(word).empty() ? word : without_number(word);
    const bool is_number =
        !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (first || !is_number) result += (first ? "" : "_") + word;
    begin = end + 1;
  }
  return result;
}

std::vector<NetId> whole_ports(const Circuit& circuit) {
  std::vector<NetId> ports = {Circuit::kSupply, Circuit::kCellSupply};
  ports.insert(ports.end(), circuit.ports().begin(), circuit.ports().end());
  return ports;
}

const DeviceNote& note_of(const Annotations& annotations, DeviceId id) {
  static const DeviceNote none;
  const auto found = annotations.devices.find(id);
  return found == annotations.devices.end() ? none : found->second;
}

Instance capacitor_line(const circuit::Capacitor& capacitor, const std::string& name, const std::string& net) {
  Instance instance;
  instance.name = "c" + name;
  instance.nodes = {net, "0"};
  instance.master = kCapacitor;
  instance.settings = {{"c", capacitor.capacitance}};
  return instance;
}

void add_comment(Instance& instance, const std::string& comment) {
  if (!comment.empty()) instance.comments.push_back({comment});
}

std::vector<Comment> comment_lines(const std::vector<std::string>& lines) {
  std::vector<Comment> comments;
  for (const std::string& line : lines) comments.push_back({line});
  return comments;
}

}  // namespace

std::string joined(const Path& path, char separator) {
  std::string text;
  for (const std::string& name : path) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

Netlist flat_netlist(const Circuit& circuit, const Technology& technology, const std::string& name,
                     const Annotations& annotations) {
  Netlist netlist{comment_lines(annotations.header), {{}}};
  Subcircuit& whole = netlist.subcircuits.front();
  whole.name = name;
  for (const NetId net : whole_ports(circuit)) whole.ports.push_back(circuit.net_name(net));
  for (DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    const Transistor& transistor = circuit.transistor(id);
    Instance instance;
    instance.name = "x" + circuit.full_name(id);
    for (const NetId net : terminals(transistor)) instance.nodes.push_back(circuit.net_name(net));
    instance.master = master_of(transistor, technology);
    instance.settings = {{"w", transistor.width}, {"l", transistor.length}};
    add_comment(instance, note_of(annotations, id).comment);
    whole.instances.push_back(std::move(instance));
  }
  for (const circuit::Capacitor& capacitor : circuit.capacitors()) {
    whole.instances.push_back(capacitor_line(capacitor, circuit::joined_name(capacitor.block, capacitor.name),
                                             circuit.net_name(capacitor.net)));
  }
  return netlist;
}

/// Builds a Hierarchy; see there.
class HierarchyBuilder {
 public:
  HierarchyBuilder(const Circuit& circuit, const Technology& technology, std::string name,
                   const Annotations& annotations, Hierarchy& result)
      : circuit_(circuit), technology_(technology), name_(std::move(name)), notes_(annotations), result_(result) {}

  void build() {
    collect_blocks();
    for (auto& [path, block] : blocks_) find_ports(path, block);
    place_nets();
    for (auto& [path, block] : blocks_) {
      if (block.is_shared) join_group(path, block);
    }
    for (Group& group : groups_) find_parameters(group);
    result_.netlist_.header = comment_lines(notes_.header);
    result_.devices_.resize(circuit_.transistors().size());
    write_block("");
  }

 private:
  /// A block of the hierarchy: its own transistors, its child blocks, and the nets its inside touches.
  struct Block {
    std::vector<DeviceId> devices;
    std::vector<std::size_t> capacitors;
    std::vector<std::string> children;     // paths
    std::map<NetId, std::size_t> uses;     // net -> devices in it and below that touch it
    std::vector<NetId> ports;              // in the order of the subcircuit's
    std::map<NetId, std::string> renamed;  // of a block that shares its subcircuit
    bool is_shared = false;
    std::size_t group = 0;
  };

  /// Blocks that share a subcircuit. Of each transistor: the name of its size's parameters, empty if it is fixed.
  struct Group {
    std::string key;
    std::string name;
    std::vector<std::string> members;
    std::vector<std::string> size_names;
    bool is_written = false;
  };

  void ensure_block(const std::string& path) {
    if (blocks_.count(path) != 0) return;
    blocks_[path];
    if (path.empty()) return;
    ensure_block(parent_of(path));
    blocks_[parent_of(path)].children.push_back(path);
  }

  void touch(const std::string& path, const Transistor& transistor) {
    const std::array<NetId, 4> nets = terminals(transistor);
    for (const NetId net : std::set<NetId>(nets.begin(), nets.end())) ++blocks_[path].uses[net];
  }

  void collect_blocks() {
    ensure_block("");
    for (DeviceId id = 0; id < circuit_.transistors().size(); ++id) {
      const Transistor& transistor = circuit_.transistor(id);
      ensure_block(transistor.block);
      blocks_[transistor.block].devices.push_back(id);
      for (std::string path = transistor.block; !path.empty(); path = parent_of(path)) touch(path, transistor);
      touch("", transistor);
    }
    for (std::size_t i = 0; i < circuit_.capacitors().size(); ++i) {
      const circuit::Capacitor& capacitor = circuit_.capacitors()[i];
      ensure_block(capacitor.block);
      blocks_[capacitor.block].capacitors.push_back(i);
      for (std::string path = capacitor.block; !path.empty(); path = parent_of(path))
        ++blocks_[path].uses[capacitor.net];
      ++blocks_[""].uses[capacitor.net];
    }
    for (auto& [path, block] : blocks_) block.is_shared = block.children.empty() && path.find('/') != std::string::npos;
  }

  /// Nets of the block that something outside touches too: in the order of their creation, or, where the subcircuit is
  /// shared, in that of its transistors, so that equal blocks have equal ports.
  void find_ports(const std::string& path, Block& block) {
    if (path.empty()) {
      block.ports = whole_ports(circuit_);
      return;
    }
    const std::vector<NetId> outside = whole_ports(circuit_);
    const auto is_port = [&](NetId net) {
      return net != Circuit::kGround && (std::find(outside.begin(), outside.end(), net) != outside.end() ||
                                         block.uses.at(net) < blocks_.at("").uses.at(net));
    };
    if (!block.is_shared) {
      for (const auto& [net, uses] : block.uses) {
        if (is_port(net)) block.ports.push_back(net);
      }
      return;
    }
    std::map<std::string, int> taken;
    const auto meet = [&](NetId net) {
      if (block.renamed.count(net) != 0) return;
      std::string name = net <= Circuit::kCellSupply ? circuit_.net_name(net) : general_name(circuit_.net_name(net));
      if (const int before = taken[name]++; before > 0) name += fmt::format("_{}", before + 1);
      block.renamed[net] = name;
      if (is_port(net)) block.ports.push_back(net);
    };
    for (const DeviceId id : block.devices) {
      for (const NetId net : terminals(circuit_.transistor(id))) meet(net);
    }
    for (const std::size_t i : block.capacitors) meet(circuit_.capacitors()[i].net);
  }

  std::string net_name(const Block& block, NetId net) const {
    const auto found = block.renamed.find(net);
    return found == block.renamed.end() ? circuit_.net_name(net) : found->second;
  }

  /// A net lies in the deepest block that has all of its uses.
  void place_nets() {
    result_.nets_.resize(circuit_.net_count());
    for (NetId net = 0; net < circuit_.net_count(); ++net) result_.nets_[net] = {circuit_.net_name(net)};
    for (const auto& [path, block] : blocks_) {  // parents before children
      if (path.empty()) continue;
      for (const auto& [net, uses] : block.uses) {
        if (net == Circuit::kGround || std::find(block.ports.begin(), block.ports.end(), net) != block.ports.end()) {
          continue;
        }
        result_.nets_[net] = instances_to(path);
        result_.nets_[net].push_back(net_name(block, net));
      }
    }
  }

  static Path instances_to(const std::string& path) {
    if (path.empty()) return {};
    Path result = instances_to(parent_of(path));
    result.push_back("x" + last_of(path));
    return result;
  }

  void join_group(const std::string& path, Block& block) {
    const std::string base = name_ + "_" + without_number(last_of(path));
    std::string key = base;
    for (const DeviceId id : block.devices) {
      const Transistor& transistor = circuit_.transistor(id);
      key +=
          fmt::format("\n{} {} {}", transistor.name, master_of(transistor, technology_), note_of(notes_, id).size_name);
      for (const NetId net : terminals(transistor)) key += " " + net_name(block, net);
    }
    for (const std::size_t i : block.capacitors) {
      const circuit::Capacitor& capacitor = circuit_.capacitors()[i];
      key += fmt::format("\n{} {} {:.6g}", capacitor.name, net_name(block, capacitor.net), capacitor.capacitance);
    }
    std::size_t alike = 0;
    for (block.group = 0; block.group < groups_.size(); ++block.group) {
      if (groups_[block.group].key == key) break;
      if (groups_[block.group].key.substr(0, groups_[block.group].key.find('\n')) == base) ++alike;
    }
    if (block.group == groups_.size()) {
      groups_.push_back({key, alike == 0 ? base : fmt::format("{}_{}", base, alike + 1), {}, {}, false});
    }
    groups_[block.group].members.push_back(path);
  }

  void find_parameters(Group& group) {
    const std::vector<DeviceId>& first = blocks_.at(group.members.front()).devices;
    std::set<std::string> taken;
    for (std::size_t i = 0; i < first.size(); ++i) {
      const Transistor& transistor = circuit_.transistor(first[i]);
      std::string name = note_of(notes_, first[i]).size_name;
      for (const std::string& member : group.members) {
        const Transistor& other = circuit_.transistor(blocks_.at(member).devices[i]);
        if (name.empty() && (other.width != transistor.width || other.length != transistor.length)) {
          name = transistor.name;
        }
      }
      if (!name.empty() && !taken.insert(name).second) name += "_" + transistor.name;
      group.size_names.push_back(name);
    }
  }

  Instance transistor_line(const Block& block, DeviceId id) const {
    const Transistor& transistor = circuit_.transistor(id);
    Instance instance;
    instance.name = "x" + transistor.name;
    for (const NetId net : terminals(transistor)) instance.nodes.push_back(net_name(block, net));
    instance.master = master_of(transistor, technology_);
    instance.settings = {{"w", transistor.width}, {"l", transistor.length}};
    return instance;
  }

  void write_shared(Group& group) {
    if (std::exchange(group.is_written, true)) return;
    const Block& block = blocks_.at(group.members.front());
    Subcircuit subcircuit;
    subcircuit.name = group.name;
    for (const NetId net : block.ports) subcircuit.ports.push_back(net_name(block, net));
    for (std::size_t i = 0; i < block.devices.size(); ++i) {
      Instance line = transistor_line(block, block.devices[i]);
      const std::string& name = group.size_names[i];
      if (name.empty()) {
        add_comment(line, note_of(notes_, block.devices[i]).comment);
      } else {
        add_comment(line, name + ": every instance of this subcircuit says what it is there");
        line.settings[0].reference = name + "_w";
        line.settings[1].reference = name + "_l";
        subcircuit.parameters.push_back({name + "_w", technology_.reference.width});
        subcircuit.parameters.push_back({name + "_l", technology_.reference.length});
      }
      subcircuit.instances.push_back(std::move(line));
    }
    write_capacitors(block, subcircuit);
    result_.netlist_.subcircuits.push_back(std::move(subcircuit));
  }

  void write_capacitors(const Block& block, Subcircuit& subcircuit) const {
    for (const std::size_t i : block.capacitors) {
      const circuit::Capacitor& capacitor = circuit_.capacitors()[i];
      subcircuit.instances.push_back(capacitor_line(capacitor, capacitor.name, net_name(block, capacitor.net)));
    }
  }

  /// The line that places the block in its parent's subcircuit.
  Instance block_line(const std::string& path, const Block& parent) const {
    const Block& block = blocks_.at(path);
    Instance line;
    line.name = "x" + last_of(path);
    for (const NetId net : block.ports) line.nodes.push_back(net_name(parent, net));
    line.master = block.is_shared ? groups_[block.group].name : circuit::joined_name(name_, path);
    std::replace(line.master.begin(), line.master.end(), '/', '_');
    if (const auto found = notes_.blocks.find(path); found != notes_.blocks.end()) {
      line.comments = comment_lines(found->second);
    }
    for (std::size_t i = 0; block.is_shared && i < block.devices.size(); ++i) {
      const std::string& name = groups_[block.group].size_names[i];
      if (name.empty()) continue;
      const Transistor& transistor = circuit_.transistor(block.devices[i]);
      line.settings.push_back({name + "_w", transistor.width});
      line.settings.push_back({name + "_l", transistor.length});
      add_comment(line, note_of(notes_, block.devices[i]).comment);
    }
    return line;
  }

  void write_block(const std::string& path) {
    const Block& block = blocks_.at(path);
    for (const DeviceId id : block.devices) {
      result_.devices_[id] = instances_to(path);
      result_.devices_[id].push_back("x" + circuit_.transistor(id).name);
    }
    if (block.is_shared) return write_shared(groups_[block.group]);
    for (const std::string& child : block.children) write_block(child);
    Subcircuit subcircuit;
    subcircuit.name = path.empty() ? name_ : block_line(path, blocks_.at(parent_of(path))).master;
    for (const NetId net : block.ports) subcircuit.ports.push_back(circuit_.net_name(net));
    for (const DeviceId id : block.devices) {
      subcircuit.instances.push_back(transistor_line(block, id));
      add_comment(subcircuit.instances.back(), note_of(notes_, id).comment);
    }
    write_capacitors(block, subcircuit);
    for (const std::string& child : block.children) subcircuit.instances.push_back(block_line(child, block));
    result_.netlist_.subcircuits.push_back(std::move(subcircuit));
  }

  const Circuit& circuit_;
  const Technology& technology_;
  const std::string name_;
  const Annotations& notes_;
  Hierarchy& result_;
  std::map<std::string, Block> blocks_;
  std::vector<Group> groups_;
};

Hierarchy::Hierarchy(const Circuit& circuit, const Technology& technology, const std::string& name,
                     const Annotations& annotations) {
  HierarchyBuilder(circuit, technology, name, annotations, *this).build();
}

}  // namespace hysteron::spice
