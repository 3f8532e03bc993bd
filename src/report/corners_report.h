#pragma once

#include "report/figures.h"
#include "studies/corners.h"

namespace hysteron::report {

/// `corners`: docs/robustness.md.
const Table<studies::Corners>& corners_table();

}  // namespace hysteron::report
