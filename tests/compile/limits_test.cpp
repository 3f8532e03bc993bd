#include "compile/limits.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "compile/ideal_curves.h"
#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

const CellFloor kFloor{0.1e-12, 4e-12};

MinWeights min_weights() { return {technology::load_technology("generic180"), ideal_curves(), {}}; }

/// What the refusal of `network` says; empty if it is taken.
std::string refusal(const model::Network& network, double unit = 1e-9) {
  try {
    check_limits(network, {unit, 1.8, 27.0}, kFloor, min_weights());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return {};
}

TEST(CheckLimits, TakesWhatLegsCanMake) { EXPECT_EQ(refusal(small_network()), ""); }

TEST(CheckLimits, NamesAWeightThatNoWidthCanMakeAndTheRangeThatCan) {
  model::Network network = small_network();
  network.layers[0].candidate.weight(1, 0) = -2000.0F;
  const std::string message = refusal(network);
  EXPECT_NE(message.find("layers.0.candidate.weight[1,0] is -2000"), std::string::npos) << message;
  // Width over length of the narrowest leg, at the diode's voltage, and nothing smaller: ideal_curves().
  EXPECT_NE(message.find("from 0.0045 to 1000"), std::string::npos) << message;
  EXPECT_NEAR(min_weights().leg(NodeKind::kRectified, circuit::Polarity::kN, false), 0.22 / 50 * 1.02, 1e-5);
  network = small_network();
  network.readout.bias[1] = 1e6F;
  EXPECT_NE(refusal(network).find("readout.bias[1]"), std::string::npos);
}

TEST(CheckLimits, NamesACellThatNoLegCanMake) {
  for (const char* name : {"beta_hi", "delta", "alpha"}) {
    model::Network network = small_network();
    model::Layer& layer = network.layers[0];
    if (std::string(name) == "alpha") layer.alpha[1] = 12.0F;
    if (std::string(name) != "alpha") layer.beta_hi[1] = 12.0F;
    if (std::string(name) == "delta") layer.beta_hi[1] = 10.0F;
    if (std::string(name) == "delta") layer.beta_lo[1] = -1.0F;
    EXPECT_NE(refusal(network).find(std::string("layers.0.") + name + "[1]"), std::string::npos) << refusal(network);
  }
}

TEST(CheckLimits, NamesACellWhoseLegsAreTooSmall) {
  model::Network network = small_network();
  network.layers[0].alpha[1] = 0.001F;
  EXPECT_NE(refusal(network).find("layers.0.alpha[1] is 0.001, which no width can make; a cell's leg has 0.0045 to 10"),
            std::string::npos)
      << refusal(network);
  network.layers[0].alpha[1] = 0.0F;
  EXPECT_EQ(refusal(network), "") << "a cell without an output needs no leg";
  network.layers[0].beta_lo[0] = network.layers[0].beta_hi[0] - 0.001F;
  EXPECT_NE(refusal(network).find("layers.0.delta[0] is 0.000999"), std::string::npos) << refusal(network);
}

TEST(CheckLimits, NamesALowerThresholdBelowTheLeakageFloor) {
  model::Network network = small_network();
  network.layers[0].beta_lo[1] = 0.0001F;
  EXPECT_NE(refusal(network).find("layers.0.beta_lo[1] is 0.0001"), std::string::npos) << refusal(network);
  network.layers[0].beta_lo[1] = 0.0F;
  EXPECT_EQ(refusal(network), "") << "a cell that never resets";
}

TEST(CheckLimits, NamesAThresholdBelowTheLeakageFloor) {
  model::Network network = small_network();
  network.layers[0].beta_lo[0] = 0.0005F;
  network.layers[0].beta_hi[0] = 0.001F;
  const std::string message = refusal(network);
  EXPECT_NE(message.find("layers.0.beta_hi[0] is 0.001"), std::string::npos) << message;
  EXPECT_NE(message.find("floor of 2 pA"), std::string::npos) << message;
  EXPECT_EQ(refusal(network, 1e-8), "");  // ten times the current is ten times the threshold
}

}  // namespace
}  // namespace hysteron::compile
