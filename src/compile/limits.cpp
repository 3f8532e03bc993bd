#include "hysteron/compile/limits.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "hysteron/base/error.h"
#include "hysteron/base/units.h"

namespace hysteron::compile {
namespace {

void check_weights(const model::Affine& affine, const std::string& name, double least) {
  const auto check = [&](double value, const std::string& parameter) {
    if (std::abs(value) <= kLargestWeight) return;
    throw bad_input(fmt::format("{} is {:.6g}, which no width can make; legs have magnitudes from {:.2g} to {:g}",
                                parameter, value, least, kLargestWeight));
  };
  for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
    for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
      check(affine.weight(i, j), fmt::format("{}.weight[{},{}]", name, i, j));
    }
    check(affine.bias[i], fmt::format("{}.bias[{}]", name, i));
  }
}

void check_cells(const model::Layer& layer, const std::string& name, double unit, const CellFloor& floor) {
  const double least = floor.threshold() / unit;
  const auto check = [&](double value, const char* what, Eigen::Index j, double from) {
    const bool is_too_small = value > 0.0 && value < from && std::string_view(what) != "beta_hi";
    if (value <= kLargestLeg && !is_too_small) return;
    throw bad_input(fmt::format("{}.{}[{}] is {:.6g}, which no width can make; a cell's leg has {:.2g} to {:g}", name,
                                what, j, value, from, kLargestLeg));
  };
  for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j) {
    const double beta_hi = layer.beta_hi[j];
    check(beta_hi, "beta_hi", j, least);
    if (beta_hi < least) {
      throw bad_input(
          fmt::format("{}.beta_hi[{}] is {:.6g}, {}: below the floor of {} that leakage and the smallest leg set; "
                      "expected {:.2g} or more at a unit current of {}",
                      name, j, beta_hi, format_si(beta_hi * unit, "A"), format_si(floor.threshold(), "A"), least,
                      format_si(unit, "A")));
    }
    check(beta_hi - layer.beta_lo[j], "delta", j, floor.leg() / unit);
    check(layer.alpha[j], "alpha", j, floor.leg() / unit);
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

void check_limits(const model::Network& network, const Conditions& conditions, const CellFloor& floor) {
  const double unit = conditions.unit_current;
  const double least = floor.leg() / unit;
  check_weights(network.input, "input", least);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const std::string name = fmt::format("layers.{}", l);
    check_weights(network.layers[l].candidate, name + ".candidate", least);
    check_cells(network.layers[l], name, unit, floor);
    check_weights(network.layers[l].output, name + ".output", least);
  }
  check_weights(network.readout, "readout", least);
}

}  // namespace hysteron::compile
