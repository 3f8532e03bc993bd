#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "train/backbone.h"

namespace hysteron::train {

/// Learning rate at `step` of `steps`: `first` at step 0, falling to 0 along half a cosine.
double cosine_rate(double first, std::size_t step, std::size_t steps);

/// How much of a state a reset leaves at `step`: 1 for the first `hold` of the steps, then linear to 0 over the next
/// `fall` of them.
double epsilon_at(std::size_t step, std::size_t steps, double hold, double fall);

/// Scales `gradient` down so that its norm is at most `limit` (0: no limit). Returns the norm it had.
double clip_gradient(std::span<float> gradient, double limit);

/// What parameters are kept within after every step: |lower|, |width| and |gain| at least `floor`, everything at most
/// `limit` in magnitude.
struct ParameterBounds {
  double floor = 0.0;
  double limit = 1e30;
};
void apply_bounds(const std::vector<Segment>& segments, const ParameterBounds& bounds, std::span<float> parameters);

/// The Error of a run whose loss or gradient stopped being a number: the step, the figures, the segment with the
/// gradient's largest part, and the last good checkpoint (empty: there is none).
Error divergence(const std::vector<Segment>& segments, std::span<const float> gradient, std::size_t step, double loss,
                 double norm, const std::string& checkpoint);

/// AdamW (Loshchilov and Hutter 2019): Adam with beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 and decoupled weight decay
/// on the segments that decay.
class AdamW {
 public:
  AdamW(const std::vector<Segment>& segments, std::size_t parameters, double weight_decay);

  /// parameters -= rate * (mean / (sqrt(variance) + epsilon) + decay * parameters)
  void step(std::span<const float> gradient, double rate, std::span<float> parameters);

  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& variance() const { return variance_; }

  /// Goes on where an optimiser with these moments was after `steps` steps.
  void restore(std::vector<float> mean, std::vector<float> variance, std::size_t steps);

 private:
  void count_step();

  std::vector<float> decay_;     // per parameter, 0 where it does not decay
  std::vector<float> mean_;      // of the gradient
  std::vector<float> variance_;  // of the gradient, uncentered
  double mean_weight_ = 1.0;     // beta1^steps
  double variance_weight_ = 1.0;
};

}  // namespace hysteron::train
