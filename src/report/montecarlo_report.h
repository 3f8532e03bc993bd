#pragma once

#include "report/figures.h"
#include "studies/montecarlo.h"

namespace hysteron::report {

/// `montecarlo`: docs/robustness.md.
const Table<studies::MonteCarlo>& montecarlo_table();

}  // namespace hysteron::report
