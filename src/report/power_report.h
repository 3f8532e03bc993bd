#pragma once

#include "report/figures.h"
#include "studies/power_study.h"

namespace hysteron::report {

/// `power`: docs/power.md.
const Table<studies::PowerResult>& power_result_table();

}  // namespace hysteron::report
