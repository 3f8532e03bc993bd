#include "sim/waveforms.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace hysteron::sim {

double Waveforms::at(std::size_t probe, double when) const {
  const std::vector<double>& column = values[probe];
  assert(!time.empty() && column.size() == time.size());
  const auto after = std::lower_bound(time.begin(), time.end(), when);
  if (after == time.begin()) return column.front();
  if (after == time.end()) return column.back();
  const auto i = static_cast<std::size_t>(after - time.begin());
  const double share = (when - time[i - 1]) / (time[i] - time[i - 1]);
  return column[i - 1] + share * (column[i] - column[i - 1]);
}

double Waveforms::mean(std::size_t probe, double begin, double end) const {
  assert(end > begin);
  double area = 0.0;
  double last_time = begin;
  double last_value = at(probe, begin);
  const auto add = [&](double when, double value) {
    area += 0.5 * (last_value + value) * (when - last_time);
    last_time = when;
    last_value = value;
  };
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (time[i] > begin && time[i] < end) add(time[i], values[probe][i]);
  }
  add(end, at(probe, end));
  return area / (end - begin);
}

double crossing_time(const Waveforms& waves, std::size_t probe, double level, bool upwards, double from) {
  const std::vector<double>& v = waves.values[probe];
  for (std::size_t i = 1; i < waves.time.size(); ++i) {
    if (waves.time[i] < from) continue;
    const bool crossed = upwards ? (v[i - 1] < level && v[i] >= level) : (v[i - 1] > level && v[i] <= level);
    if (!crossed) continue;
    const double share = (level - v[i - 1]) / (v[i] - v[i - 1]);
    return waves.time[i - 1] + share * (waves.time[i] - waves.time[i - 1]);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace hysteron::sim
