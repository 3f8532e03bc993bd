#pragma once

#include <string>

#include "hysteron/circuit/circuit.h"
#include "hysteron/sim/testbench.h"
#include "hysteron/spice/ngspice.h"
#include "hysteron/technology/technology.h"

namespace hysteron::spice {

/// The circuit as one SPICE subcircuit called `name` whose ports are the circuit's, vdd and vddc; every transistor a
/// line of its own.
std::string write_flat(const circuit::Circuit& circuit, const technology::Technology& technology,
                       const std::string& name);

/// The same circuit with one subcircuit for every block.
std::string write_hierarchical(const circuit::Circuit& circuit, const technology::Technology& technology,
                               const std::string& name);

/// Everything ngspice needs to run `bench`: model files, conditions, sources, the flat circuit and the analysis.
Deck make_deck(const sim::Testbench& bench, const technology::Technology& technology);

/// Name under which ngspice records `probe` of a deck from make_deck.
std::string signal_name(const sim::Probe& probe, const sim::Testbench& bench, const technology::Technology& technology);

}  // namespace hysteron::spice
