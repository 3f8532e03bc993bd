// `power`: what grows with the width, and how.

#include <algorithm>
#include <cmath>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Power : public Cli {};

TEST_F(Power, CellsGrowWithTheWidthAndTheirLegsWithItsSquare) {
  const auto json =
      run_json({"power", "--dims", "2,4", "--model-dims", "32,128,256,512", "--frames", "3", "--calibrate", "curves"});
  EXPECT_EQ(json["dims"], (nlohmann::json{2, 4, 32, 128, 256, 512}));
  EXPECT_NEAR(json["exponent_cells"].get<double>(), 1.0, 0.05);
  EXPECT_NEAR(json["exponent_feedforward"].get<double>(), 2.0, 0.15);
  EXPECT_GT(json["exponent_feedforward_large"], 1.8);
  EXPECT_LT(json["worst_model_error"], 0.08);
  EXPECT_EQ(json["local_exponents"].size(), 5u);
  const auto& local = json["local"][4];
  EXPECT_EQ(local["from"], 256);
  EXPECT_NEAR(local["cells"].get<double>(), 1.0, 0.1);
  EXPECT_GT(local["feedforward_half_interval"], 0.0);
  EXPECT_LT(local["feedforward_half_interval"], 0.2);
  EXPECT_GT(json["fit_total"]["quadratic_half_interval_nw"], 0.0);
  EXPECT_TRUE(std::ranges::is_sorted(json["total_nw"].get<std::vector<double>>()));
  const auto& point = json["points"][1];
  EXPECT_NEAR(point["model_nw"]["total"].get<double>(), json["total_nw"][1].get<double>(), 1e-9);
  EXPECT_LT(point["rest_nw"]["total"], point["model_nw"]["total"]);
  EXPECT_LT(json["worst_model_error_same_bits"], 0.05);
  EXPECT_LT(json["worst_model_error_settled"], 0.05);
  EXPECT_LT(json["worst_model_error_at_rest"], 0.1);
  EXPECT_EQ(point["rest_state_mismatch"], 0.0) << "narrow circuits hold at rest what software holds";
  EXPECT_NE(point["spice_settled_nw"]["total"], point["spice_nw"]["total"]) << "frames begin with what switches";
  EXPECT_NEAR(point["energy_per_decision_j"].get<double>(), 101 * point["energy_per_frame_j"].get<double>(), 1e-15);
  EXPECT_LT(point["spice_rest_nw"]["total"], point["spice_nw"]["total"]);
  EXPECT_FALSE(json["points"][2].contains("spice_nw"));
  const auto spice = [&](std::size_t i) { return json["points"][i]["spice_nw"]["total"].get<double>(); };
  EXPECT_EQ(json["spice_scaling"]["dims"], (nlohmann::json{2.0, 4.0}));
  EXPECT_NEAR(json["spice_scaling"]["exponent_total"].get<double>(), std::log2(spice(1) / spice(0)), 1e-9);
}

TEST_F(Power, SplitsANetworkOfOnesOwnByBlockAndFrame) {
  put("model.safetensors", tiny_model());
  put("test.npy", tiny_features());
  const auto json = run_json(
      {"power", "model.safetensors", "--input", "test.npy", "--clips", "1", "--calibrate", "curves", "--frames", "3"});
  EXPECT_FALSE(json.contains("points")) << "no drawn networks unless they are asked for";
  ASSERT_EQ(json["networks"].size(), 1u);
  const auto& network = json["networks"][0];
  EXPECT_EQ(network["dim"], 2);
  EXPECT_EQ(network["frames"], 8);
  EXPECT_EQ(network["clips"], (nlohmann::json{1}));
  double listening = 0.0;
  double rest = 0.0;
  for (const auto& block : network["blocks"]) {
    listening += block["listening_nw"].get<double>();
    rest += block["rest_nw"].get<double>();
  }
  const double total = network["spice_nw"]["total"];
  EXPECT_NEAR(listening, total, 1e-6 * total);
  EXPECT_NEAR(rest, network["spice_rest_nw"]["total"].get<double>(), 1e-6 * total);
  EXPECT_LT(rest, listening);
  EXPECT_NEAR(network["model_nw"]["total"].get<double>() / total, 1.0, 0.08);
  EXPECT_NEAR(network["energy_per_decision_j"].get<double>(), total * 1e-9 * 8 * 0.01, 1e-15);
  const auto& frames = network["over_time_nw"]["listening"][0];
  EXPECT_EQ(frames["total"].size(), 8u);
  EXPECT_EQ(frames["blocks"].size(), network["blocks"].size());
  EXPECT_EQ(network["over_time_nw"]["rest"]["total"].size(), 3u);
  EXPECT_GT(frames["total"][1], frames["total"][6]) << "the input falls from 1 to 0.5";

  // `power_nw` of verify is the same measurement.
  const auto verified =
      run_json({"verify", "model.safetensors", "--input", "test.npy", "--clips", "1", "--calibrate", "curves"});
  for (const char* part : {"total", "cells", "feedforward"}) {
    EXPECT_NEAR(network["spice_nw"][part].get<double>() / verified["power_nw"][part].get<double>(), 1.0, 5e-3) << part;
  }
}

