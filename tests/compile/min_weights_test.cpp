#include "compile/min_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "compile/compiled_network.h"
#include "compile/ideal_curves.h"
#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

using circuit::Polarity;

/// Curves whose N legs carry three times what P legs of the same size do: the smallest of a pair is the N leg's.
GainCurves uneven_curves() {
  GainCurves curves = ideal_curves();
  for (std::size_t i = 0; i < curves.gains.size() / 2; ++i) curves.gains[i] *= 3.0;
  return curves;
}

MinWeights least_of(const GainCurves& curves) { return {technology::load_technology("generic180"), curves, {}}; }

TEST(MadeWeight, GoesToWhateverIsNearer) {
  EXPECT_EQ(realised_weight(0.0049, 0.01), 0.0);
  EXPECT_EQ(realised_weight(-0.0051, 0.01), -0.01);
  EXPECT_EQ(realised_weight(0.0099, 0.01), 0.01);
  EXPECT_EQ(realised_weight(-0.02, 0.01), -0.02);
  EXPECT_EQ(realised_weight(0.0, 0.01), 0.0);
}

TEST(MinWeights, AreTheNarrowestLegOfTheLongestChannelAtItsNode) {
  const GainCurves curves = ideal_curves();
  const MinWeights least = least_of(curves);
  const double narrowest = 0.22 / 50.0;
  EXPECT_NEAR(least.leg(NodeKind::kRectified, Polarity::kN, false), narrowest * (1.0 + 0.05 * curves.operating.n_diode),
              1e-5);
  EXPECT_NEAR(least.leg(NodeKind::kRectified, Polarity::kP, true),
              narrowest * (1.0 + 0.05 * (1.8 - curves.operating.n_diode)), 1e-5);
  EXPECT_NEAR(least.leg(NodeKind::kReadout, Polarity::kN, false), narrowest * (1.0 + 0.05 * 0.9), 1e-5);
}

TEST(MinWeights, OfASignedValueIsTheLargerOfBothPolarities) {
  const MinWeights least = least_of(uneven_curves());
  EXPECT_EQ(least.pair(NodeKind::kSigned), least.leg(NodeKind::kSigned, Polarity::kN, false));
  EXPECT_GT(least.pair(NodeKind::kSigned), 2.0 * least.leg(NodeKind::kSigned, Polarity::kP, false));
}

/// A network with parameters of all kinds below the smallest leg: by name, what is wanted and what is made.
struct SmallParameterNetwork {
  model::Network network = small_network();
  MinWeights least = least_of(uneven_curves());
  std::map<std::string, std::pair<float, double>> expected;

  SmallParameterNetwork() {
    const double pair = least.pair(NodeKind::kSigned);
    put(network.input.weight(0, 1), "input.weight[0,1]", -0.6 * pair, -pair);
    put(network.input.weight(1, 0), "input.weight[1,0]", 0.4 * pair, 0.0);
    const double pull = least.leg(NodeKind::kRectified, Polarity::kN, false);
    const double push = least.leg(NodeKind::kRectified, Polarity::kP, true);
    put(network.layers[0].candidate.weight(1, 1), "layers.0.candidate.weight[1,1]", -0.9 * pull, -pull);
    put(network.layers[0].output.bias[1], "layers.0.output.bias[1]", 0.55 * push, push);
    put(network.readout.bias[0], "readout.bias[0]", 1e-5, 0.0);
  }

 private:
  void put(float& place, const std::string& name, double target, double made) {
    place = static_cast<float>(target);
    expected[name] = {place, made};
  }
};

TEST(RealisedNetwork, NamesEveryParameterThatIsTooSmallWithWantedAndMade) {
  const SmallParameterNetwork small;
  const RealisedNetwork made = realise(small.network, small.least);
  ASSERT_EQ(made.changed.size(), small.expected.size());
  for (const BelowMinimum& one : made.changed) {
    ASSERT_TRUE(small.expected.contains(one.parameter)) << one.parameter;
    EXPECT_EQ(one.target, small.expected.at(one.parameter).first) << one.parameter;
    EXPECT_DOUBLE_EQ(one.made, small.expected.at(one.parameter).second) << one.parameter;
  }
  EXPECT_EQ(made.network.input.weight(1, 0), 0.0F);
  EXPECT_EQ(made.network.input.weight(0, 0), small.network.input.weight(0, 0));
  EXPECT_TRUE(realise(made.network, small.least).changed.empty()) << "what is made can be made";
}

TEST(RealisedNetwork, TheCircuitIsMadeOfIt) {
  const SmallParameterNetwork small;
  const CompiledNetwork circuit =
      build_network(small.network, technology::load_technology("generic180"), uneven_curves(), {});
  std::map<std::string, int> legs;
  for (const CompiledLeg& leg : circuit.legs) {
    if (!leg.parameter) continue;
    const std::string name = model::parameter_name(*leg.parameter);
    const auto found = small.expected.find(name);
    if (found == small.expected.end()) continue;
    const auto [target, made] = found->second;
    EXPECT_EQ(leg.dropped, made == 0.0) << name;
    EXPECT_NEAR(leg.sizing_error, made / target - 1.0, 0.03) << name;
    ++legs[name];
  }
  EXPECT_EQ(legs["input.weight[0,1]"], 2) << "both parts of a signed value, or it would be bent at zero";
  EXPECT_EQ(circuit.dropped_parameters(), 2U);
  for (const std::size_t index : circuit.summing) {
    const CompiledLeg& leg = circuit.legs[index];
    if (!leg.parameter) continue;
    const auto found = small.expected.find(model::parameter_name(*leg.parameter));
    if (found == small.expected.end()) continue;
    EXPECT_NEAR(std::abs(leg.weight), std::abs(found->second.second), 1e-9) << "what calibration turns it to";
  }
}

TEST(RealisedNetwork, CellsLegsAreNeverLeftOut) {
  const MinWeights least = least_of(ideal_curves());
  model::Network network = small_network();
  network.layers[0].beta_lo[0] = network.layers[0].beta_hi[0] - 0.003F;
  network.layers[0].alpha[1] = 0.0F;
  const RealisedNetwork made = realise(network, least);
  ASSERT_EQ(made.changed.size(), 2U);
  EXPECT_EQ(made.changed[0].parameter, "layers.0.delta[0]");
  EXPECT_NEAR(made.changed[0].target, 0.003, 1e-7);
  EXPECT_EQ(made.changed[0].made, least.cell_leg(CellLeg::kWidth));
  EXPECT_EQ(made.changed[1].parameter, "layers.0.alpha[1]");
  EXPECT_NEAR(made.network.layers[0].beta_lo[0], network.layers[0].beta_hi[0] - least.cell_leg(CellLeg::kWidth), 1e-6);
  EXPECT_TRUE(realise_weights(network, least).changed.empty());
}

}  // namespace
}  // namespace hysteron::compile
