// What --json promises: one object on stdout, with the fields that outside checks rely on.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"
#include "data/npy.h"
#include "model/model_file.h"
#include "model/safetensors.h"

namespace hysteron::cli {
namespace {

using nlohmann::json;

class Json : public Cli {
 protected:
  Json() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }
};

void expect_numbers(const json& object, const std::vector<const char*>& names) {
  for (const char* name : names) EXPECT_TRUE(object.contains(name) && object[name].is_number()) << name;
}

void expect_shares(const json& object, const std::vector<const char*>& names) {
  expect_numbers(object, names);
  for (const char* name : names) {
    EXPECT_GE(object[name].get<double>(), 0.0) << name;
    EXPECT_LE(object[name].get<double>(), 1.0) << name;
  }
}

TEST_F(Json, FeaturesCountsWhatItWrote) {
  put("a.wav", tone(300.0));
  const json result = run_json({"features", "a.wav", "a.wav", "-o", "f.npy"});
  EXPECT_EQ(result["clips"], 2);
  EXPECT_EQ(result["frames"], 101);
  EXPECT_EQ(result["features"], 13);
  EXPECT_EQ(data::read_npy(folder_ / "f.npy").clips, 2U);
}

TEST_F(Json, RunGivesDecisionsVotesAndTraces) {
  const json result = run_json({"run", "m.safetensors", "--input", "x.npy", "--output", "o.safetensors"});
  EXPECT_EQ(result["decisions"], (json{0, 1}));
  EXPECT_EQ(result["votes"], (json{{1.0, 0.0}, {0.0, 1.0}}));
  const model::TensorFile traces = model::read_tensors(folder_ / "o.safetensors");
  using Shape = std::vector<std::size_t>;
  EXPECT_EQ(traces.tensors.at("logits").shape, (Shape{2, 8, 2}));
  EXPECT_EQ(traces.tensors.at("states").shape, (Shape{2, 1, 8, 2}));
  EXPECT_EQ(traces.tensors.at("candidates").shape, (Shape{2, 1, 8, 2}));
}

TEST_F(Json, RunOnNgspiceDecidesAsSoftwareDoes) {
  const json result = run_json({"run", "m.safetensors", "--input", "x.npy", "--engine", "spice"});
  EXPECT_EQ(result["decisions"], (json{0, 1}));
}

TEST_F(Json, RunOnTheBehaviouralEngineHasItsCircuitsErrorsAndItsDies) {
  const auto logits = [&](const Arguments& more, const std::string& file) {
    Arguments all = {"run", "m.safetensors", "--input", "x.npy", "--output", file, "--calibrate", "cells"};
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(run_json(all)["decisions"], (json{0, 1}));
    const std::string data = model::read_tensors(folder_ / file).tensors.at("logits").data;
    std::vector<float> values(data.size() / sizeof(float));
    std::memcpy(values.data(), data.data(), data.size());
    return values;
  };
  const auto software = logits({}, "software");
  const auto drawn = logits({"--engine", "behavioural"}, "drawn");
  const auto die = logits({"--engine", "behavioural", "--die", "7"}, "die");
  EXPECT_NE(drawn, software);
  EXPECT_NE(die, drawn);
  EXPECT_EQ(logits({"--engine", "behavioural", "--die", "7"}, "again"), die);
  for (std::size_t i = 0; i < software.size(); ++i) EXPECT_NEAR(drawn[i], software[i], 0.05) << i;
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--engine", "behavioural", "--die", "0"}, 3, {"die: 0"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--engine", "behavioural", "--die=-1"}, 3, {"--die"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--die", "1"}, 2, {"--engine behavioural"});
}

TEST_F(Json, CompileCountsTheCircuitItWrote) {
  const json result = run_json({"compile", "m.safetensors", "--pdk", "generic180", "-o", "circuit"});
  expect_numbers(result, {"transistors", "legs", "cells", "area_um2"});
  EXPECT_EQ(result["cells"], 2);
  EXPECT_GT(result["transistors"], result["legs"]);
  EXPECT_TRUE(fs::exists(folder_ / "circuit" / "network.spice"));
  const std::string mapping = read_file(folder_ / "circuit" / "mapping.csv");
  for (const char* parameter : {"layers.0.candidate.weight", "readout.weight"}) EXPECT_TRUE(has(mapping, parameter));
  const json summary = json::parse(read_file(folder_ / "circuit" / "summary.json"));
  EXPECT_EQ(summary["transistors"], result["transistors"]);
  std::size_t by_role = 0;
  for (const auto& [role, count] : summary["transistors_by_role"].items()) by_role += count.get<std::size_t>();
  EXPECT_EQ(by_role, summary["transistors"]);
  EXPECT_EQ(summary["transistors_by_role"]["reset"], 2);
  ASSERT_EQ(summary["cell_errors"].size(), 2u);
  EXPECT_LT(std::abs(summary["cell_errors"][0]["fall"].get<double>()), 0.005);
  EXPECT_NEAR(summary["cell_errors"][0]["target_a"]["fall"].get<double>(), 0.3e-9, 1e-15);
}

TEST_F(Json, CellGivesTheLoopInAmpere) {
  const json result =
      run_json({"cell", "--pdk", "generic180", "--i-thresh", "500p", "--i-width", "3e-10", "--i-gain", "1n"});
  EXPECT_NEAR(result["rise"].get<double>(), 500e-12, 10e-12);
  EXPECT_NEAR(result["fall"].get<double>(), 200e-12, 10e-12);
  EXPECT_NEAR(result["high"].get<double>(), 1e-9, 20e-12);
  EXPECT_LT(result["low"].get<double>(), 10e-12);
  EXPECT_NEAR(result["uncalibrated"]["rise"].get<double>(), 500e-12, 50e-12);
  EXPECT_GT(std::abs(result["uncalibrated"]["fall"].get<double>() - 200e-12), 2e-12) << "1 %, by the curves alone";
}

/// Width and length, in metres, that mapping.csv gives for transistor `leg` of the first cell.
std::pair<double, double> mapped_size(const std::string& mapping, const std::string& leg) {
  const std::string row = "xlayer0_cell0_" + leg + ",n,cell,";
  const std::size_t at = mapping.find(row);
  EXPECT_NE(at, std::string::npos) << row << " is not in\n" << mapping;
  double width = 0.0;
  double length = 0.0;
  EXPECT_EQ(std::sscanf(mapping.c_str() + at + row.size(), "%lf,%lf", &width, &length), 2);
  return {1e-6 * width, 1e-6 * length};
}

TEST_F(Json, CellShowsTheCellThatCompileBuilds) {
  run_json({"compile", "m.safetensors", "--pdk", "generic180", "-o", "circuit", "--calibrate", "cells"});
  const std::string mapping = read_file(folder_ / "circuit" / "mapping.csv");
  const json cell =
      run_json({"cell", "--pdk", "generic180", "--i-thresh", "700p", "--i-width", "400p", "--i-gain", "1n"});
  for (const char* leg : {"m2", "m8", "m5"}) {
    const auto [width, length] = mapped_size(mapping, leg);
    EXPECT_NEAR(cell["legs"][leg]["width_m"].get<double>(), width, 1e-12) << leg;
    EXPECT_NEAR(cell["legs"][leg]["length_m"].get<double>(), length, 1e-12) << leg;
  }
}

TEST_F(Json, CellWritesItsWholeLoop) {
  const json result = run_json({"cell", "--i-thresh", "300p", "--i-width", "150p", "--i-gain", "200p", "--corner", "ff",
                                "--temperature", "85", "--loop", "loop.csv"});
  std::istringstream lines(read_file(folder_ / "loop.csv"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line, "candidate_a,output_up_a,output_down_a");
  const double rise = result["rise"].get<double>();
  const double fall = result["fall"].get<double>();
  int inside = 0;
  while (std::getline(lines, line)) {
    double candidate = 0.0;
    double up = 0.0;
    double down = 0.0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf", &candidate, &up, &down), 3) << line;
    if (candidate < fall + 0.1 * (rise - fall) || candidate > rise - 0.1 * (rise - fall)) continue;
    ++inside;
    EXPECT_LT(up, 50e-12) << candidate;
    EXPECT_NEAR(down, result["high"].get<double>(), 5e-12) << candidate;
  }
  EXPECT_GT(inside, 50);
}

TEST_F(Json, ATaskThatBeginsAgainAndAgainIsAnnouncedOnce) {
  const std::string said =
      run({"cell", "--i-thresh", "500p", "--i-width", "300p", "--i-gain", "1n"}).messages;  // calibrates in passes
  const std::string task = "calibrating the cell ...";
  ASSERT_TRUE(has(said, task)) << said;
  EXPECT_EQ(said.find(task), said.rfind(task)) << said;
}

TEST_F(Json, VerifyGivesEveryFigureOfTheContract) {
  const json result = run_json({"verify", "m.safetensors", "--input", "x.npy", "--pdk", "generic180"});
  expect_shares(result, {"decision_agreement", "frame_agreement", "state_mismatch", "centring_frame_change"});
  expect_numbers(result, {"clips", "candidate_rms", "candidate_max", "candidate_relative_rms", "state_rms", "state_max",
                          "logit_rms"});
  const json& suppression = result["suppression"];
  expect_numbers(suppression, {"candidate_relative_rms", "state_relative_rms", "ratio", "n"});
  EXPECT_EQ(suppression["candidate_relative_rms"], result["candidate_relative_rms"]);
  EXPECT_EQ(suppression["n"], 2 * 8 * 2) << "clips, frames, cells";
  EXPECT_NEAR(suppression["ratio"].get<double>() * suppression["state_relative_rms"].get<double>(),
              result["candidate_relative_rms"].get<double>(), 1e-12);
  expect_numbers(suppression["on"], {"state_relative_rms", "ratio", "n"});
  EXPECT_LT(suppression["on"]["n"], suppression["n"]);
  EXPECT_EQ(result["clips"], 2);
  EXPECT_EQ(result["decision_agreement"], 1.0);
  EXPECT_EQ(result["state_mismatch"], 0.0);
  const json& power = result["power_nw"];
  expect_numbers(power, {"total", "cells", "feedforward"});
  const double sum = power["cells"].get<double>() + power["feedforward"].get<double>();
  EXPECT_NEAR(power["total"].get<double>(), sum, 1e-6 * sum);
}

TEST_F(Json, VerifyTakesTheClipsItIsTold) {
  const json result = run_json({"verify", "m.safetensors", "--input", "x.npy", "--clips", "1"});
  EXPECT_EQ(result["clips"], 1);
}

TEST_F(Json, CompileAndVerifyNameRestingCandidatesUnasked) {
  put("rest.safetensors", resting_model());
  const Outcome outcome = run({"compile", "rest.safetensors", "-o", "circuit", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "layers.0 cell 0")) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "exactly on beta_lo")) << outcome.messages;
  const json resting = json::parse(outcome.output)["resting_candidates"];
  ASSERT_EQ(resting.size(), 1U);
  EXPECT_EQ(resting[0]["threshold_name"], "beta_lo");
  EXPECT_EQ(resting[0]["distance"], 0.0);
  EXPECT_TRUE(run_json({"verify", "m.safetensors", "--input", "x.npy", "--clips", "0"})["resting_candidates"].empty());
}

