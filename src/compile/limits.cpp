#include "compile/limits.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "model/parameter.h"

namespace hysteron::compile {
namespace {

/// Where the legs of an affine map end, and whether what they read is signed.
struct Legs {
  NodeKind node = NodeKind::kRectified;
  bool is_signed = false;
};

void check_weights(const model::Affine& affine, const model::AffineParameters& parameters, const Legs& legs,
                   const MinWeights& least) {
  const auto check = [&](double value, bool is_pair, bool is_bias, const model::Parameter& parameter) {
    if (std::abs(value) <= kLargestWeight) return;
    const auto polarity = value > 0.0 ? circuit::Polarity::kP : circuit::Polarity::kN;
    throw bad_input(
        fmt::format("{} is {:.6g}, which no width can realise; legs there have magnitudes from {:.2g} to {:g}",
                    model::parameter_name(parameter), value,
                    is_pair ? least.pair(legs.node) : least.leg(legs.node, polarity, is_bias), kLargestWeight));
  };
  for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
    for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
      check(affine.weight(i, j), legs.is_signed, false, parameters.weight(i, j));
    }
    check(affine.bias[i], false, true, parameters.bias(i));
  }
}

/// The limits of a cell's currents.
struct CellLimits {
  double unit = 0.0;  // ampere
  const CellFloor& floor;
  const MinWeights& least;
};

void check_leg(double value, CellLeg leg, const std::string& parameter, const CellLimits& limits) {
  // M2 has a floor of its own, which leakage may set.
  const bool is_below_minimum = leg != CellLeg::kThreshold && value > 0.0 && value * limits.unit < limits.floor.leg();
  if (value <= kLargestLeg && !is_below_minimum) return;
  throw bad_input(fmt::format("{} is {:.6g}, which no width can make; a cell's leg has {:.2g} to {:g}", parameter,
                              value, limits.least.cell_leg(leg), kLargestLeg));
}

void check_cells(const model::Layer& layer, std::size_t index, const CellLimits& limits) {
  using model::ParameterKind;
  const CellFloor& floor = limits.floor;
  const double unit = limits.unit;
  const double least = floor.threshold() / unit;
  for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j) {
    const auto name = [&](ParameterKind kind) { return model::parameter_name(model::cell_parameter(kind, index, j)); };
    const double beta_hi = layer.beta_hi[j];
    check_leg(beta_hi, CellLeg::kThreshold, name(ParameterKind::kBetaHi), limits);
    if (beta_hi < least) {
      throw bad_input(
          fmt::format("{} is {:.6g}, {}: below the floor of {} that leakage and the smallest leg set; "
                      "expected {:.2g} or more at a unit current of {}",
                      name(ParameterKind::kBetaHi), beta_hi, format_si(beta_hi * unit, "A"),
                      format_si(floor.threshold(), "A"), least, format_si(unit, "A")));
    }
    check_leg(beta_hi - layer.beta_lo[j], CellLeg::kWidth, name(ParameterKind::kDelta), limits);
    check_leg(layer.alpha[j], CellLeg::kGain, name(ParameterKind::kAlpha), limits);
    const double beta_lo = layer.beta_lo[j];
    if (beta_lo > 0.0 && beta_lo * unit < floor.fall()) {
      throw bad_input(
          fmt::format("{} is {:.6g}, {}: below the floor of {} under which leakage keeps a cell on; expected "
                      "0 (a cell that never resets) or {:.2g} or more at a unit current of {}",
                      name(ParameterKind::kBetaLo), beta_lo, format_si(beta_lo * unit, "A"),
                      format_si(floor.fall(), "A"), floor.fall() / unit, format_si(unit, "A")));
    }
  }
}

}  // namespace

void check_limits(const model::Network& network, const Conditions& conditions, const CellFloor& floor,
                  const MinWeights& least) {
  check_weights(network.input, model::input_parameters(), {NodeKind::kSigned, true}, least);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const model::Layer& layer = network.layers[l];
    check_weights(layer.candidate, model::candidate_parameters(l), {NodeKind::kRectified, false}, least);
    check_cells(layer, l, {conditions.unit_current, floor, least});
    check_weights(layer.output, model::output_parameters(l), {NodeKind::kRectified, false}, least);
  }
  check_weights(network.readout, model::readout_parameters(), {NodeKind::kReadout, true}, least);
}

}  // namespace hysteron::compile
