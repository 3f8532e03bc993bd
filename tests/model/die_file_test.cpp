#include "model/die_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "model/model_testing.h"

namespace hysteron::model {
namespace {

/// Errors of a percent or so everywhere.
DieErrors some_errors(const Network& network) {
  Random random(5);
  DieErrors errors = DieErrors::none(network);
  const auto fill = [&](auto& values) {
    for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<float>(0.02 * random.normal());
  };
  const auto fill_affine = [&](Affine& affine) {
    fill(affine.weight);
    fill(affine.bias);
  };
  fill_affine(errors.input);
  for (LayerErrors& layer : errors.layers) {
    fill_affine(layer.candidate);
    fill_affine(layer.output);
    for (Vector* values : {&layer.offset, &layer.threshold, &layer.width, &layer.gain}) fill(*values);
  }
  fill_affine(errors.readout);
  fill(errors.readout_offset);
  return errors;
}

TEST(DieErrors, AChipHasEveryParameterWithItsError) {
  const Network network = random_network(1);
  const DieErrors errors = some_errors(network);
  const Network chip = on_die(network, errors);
  const LayerErrors& own = errors.layers[1];
  const Layer& before = network.layers[1];
  const Layer& after = chip.layers[1];
  EXPECT_FLOAT_EQ(chip.input.weight(1, 2), network.input.weight(1, 2) * (1.0F + errors.input.weight(1, 2)));
  EXPECT_FLOAT_EQ(after.candidate.bias[3], before.candidate.bias[3] * (1.0F + own.candidate.bias[3]) + own.offset[3]);
  EXPECT_FLOAT_EQ(after.beta_hi[2], before.beta_hi[2] * (1.0F + own.threshold[2]));
  const float width = (before.beta_hi[2] - before.beta_lo[2]) * (1.0F + own.width[2]);
  EXPECT_FLOAT_EQ(after.beta_lo[2], std::max(0.0F, after.beta_hi[2] - width));
  EXPECT_FLOAT_EQ(after.alpha[0], before.alpha[0] * (1.0F + own.gain[0]));
  EXPECT_FLOAT_EQ(chip.readout.bias[1],
                  network.readout.bias[1] * (1.0F + errors.readout.bias[1]) + errors.readout_offset[1]);
  const Network same = on_die(network, DieErrors::none(network));
  EXPECT_EQ(same.layers[1].output.weight, network.layers[1].output.weight);
  EXPECT_EQ(same.layers[1].beta_hi, network.layers[1].beta_hi);
  EXPECT_EQ(network_key(network), network_key(random_network(1)));
  EXPECT_NE(network_key(chip), network_key(network));
}

class DieFile : public testing::Test {
 protected:
  DieFile() { write_die_file(path_, errors_, network_, "m.safetensors", {{"measured", "on a bench"}}); }

  void expect_refusal(const Network& network, const std::vector<std::string>& parts) const {
    try {
      read_die_file(path_, network);
      ADD_FAILURE() << parts.front();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      for (const std::string& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
      EXPECT_NE(std::string(error.what()).find("die.json"), std::string::npos) << error.what();
    }
  }

  TemporaryDirectory folder_{"die-file"};
  std::filesystem::path path_ = folder_.path() / "die.json";
  Network network_ = random_network(1);
  DieErrors errors_ = some_errors(network_);
};

TEST_F(DieFile, ComesBackToTheLastBit) {
  const DieErrors back = read_die_file(path_, network_);
  EXPECT_EQ(back.input.weight, errors_.input.weight);
  EXPECT_EQ(back.layers[1].width, errors_.layers[1].width);
  EXPECT_EQ(back.layers[0].offset, errors_.layers[0].offset);
  EXPECT_EQ(back.readout_offset, errors_.readout_offset);
  EXPECT_EQ(nlohmann::json::parse(read_file(path_))["measured"], "on a bench");
}

TEST_F(DieFile, BelongsToItsModelAndToWhatWasTunedForTheChip) {
  Network other = network_;
  other.readout.bias[0] += 0.01F;
  expect_refusal(other, {"another model", "m.safetensors", network_key(network_)});
  other.training = tuned_for(R"({"steps": 3})", die_file_key(path_));
  EXPECT_EQ(nlohmann::json::parse(other.training)["steps"], 3);
  EXPECT_EQ(read_die_file(path_, other).layers[0].gain, errors_.layers[0].gain);
  // What is measured of the chip after that belongs to the chip, too.
  write_die_file(path_, errors_, other, "tuned.safetensors", nlohmann::ordered_json::object());
  EXPECT_EQ(die_file_key(path_), network_key(network_));
}

TEST_F(DieFile, OneThatIsNotWholeIsRefusedByName) {
  const auto whole = nlohmann::ordered_json::parse(read_file(path_));
  const auto refused = [&](const auto& damage, const std::vector<std::string>& parts) {
    auto json = whole;
    damage(json);
    write_file(path_, json.dump());
    expect_refusal(network_, parts);
  };
  refused([](auto& json) { json.erase("hysteron.die"); }, {"hysteron.die", "not a die file"});
  refused([](auto& json) { json["hysteron.die"] = "9"; }, {"hysteron.die", "\"9\""});
  refused([](auto& json) { json.erase("model"); }, {"model.key"});
  refused([](auto& json) { json.erase("errors"); }, {"errors"});
  refused([](auto& json) { json["errors"].erase("layers.1.width"); }, {"errors.layers.1.width is missing"});
  refused([](auto& json) { json["errors"]["readout.bias"].push_back(0.0); }, {"errors.readout.bias", "3 values", "2"});
  refused([](auto& json) { json["errors"]["input.bias"][1] = nullptr; }, {"errors.input.bias[1]", "null"});
  refused([](auto& json) { json["errors"]["input.bias"][1] = 1e6; }, {"errors.input.bias[1]"});
  write_file(path_, "{\"hysteron.die\": ");
  expect_refusal(network_, {"not a die file"});
}

}  // namespace
}  // namespace hysteron::model
