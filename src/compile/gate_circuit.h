#pragma once

#include <string>
#include <vector>

#include "compile/compiled_network.h"
#include "model/gate_network.h"

namespace hysteron::compile {

/// The three levels of a spike line and the cell that remembers its last spike, in unit currents: at rest the line is
/// in the middle of the cell's band, a spike leaves it by as much again on either side. A level between gates is 0 or
/// 1 (alpha).
struct SpikeLevels {
  double rest = 0.6;
  double upper = 0.9;  ///< beta_hi: a positive spike is above
  double lower = 0.3;  ///< beta_lo: a negative spike is below
  double positive = 1.2;
  double negative = 0.0;
};

/// One node at which currents are compared: what decides a gate's output.
struct DecisionNode {
  std::string name;  ///< "sum" or, where a gate needs two, "sum both" for the inner one
  circuit::NetId node = 0;
};

/// A circuit of gates as transistors. Its ports: the unit current, reset, a terminal for every input that takes spikes,
/// one for every output that delivers 0 or 1 unit current into a node held at half the supply.
struct CompiledGates {
  model::GateNetwork logic;
  CompiledNetwork network;  ///< circuit, conditions, supply, terminals; the model in it is empty
  SpikeLevels levels;
  std::vector<circuit::NetId> inputs;   ///< [inputs]
  std::vector<CompiledCell> cells;      ///< of the inputs, then of the latches
  std::vector<circuit::NetId> outputs;  ///< [outputs]
  std::vector<DecisionNode> decisions;  ///< V0 of the latches' cells among them
};

/// Builds `logic`: a nine-transistor cell for every input and every latch; every other gate weighs its inputs' levels
/// against a threshold in one node (xor, xnor and the adder in two). Legs are sized from `curves`; nothing is
/// calibrated.
CompiledGates build_gates(const model::GateNetwork& logic, const technology::Technology& technology,
                          const GainCurves& curves, const Conditions& conditions);

/// Name of the whole circuit's subcircuit in netlists of gates.
inline constexpr const char* kGatesName = "hysteron_gates";

}  // namespace hysteron::compile
