#pragma once

#include <string>

#include "circuit/circuit.h"
#include "sim/testbench.h"
#include "spice/ngspice.h"
#include "technology/technology.h"

namespace hysteron::spice {

/// Everything ngspice needs to run `bench`: model files, conditions, sources, the flat circuit and the analysis.
Deck make_deck(const sim::Testbench& bench, const technology::Technology& technology);

/// Name ngspice has for the MOS instance inside transistor `id` of a deck from make_deck.
std::string inner_device_name(circuit::DeviceId id, const circuit::Circuit& circuit,
                              const technology::Technology& technology);

/// Name under which ngspice records `probe` of a deck from make_deck.
std::string signal_name(const sim::Probe& probe, const sim::Testbench& bench, const technology::Technology& technology);

}  // namespace hysteron::spice
