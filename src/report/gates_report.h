#pragma once

#include "report/figures.h"
#include "studies/gate_study.h"

namespace hysteron::report {

/// `gates`: docs/gates.md explains every field.
const Table<studies::GatesResult>& gates_table();

}  // namespace hysteron::report
