#pragma once

#include <nlohmann/json_fwd.hpp>

#include "compile/clip_bench.h"

namespace hysteron::design {

/// {total, cells, feedforward} in nanowatts.
nlohmann::json power_json(const compile::Power& power);

}  // namespace hysteron::design
