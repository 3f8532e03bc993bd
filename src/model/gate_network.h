#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Asynchronous logic on spikes: what its gates compute, and the text format they are composed in (docs/gates.md).

namespace hysteron::model {

enum class GateKind { kNot, kAnd, kOr, kNand, kNor, kXor, kXnor, kMajority, kLatch, kFullAdder };

/// One kind of gate as the text format has it.
struct GateType {
  GateKind kind;
  std::string name;
  std::size_t inputs;
  std::size_t outputs;
};

/// All ten, in the order of GateKind.
const std::vector<GateType>& gate_types();

/// The most inputs a circuit may have: every combination of them is played.
inline constexpr std::size_t kMaxSpikeInputs = 8;

/// The most gates.
inline constexpr std::size_t kMaxGates = 1000;

struct Gate {
  GateKind kind = GateKind::kNot;
  std::vector<std::size_t> inputs;   ///< nets; a latch: set, reset; a full adder: the three bits
  std::vector<std::size_t> outputs;  ///< nets; a full adder: sum, carry
  std::size_t line = 0;              ///< of the text it was read from, from 1; 0: of none
};

/// Gates and the nets between them. Every net has one driver, and there is no loop.
struct GateNetwork {
  std::string name;
  std::vector<std::string> nets;
  std::vector<std::size_t> inputs;   ///< nets that spikes arrive on
  std::vector<std::size_t> outputs;  ///< nets whose levels are read
  std::vector<Gate> gates;           ///< every gate behind those that drive it, as order_gates puts them
};

/// Reads the text format. Throws a bad-input Error that begins with `origin` and the line: a word that is no gate, a
/// wrong number of nets, a name that is none, an undriven or doubly driven net, a loop, no input or no output, too many
/// of them.
GateNetwork parse_gates(std::string_view text, const std::string& name, const std::string& origin);

/// Makes sure that a network filled by hand is one, and puts every gate behind those that drive it. Throws a bad-input
/// Error that begins with `origin`, and the line of the gate or its number: what parse_gates refuses, and nets that
/// there are not.
void order_gates(GateNetwork& network, const std::string& origin);

/// The circuit of one gate: its inputs, the gate, its outputs.
GateNetwork single_gate(GateKind kind);

/// What a circuit of gates does in software, where a gate takes no time: every input remembers the polarity of the last
/// spike on it, levels follow, a latch holds while its set and its reset are equal. At first all inputs are low and all
/// latches off.
class GateState {
 public:
  explicit GateState(const GateNetwork& network);

  /// One spike on input `input`, which sets it (positive) or resets it.
  void spike(std::size_t input, bool positive);

  bool input(std::size_t input) const { return levels_[network_->inputs[input]]; }
  bool net(std::size_t net) const { return levels_[net]; }
  std::vector<bool> outputs() const;

  /// All there is to know: two states with equal keys do the same for ever.
  const std::vector<bool>& key() const { return levels_; }

 private:
  void settle();

  const GateNetwork* network_;
  std::vector<bool> levels_;  // [nets]
};

}  // namespace hysteron::model
