#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "circuit/circuit.h"
#include "technology/technology.h"

namespace hysteron::spice {

/// A parameter and what it is set to: a number, or a parameter of the subcircuit around it.
struct Setting {
  std::string name;
  double value = 0.0;
  std::string reference = {};  ///< empty: `value` holds
};

struct Comment {
  std::string text;
  std::size_t line = 0;  ///< of the text it was read from, from 1
};

/// What an Instance names as its master if it is a capacitor; its capacitance is the setting "c".
inline constexpr const char* kCapacitor = "capacitor";

/// One line of a subcircuit: a transistor, a capacitor or another subcircuit, with the comment lines before it.
struct Instance {
  std::string name;  ///< with its leading x, or c of a capacitor
  std::vector<std::string> nodes;
  std::string master;
  std::vector<Setting> settings = {};
  std::vector<Comment> comments = {};
  std::size_t line = 0;  ///< of the text it was read from, from 1
};

struct Subcircuit {
  std::string name;
  std::vector<std::string> ports;
  std::vector<Setting> parameters;  ///< with their defaults
  std::vector<Instance> instances;
  std::vector<Comment> comments;  ///< before its end
  std::size_t line = 0;           ///< of the text it was read from, from 1
  std::size_t last_line = 0;
};

/// A netlist in no dialect yet. Subcircuits come before those that use them; the last one is the whole circuit.
struct Netlist {
  std::vector<Comment> header;  ///< comment lines before everything
  std::vector<Subcircuit> subcircuits;
};

/// What a reader wants to know of a transistor.
struct DeviceNote {
  std::string size_name;  ///< of its width and length where they are parameters of a shared subcircuit: "beta_hi"
  std::string comment;
};

/// What a netlist says beside its transistors; comments that simulators pass over.
struct Annotations {
  std::vector<std::string> header;
  std::map<circuit::DeviceId, DeviceNote> devices;
  std::map<std::string, std::vector<std::string>> blocks;  ///< path of a block -> lines before its instance
};

/// The circuit as one subcircuit `name` whose ports are vdd, vddc and the circuit's; every device a line of its
/// own.
Netlist flat_netlist(const circuit::Circuit& circuit, const technology::Technology& technology, const std::string& name,
                     const Annotations& annotations = {});

/// Where something lies in the hierarchy: the instances on the way to it, then its own name, in the whole circuit's
/// subcircuit first.
using Path = std::vector<std::string>;

/// The circuit with one subcircuit for every block. Blocks within blocks that have the same transistors on the same
/// nets (cells) share one subcircuit; what differs in size among them, and every size that has a name in the notes, is
/// a parameter of it.
class Hierarchy {
 public:
  Hierarchy(const circuit::Circuit& circuit, const technology::Technology& technology, const std::string& name,
            const Annotations& annotations = {});

  const Netlist& netlist() const { return netlist_; }

  /// The instances from the whole circuit's subcircuit down to the transistor's own.
  const Path& device(circuit::DeviceId id) const { return devices_[id]; }

  /// The instances down to the subcircuit the net lies in, then its name there. A port of the whole circuit is its name
  /// alone.
  const Path& net(circuit::NetId id) const { return nets_[id]; }

 private:
  friend class HierarchyBuilder;
  Netlist netlist_;
  std::vector<Path> devices_;
  std::vector<Path> nets_;
};

/// "a.b.c".
std::string joined(const Path& path, char separator);

}  // namespace hysteron::spice
