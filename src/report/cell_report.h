#pragma once

#include "report/figures.h"
#include "studies/cell_study.h"

namespace hysteron::report {

/// `cell`: the loop of one cell; on a terminal beside what was wanted.
const Table<studies::CellMeasurement>& cell_table();

}  // namespace hysteron::report
