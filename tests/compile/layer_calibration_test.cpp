#include "compile/layer_calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "compile/calibration.h"
#include "compile/limits.h"
#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

CompiledNetwork calibrated_network() {
  SilentReporter reporter;
  CompiledNetwork network = build_network(small_network(), shop().technology, shop().curves, {});
  calibrate_network(network, shop().technology, shop().curves, shop().engine, 1, reporter);
  return network;
}

double worst(const LayerCalibration& calibration, double NodeError::*error) {
  return (*std::ranges::max_element(calibration.nodes, {}, error)).*error;
}

TEST(CalibrateNetwork, ACellAtTheLargestLegIsOneDeviceEachThatCarriesIt) {
  SilentReporter reporter;
  model::Network software = small_network();
  const float most = static_cast<float>(kLargestLeg);
  software.layers[0].beta_hi.setConstant(most);
  software.layers[0].beta_lo.setConstant(0.5F * most);
  software.layers[0].alpha.setConstant(most);
  CompiledNetwork network = build_network(software, shop().technology, shop().curves, {});
  calibrate_network(network, shop().technology, shop().curves, shop().engine, 1, reporter);
  for (const CompiledCell& cell : network.cells[0]) {
    EXPECT_LT(std::abs(cell.errors.rise), 0.005);
    EXPECT_LT(std::abs(cell.errors.fall), 0.005);
    EXPECT_LT(std::abs(cell.errors.high), 0.005);
  }
}

TEST(CalibrateLayers, BringsEverySummingNodeWithinItsTolerance) {
  SilentReporter reporter;
  CompiledNetwork network = calibrated_network();
  const auto features = random_features(12, 2);
  const LayerCalibration result =
      calibrate_layers(network, shop().technology, shop().curves, features, shop().engine, reporter);
  EXPECT_EQ(result.nodes.size(), 2u + 2u + 2u + 2u + 2u);  // v0, candidates, outputs, v1, logits
  EXPECT_LE(worst(result, &NodeError::after), kNodeTolerance);
  EXPECT_LT(worst(result, &NodeError::after), worst(result, &NodeError::before));
}

TEST(CalibrateLayers, ANodeThatNeverCarriesACurrentHasNoError) {
  SilentReporter reporter;
  model::Network software = small_network();
  software.layers[0].candidate.weight.row(0).setZero();
  software.layers[0].candidate.weight(0, 0) = -1.0F;
  software.layers[0].candidate.bias(0) = -0.5F;
  CompiledNetwork network = build_network(software, shop().technology, shop().curves, {});
  const LayerCalibration result =
      calibrate_layers(network, shop().technology, shop().curves, random_features(6, 2), shop().engine, reporter);
  for (const NodeError& one : result.nodes) EXPECT_EQ(std::isnan(one.after), one.node == "c0_0") << one.node;
  EXPECT_TRUE(std::isfinite(worst(result, &NodeError::after)));
}

TEST(CalibrateLayers, MakesUpForWhatAWideLegLeaksWhoseSourceIsOff) {
  SilentReporter reporter;
  model::Network software = small_network();
  software.input.weight << 0.0F, 0.0F, 0.1F, 0.05F;
  software.input.bias << -0.5F, 0.25F;
  software.layers[0].candidate.weight << 2.0F, 0.3F, 0.0F, 1.0F;  // the first value is below zero in every frame
  software.layers[0].candidate.bias << 0.0F, 0.0F;
  CompiledNetwork network = build_network(software, shop().technology, shop().curves, {});
  // A readout's leg that takes two turns to mitigation: what the first made up for has to outlast the second.
  const CompiledLeg& slow = network.summing_leg(network.summing.size() - 1);
  const circuit::Transistor drawn = network.circuit.transistor(slow.device);
  network.circuit.resize(slow.device, 1.6 * drawn.width, drawn.length);
  const LayerCalibration result =
      calibrate_layers(network, shop().technology, shop().curves, random_features(12, 2), shop().engine, reporter);
  EXPECT_EQ(result.passes, kLayerPasses);
  const auto node =
      std::find_if(result.nodes.begin(), result.nodes.end(), [](const NodeError& one) { return one.node == "c0_0"; });
  ASSERT_NE(node, result.nodes.end());
  EXPECT_GT(node->before, kNodeTolerance);
  EXPECT_LE(node->after, kNodeTolerance);
}

