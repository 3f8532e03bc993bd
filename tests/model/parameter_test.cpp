#include "model/parameter.h"

#include <gtest/gtest.h>

namespace hysteron::model {
namespace {

TEST(Parameter, NamesAreTheModelFilesAndReadBackAsTheSame) {
  const std::pair<Parameter, const char*> cases[] = {
      {{ParameterKind::kInputWeight, 0, 1, 2}, "input.weight[1,2]"},
      {{ParameterKind::kInputBias, 0, 3, 0}, "input.bias[3]"},
      {{ParameterKind::kCandidateWeight, 0, 1, 2}, "layers.0.candidate.weight[1,2]"},
      {{ParameterKind::kCandidateBias, 2, 1, 0}, "layers.2.candidate.bias[1]"},
      {{ParameterKind::kBetaLo, 1, 0, 0}, "layers.1.beta_lo[0]"},
      {{ParameterKind::kBetaHi, 1, 0, 0}, "layers.1.beta_hi[0]"},
      {{ParameterKind::kDelta, 11, 4, 0}, "layers.11.delta[4]"},
      {{ParameterKind::kAlpha, 0, 12, 0}, "layers.0.alpha[12]"},
      {{ParameterKind::kInitialState, 0, 1, 0}, "layers.0.initial_state[1]"},
      {{ParameterKind::kOutputWeight, 0, 0, 1}, "layers.0.output.weight[0,1]"},
      {{ParameterKind::kOutputBias, 0, 1, 0}, "layers.0.output.bias[1]"},
      {{ParameterKind::kReadoutWeight, 0, 1, 0}, "readout.weight[1,0]"},
      {{ParameterKind::kReadoutBias, 0, 2, 0}, "readout.bias[2]"},
  };
  for (const auto& [parameter, name] : cases) {
    EXPECT_EQ(parameter_name(parameter), name);
    const auto parsed = parse_parameter(name);
    ASSERT_TRUE(parsed.has_value()) << name;
    EXPECT_EQ(*parsed, parameter) << name;
  }
}

TEST(Parameter, RefusesNamesNoNetworkHas) {
  for (const char* name :
       {"", "input.weight", "input.weight[1]", "input.bias[1,2]", "input.bias[]", "input.bias[-1]", "input.bias[1",
        "layers.candidate.bias[0]", "layers.x.alpha[0]", "layers.0.weight[0,0]", "layers.0.input.bias[0]", "alpha[0]",
        "layers.0.alpha[0]x", "layers.0.alpha[0,]", "readout.weight[0,1,2]"}) {
    EXPECT_FALSE(parse_parameter(name).has_value()) << name;
  }
}

TEST(Parameter, IsFoundWithinTheShapesOfTheNetwork) {
  Network network;
  network.input = {Matrix::Zero(2, 3), Vector::Zero(2)};
  Layer layer;
  layer.candidate = {Matrix::Zero(4, 2), Vector::Zero(4)};
  layer.beta_lo = layer.beta_hi = layer.alpha = layer.initial_state = Vector::Zero(4);
  layer.output = {Matrix::Zero(2, 4), Vector::Zero(2)};
  network.layers.push_back(layer);
  EXPECT_EQ(find_value(network, {ParameterKind::kInputWeight, 0, 1, 2}), &network.input.weight(1, 2));
  EXPECT_EQ(find_value(network, {ParameterKind::kInputWeight, 0, 2, 0}), nullptr);
  EXPECT_EQ(find_value(network, {ParameterKind::kAlpha, 0, 3, 0}), &network.layers[0].alpha[3]);
  EXPECT_EQ(find_value(network, {ParameterKind::kAlpha, 1, 0, 0}), nullptr);
  EXPECT_EQ(find_value(network, {ParameterKind::kDelta, 0, 0, 0}), nullptr)
      << "beta_hi - beta_lo is no number of its own";
}

}  // namespace
}  // namespace hysteron::model
