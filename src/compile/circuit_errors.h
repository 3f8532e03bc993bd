#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "model/network.h"
#include "technology/technology.h"

// How far a circuit's currents lie from the model's, to first order: docs/centering.md has the equations. All currents
// in unit currents, all variances in their squares.

namespace hysteron::compile {

/// Deviations of currents, and the rule by which legs are drawn.
struct ErrorModel {
  double mismatch = 0.03;    ///< of a leg of the reference size, over its current; falls with the root of the gate area
  double systematic = 0.01;  ///< of any leg of a sum, over its current: what sizing leaves
  double calibration = 0.005;                 ///< of a cell's thresholds, over the threshold: what calibration leaves
  double offset = 0.001;                      ///< of a cell's thresholds, unit currents: leakage
  std::vector<double> length_ratios = {1.0};  ///< lengths legs may have, over the reference length, ascending
  double narrowest = 0.1;                     ///< narrowest leg over the reference width
  double copy_area = 0.5;       ///< gate area of the devices of a copied rail, over that of the reference device
  double min_lower = 0.02;      ///< least beta_lo that a cell can be made with, unit currents
  double min_upper = 0.02;      ///< and beta_hi
  double largest_upper = 10.0;  ///< and the largest beta_hi

  /// Variance of a leg that carries `gain` from its mismatch: mismatch^2 / area gain^2 with the gate's area over that
  /// of the reference device.
  double mismatch_variance(double gain) const;

  /// And with what sizing leaves.
  double leg_variance(double gain) const;

  /// This circuit as drawn, before mismatch.
  ErrorModel without_mismatch() const;
};

/// What legs read: it decides on which diodes a value comes.
enum class Source { kInput, kSigned, kState };

/// The leg sizes of `technology`, and the mismatch of its reference device (measure_leg_mismatch).
ErrorModel error_model(const technology::Technology& technology, double mismatch);

/// Variances of a network's inner values, for one ErrorModel. Errors of different legs count as independent; a state
/// counts as right.
class CircuitErrors {
 public:
  using Values = model::Matrix;  ///< [frames, values]

  CircuitErrors(const model::Network& network, const ErrorModel& errors);

  /// Of v_0, from features [frames, n].
  Values input(const Values& features) const;

  /// Of a layer's candidates where V0 of the cell sees them [frames, m], from v, its variance [frames, d] and the
  /// candidates themselves.
  Values candidates(std::size_t layer, const Values& v, const Values& variance, const Values& candidates) const;

  /// Of the next v [frames, d], from v and its variance, the layer's outputs h [frames, m] and the sums o before their
  /// rectifier [frames, d].
  Values next(std::size_t layer, const Values& v, const Values& variance, const Values& h, const Values& sums) const;

  /// Of beta_hi and beta_lo of a cell whose thresholds these are.
  double upper_threshold(double beta_hi) const;
  double lower_threshold(double beta_lo, double beta_hi) const;

 private:
  /// Variance of weight x + bias: made x^2 + squared var(x) + bias.
  struct AffineErrors {
    AffineErrors(const model::Affine& affine, Source source, const ErrorModel& errors);
    Values apply(const Values& x, const Values& variance) const;

    Values made;     // [outputs, inputs], of each leg and its rail at a source of 1
    Values squared;  // [outputs, inputs], weights squared
    model::Vector bias;
  };
  struct LayerErrors {
    AffineErrors candidate;
    AffineErrors output;
    model::Vector alpha;  // [m], of the output of a cell that is on
  };

  ErrorModel errors_;
  AffineErrors input_;
  std::vector<LayerErrors> layers_;
};

}  // namespace hysteron::compile
