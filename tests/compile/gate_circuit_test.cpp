#include "compile/gate_circuit.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compile/shop.h"
#include "spice/netlist_tree.h"

namespace hysteron::compile {
namespace {

std::size_t count(const CompiledGates& gates, circuit::Role role) {
  const auto& all = gates.network.circuit.transistors();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const auto& transistor) { return transistor.role == role; }));
}

CompiledGates build(const model::GateNetwork& logic) {
  return build_gates(logic, shop().technology, shop().curves, Conditions{});
}

TEST(GateCircuit, RemembersInCellsAndDecidesWithThreeTransistors) {
  const CompiledGates gates = build(model::single_gate(model::GateKind::kXor));
  EXPECT_EQ(gates.cells.size(), 2u);
  EXPECT_EQ(count(gates, circuit::Role::kCell), 2u * 9u);
  EXPECT_EQ(count(gates, circuit::Role::kDecision), 2u * 3u);
  EXPECT_EQ(count(gates, circuit::Role::kLeg), 2u + 3u + 1u) << "inner, outer, output";
  EXPECT_EQ(count(gates, circuit::Role::kBiasLeg), 2u);
  EXPECT_EQ(count(gates, circuit::Role::kSplitter) + count(gates, circuit::Role::kCascode), 0u);
  EXPECT_EQ(gates.decisions.size(), 2u);
}

TEST(GateCircuit, LatchIsOneMoreCell) {
  const CompiledGates gates = build(model::single_gate(model::GateKind::kLatch));
  EXPECT_EQ(gates.cells.size(), 3u);
  EXPECT_EQ(count(gates, circuit::Role::kDecision), 0u);
  EXPECT_EQ(gates.decisions.front().node, gates.cells.back().v0);
}

TEST(GateCircuit, NetlistHasThePortsOfItsLines) {
  const CompiledGates gates =
      build(model::parse_gates("input a a_pr\nq = nand a a_pr\nq_g0 = not q\noutput q q_g0\n", "names", "names"));
  const spice::Hierarchy hierarchy(gates.network.circuit, shop().technology, kGatesName);
  EXPECT_EQ(hierarchy.netlist().subcircuits.back().ports,
            (std::vector<std::string>{"vdd", "vddc", "unit", "reset", "in_a", "in_a_pr", "out_q", "out_q_g0"}));
}

}  // namespace
}  // namespace hysteron::compile
