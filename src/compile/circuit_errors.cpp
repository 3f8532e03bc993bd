#include "hysteron/compile/circuit_errors.h"

#include <cmath>

namespace hysteron::compile {
namespace {

// Devices whose mismatch a value takes on before its legs: the N diode, and for a P rail the N copy and the P diode.
constexpr double kNRailDevices = 1.0;
constexpr double kPRailDevices = 3.0;
// From the candidate's diode to V0: that diode, the N copy, the P diode, M1.
constexpr double kCandidateDevices = 4.0;
// From M8's current to V0: M7 and M9.
constexpr double kFeedbackDevices = 2.0;
// A unit leg of the skip path and the longer of its two rails.
constexpr double kSkipDevices = 1.0 + kPRailDevices;

double squared(double x) { return x * x; }

}  // namespace

double ErrorModel::mismatch_variance(double gain) const {
  const double width_of_reference = std::abs(gain);
  if (width_of_reference == 0.0) return 0.0;
  double ratio = length_ratios.back();
  for (auto it = length_ratios.rbegin(); it != length_ratios.rend(); ++it) {
    if (width_of_reference * *it >= narrowest) ratio = *it;
  }
  const double area = width_of_reference * squared(ratio);
  return squared(mismatch * gain) / area;
}

double ErrorModel::leg_variance(double gain) const { return mismatch_variance(gain) + squared(systematic * gain); }

ErrorModel ErrorModel::without_mismatch() const {
  ErrorModel result = *this;
  result.mismatch = 0.0;
  return result;
}

ErrorModel error_model(const technology::Technology& technology, double mismatch) {
  ErrorModel errors;
  errors.mismatch = mismatch;
  errors.length_ratios.clear();
  for (const double length : technology.leg_lengths) {
    errors.length_ratios.push_back(length / technology.reference.length);
  }
  errors.narrowest = technology.narrowest_leg / technology.reference.width;
  return errors;
}

CircuitErrors::AffineErrors::AffineErrors(const model::Affine& affine, const ErrorModel& errors)
    : made(affine.weight.rows(), affine.weight.cols()), squared(affine.weight.cwiseAbs2()), bias(affine.bias.size()) {
  for (Eigen::Index i = 0; i < made.size(); ++i) {
    const double weight = affine.weight.data()[i];
    const double devices = weight > 0.0 ? kPRailDevices : kNRailDevices;
    const double rail = devices * compile::squared(errors.mismatch * weight);
    made.data()[i] = static_cast<float>(errors.leg_variance(weight) + rail);
  }
  for (Eigen::Index i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(errors.leg_variance(affine.bias[i]));
}

CircuitErrors::Values CircuitErrors::AffineErrors::apply(const Values& x, const Values& variance) const {
  Values result = x.cwiseAbs2() * made.transpose();
  if (variance.size() > 0) result.noalias() += variance * squared.transpose();
  result.rowwise() += bias.transpose();
  return result;
}

CircuitErrors::CircuitErrors(const model::Network& network, const ErrorModel& errors)
    : errors_(errors), input_(network.input, errors) {
  for (const model::Layer& layer : network.layers) {
    LayerErrors made{AffineErrors(layer.candidate, errors), AffineErrors(layer.output, errors),
                     model::Vector(layer.alpha.size())};
    for (Eigen::Index j = 0; j < layer.alpha.size(); ++j) {
      made.alpha[j] = static_cast<float>(errors.leg_variance(layer.alpha[j]));
    }
    layers_.push_back(std::move(made));
  }
}

CircuitErrors::Values CircuitErrors::input(const Values& features) const { return input_.apply(features, {}); }

CircuitErrors::Values CircuitErrors::candidates(std::size_t layer, const Values& v, const Values& variance,
                                                const Values& candidates) const {
  const Values on = (v.array() > 0.0F).cast<float>();
  Values result = layers_[layer].candidate.apply(v.cwiseMax(0.0F), variance.cwiseProduct(on));
  const auto copies = static_cast<float>(kCandidateDevices * squared(errors_.mismatch));
  result += copies * candidates.cwiseAbs2();
  return result;
}

CircuitErrors::Values CircuitErrors::next(std::size_t layer, const Values& v, const Values& variance, const Values& h,
                                          const Values& sums) const {
  const LayerErrors& errors = layers_[layer];
  const Values on = (h.array() > 0.0F).cast<float>();
  const Values of_h = on.array().rowwise() * errors.alpha.transpose().array();
  const Values flows = (sums.array() > 0.0F).cast<float>();
  const double skip = squared(errors_.systematic) + kSkipDevices * squared(errors_.mismatch);
  return variance + static_cast<float>(skip) * v.cwiseAbs2() + errors.output.apply(h, of_h).cwiseProduct(flows);
}

double CircuitErrors::upper_threshold(double beta_hi) const {
  return errors_.mismatch_variance(beta_hi) + squared(errors_.calibration * beta_hi) + squared(errors_.offset);
}

double CircuitErrors::lower_threshold(double beta_lo, double beta_hi) const {
  const double width = beta_hi - beta_lo;
  return errors_.mismatch_variance(beta_hi) + errors_.mismatch_variance(width) +
         kFeedbackDevices * squared(errors_.mismatch * width) + squared(errors_.calibration * beta_lo) +
         squared(errors_.offset);
}

}  // namespace hysteron::compile
