#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "analysis/hazards.h"
#include "compile/hazard_mitigations.h"

namespace hysteron::studies {

/// One way to mitigate hazards, as a flag of every command that makes circuits.
struct Mitigation {
  std::string flag;                        ///< "--cell-capacitance"
  std::string value;                       ///< "95f"
  std::string why;                         ///< what it was measured to do, and its price
  compile::HazardMitigations mitigations;  ///< those in place with this one
};

/// What one cell's glitches ask for.
struct CellNeed {
  std::size_t layer = 0;
  std::size_t cell = 0;
  std::size_t flips = 0;
  double charge = 0.0;       ///< coulomb: size times seconds of the largest glitch that flipped it
  double capacitance = 0.0;  ///< farad at V0 that takes this charge in
};

/// What to do about the glitches of a study, after docs/notes/hazards.md.
struct HazardAdvice {
  std::string verdict;  ///< whether anything is to be mitigated, in words
  std::vector<Mitigation>
      mitigations;              ///< best first; empty where nothing is to be mitigated or nothing was measured to help
  std::vector<CellNeed> cells;  ///< every cell that a glitch flipped, most charge first
  double largest_charge = 0.0;  ///< coulomb, of all armed glitches

  // The price of capacitors: a candidate that settles near its threshold switches a cell in a later frame.
  double capacitance = 0.0;          ///< farad at every V0 in place
  double overdrive = 0.0;            ///< unit currents beyond its threshold that a candidate needs with it
  std::size_t switches = 0;          ///< of the software's cells
  std::size_t late = 0;              ///< of them, with less than that
  double largest_capacitance = 0.0;  ///< farad with which no further one is late; 0: there is no further one
};

/// `glitches` are armed, with their clips; `overdrives` those of analysis::switch_overdrives for all clips;
/// `mitigations` are in place.
HazardAdvice advise(const std::vector<std::pair<std::size_t, analysis::Glitch>>& glitches,
                    std::vector<float> overdrives, const compile::HazardMitigations& mitigations, double unit_current,
                    double frame_seconds);

}  // namespace hysteron::studies
