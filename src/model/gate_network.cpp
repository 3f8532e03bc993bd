#include "model/gate_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace hysteron::model {

const std::vector<GateType>& gate_types() {
  static const std::vector<GateType> types = {
      {GateKind::kNot, "not", 1, 1},     {GateKind::kAnd, "and", 2, 1},
      {GateKind::kOr, "or", 2, 1},       {GateKind::kNand, "nand", 2, 1},
      {GateKind::kNor, "nor", 2, 1},     {GateKind::kXor, "xor", 2, 1},
      {GateKind::kXnor, "xnor", 2, 1},   {GateKind::kMajority, "majority", 3, 1},
      {GateKind::kLatch, "latch", 2, 1}, {GateKind::kFullAdder, "full_adder", 3, 2},
  };
  return types;
}

GateNetwork single_gate(GateKind kind) {
  static constexpr std::array kNames = {"a", "b", "c"};
  static constexpr std::array kLatchNames = {"set", "reset"};
  const GateType& type = gate_types()[static_cast<std::size_t>(kind)];
  std::string inputs;
  for (std::size_t i = 0; i < type.inputs; ++i) {
    inputs += fmt::format(" {}", kind == GateKind::kLatch ? kLatchNames.at(i) : kNames.at(i));
  }
  const std::string outputs = kind == GateKind::kFullAdder ? "sum carry" : "q";
  return parse_gates(fmt::format("input{}\n{} = {}{}\noutput {}\n", inputs, outputs, type.name, inputs, outputs),
                     type.name, "built-in gate " + type.name);
}

GateState::GateState(const GateNetwork& network) : network_(&network), levels_(network.nets.size(), false) { settle(); }

void GateState::spike(std::size_t input, bool positive) {
  levels_[network_->inputs[input]] = positive;
  settle();
}

std::vector<bool> GateState::outputs() const {
  std::vector<bool> result;
  for (const std::size_t net : network_->outputs) result.push_back(levels_[net]);
  return result;
}

void GateState::settle() {
  for (const Gate& gate : network_->gates) {
    std::size_t on = 0;
    for (const std::size_t net : gate.inputs) on += levels_[net] ? 1 : 0;
    const std::size_t all = gate.inputs.size();
    std::vector<bool>::reference out = levels_[gate.outputs.front()];
    switch (gate.kind) {
      case GateKind::kNot:
      case GateKind::kNor:
        out = on == 0;
        break;
      case GateKind::kAnd:
        out = on == all;
        break;
      case GateKind::kOr:
        out = on > 0;
        break;
      case GateKind::kNand:
        out = on < all;
        break;
      case GateKind::kXor:
        out = on == 1;
        break;
      case GateKind::kXnor:
        out = on != 1;
        break;
      case GateKind::kMajority:
        out = 2 * on > all;
        break;
      case GateKind::kLatch:
        if (on == 1) out = levels_[gate.inputs.front()];
        break;
      case GateKind::kFullAdder:
        out = on % 2 == 1;
        levels_[gate.outputs.back()] = 2 * on > all;
        break;
    }
  }
}

}  // namespace hysteron::model
