#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace hysteron::report {

/// `value`, or null where it is no finite number: JSON has no other.
inline nlohmann::ordered_json number_json(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace hysteron::report