TEST(CalibrateLayers, MendsALegOfTheWrongWidth) {
  SilentReporter reporter;
  CompiledNetwork network = calibrated_network();
  const CompiledLeg& leg = network.summing_leg(0);
  const circuit::Transistor before = network.circuit.transistor(leg.device);
  network.circuit.resize(leg.device, 1.2 * before.width, before.length);
  const auto features = random_features(12, 2);
  const LayerCalibration result =
      calibrate_layers(network, shop().technology, shop().curves, features, shop().engine, reporter);
  EXPECT_GT(worst(result, &NodeError::before), 0.05);
  EXPECT_LE(worst(result, &NodeError::after), kNodeTolerance);
  EXPECT_NEAR(network.circuit.transistor(leg.device).width, before.width, 0.03 * before.width);
  EXPECT_LT(std::abs(leg.sizing_error), 0.01);
}

/// Passes circuits on to ngspice, and with every run after the first gives every leg a fifth more current than it
/// carries: turning legs never helps.
class LaterWorse : public sim::Engine {
 public:
  explicit LaterWorse(std::size_t first_leg) : first_leg_(first_leg) {}

  void run_each(std::span<const sim::Testbench> benches, int jobs, const OnOutcome& on_outcome) const override {
    const double factor = std::pow(1.2, runs_++);
    shop().engine.run_each(benches, jobs, [&](std::size_t index, sim::Outcome outcome) {
      for (std::size_t i = first_leg_; i < outcome.waveforms->values.size(); ++i) {
        for (double& current : outcome.waveforms->values[i]) current *= factor;
      }
      on_outcome(index, std::move(outcome));
    });
  }
  std::string version() const override { return shop().engine.version(); }
  std::string fingerprint(const sim::Testbench& bench) const override { return shop().engine.fingerprint(bench); }

 private:
  std::size_t first_leg_;
  mutable int runs_ = 0;
};

TEST(CalibrateLayers, KeepsTheBestPassNotTheLast) {
  SilentReporter reporter;
  CompiledNetwork network = build_network(small_network(), shop().technology, shop().curves, {});
  std::vector<double> widths;
  for (const std::size_t leg : network.summing) {
    widths.push_back(network.circuit.transistor(network.legs[leg].device).width);
  }
  const LaterWorse engine(network.values.size());
  const LayerCalibration result =
      calibrate_layers(network, shop().technology, shop().curves, random_features(6, 2), engine, reporter);
  EXPECT_EQ(result.passes, kLayerPasses);
  EXPECT_EQ(worst(result, &NodeError::after), worst(result, &NodeError::before));
  for (std::size_t i = 0; i < widths.size(); ++i) {
    EXPECT_EQ(network.circuit.transistor(network.summing_leg(i).device).width, widths[i]) << i;
  }
  EXPECT_LT(std::abs(network.summing_leg(0).sizing_error), 0.1) << "of the pass that was kept";
}

TEST(CalibrationFrames, AreTakenEvenlyFromAllThereAre) {
  std::vector<float> features(1000);
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::size_t frame = i / 2;
    features[i] = static_cast<float>(frame);
  }
  const std::vector<float> frames = calibration_frames(features, 2);
  ASSERT_EQ(frames.size(), 2 * kCalibrationFrames);
  EXPECT_EQ(frames[0], 6.0F);
  EXPECT_EQ(frames[2] - frames[0], 12.0F);
  EXPECT_EQ(frames[1], frames[0]);
  EXPECT_EQ(calibration_frames(std::span(features).first(6), 2).size(), 6u);
}

}  // namespace
}  // namespace hysteron::compile
