#pragma once

#include <fmt/format.h>

#include "base/error.h"

namespace hysteron {

/// Throws a bad-input Error that names the parameter `what` unless `value` is from `low` to `high`.
inline void check_range(const char* what, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw bad_input(fmt::format("{}: {:g}; expected {:g} to {:g}", what, value, low, high));
}

}  // namespace hysteron
