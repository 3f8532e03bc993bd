#pragma once

#include "report/figures.h"
#include "studies/noise_study.h"

namespace hysteron::report {

/// `study accumulation`: docs/noise.md explains every field.
const Table<studies::AccumulationStudy>& accumulation_table();

}  // namespace hysteron::report