TEST_F(Json, CompileCentersAndWritesTheModelItMade) {
  put("rest.safetensors", resting_model());
  put("train.npy", resting_features());
  const json result = run_json({"compile", "rest.safetensors", "--center", "train.npy", "-o", "circuit"});
  const json summary = json::parse(read_file(folder_ / "circuit" / "summary.json"));
  EXPECT_EQ(summary["centring"], result["centring"]);
  EXPECT_TRUE(result["resting_candidates"].empty());
  EXPECT_GT(result["centring"]["mismatch"].get<double>(), 0.005);
  EXPECT_LT(result["centring"]["mismatch"].get<double>(), 0.1);
  EXPECT_EQ(result["centring"]["decisions_changed"], 0);
  const json& lower = result["centring"]["cells"][0]["beta_lo"];
  expect_numbers(lower["after"], {"threshold", "margin_percent", "margin_sigma"});
  EXPECT_EQ(lower["before"]["margin_percent"], 0.0);
  EXPECT_GT(lower["after"]["margin_percent"].get<double>(), 3.0);
  const model::Network centered = model::load_model(folder_ / "circuit" / "centered.safetensors");
  EXPECT_FLOAT_EQ(centered.layers[0].beta_lo[0], lower["after"]["threshold"].get<float>());
  EXPECT_LT(centered.layers[0].beta_lo[0], 0.29F);
}

