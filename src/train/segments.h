#pragma once

#include <cstddef>
#include <string>

namespace hysteron::train {

/// One array among the parameters, which lie in one flat vector.
struct Segment {
  std::string name;  ///< as in the model file, except that a layer of the circuit backbone has `lower`, `width` and
                     ///< `gain` in place of thresholds
  std::size_t offset = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;  ///< 1 for vectors
  bool decays = false;      ///< subject to weight decay: matrices are; biases, thresholds, widths and gains are not
  bool positive = false;    ///< only its magnitude counts, and a floor applies

  std::size_t size() const { return rows * columns; }
};

}  // namespace hysteron::train
