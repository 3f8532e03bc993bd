#pragma once

#include "analysis/cell_loop.h"
#include "spice/spice_engine.h"

namespace hysteron::analysis {

/// generic180 with its curves and one tuned cell.
struct TunedBench {
  explicit TunedBench(const compile::CellTarget& target) : cell(tune_cells(lab, {target}).front()) {}

  technology::Technology technology = technology::load_technology("generic180");
  spice::Ngspice ngspice;
  spice::SpiceEngine engine{ngspice, technology};
  SilentReporter reporter;
  compile::GainCurves curves = compile::load_gain_curves(technology, engine, {}, reporter);
  CellTestSetup lab{technology, curves, {}, engine, 1};
  TunedCell cell;
};

}  // namespace hysteron::analysis
