#include "hysteron/compile/hazard_mends.h"

namespace hysteron::compile {

void apply_mends(CompiledNetwork& network, const HazardMends& mends) {
  network.input_ramp = mends.input_ramp;
  network.input_pedestal = mends.input_pedestal;
  const double capacitance = mends.cell_capacitance.value_or(default_cell_capacitance(network.conditions.unit_current));
  if (capacitance <= 0.0) return;
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) {
      const std::string& block = network.circuit.transistor(cell.m[0]).block;
      network.circuit.add(circuit::Capacitor{"v0", block, cell.v0, capacitance});
    }
  }
}

void replace_mends(CompiledNetwork& network, const HazardMends& mends) {
  network.circuit.remove_capacitors();  // a compiled network has no others
  apply_mends(network, mends);
}

}  // namespace hysteron::compile
