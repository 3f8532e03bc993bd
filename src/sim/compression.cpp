#include "sim/compression.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace hysteron::sim {
namespace {

/// The farthest point to which a straight line from point `begin` passes all points between within `tolerance`.
std::size_t farthest_end(std::span<const double> time, std::span<const double> values, std::size_t begin,
                         double tolerance) {
  double least = -std::numeric_limits<double>::infinity();  // slopes the line may have
  double most = std::numeric_limits<double>::infinity();
  std::size_t end = begin;
  for (std::size_t i = begin + 1; i < time.size() && least <= most; ++i) {
    const double seconds = time[i] - time[begin];
    if (seconds <= 0.0) return i;  // a jump: both its points are kept
    const double rise = values[i] - values[begin];
    const double slope = rise / seconds;
    if (slope >= least && slope <= most) end = i;
    least = std::max(least, (rise - tolerance) / seconds);
    most = std::min(most, (rise + tolerance) / seconds);
  }
  return end;
}

}  // namespace

std::vector<std::size_t> stored_points(std::span<const double> time, std::span<const double> values, double tolerance) {
  assert(time.size() == values.size());
  std::vector<std::size_t> kept;
  if (time.empty()) return kept;
  kept.push_back(0);
  while (kept.back() + 1 < time.size()) kept.push_back(farthest_end(time, values, kept.back(), tolerance));
  return kept;
}

}  // namespace hysteron::sim
