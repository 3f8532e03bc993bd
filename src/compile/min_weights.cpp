#include "compile/min_weights.h"

#include <algorithm>
#include <cmath>

#include "compile/network_builder.h"
#include "model/parameter.h"

namespace hysteron::compile {
namespace {

using circuit::Polarity;

// A gain no leg can have: sizing it gives the smallest there is.
constexpr double kTiny = 1e-12;

// Models hold single precision: the smallest gain comes back from one a little smaller.
constexpr double kSame = 1.0 - 1e-6;

/// Gives every weight and bias of one affine map what can be made of it.
class WeightMaker {
 public:
  WeightMaker(const MinWeights& least, NodeKind kind, bool is_signed, std::vector<BelowMinimum>& changed)
      : min_(least), kind_(kind), is_signed_(is_signed), changed_(changed) {}

  void make(model::Affine& affine, const model::AffineParameters& parameters) {
    for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
      for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
        float& weight = affine.weight(i, j);
        const double least = is_signed_ ? min_.pair(kind_) : of_leg(weight, false);
        change(weight, least, parameters.weight(i, j));
      }
      change(affine.bias[i], of_leg(affine.bias[i], true), parameters.bias(i));
    }
  }

 private:
  double of_leg(float value, bool is_bias) const {
    return min_.leg(kind_, value > 0.0F ? Polarity::kP : Polarity::kN, is_bias);
  }

  void change(float& value, double least, const model::Parameter& parameter) {
    const double made = realised_weight(value, least);
    if (made == value) return;
    changed_.push_back({model::parameter_name(parameter), value, made});
    value = static_cast<float>(made);
  }

  const MinWeights& min_;
  NodeKind kind_;
  bool is_signed_;
  std::vector<BelowMinimum>& changed_;
};

void make_cells(model::Layer& layer, std::size_t index, const MinWeights& least, std::vector<BelowMinimum>& changed) {
  using model::ParameterKind;
  for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j) {
    const auto make = [&](ParameterKind kind, CellLeg leg, double target) {
      const double made = std::max(target, least.cell_leg(leg));
      if (target < kSame * made) {
        changed.push_back({model::parameter_name(model::cell_parameter(kind, index, j)), target, made});
      }
      return made;
    };
    const double delta = make(ParameterKind::kDelta, CellLeg::kWidth, double{layer.beta_hi[j]} - layer.beta_lo[j]);
    const double beta_hi = make(ParameterKind::kBetaHi, CellLeg::kThreshold, layer.beta_hi[j]);
    layer.alpha[j] = static_cast<float>(make(ParameterKind::kAlpha, CellLeg::kGain, layer.alpha[j]));
    layer.beta_hi[j] = static_cast<float>(beta_hi);
    layer.beta_lo[j] = static_cast<float>(std::max(0.0, beta_hi - delta));
  }
}

}  // namespace

MinWeights::MinWeights(const technology::Technology& technology, const GainCurves& curves,
                       const Conditions& conditions) {
  const double supply = supply_of(technology, conditions);
  for (std::size_t kind = 0; kind < kNodeKinds; ++kind) {
    for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
      const double voltage = voltage_across(curves.operating, supply, polarity, static_cast<NodeKind>(kind));
      for (const bool is_bias : {false, true}) {
        const DriftLimit limit = is_bias ? DriftLimit::still(technology) : DriftLimit::moving(technology);
        legs_[kind][polarity == Polarity::kN ? 0 : 1][is_bias ? 1 : 0] =
            size_leg(curves, technology, polarity, kTiny, voltage, limit).gain;
      }
    }
  }
  for (const CellLeg leg : kCellLegs) cell_legs_[leg] = cell_leg_size(curves, technology, supply, leg, kTiny).gain;
}

double MinWeights::pair(NodeKind kind) const {
  return std::max(leg(kind, Polarity::kN, false), leg(kind, Polarity::kP, false));
}

double realised_weight(double value, double least) {
  const double magnitude = std::abs(value);
  if (magnitude >= kSame * least) return value;
  return magnitude < 0.5 * least ? 0.0 : std::copysign(least, value);
}

RealisedNetwork realise_weights(const model::Network& network, const MinWeights& least) {
  RealisedNetwork result{network, {}};
  const auto make = [&](model::Affine& affine, NodeKind kind, bool is_signed,
                        const model::AffineParameters& parameters) {
    WeightMaker(least, kind, is_signed, result.changed).make(affine, parameters);
  };
  make(result.network.input, NodeKind::kSigned, true, model::input_parameters());
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    make(result.network.layers[l].candidate, NodeKind::kRectified, false, model::candidate_parameters(l));
    make(result.network.layers[l].output, NodeKind::kRectified, false, model::output_parameters(l));
  }
  make(result.network.readout, NodeKind::kReadout, true, model::readout_parameters());
  return result;
}

RealisedNetwork realise(const model::Network& network, const MinWeights& least) {
  RealisedNetwork result = realise_weights(network, least);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    make_cells(result.network.layers[l], l, least, result.changed);
  }
  return result;
}

}  // namespace hysteron::compile
