#pragma once

#include "report/figures.h"
#include "studies/demo.h"

namespace hysteron::report {

/// `demo`: docs in README.md.
const Table<studies::DemoResult>& demo_table();

}  // namespace hysteron::report