TEST_F(Json, VerifyComparesDecisionsWithTheModelAsGiven) {
  put("rest.safetensors", resting_model());
  put("train.npy", resting_features());
  const json result =
      run_json({"verify", "rest.safetensors", "--input", "train.npy", "--center", "train.npy", "--clips", "0,1"});
  EXPECT_EQ(result["decision_agreement"], 1.0);
  EXPECT_EQ(result["frame_agreement"], 1.0);
  EXPECT_EQ(result["state_mismatch"], 0.0);
  EXPECT_EQ(result["centring_frame_change"], 0.0);
  EXPECT_GE(result["centring"]["thresholds_moved"].get<int>(), 1);
}

TEST_F(Json, TrainAndEvalGiveAccuracies) {
  put_tones(folder_ / "tones");
  put("c.toml", tiny_training("tones", "trained.safetensors"));
  const json training = run_json({"train", "c.toml"});
  EXPECT_EQ(training["model"], "trained.safetensors");
  EXPECT_EQ(training["steps"], 20);
  expect_shares(training, {"test_accuracy", "validation_accuracy"});
  expect_numbers(training, {"seconds"});

  const json result = run_json({"eval", "trained.safetensors", "--data", "tones", "--split", "test"});
  expect_shares(result, {"accuracy", "balanced_accuracy"});
  EXPECT_EQ(result["accuracy"], training["test_accuracy"]);
  std::size_t clips = 0;
  for (const json& row : result["confusion"]) {
    for (const json& count : row) clips += count.get<std::size_t>();
  }
  EXPECT_EQ(result["clips"], clips);
}

