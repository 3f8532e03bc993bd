#include "design/cell_test_setup.h"

#include <fmt/format.h>

#include "base/error.h"

namespace hysteron::design {
namespace {

// Supplies a study takes: below the first no device conducts, above the second (times the technology's) none survives.
constexpr double kMinSupply = 0.3;
constexpr double kMaxSupplyRatio = 2.0;

}  // namespace

analysis::CellTestSetup make_lab(const DesignContext& context) {
  analysis::CellTestSetup lab{context.technology(), context.curves(), context.options().conditions, context.engine(),
                              context.options().jobs};
  lab.conditions.supply = context.supply();
  return lab;
}

void check_temperature(double temperature, const technology::Technology& technology) {
  if (temperature >= technology.temperature_low && temperature <= technology.temperature_high) return;
  throw bad_input(fmt::format("temperature {:g} °C: expected {:g} to {:g} °C, the range of {}", temperature,
                              technology.temperature_low, technology.temperature_high, technology.name));
}

void check_supply(double supply, const technology::Technology& technology) {
  const double most = kMaxSupplyRatio * technology.supply;
  if (supply >= kMinSupply && supply <= most) return;
  throw bad_input(fmt::format("supply {:g} V: expected {:g} to {:g} V", supply, kMinSupply, most));
}

}  // namespace hysteron::design
