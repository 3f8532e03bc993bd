#pragma once

#include <vector>

#include "compile/calibration.h"

namespace hysteron::compile {

/// How far, as a share of M2's current, a threshold may be from its target for fine_steps to bring it there.
inline constexpr double kFineReach = 0.006;

/// Sizes of `cell` with width and length of M2 and M8 a few steps of the drawing grid further, so that its thresholds
/// come nearest to `target`; none that has been `measured`. One step of a leg's length is a tenth of a percent of its
/// current, several percent of a fall that is the small difference of two such currents; steps of both legs in width
/// and length together divide it finely. Few steps are taken, as each is known to some percent only.
CellSizes fine_steps(const CalibratedCell& cell, const std::vector<CellSizes>& measured, const CellTarget& target,
                     const CellSetup& setup);

/// Whether the two are drawn alike.
bool is_same_size(const technology::Geometry& a, const technology::Geometry& b);

}  // namespace hysteron::compile
