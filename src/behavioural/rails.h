#pragma once

#include <map>

#include "behavioural/device_statistics.h"
#include "compile/compiled_network.h"

namespace hysteron::behavioural {

/// What hangs on the nets of a circuit, and the diodes that hold them.
class Rails {
 public:
  Rails(const compile::CompiledNetwork& network, const DeviceStatistics& statistics);

  /// Seconds in which the rail at `net` follows a small step by 1 - 1/e, C / (slope I), while the value it carries is
  /// at `level` unit currents in the diode `value`; a copied rail's diode carries its share of it.
  double time_constant(circuit::NetId net, double level, circuit::DeviceId value) const;

 private:
  const compile::CompiledNetwork& network_;
  const DeviceStatistics& statistics_;
  std::map<circuit::NetId, double> capacitances_;
  std::map<circuit::NetId, const circuit::Transistor*> diodes_;
};

}  // namespace hysteron::behavioural
