#pragma once

#include <toml++/toml.h>

#include <string>

#include "hysteron/train/config.h"

namespace hysteron::train {

/// The table of labels, whose keys are the user's.
inline constexpr const char* kClassesTable = "classes";

/// Throws a bad-input Error that names file and line of `node`.
[[noreturn]] void refuse_node(const std::string& origin, const toml::node& node, const std::string& problem);

/// Sets the key called `name` ("training.steps"). Throws a bad-input Error with file, line and key where there is no
/// such key or the value is of the wrong type or out of range.
void assign_value(TrainConfig& config, const std::string& origin, const std::string& name, const toml::node& value);

}  // namespace hysteron::train
