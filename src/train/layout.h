#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "train/kernels.h"
#include "train/segments.h"

// How the layers of a model share one parameter vector and one set of buffers.

namespace hysteron::train {

/// Draws a start value.
using Initialiser = std::function<double(Random&)>;

Initialiser constant(double value);
/// U(+-1 / sqrt(fan_in))
Initialiser uniform_fan_in(std::size_t fan_in);

/// Hands out places in the parameter vector and in the buffers while a model is put together.
class ModelLayout {
 public:
  /// Offset of a new parameter array.
  std::size_t parameter(const std::string& name, std::size_t rows, std::size_t columns, bool decays, bool positive,
                        Initialiser initialiser);

  /// A buffer of `rows` rows that keeps what the forward pass puts there for the backward pass.
  std::size_t buffer(std::size_t rows);

  /// A buffer for passing results within one call; calls with the same number share it.
  std::size_t scratch(std::size_t number, std::size_t rows);

  const std::vector<Segment>& segments() const { return segments_; }
  std::size_t parameters() const { return parameters_; }
  const std::vector<std::size_t>& buffer_rows() const { return rows_; }
  std::vector<float> initial(const Random& random) const;

 private:
  std::vector<Segment> segments_;
  std::vector<Initialiser> initialisers_;
  std::size_t parameters_ = 0;
  std::vector<std::size_t> rows_;
  std::vector<std::size_t> scratch_;  // number -> buffer, kNone where there is none yet
};

/// One pass over kLanes sequences: parameters, gradient, buffers and what differs from the plain model.
struct PassContext {
  const float* parameters = nullptr;
  float* gradient = nullptr;  ///< on top of what it holds; null: forward only
  std::vector<std::vector<float>>* buffers = nullptr;
  std::size_t frames = 0;
  float epsilon = 0.0f;
  float dropout = 0.0f;
  float additive_noise = 0.0f;        ///< on candidates, over the threshold
  float multiplicative_noise = 0.0f;  ///< on candidates, over themselves
  std::uint32_t seed = 0;             ///< of dropout, noise and random start states

  std::size_t columns() const { return frames * kLanes; }
  float* buffer(std::size_t index) const { return (*buffers)[index].data(); }
};

}  // namespace hysteron::train
