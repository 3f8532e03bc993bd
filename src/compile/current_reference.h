#pragma once

#include <string>
#include <vector>

#include "circuit/circuit.h"
#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// A self-biased current reference of transistors alone (H. J. Oguey and D. Aebischer, "CMOS current reference without
/// resistance", IEEE J. Solid-State Circuits 32, 1997): a pair of 1 : 8 in weak inversion puts ln(8) kT/q across a
/// device in its linear region, whose gate a long diode biases. Its current goes with the mobility and T^2: it drifts
/// with corner and temperature, and little with the supply.
struct CurrentReference {
  /// The voltage of a net before the loop has found its current.
  struct Start {
    circuit::NetId net = 0;
    double voltage = 0.0;  ///< volt, against ground or below the supply
    bool below_supply = false;
  };

  circuit::Circuit circuit;    ///< of ports vdd, vddc (unused) and `output`
  circuit::NetId output = 0;   ///< where the current leaves, to be held at the voltage of a diode
  double linear_length = 0.0;  ///< metre: of the device that was tuned until the current is right
  std::vector<Start> start;
};

/// What a reference does at one corner, supply and temperature.
struct ReferenceCurrents {
  double output = 0.0;  ///< ampere
  double own = 0.0;     ///< ampere that it takes from the supply beside its output
};

/// Sizes a reference for `conditions`' unit current: the linear device is tuned on the drawing grid until the current
/// is nearest. Throws a bad-input Error, with the currents that can be made, where none is within 10 %.
CurrentReference size_reference(const technology::Technology& technology, const GainCurves& curves,
                                const Conditions& conditions, const sim::Engine& engine);

/// Its currents, from start-up to rest, at a corner (empty: typical), supply and temperature.
ReferenceCurrents reference_currents(const CurrentReference& reference, const GainCurves& curves,
                                     const std::string& corner, double supply, double temperature,
                                     const sim::Engine& engine);

}  // namespace hysteron::compile