TEST_F(Power, ComparesModelsOfSeveralWidths) {
  put("narrow.safetensors", tiny_model());
  std::vector<NamedTensor> tensors = tiny_tensors();
  for (NamedTensor& tensor : tensors) {  // the same network with every channel twice
    const bool has_rows = tensor.name != "readout.weight" && tensor.name != "readout.bias";
    if (tensor.shape.size() == 2 && tensor.shape[1] == 2 && tensor.name != "input.weight") {
      std::vector<float> values;
      for (std::size_t row = 0; row < 2; ++row) {
        values.insert(values.end(), {tensor.values[2 * row], tensor.values[2 * row + 1], 0.0F, 0.0F});
      }
      tensor.values = std::move(values);
      tensor.shape[1] = 4;
    }
    if (!has_rows) continue;
    const std::vector<float> rows = tensor.values;
    tensor.values.insert(tensor.values.end(), rows.begin(), rows.end());
    tensor.shape[0] = 4;
  }
  put("wide.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  put("test.npy", tiny_features());
  const auto json = run_json({"power", "narrow.safetensors", "wide.safetensors", "--input", "test.npy",
                              "--simulate-up-to", "2", "--calibrate", "curves"});
  EXPECT_TRUE(json["networks"][0].contains("spice_nw"));
  EXPECT_FALSE(json["networks"][1].contains("spice_nw")) << "wider than --simulate-up-to";
  EXPECT_FALSE(json.contains("networks_spice_scaling")) << "one width alone";
  const auto& scaling = json["networks_model_scaling"];
  EXPECT_NEAR(scaling["exponent_cells"].get<double>(), 1.0, 1e-6) << "every cell twice";
  EXPECT_EQ(scaling["local"][0]["from"], 2);
  EXPECT_TRUE(scaling["local"][0]["cells_half_interval"].is_number());
}

TEST_F(Power, ReportsAWidthThatTakesTooLongAndGoesOn) {
  const Outcome outcome =
      run({"power", "--dims", "2", "--model-dims", "32,64", "--calibrate", "curves", "--time-limit", "0.05", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << outcome.messages;
  EXPECT_TRUE(has(json["points"][0]["error"].get<std::string>(), "ran longer"));
  EXPECT_EQ(json["points"].size(), 3u);
  EXPECT_TRUE(json["worst_model_error"].is_null()) << "nothing was compared";
}

TEST_F(Power, RefusesModelsItCannotPlay) {
  put("model.safetensors", tiny_model());
  put("test.npy", tiny_features());
  put("wide.npy", npy_bytes("1, 2, 3", std::vector<float>(6, 0.0F)));
  expect_refusal({"power", "model.safetensors"}, 2, {"--input"});
  expect_refusal({"power", "--input", "test.npy"}, 2, {"models"});
  expect_refusal({"power", "absent.safetensors", "--input", "test.npy"}, 3, {"absent.safetensors"});
  expect_refusal({"power", "model.safetensors", "--input", "wide.npy"}, 3, {"wide.npy", "3 inputs"});
  expect_refusal({"power", "model.safetensors", "--input", "test.npy", "--clips", "2"}, 3, {"no clip 2"});
  expect_refusal({"power", "model.safetensors", "--input", "test.npy", "--clips", "1,0,1"}, 3, {"clip 1", "twice"});
}

TEST_F(Power, RefusesWidthsThatCannotBe) {
  expect_refusal({"power", "--dims", "3,4,8"}, 3, {"width 3", "even"});
  expect_refusal({"power", "--dims", "4,8", "--model-dims", "8"}, 3, {"none twice"});
  expect_refusal({"power", "--frames", "0"}, 3, {"--frames"});
}

}  // namespace
}  // namespace hysteron::cli
