#include "compile/min_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compile/network_builder.h"

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

  void make(model::Affine& affine, const std::string& name) {
    for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
      for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
        float& weight = affine.weight(i, j);
        const double least = is_signed_ ? min_.pair(kind_) : of_leg(weight, false);
        change(weight, least, [&] { return fmt::format("{}.weight[{},{}]", name, i, j); });
      }
      change(affine.bias[i], of_leg(affine.bias[i], true), [&] { return fmt::format("{}.bias[{}]", name, i); });
    }
  }

 private:
  double of_leg(float value, bool is_bias) const {
    return min_.leg(kind_, value > 0.0F ? Polarity::kP : Polarity::kN, is_bias);
  }

  template <typename Name>
  void change(float& value, double least, Name name) {
    const double made = realised_weight(value, least);
    if (made == value) return;
    changed_.push_back({name(), value, made});
    value = static_cast<float>(made);
  }

  const MinWeights& min_;
  NodeKind kind_;
  bool is_signed_;
  std::vector<BelowMinimum>& changed_;
};

void make_cells(model::Layer& layer, const std::string& name, const MinWeights& least,
                std::vector<BelowMinimum>& changed) {
  for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j) {
    const auto make = [&](const char* what, std::size_t which, double target) {
      const double made = std::max(target, least.cell_leg(which));
      if (target < kSame * made) changed.push_back({fmt::format("{}.{}[{}]", name, what, j), target, made});
      return made;
    };
    const double delta = make("delta", 1, double{layer.beta_hi[j]} - layer.beta_lo[j]);
    const double beta_hi = make("beta_hi", 0, layer.beta_hi[j]);
    layer.alpha[j] = static_cast<float>(make("alpha", 2, layer.alpha[j]));
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
  for (std::size_t which = 0; which < cell_legs_.size(); ++which) {
    cell_legs_[which] = cell_leg_size(curves, technology, supply, which, kTiny).gain;
  }
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
  const auto make = [&](model::Affine& affine, NodeKind kind, bool is_signed, const std::string& name) {
    WeightMaker(least, kind, is_signed, result.changed).make(affine, name);
  };
  make(result.network.input, NodeKind::kSigned, true, "input");
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::string name = fmt::format("layers.{}", l);
    make(result.network.layers[l].candidate, NodeKind::kRectified, false, name + ".candidate");
    make(result.network.layers[l].output, NodeKind::kRectified, false, name + ".output");
  }
  make(result.network.readout, NodeKind::kReadout, true, "readout");
  return result;
}

RealisedNetwork realise(const model::Network& network, const MinWeights& least) {
  RealisedNetwork result = realise_weights(network, least);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    make_cells(result.network.layers[l], fmt::format("layers.{}", l), least, result.changed);
  }
  return result;
}

}  // namespace hysteron::compile
