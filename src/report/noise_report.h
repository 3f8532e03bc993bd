#pragma once

#include "report/figures.h"
#include "studies/noise_study.h"

namespace hysteron::report {

/// `noise`: docs/noise.md explains every field.
const Table<studies::NoiseStudy>& noise_table();

/// Protocol C, `device_noise` of it; on a terminal too.
const Table<studies::NoiseStudy>& device_noise_table();

}  // namespace hysteron::report
