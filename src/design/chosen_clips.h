#pragma once

#include <cstddef>
#include <vector>

#include "data/features.h"
#include "train/training_data.h"

namespace hysteron::design {

/// Indices of at most `count` clips of `set`, labels in equal parts and class folders taken in turn within a label, in
/// the order of the set.
std::vector<std::size_t> choose_clips(const train::ClipSet& set, std::size_t labels, std::size_t count);

/// Those clips: the held-out ones that a network is signed off with.
data::Features chosen_clips(const train::ClipSet& set, std::size_t labels, std::size_t count);

}  // namespace hysteron::design
