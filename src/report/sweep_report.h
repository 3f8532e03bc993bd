#pragma once

#include "explore/sweep.h"
#include "report/figures.h"

namespace hysteron::report {

/// `sweep`: docs/training.md. A row has the mean, deviation and worst of every number of `train --json`.
const Table<explore::SweepResult>& sweep_table();

}  // namespace hysteron::report
