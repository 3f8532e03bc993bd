#pragma once

#include "compile/gain_curves.h"

namespace hysteron::compile {

/// Curves of a made-up technology: gain = W / 5 um / (L / 5 um) * (1 + 0.05 V).
inline GainCurves ideal_curves() {
  GainCurves curves;
  for (double width = 0.22e-6; width < 110e-6; width *= 1.3) curves.widths.push_back(width);
  curves.lengths = {5e-6, 10e-6, 20e-6, 50e-6};
  curves.voltages = {0.2, 0.6, 1.0, 1.4, 1.8};
  for (int polarity = 0; polarity < 2; ++polarity) {
    for (const double length : curves.lengths) {
      for (const double voltage : curves.voltages) {
        for (const double width : curves.widths) curves.gains.push_back(width / length * (1.0 + 0.05 * voltage));
      }
    }
  }
  curves.operating = {0.4, 1.3, 0.25, 1.5, 0.25};
  return curves;
}

}  // namespace hysteron::compile
