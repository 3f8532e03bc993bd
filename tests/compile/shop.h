#pragma once

#include "compile/gain_curves.h"
#include "spice/spice_engine.h"

namespace hysteron::compile {

/// generic180 with its curves, measured or stored once for all tests of a program.
struct Shop {
  technology::Technology technology = technology::load_technology("generic180");
  spice::Ngspice ngspice;
  spice::SpiceEngine engine{ngspice, technology};
  SilentReporter reporter;
  GainCurves curves = load_gain_curves(technology, engine, {}, reporter);
};

inline const Shop& shop() {
  static const Shop instance;
  return instance;
}

}  // namespace hysteron::compile
