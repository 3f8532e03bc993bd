#pragma once

#include <vector>

#include "analysis/cell_study.h"

namespace hysteron::analysis {

/// Loops of `cells`, and states that they hold for a second in the middle of those, under the conditions they are
/// placed in but for the supply, at each of `supplies`, descending.
SupplySearch search_supplies(const CellTestSetup& lab, const std::vector<PlacedCell>& cells,
                             const std::vector<double>& supplies);

/// Whether every cell holds both states for a second in the middle of the band that it has where it is placed.
std::vector<SmallWidth> hold_widths(const CellTestSetup& lab, const std::vector<PlacedCell>& cells);

}  // namespace hysteron::analysis
