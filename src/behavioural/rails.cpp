#include "behavioural/rails.h"

namespace hysteron::behavioural {

using circuit::Transistor;

Rails::Rails(const compile::CompiledNetwork& network, const DeviceStatistics& statistics)
    : network_(network), statistics_(statistics) {
  for (const Transistor& transistor : network.circuit.transistors()) {
    capacitances_[transistor.gate] +=
        statistics.of(transistor.polarity).gate_capacitance * transistor.width * transistor.length;
    if (transistor.drain == transistor.gate) diodes_.emplace(transistor.gate, &transistor);
  }
  for (const circuit::Capacitor& capacitor : network.circuit.capacitors()) {
    capacitances_[capacitor.net] += capacitor.capacitance;
  }
}

double Rails::time_constant(circuit::NetId net, double level, circuit::DeviceId value) const {
  const Transistor& diode = *diodes_.at(net);
  const Transistor& reference = network_.circuit.transistor(value);
  const double ratio = diode.width / diode.length;
  const double current = level * network_.conditions.unit_current * ratio * reference.length / reference.width;
  return capacitances_.at(net) / (statistics_.of(diode.polarity).slope(current / ratio) * current);
}

}  // namespace hysteron::behavioural
