#pragma once

#include "report/figures.h"
#include "studies/hazard_study.h"

namespace hysteron::report {

/// `hazards`: docs/verification.md.
const Table<studies::HazardStudy>& hazards_table();

}  // namespace hysteron::report
