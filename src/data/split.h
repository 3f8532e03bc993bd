#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "data/dataset.h"

namespace hysteron::data {

/// Train, validation and test, in the order of `Split`.
using SplitClips = std::array<std::vector<Clip>, 3>;

inline constexpr const char* kValidationList = "validation_list.txt";
inline constexpr const char* kTestingList = "testing_list.txt";

/// Whether `root` has both lists; a bad-input Error where it has only one.
bool has_split_lists(const std::filesystem::path& root);

/// Splits as the lists in `root` say; what neither names is for training. Throws a bad-input Error with list, line
/// number and text where a line names no file or a file both lists have.
SplitClips split_by_lists(const std::filesystem::path& root, std::vector<Clip> clips);

/// Splits so that no speaker is in two splits; see Dataset.
SplitClips split_by_speaker(std::vector<Clip> clips, std::size_t labels);

}  // namespace hysteron::data
