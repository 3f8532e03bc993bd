#pragma once

#include "report/figures.h"
#include "studies/run.h"

namespace hysteron::report {

/// `run`: README.md.
const Table<studies::RunResult>& run_table();

}  // namespace hysteron::report
