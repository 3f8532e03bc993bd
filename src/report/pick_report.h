#pragma once

#include "explore/explore.h"
#include "report/figures.h"

namespace hysteron::report {

/// `explore --pick`: the sign-off of one point.
const Table<explore::Pick>& pick_table();

}  // namespace hysteron::report
