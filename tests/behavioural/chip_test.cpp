#include "behavioural/chip.h"

#include <gtest/gtest.h>

#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::behavioural {
namespace {

using compile::shop;

/// Slopes and deviations do not matter to a measured chip; charges of none keep cells to the model's steps.
DeviceStatistics some_statistics() {
  DeviceStatistics statistics;
  for (PolarityStatistics* part : {&statistics.n, &statistics.p}) {
    part->densities = {1e-9, 1e-8};
    part->slopes = {25.0, 25.0};
  }
  return statistics;
}

TEST(Chip, HasTheModelsValuesWithTheChipsErrors) {
  const auto compiled = compile::build_network(small_network(), shop().technology, shop().curves, {});
  const DieEngine engine(compiled, some_statistics(), small_features());
  model::DieErrors errors = model::DieErrors::none(compiled.model);
  errors.layers[0].candidate.weight(0, 0) = 0.05F;
  errors.layers[0].threshold[0] = 0.1F;
  errors.layers[0].width[0] = -0.1F;
  errors.layers[0].gain[0] = 0.02F;
  const DieParameters chip = chip_parameters(engine, errors);
  const model::Layer& layer = compiled.model.layers[0];
  EXPECT_FLOAT_EQ(chip.cells[0].rise, 1.1F * layer.beta_hi[0]);
  EXPECT_FLOAT_EQ(chip.cells[0].fall, 1.1F * layer.beta_hi[0] - 0.9F * (layer.beta_hi[0] - layer.beta_lo[0]));
  EXPECT_FLOAT_EQ(chip.cells[0].high, 1.02F * layer.alpha[0]);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < compiled.summing.size(); ++i) {
    const compile::CompiledLeg& leg = compiled.summing_leg(i);
    if (!leg.parameter) {
      EXPECT_EQ(chip.gains[i], engine.nominal().gains[i]);
      continue;
    }
    const std::string name = model::parameter_name(*leg.parameter);
    const bool is_changed = name == "layers.0.candidate.weight[0,0]";
    changed += is_changed ? 1 : 0;
    EXPECT_NEAR(double{chip.gains[i]} * leg.instances, leg.value * (is_changed ? 1.05 : 1.0), 1e-6) << name;
  }
  EXPECT_EQ(changed, 1u);
}

}  // namespace
}  // namespace hysteron::behavioural
