#include "compile/circuit_errors.h"

#include <cmath>

namespace hysteron::compile {
namespace {

// From M8's current to V0: M7 and M9.
constexpr double kFeedbackDevices = 2.0;

/// Variance, in those of reference devices, that a value takes on before a leg on the rail of its own diode, and before
/// one on its copied rail: its diode, and for the latter the copy and the copy's diode.
constexpr double kOwnRail = 1.0;
double copied_rail(const ErrorModel& errors) { return kOwnRail + 2.0 / errors.copy_area; }

/// From the candidate's diode to V0: its copied rail and M1.
double candidate_devices(const ErrorModel& errors) { return copied_rail(errors) + 1.0; }

/// Of a leg of this weight; `source` says on which diode its value comes.
double rail_devices(const ErrorModel& errors, Source source, double weight) {
  const double copied = copied_rail(errors);
  switch (source) {
    case Source::kInput:  // both parts on N diodes: a weight has one leg on its own rail and one on a copied one
      return 0.5 * (kOwnRail + copied);
    case Source::kSigned:  // the positive part on an N diode, the negative one on a P diode
      return weight > 0.0 ? copied : kOwnRail;
    case Source::kState:  // a P diode
      return weight > 0.0 ? kOwnRail : copied;
  }
  return copied;
}

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
  errors.copy_area = technology.rail_diode.width * technology.rail_diode.length /
                     (technology.reference.width * technology.reference.length);
  return errors;
}

CircuitErrors::AffineErrors::AffineErrors(const model::Affine& affine, Source source, const ErrorModel& errors)
    : made(affine.weight.rows(), affine.weight.cols()), squared(affine.weight.cwiseAbs2()), bias(affine.bias.size()) {
  for (Eigen::Index i = 0; i < made.size(); ++i) {
    const double weight = affine.weight.data()[i];
    const double rail = rail_devices(errors, source, weight) * compile::squared(errors.mismatch * weight);
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
    : errors_(errors), input_(network.input, Source::kInput, errors) {
  for (const model::Layer& layer : network.layers) {
    LayerErrors made{AffineErrors(layer.candidate, Source::kSigned, errors),
                     AffineErrors(layer.output, Source::kState, errors), model::Vector(layer.alpha.size())};
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
  const auto copies = static_cast<float>(candidate_devices(errors_) * squared(errors_.mismatch));
  result += copies * candidates.cwiseAbs2();
  return result;
}

CircuitErrors::Values CircuitErrors::next(std::size_t layer, const Values& v, const Values& variance, const Values& h,
                                          const Values& sums) const {
  const LayerErrors& errors = layers_[layer];
  const Values on = (h.array() > 0.0F).cast<float>();
  const Values of_h = on.array().rowwise() * errors.alpha.transpose().array();
  const Values flows = (sums.array() > 0.0F).cast<float>();
  // A unit leg; every part of a value has its own rail and a copied one, and at most one is used.
  const double skip_devices = 1.0 + rail_devices(errors_, Source::kSigned, 1.0);
  const double skip = squared(errors_.systematic) + skip_devices * squared(errors_.mismatch);
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
