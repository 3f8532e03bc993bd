#pragma once

#include <cstddef>
#include <vector>

namespace hysteron::train {

/// How often what carries label i was decided as j: [label][decision].
using Confusion = std::vector<std::vector<std::size_t>>;

Confusion empty_confusion(std::size_t labels);

/// Share on the diagonal; 0 where nothing was counted.
double accuracy(const Confusion& confusion);

/// Mean over the labels that were counted of the share of each that was decided right.
double balanced_accuracy(const Confusion& confusion);

}  // namespace hysteron::train
