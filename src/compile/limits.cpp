#include "compile/limits.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/units.h"

namespace hysteron::compile {
namespace {

/// Where the legs of an affine map end, and whether what they read is signed.
struct Legs {
  NodeKind node = NodeKind::kRectified;
  bool is_signed = false;
};

void check_weights(const model::Affine& affine, const std::string& name, const Legs& legs, const MinWeights& least) {
  const auto check = [&](double value, bool is_pair, bool is_bias, const std::string& parameter) {
    if (std::abs(value) <= kLargestWeight) return;
    const auto polarity = value > 0.0 ? circuit::Polarity::kP : circuit::Polarity::kN;
    throw bad_input(
        fmt::format("{} is {:.6g}, which no width can make; legs there have magnitudes from {:.2g} to {:g}", parameter,
                    value, is_pair ? least.pair(legs.node) : least.leg(legs.node, polarity, is_bias), kLargestWeight));
  };
  for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
    for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
      check(affine.weight(i, j), legs.is_signed, false, fmt::format("{}.weight[{},{}]", name, i, j));
    }
    check(affine.bias[i], false, true, fmt::format("{}.bias[{}]", name, i));
  }
}

/// A leg of the cell: `which` is 0, 1 or 2 for M2, M8 and M5.
void check_leg(double value, std::size_t which, const std::string& parameter, double unit, const CellFloor& floor,
               const MinWeights& least) {
  // M2 has a floor of its own, which leakage may set.
  const bool is_below_minimum = which != 0 && value > 0.0 && value * unit < floor.leg();
  if (value <= kLargestLeg && !is_below_minimum) return;
  throw bad_input(fmt::format("{} is {:.6g}, which no width can make; a cell's leg has {:.2g} to {:g}", parameter,
                              value, least.cell_leg(which), kLargestLeg));
}

void check_cells(const model::Layer& layer, const std::string& name, double unit, const CellFloor& floor,
                 const MinWeights& legs) {
  const double least = floor.threshold() / unit;
  const auto check = [&](double value, const char* what, std::size_t which, Eigen::Index j) {
    check_leg(value, which, fmt::format("{}.{}[{}]", name, what, j), unit, floor, legs);
  };
  for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j) {
    const double beta_hi = layer.beta_hi[j];
    check(beta_hi, "beta_hi", 0, j);
    if (beta_hi < least) {
      throw bad_input(
          fmt::format("{}.beta_hi[{}] is {:.6g}, {}: below the floor of {} that leakage and the smallest leg set; "
                      "expected {:.2g} or more at a unit current of {}",
                      name, j, beta_hi, format_si(beta_hi * unit, "A"), format_si(floor.threshold(), "A"), least,
                      format_si(unit, "A")));
    }
    check(beta_hi - layer.beta_lo[j], "delta", 1, j);
    check(layer.alpha[j], "alpha", 2, j);
    const double beta_lo = layer.beta_lo[j];
    if (beta_lo > 0.0 && beta_lo * unit < floor.fall()) {
      throw bad_input(fmt::format(
          "{}.beta_lo[{}] is {:.6g}, {}: below the floor of {} under which leakage keeps a cell on; expected "
          "0 (a cell that never resets) or {:.2g} or more at a unit current of {}",
          name, j, beta_lo, format_si(beta_lo * unit, "A"), format_si(floor.fall(), "A"), floor.fall() / unit,
          format_si(unit, "A")));
    }
  }
}

}  // namespace

void check_limits(const model::Network& network, const Conditions& conditions, const CellFloor& floor,
                  const MinWeights& least) {
  check_weights(network.input, "input", {NodeKind::kSigned, true}, least);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::string name = fmt::format("layers.{}", l);
    check_weights(network.layers[l].candidate, name + ".candidate", {NodeKind::kRectified, false}, least);
    check_cells(network.layers[l], name, conditions.unit_current, floor, least);
    check_weights(network.layers[l].output, name + ".output", {NodeKind::kRectified, false}, least);
  }
  check_weights(network.readout, "readout", {NodeKind::kReadout, true}, least);
}

}  // namespace hysteron::compile
