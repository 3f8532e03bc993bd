#include "behavioural/power_model.h"

#include <gtest/gtest.h>

#include "compile/clip_bench.h"
#include "compile/shop.h"
#include "compile/small_network.h"
#include "model/inference.h"

namespace hysteron::behavioural {
namespace {

using compile::shop;

TEST(PowerModel, IsWhatNgspiceMeasures) {
  const compile::CompiledNetwork compiled =
      compile::build_network(small_network(), shop().technology, shop().curves, {});
  const std::vector<float> features = small_features();
  const sim::Testbench bench = compile::make_clip_bench(compiled, features);
  const compile::Power measured = compile::read_clip(compiled, bench, shop().engine.run(bench)).power;
  const PowerSplit split = model_power(small_network(), features, shop().technology, 1.8, 1e-9);
  EXPECT_NEAR(split.feedforward() / measured.feedforward, 1.0, 0.06);
  EXPECT_NEAR(split.cells / measured.cells, 1.0, 0.15) << "cells that switch draw more for a moment";
}

TEST(PowerModel, RestIsTheBiasesAndTheReference) {
  model::Network network = small_network();
  network.input.bias.setZero();
  network.layers[0].candidate.bias.setZero();
  network.layers[0].output.bias.setZero();
  network.layers[0].initial_state.setZero();
  network.readout.bias.setZero();
  const std::vector<float> silence(8, 0.0F);
  const PowerSplit split = model_power(network, silence, shop().technology, 1.8, 1e-9);
  EXPECT_NEAR(split.total(), 1.8e-9 * 1.5, 1e-12) << "the unit current and its copied rail of half";
  network.readout.bias[0] = 2.0F;
  EXPECT_NEAR(model_power(network, silence, shop().technology, 1.8, 1e-9).other_legs, 3.6e-9, 1e-12);
}

TEST(PowerModel, GrowsWithSupplyAndUnitCurrent) {
  const std::vector<float> features = small_features();
  const double one = model_power(small_network(), features, shop().technology, 1.8, 1e-9).total();
  EXPECT_NEAR(model_power(small_network(), features, shop().technology, 0.9, 3e-9).total(), 1.5 * one, 1e-15);
}

TEST(PowerModel, GivenBitsDecideWhatCellsAndTheirLegsDraw) {
  const std::vector<float> features = small_features();
  const auto drawn = [&](std::span<const char> on) {
    return model_power(small_network(), features, shop().technology, 1.8, 1e-9, on);
  };
  const std::vector<char> none(24, 0);
  const std::vector<char> all(24, 1);
  EXPECT_NEAR(drawn(all).cells - drawn(none).cells, 1.8e-9 * (0.8 + 0.45 + 0.5 + 0.3), 1.8e-9 * 0.8)
      << "alpha and delta of two cells, and what M9 brings";
  EXPECT_GT(drawn(all).square_legs, drawn(none).square_legs);
  EXPECT_EQ(drawn(all).inputs, drawn(none).inputs);

  // The bits that the model holds anyway change nothing.
  const model::Trace trace = model::run_clip(small_network(), features);
  std::vector<char> own;
  for (const float state : trace.states) own.push_back(state > 0.0F ? 1 : 0);
  EXPECT_DOUBLE_EQ(drawn(own).total(), drawn({}).total());
}

}  // namespace
}  // namespace hysteron::behavioural
