#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/store.h"
#include "explore/explore.h"

namespace hysteron::explore {

/// Whether the folder of `space` may be used: it holds nothing or a search of the same space. Throws a bad-input Error
/// that names the first key that differs.
void check_space_folder(const explore::SearchSpace& space, const std::filesystem::path& file);

/// folder/points/00017 and `ending`.
std::filesystem::path point_file(const explore::SearchSpace& space, std::size_t index, const char* ending);

/// Stores it as points/INDEX.json.
void write_point(const explore::SearchSpace& space, const ExploredPoint& point);

/// The point that is stored under `index`. Throws a bad-input Error where its file cannot be read.
Stored<ExploredPoint> read_point(const explore::SearchSpace& space, std::size_t index);

/// What a search makes small: the figures of its objectives, signed. Empty where the point has no figures.
std::vector<double> costs_of(const ExploredPoint& point, const std::vector<std::string>& objectives);

}  // namespace hysteron::explore