/// Every weight and bias of a model that was trained with 3 bits: a whole number of thirds of its array's largest.
TEST_F(Json, AModelTrainedOnLevelsIsSavedOnThem) {
  put_tones(folder_ / "tones");
  put("c.toml", tiny_training("tones", "trained.safetensors") + "[training_noise]\nbits = 3\nweights = 0.2\n");
  run_json({"train", "c.toml"});
  std::size_t arrays = 0;
  for (const auto& [name, tensor] : model::read_tensors(folder_ / "trained.safetensors").tensors) {
    if (!name.ends_with(".weight") && !name.ends_with(".bias")) continue;
    ++arrays;
    const std::vector<float> values = model::float_values(tensor, "trained", name);
    float largest = 0.0F;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    ASSERT_GT(largest, 0.0F) << name;
    for (const float value : values)
      EXPECT_NEAR(3.0F * value / largest, std::round(3.0F * value / largest), 1e-4) << name;
  }
  EXPECT_EQ(arrays, 8U);
  const json dies =
      run_json({"eval", "trained.safetensors", "--data", "tones", "--draws", "5", "--static", "0.5"})["dies"];
  EXPECT_EQ(dies["draws"], 5);
  expect_shares(dies["accuracy"], {"mean", "worst"});
  expect_shares(dies["balanced_accuracy"], {"mean", "worst"});
  EXPECT_GT(dies["accuracy"]["deviation"].get<double>(), 0.0) << "no two dies are the same";
}

TEST_F(Json, AMissedLimitExitsWithFiveAndStillPrintsTheFigures) {
  const Outcome outcome =
      run({"verify", "m.safetensors", "--input", "x.npy", "--fail-under", "frame_agreement=1.1", "--json"});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "frame_agreement")) << outcome.messages;
  EXPECT_TRUE(json::parse(outcome.output, nullptr, false).is_object()) << outcome.output;
}

}  // namespace
}  // namespace hysteron::cli
