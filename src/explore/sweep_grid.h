#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "train/config.h"

namespace hysteron::explore {

/// One training of a sweep.
struct SweepPoint {
  std::vector<std::pair<std::string, std::string>> values;  ///< key and value as TOML, in the order of the grid
  train::TrainConfig config;
};

/// A grid of trainings.
struct SweepGrid {
  std::filesystem::path folder;    ///< where results go
  std::vector<std::string> keys;   ///< of the grid, in the order of the file
  std::vector<SweepPoint> points;  ///< every combination, the last key running fastest
};

/// Reads a sweep file: `base`, a configuration file (relative to the sweep file) that every point begins with; `folder`
/// (default "sweep"); and the table [grid], each key of a configuration with a list of values. Throws a bad-input Error
/// with file, line and key for anything else.
SweepGrid read_sweep(const std::filesystem::path& path);

}  // namespace hysteron::explore
