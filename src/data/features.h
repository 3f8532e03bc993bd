#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hysteron::data {

/// Feature sequences of equal length: values[clip][frame][feature], row-major.
struct Features {
  std::size_t clips = 0;
  std::size_t frames = 0;
  std::size_t width = 0;
  std::vector<float> values;  ///< [clips, frames, width]

  std::span<const float> clip(std::size_t index) const {
    return {values.data() + index * frames * width, frames * width};
  }
};

}  // namespace hysteron::data
