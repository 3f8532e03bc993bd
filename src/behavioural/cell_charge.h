#pragma once

#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::behavioural {

/// The charge that V0 of a cell takes before the cell is in its other state: own + swing C, with C what was added there
/// against hazards. As long as the candidate is beyond the threshold by less than that charge over a frame, the
/// cell stays as it is.
struct SwitchCharge {
  double own = 0.0;    ///< coulomb
  double swing = 0.0;  ///< volt

  double of(double capacitance) const { return own + swing * capacitance; }
};

struct CellCharges {
  SwitchCharge set;
  SwitchCharge reset;
};

/// Cells with and without a capacitor whose candidates step beyond a threshold by two small currents, in one transient
/// run; from when they switch,
///   charge = (current2 - current1) / (1 / time2 - 1 / time1),
/// whatever the threshold is exactly. Within about 10 %: the candidate's own settling is in the times.
CellCharges measure_cell_charges(const technology::Technology& technology, const compile::GainCurves& curves,
                                 const sim::Engine& engine, const compile::Conditions& conditions);

}  // namespace hysteron::behavioural
