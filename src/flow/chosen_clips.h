#pragma once

#include <cstddef>

#include "hysteron/data/features.h"
#include "hysteron/train/training_data.h"

namespace hysteron::flow {

/// At most `count` clips of `set`, labels in equal parts and class folders taken in turn within a label, in the order
/// of the set: the held-out clips that a network is signed off with.
data::Features chosen_clips(const train::ClipSet& set, std::size_t labels, std::size_t count);

}  // namespace hysteron::flow
