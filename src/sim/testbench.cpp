#include "sim/testbench.h"

#include <cstddef>

namespace hysteron::sim {

double value_at(const PiecewiseLinear& wave, double time) {
  if (time <= wave.front().time) return wave.front().value;
  for (std::size_t i = 1; i < wave.size(); ++i) {
    if (time > wave[i].time) continue;
    const double share = (time - wave[i - 1].time) / (wave[i].time - wave[i - 1].time);
    return wave[i - 1].value + share * (wave[i].value - wave[i - 1].value);
  }
  return wave.back().value;
}

}  // namespace hysteron::sim
