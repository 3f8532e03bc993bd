#pragma once

#include <string>

#include "circuit/circuit.h"

namespace hysteron {

/// `original` with every net, device and block under another name: nothing that is decided may change.
inline circuit::Circuit renamed(const circuit::Circuit& original) {
  circuit::Circuit result;
  for (circuit::NetId net = result.net_count(); net < original.net_count(); ++net) {
    result.net("n" + std::to_string(net));
  }
  for (const circuit::NetId port : original.ports()) result.add_port(port);
  for (circuit::Transistor transistor : original.transistors()) {
    transistor.name = "t" + std::to_string(result.transistors().size());
    transistor.block = transistor.block.empty() ? "" : "b";
    result.add(transistor);
  }
  for (circuit::Capacitor capacitor : original.capacitors()) {
    capacitor.name = "c" + std::to_string(result.capacitors().size());
    result.add(capacitor);
  }
  return result;
}

}  // namespace hysteron
