#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/network.h"

namespace hysteron::design {

/// A network of `dim` cells a layer, 13 inputs, two layers and two outputs whose legs carry the same mean current at
/// every even `dim`: channels come in twins with equal rows, and the legs from a synthetic pair cancel but for those
/// from a channel's own pair, so that sums do not grow with the width. docs/power.md has the draw.
model::Network synthetic_network(std::size_t dim, std::uint64_t seed);

/// A clip for it, [frames, 13], of standard normal features.
std::vector<float> random_clip(std::size_t frames, std::uint64_t seed);

}  // namespace hysteron::design
