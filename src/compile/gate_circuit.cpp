#include "compile/gate_circuit.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "compile/network_builder.h"

namespace hysteron::compile {
namespace {

using circuit::NetId;
using circuit::Role;
using model::Gate;
using model::GateKind;

/// A summand of a decision: `weight` times a level.
struct Term {
  Signal* level = nullptr;
  double weight = 0.0;
};

/// Weight of every input, and what their sum has to exceed, of gates that are one decision.
struct Threshold {
  double weight = 0.0;
  double level = 0.0;
};

std::optional<Threshold> threshold_of(GateKind kind) {
  switch (kind) {
    case GateKind::kNot:
    case GateKind::kNor:
      return Threshold{-1.0, -0.5};
    case GateKind::kAnd:
    case GateKind::kMajority:
      return Threshold{1.0, 1.5};
    case GateKind::kOr:
      return Threshold{1.0, 0.5};
    case GateKind::kNand:
      return Threshold{-1.0, -1.5};
    case GateKind::kXor:
    case GateKind::kXnor:
    case GateKind::kLatch:
    case GateKind::kFullAdder:
      break;
  }
  return {};
}

class GateBuilder {
 public:
  GateBuilder(const model::GateNetwork& logic, const technology::Technology& technology, const GainCurves& curves,
              const Conditions& conditions)
      : builder_(technology, curves, conditions, false) {
    result_.logic = logic;
    levels_.resize(logic.nets.size());
  }

  CompiledGates build() {
    const model::GateNetwork& logic = result_.logic;
    for (std::size_t i = 0; i < logic.inputs.size(); ++i) build_input(i);
    for (std::size_t i = 0; i < logic.gates.size(); ++i) build_gate(logic.gates[i], block_of(i));
    for (const std::size_t net : logic.outputs) build_output(net);
    result_.network = std::move(builder_.result());
    return std::move(result_);
  }

 private:
  std::string block_of(std::size_t gate) const {
    const Gate& g = result_.logic.gates[gate];
    return fmt::format("{}_{}", model::gate_types()[static_cast<std::size_t>(g.kind)].name,
                       result_.logic.nets[g.outputs.front()]);
  }

  /// The memory of spikes, or of a latch, behind `candidate`.
  Signal build_cell(Signal& candidate, circuit::DeviceId diode, const std::string& block) {
    const SpikeLevels& levels = result_.levels;
    const std::size_t index = result_.cells.size();
    CompiledCell cell;
    const CellPlan plan{fmt::format("h{}", index),
                        {fmt::format("{}/cell{}", block, index), {}},
                        {levels.upper, levels.upper - levels.lower, 1.0}};
    Signal output = builder_.cell(candidate, diode, plan, cell);
    result_.cells.push_back(cell);
    return output;
  }

  void build_input(std::size_t input) {
    const std::size_t net = result_.logic.inputs[input];
    circuit::DeviceId diode = 0;
    Signal line = builder_.n_diode_signal({"in_" + result_.logic.nets[net], {"inputs", {}}, Role::kInputRail}, &diode);
    line.label.name = fmt::format("i{}", input);  // of its P rail, which no other input can be called
    builder_.result().circuit.add_port(line.n_rail);
    result_.inputs.push_back(line.n_rail);
    levels_[net] = build_cell(line, diode, "inputs");
  }

  /// On while the sum of `terms` is above `threshold`, in levels.
  Signal build_decision(const std::vector<Term>& terms, double threshold, const std::string& block,
                        const std::string& name) {
    const std::string prefix = fmt::format("g{}", decisions_++);
    const NetId node = builder_.result().circuit.net(prefix + "_v0");
    for (std::size_t i = 0; i < terms.size(); ++i) {
      builder_.leg(
          *terms[i].level,
          {{fmt::format("{}_leg_{}", prefix, i), {block, {}}, Role::kLeg}, node, NodeKind::kCell, terms[i].weight, {}});
    }
    builder_.leg(builder_.bias(),
                 {{prefix + "_threshold", {block, {}}, Role::kBiasLeg}, node, NodeKind::kCell, -threshold, {}});
    result_.decisions.push_back({name, node});
    return builder_.decision(prefix, {fmt::format("{}/{}", block, prefix), {}}, node, 1.0);
  }

  /// Rest, plus set, minus reset: a spike of either kind while only one of them is on.
  Signal build_latch(const Gate& gate, const std::string& block, const std::string& name) {
    const SpikeLevels& levels = result_.levels;
    circuit::DeviceId diode = 0;
    Signal candidate = builder_.n_diode_signal(
        {fmt::format("c{}", result_.cells.size()), {block, {}}, Role::kRail, circuit::Quantity::kCandidate}, &diode);
    const auto leg = [&](Signal& source, double weight, const char* leg_name, Role role) {
      builder_.leg(source, {{leg_name, {block, {}}, role}, candidate.n_rail, NodeKind::kRectified, weight, {}});
    };
    leg(builder_.bias(), levels.rest, "rest", Role::kBiasLeg);
    leg(*levels_[gate.inputs[0]], levels.positive - levels.rest, "set", Role::kLeg);
    leg(*levels_[gate.inputs[1]], levels.negative - levels.rest, "reset", Role::kLeg);
    Signal output = build_cell(candidate, diode, block);
    result_.decisions.push_back({name, result_.cells.back().v0});
    return output;
  }

  void build_gate(const Gate& gate, const std::string& block) {
    const std::string& name = result_.logic.nets[gate.outputs.front()];
    const auto inputs = [&](double weight) {
      std::vector<Term> terms;
      for (const std::size_t net : gate.inputs) terms.push_back({&*levels_[net], weight});
      return terms;
    };
    if (const auto threshold = threshold_of(gate.kind)) {
      levels_[gate.outputs[0]] = build_decision(inputs(threshold->weight), threshold->level, block, name);
    } else if (gate.kind == GateKind::kLatch) {
      levels_[gate.outputs[0]] = build_latch(gate, block, name);
    } else {
      // Both inputs on, or two of three: taken away twice, that leaves the parity.
      const bool is_adder = gate.kind == GateKind::kFullAdder;
      const double sign = gate.kind == GateKind::kXnor ? -1.0 : 1.0;
      Signal inner =
          build_decision(inputs(1.0), 1.5, block, is_adder ? result_.logic.nets[gate.outputs[1]] : name + " both");
      std::vector<Term> terms = inputs(sign);
      terms.push_back({&inner, -2.0 * sign});
      levels_[gate.outputs[0]] = build_decision(terms, 0.5 * sign, block, name);
      if (is_adder) levels_[gate.outputs[1]] = inner;
    }
  }

  void build_output(std::size_t net) {
    const std::string& name = result_.logic.nets[net];
    const NetId port = builder_.result().circuit.net("out_" + name);
    builder_.result().circuit.add_port(port);
    result_.outputs.push_back(port);
    builder_.leg(*levels_[net], {{name, {"outputs", {}}, Role::kLeg}, port, NodeKind::kReadout, 1.0, {}});
  }

  NetworkBuilder builder_;
  CompiledGates result_;
  std::vector<std::optional<Signal>> levels_;  // [nets]
  std::size_t decisions_ = 0;
};

}  // namespace

CompiledGates build_gates(const model::GateNetwork& logic, const technology::Technology& technology,
                          const GainCurves& curves, const Conditions& conditions) {
  return GateBuilder(logic, technology, curves, conditions).build();
}

}  // namespace hysteron::compile
