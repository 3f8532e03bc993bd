#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/network.h"

namespace hysteron::model {

/// Runs a network over frames one at a time, as they come, without allocating. Sums are made in double precision and
/// rounded once per value as in run_clip; they run in another order, so values agree to single precision's last place.
class Stream {
 public:
  explicit Stream(const Network& network);

  /// The logits [k] after one more frame of features [n]; they hold until the next call. Throws a bad-input Error where
  /// the number of features is wrong or one is not finite, and leaves the states as they were.
  std::span<const float> step(std::span<const float> features);

  /// Back to the initial states.
  void reset();

  bool on(std::size_t layer, std::size_t cell) const { return layers_[layer].on[cell] != 0; }

 private:
  /// y = weight x + bias with the weight's columns one after another, so that sums of all rows run side by side.
  struct Map {
    explicit Map(const Affine& affine);
    void apply(const double* x, double* y) const;

    std::size_t rows;
    std::size_t columns;
    std::vector<double> weight;  // [columns][rows]
    std::vector<double> bias;    // [rows]
  };

  struct Cells {
    Map candidate;
    Map output;
    std::vector<float> beta_lo;
    std::vector<float> beta_hi;
    std::vector<double> alpha;
    std::vector<std::uint8_t> initial;
    std::vector<std::uint8_t> on;
  };

  void step_layer(Cells& layer);

  Map input_;
  std::vector<Cells> layers_;
  Map readout_;
  std::vector<double> x_;          // features                  [n]
  std::vector<double> v_;          // skip path                 [d]
  std::vector<double> u_;          // relu(v), then o           [d]
  std::vector<double> candidate_;  // candidates, then h        [m of the widest layer]
  std::vector<double> sums_;       // logits before rounding    [k]
  std::vector<float> logits_;
};

}  // namespace hysteron::model
