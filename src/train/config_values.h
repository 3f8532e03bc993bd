#pragma once

#include <toml++/toml.h>

#include <string>
#include <vector>

#include "hysteron/train/config.h"

namespace hysteron::train {

/// The table of labels, whose keys are the user's.
inline constexpr const char* kClassesTable = "classes";

/// Throws a bad-input Error that names file and line of `node`.
[[noreturn]] void refuse_node(const std::string& origin, const toml::node& node, const std::string& problem);

/// Sets the key called `name` ("training.steps"). Throws a bad-input Error with file, line and key where there is no
/// such key or the value is of the wrong type or out of range.
void assign_value(TrainConfig& config, const std::string& origin, const std::string& name, const toml::node& value);

/// Sets the key called `name` back to its default.
void reset_value(TrainConfig& config, const std::string& name);

/// The configuration as TOML but for the keys (or the table [classes]) in `without`.
std::string to_toml(const TrainConfig& config, const std::vector<std::string>& without);

}  // namespace hysteron::train
