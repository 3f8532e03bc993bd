#pragma once

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace hysteron::data {

/// `length` samples of a random mixture of white and pink noise with an RMS of `level`.
std::vector<float> make_noise(std::size_t length, double level, Random random);

}  // namespace hysteron::data
