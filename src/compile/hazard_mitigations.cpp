#include "compile/hazard_mitigations.h"

namespace hysteron::compile {

void apply_mitigations(CompiledNetwork& network, const HazardMitigations& mitigations) {
  network.input_ramp = mitigations.input_ramp;
  network.input_pedestal = mitigations.input_pedestal;
  const double capacitance =
      mitigations.cell_capacitance.value_or(default_cell_capacitance(network.conditions.unit_current));
  if (capacitance <= 0.0) return;
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) {
      const std::string& block = network.circuit.transistor(cell.m[0]).block;
      network.circuit.add(circuit::Capacitor{"v0", block, cell.v0, capacitance});
    }
  }
}

void replace_mitigations(CompiledNetwork& network, const HazardMitigations& mitigations) {
  network.circuit.remove_capacitors();  // a compiled network has no others
  apply_mitigations(network, mitigations);
}

}  // namespace hysteron::compile
