#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace hysteron::design {

/// `value`, or null where it is no finite number: JSON has no other.
inline nlohmann::ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace hysteron::design
