#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hysteron::circuit {

enum class Polarity { kN, kP };

/// What a transistor is there for; the key of transistor counts and of area by purpose.
enum class Role {
  kInputRail,  ///< diodes and copies that carry an input's rails
  kBiasRail,   ///< diodes and copies of the unit-current reference, splitter gate bias
  kRail,       ///< diodes and copies that carry an inner signal's rails
  kSplitter,   ///< class-B pair of a signed node
  kCascode,    ///< between a signed node and the legs that push into it, or those that pull
  kLeg,        ///< a learned weight
  kBiasLeg,    ///< a learned bias
  kSkipLeg,    ///< a unit leg of the skip path
  kCell,       ///< M1 to M9 of a memory cell
  kReset,      ///< brings a cell to its initial state while `reset` is up
  kDecision    ///< switch, limit and diode of a gate's output
};

std::string_view role_name(Role role);

/// The current a device is there for: the one that a rail or a cell's output carries, or that a leg is a summand of.
enum class Quantity {
  kNone,       ///< none that is a value of the network
  kUnit,       ///< the unit current
  kInput,      ///< one part of an input
  kValue,      ///< a signed value between layers, or one part of it
  kCandidate,  ///< a cell's candidate
  kState,      ///< a cell's output
  kOutput,     ///< a layer's output before the skip path
  kLogit
};

/// The part of a network that a device belongs to.
enum class Section {
  kNone,      ///< of no network: gates, benches
  kBias,      ///< the unit current and what is common to all
  kInputs,    ///< the terminals' diodes and their rails
  kInputMap,  ///< input weights and biases and the values they make
  kLayer,
  kReadout
};

/// A section, and of kLayer which layer.
struct Place {
  Section section = Section::kNone;
  std::size_t layer = 0;

  bool operator==(const Place&) const = default;
};

/// "bias", "inputs", "input", "layer0", ..., "readout"; "other" outside of networks.
std::string place_name(const Place& place);

using NetId = std::size_t;
using DeviceId = std::size_t;

/// A four-terminal MOS transistor whose bulk is tied to the rail of its polarity. Its role, place and quantity say what
/// it is; name and block are what netlists call it, and nothing is decided by them.
struct Transistor {
  std::string name;   ///< unique within its block: [a-z0-9_]+
  std::string block;  ///< path of the subcircuit it lies in, for example "layer0/cell1"; empty: the top
  Polarity polarity = Polarity::kN;
  Role role = Role::kRail;
  NetId drain = 0;
  NetId gate = 0;
  NetId source = 0;
  double width = 0.0;   ///< metre
  double length = 0.0;  ///< metre
  Place place = {};
  Quantity quantity = Quantity::kNone;
};

/// A capacitor against ground.
struct Capacitor {
  std::string name;   ///< unique within its block among capacitors: [a-z0-9_]+
  std::string block;  ///< as a transistor's
  NetId net = 0;
  double capacitance = 0.0;  ///< farad
};

/// A flat circuit whose devices remember the block they belong to. Nets are created by name; ground, the supply of the
/// feedforward part and the supply of the cells always exist. Two supplies so that each part's current can be read.
class Circuit {
 public:
  static constexpr NetId kGround = 0;
  static constexpr NetId kSupply = 1;
  static constexpr NetId kCellSupply = 2;

  Circuit();

  /// The net called `name`, created if it is new. Names are [a-z0-9_]+.
  NetId net(const std::string& name);
  const std::string& net_name(NetId net) const { return net_names_[net]; }
  std::size_t net_count() const { return net_names_.size(); }

  /// Makes `net` a terminal of the whole circuit, in the order of the calls.
  void add_port(NetId net) { ports_.push_back(net); }
  const std::vector<NetId>& ports() const { return ports_; }

  /// Adds `transistor`; its full name (block and name) must be new.
  DeviceId add(Transistor transistor);

  const std::vector<Transistor>& transistors() const { return transistors_; }
  const Transistor& transistor(DeviceId id) const { return transistors_[id]; }
  void resize(DeviceId id, double width, double length);

  /// Hangs a device on another net by its source: for a bench that reads what some of the devices draw.
  void move_source(DeviceId id, NetId source);

  /// Adds `capacitor`; its full name must be new among capacitors.
  void add(Capacitor capacitor);
  const std::vector<Capacitor>& capacitors() const { return capacitors_; }
  void remove_capacitors() { capacitors_.clear(); }

  /// "layer0_cell1_m3": the block's path and the name joined, unique in the circuit.
  std::string full_name(DeviceId id) const;

 private:
  std::vector<std::string> net_names_;
  std::map<std::string, NetId> net_by_name_;
  std::vector<NetId> ports_;
  std::vector<Transistor> transistors_;
  std::map<std::string, DeviceId> device_by_name_;
  std::vector<Capacitor> capacitors_;
};

/// "layer0/cell1" and "m3" joined to "layer0_cell1_m3".
std::string joined_name(std::string_view block, std::string_view name);

}  // namespace hysteron::circuit
