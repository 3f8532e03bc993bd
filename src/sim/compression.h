#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hysteron::sim {

/// Indices of the points of a curve that are enough to draw it by straight lines: first and last are among them, and
/// between two of them every point that was left out lies within `tolerance` of the line. Greedy, one pass: a line is
/// made as long as the cone from its begin through all points in between, widened by `tolerance`, allows. `time`
/// ascends; two points at one time are a jump and both kept.
std::vector<std::size_t> stored_points(std::span<const double> time, std::span<const double> values, double tolerance);

}  // namespace hysteron::sim
