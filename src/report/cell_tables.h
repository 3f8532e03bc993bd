#pragma once

#include "analysis/cell_study.h"
#include "report/figures.h"

namespace hysteron::report {

/// Ampere: `rise`, `fall`, `high`, `low`; null where there is none.
const Table<compile::CellLoop>& loop_table();

/// The loop, and `problem` where it is not whole.
const Table<analysis::MeasuredLoop>& measured_loop_table();

/// What a cell was programmed to do: `i_thresh`, `i_width`, `i_gain`, ampere.
const Table<compile::CellTarget>& cell_target_table();

/// A percentile interval or the like as [low, high]; null where an end is not finite.
template <typename Range>
Json ends_of(const Range& range) {
  return std::vector<double>{range.low, range.high};
}

}  // namespace hysteron::report
