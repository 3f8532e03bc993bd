#include "flow/cell_lab.h"

#include <fmt/format.h>

#include "hysteron/base/error.h"

namespace hysteron::flow {
namespace {

// Supplies a study takes: below the first no device conducts, above the second (times the technology's) none survives.
constexpr double kLeastSupply = 0.3;
constexpr double kMostSupplyRatio = 2.0;

}  // namespace

analysis::CellLab make_lab(const Workshop& workshop) {
  analysis::CellLab lab{workshop.technology(), workshop.curves(), workshop.options().conditions, workshop.engine(),
                        workshop.options().jobs};
  lab.conditions.supply = workshop.supply();
  return lab;
}

void check_temperature(double temperature, const technology::Technology& technology) {
  if (temperature >= technology.temperature_low && temperature <= technology.temperature_high) return;
  throw bad_input(fmt::format("temperature {:g} °C: expected {:g} to {:g} °C, the range of {}", temperature,
                              technology.temperature_low, technology.temperature_high, technology.name));
}

void check_supply(double supply, const technology::Technology& technology) {
  const double most = kMostSupplyRatio * technology.supply;
  if (supply >= kLeastSupply && supply <= most) return;
  throw bad_input(fmt::format("supply {:g} V: expected {:g} to {:g} V", supply, kLeastSupply, most));
}

}  // namespace hysteron::flow
