#pragma once

#include <toml++/toml.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "train/config.h"

namespace hysteron::train {

/// The table of labels, whose keys are the user's.
inline constexpr const char* kClassesTable = "classes";

/// The tables of TOML text. Throws a bad-input Error with file and line for text that is none.
toml::table parse_toml(std::string_view text, const std::string& origin);

/// parse_config of tables that were read; those in `others` are somebody else's.
TrainConfig config_from(const toml::table& root, const std::string& origin, const std::set<std::string>& others);

/// Throws a bad-input Error that names file and line of `node`.
[[noreturn]] void throw_at(const std::string& origin, const toml::node& node, const std::string& problem);

/// Sets the key called `name` ("training.steps"). Throws a bad-input Error with file, line and key where there is no
/// such key or the value is of the wrong type or out of range; the line is that of `place`, or of the value itself.
void assign_value(TrainConfig& config, const std::string& origin, const std::string& name, const toml::node& value,
                  const toml::node* place = nullptr);

/// Sets the key called `name` back to its default.
void reset_value(TrainConfig& config, const std::string& name);

/// The configuration as TOML but for the keys (or the table [classes]) in `without`.
std::string to_toml(const TrainConfig& config, const std::vector<std::string>& without);

}  // namespace hysteron::train
