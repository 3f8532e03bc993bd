// `verify` on several clips: what is kept, what is simulated again, and what a failure or an interruption leaves.

#include "cli/samples.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

class Verify : public WatchedCli {
 protected:
  Verify() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }

  const Arguments command_ = {"verify", "m.safetensors", "--input", "x.npy",    "--jobs",
                              "1",      "--calibrate",   "cells",   "--output", "signoff"};
};

TEST_F(Verify, KeepsClipsAndSimulatesOnlyWhatIsMissing) {
  const FakeProgram fake(watched(":"));
  use(fake);
  const auto first = run_json(command_);
  EXPECT_EQ(clips_begun(fake), 2u);
  EXPECT_EQ(first["reused_clips"], 0);
  const std::size_t runs = runs_begun(fake);
  EXPECT_GT(runs, 2u) << "cells are calibrated";
  const auto second = run_json(command_);
  EXPECT_EQ(runs_begun(fake), runs) << "neither cells nor clips are simulated again";
  EXPECT_EQ(second["reused_clips"], 2);
  for (const char* figure : {"frame_agreement", "candidate_rms", "logit_rms", "power_nw", "causes", "per_clip"}) {
    EXPECT_EQ(first[figure], second[figure]) << figure;
  }
  const auto file = nlohmann::json::parse(read_file(folder_ / "signoff" / "verify.json"));
  EXPECT_EQ(file, second);

  put("signoff/clips/clip_00001.safetensors", "damaged");
  EXPECT_EQ(run_json(command_)["reused_clips"], 1);
  EXPECT_EQ(clips_begun(fake), 3u);
  EXPECT_EQ(runs_begun(fake), runs + 1);

  put("signoff/sizes.json", "damaged");
  EXPECT_EQ(run_json(command_)["reused_clips"], 2) << "calibration gives the same sizes again";
  EXPECT_GT(runs_begun(fake), runs + 1);
}

TEST_F(Verify, ASignOffThatIsWholeSimulatesNothingAtEveryLevelOfCalibration) {
  const FakeProgram fake(watched(":"));
  use(fake);
  put("train.npy", tiny_features());
  const Arguments command = {"verify", "m.safetensors", "--input",   "x.npy", "--clips", "0", "--jobs",
                             "1",      "--center",      "train.npy", "-o",    "layers"};
  const auto first = run_json(command);
  const std::size_t runs = runs_begun(fake);
  const auto second = run_json(command);
  EXPECT_EQ(runs_begun(fake), runs);
  EXPECT_EQ(second["candidate_rms"], first["candidate_rms"]);
}

TEST_F(Verify, LayersAreCalibratedOnTheFeaturesThatAreAskedFor) {
  const FakeProgram fake(watched(":"));
  use(fake);
  put("train.npy", tiny_features());
  Arguments command = {"verify", "m.safetensors", "--input", "x.npy", "--clips", "0", "-o", "layers"};
  run_json(command);
  command.insert(command.end(), {"--calibrate-on", "train.npy"});
  const std::size_t runs = runs_begun(fake);
  run_json(command);
  EXPECT_GT(runs_begun(fake), runs) << "other frames, so no sizes that were stored are theirs";
  const std::size_t both = runs_begun(fake);
  EXPECT_EQ(run_json(command)["reused_clips"], 1);
  EXPECT_EQ(runs_begun(fake), both);
}

TEST_F(Verify, ClipsOfOtherConditionsOrFeaturesAreStale) {
  const FakeProgram fake(watched(":"));
  use(fake);
  run_json(command_);
  Arguments warmer = command_;
  warmer.insert(warmer.end(), {"--corner", "ff"});
  EXPECT_EQ(run_json(warmer)["reused_clips"], 0);
  EXPECT_EQ(clips_begun(fake), 4u);
  std::string features = tiny_features();
  features[features.size() - 2] ^= 0x40;  // the last value of the second clip
  put("x.npy", features);
  run_json(command_);
  EXPECT_EQ(run_json(command_)["reused_clips"], 2);
}

TEST_F(Verify, AFailingClipIsNamedAndTheOthersAreKept) {
  const FakeProgram fake(watched("[ $count = 2 ] && { echo 'Error: the moon is full' >&2; exit 1; }"));
  use(fake);
  Arguments arguments = command_;
  arguments.emplace_back("--json");
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "clip 1: ngspice: ")) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "the moon is full")) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "1 of 2 clips could not be simulated")) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["clips"], 1);
  EXPECT_EQ(json["failed_clips"], 1);
  EXPECT_EQ(json["per_clip"][1]["failed"], true);
  EXPECT_TRUE(has(json["per_clip"][1]["error"], "the moon is full"));

  const auto again = run_json(command_);  // the third clip run works
  EXPECT_EQ(again["reused_clips"], 1);
  EXPECT_EQ(again["clips"], 2);
  EXPECT_EQ(clips_begun(fake), 3u);
}

TEST_F(Verify, InterruptionKeepsWhatIsDone) {
  const FakeProgram fake(watched("[ $count = 2 ] && sleep 1000"));
  use(fake);
  Program program(command_, surroundings_);
  const Outcome outcome = interrupt_at(program, fake, 2);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "1 of 2 clips are kept in")) << outcome.messages;
  EXPECT_TRUE(fs::exists(folder_ / "signoff" / "clips" / "clip_00000.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "signoff" / "verify.json"));
  expect_no_temporary_files();
  EXPECT_EQ(run_json(command_)["reused_clips"], 1);
}

TEST_F(Verify, WaveformsGoToAFolderOrAFile) {
  run_json({"verify", "m.safetensors", "--input", "x.npy", "--waveforms", "waves"});
  EXPECT_TRUE(fs::exists(folder_ / "waves" / "clip_00000.safetensors"));
  EXPECT_TRUE(fs::exists(folder_ / "waves" / "clip_00001.safetensors"));
  run_json({"verify", "m.safetensors", "--input", "x.npy", "--clips", "1", "--waveforms", "one.safetensors"});
  const std::string bytes = read_file(folder_ / "one.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto header = nlohmann::json::parse(bytes.substr(8, length));
  EXPECT_EQ(header["layers.0.candidate[1]"]["dtype"], "F64");
  EXPECT_EQ(header["layers.0.candidate[1]"]["shape"][0], 2);
  const auto signals = nlohmann::json::parse(header["__metadata__"]["hysteron.signals"].get<std::string>());
  EXPECT_EQ(signals["layers.0.v0[0]"]["unit"], "V");
  EXPECT_EQ(signals["logit[1]"]["unit"], "A");
  EXPECT_LT(signals["logit[1]"]["points"], signals["logit[1]"]["simulated_points"]);
  EXPECT_NEAR(signals["logit[1]"]["tolerance"].get<double>(), 1e-12, 1e-20);
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--waveforms", "two.safetensors"}, 2,
                 {"two.safetensors", "one clip"});
}

TEST_F(Verify, SaysWhereCircuitAndSoftwarePart) {
  const Outcome outcome = run({"verify", "m.safetensors", "--input", "x.npy"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.output, "first difference")) << outcome.output;
  EXPECT_TRUE(has(outcome.output, "settling")) << outcome.output;
  const auto json = run_json({"verify", "m.safetensors", "--input", "x.npy"});
  EXPECT_EQ(json["wrong_bits"], 0);
  EXPECT_EQ(json["per_clip"][0]["first"], nullptr);
  for (const char* cause : {"sizing", "threshold", "hazard", "settling", "leakage"}) {
    EXPECT_EQ(json["causes"][cause]["events"], 0) << cause;
  }
  EXPECT_GT(json["settling_seconds"]["candidates"]["worst"], 0.0);
  ASSERT_EQ(json["state_cells"].size(), 2u);
  EXPECT_EQ(json["state_worst_relative_rms"], json["state_cells"][0]["on_relative_rms"]);
  EXPECT_GE(json["state_cells"][0]["on_relative_rms"], json["state_cells"][0]["relative_rms"]);
  EXPECT_TRUE(has(outcome.output, "% of its alpha when on")) << outcome.output;
  EXPECT_LT(json["settling_seconds"]["logits"]["worst"], 0.01);
}

TEST_F(Verify, AMissedLimitIsExitFive) {
  const Outcome outcome = run({"verify", "m.safetensors", "--input", "x.npy", "--clips", "0", "--output", "signoff",
                               "--fail-under", "candidate_rms=0.0000001"});
  EXPECT_EQ(outcome.exit_code, 5) << outcome.messages;
  EXPECT_TRUE(fs::exists(folder_ / "signoff" / "verify.json"));
}

TEST_F(Verify, AFolderThatCannotBeMadeIsBadInput) {
  put("file", "x");
  const Outcome outcome = run({"verify", "m.safetensors", "--input", "x.npy", "--output", "file/signoff"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "file")) << outcome.messages;
}

/// The tiny model with a weight of 0.05 that one input has in the other's value.
std::string model_with_a_small_weight() {
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors[0].values[1] = 0.05F;
  return safetensors_bytes(tensors, tiny_metadata());
}

TEST_F(Verify, DroppedWeightsAreSaidAndTheCircuitComparesWithTheModelAsGiven) {
  put("m.safetensors", model_with_a_small_weight());
  const auto given = run_json({"verify", "m.safetensors", "--input", "x.npy", "--calibrate", "cells"});
  const auto dropped =
      run_json({"verify", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--drop-below", "0.1"});
  EXPECT_FALSE(given.contains("dropping"));
  EXPECT_EQ(dropped["dropping"]["parameters"], 1);
  EXPECT_EQ(dropped["decision_agreement"], 1.0);
  EXPECT_GT(dropped["candidate_rms"], 0.01) << "the model as given has the weight";
  EXPECT_LT(given["candidate_rms"], 0.01);
}

/// The tiny model with an input weight of 0.002 and one of 0.001: the first is nearer to the smallest leg of generic180
/// than to none.
std::string model_with_weights_too_small() {
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors[0].values[1] = 0.002F;
  tensors[10].values[0] = 0.001F;
  return safetensors_bytes(tensors, tiny_metadata());
}

TEST_F(Verify, WeightsBelowTheSmallestLegAreNamedWithWhatIsMadeAndWhatThatDoes) {
  put("m.safetensors", model_with_weights_too_small());
  for (const Arguments& command : {Arguments{"verify", "m.safetensors", "--input", "x.npy", "--json"},
                                   Arguments{"compile", "m.safetensors", "-o", "c", "--json"}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), {"--calibrate", "curves"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "2 parameters are below the smallest leg: input.weight[0,1] 0.002 made 0.0038"))
        << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "readout.weight[0,0] 0.001 left out")) << outcome.messages;
    const bool is_verify = command.front() == "verify";
    EXPECT_TRUE(has(outcome.messages, is_verify ? "decisions of 2 input clips change in software"
                                                : "decisions of 20 random clips change in software"))
        << outcome.messages;
    const nlohmann::json small = nlohmann::json::parse(outcome.output)["too_small"];
    ASSERT_EQ(small["parameters"].size(), 2U);
    EXPECT_EQ(small["parameters"][0]["parameter"], "input.weight[0,1]");
    EXPECT_NEAR(small["parameters"][0]["target"].get<double>(), 0.002, 1e-8);
    EXPECT_NEAR(small["parameters"][0]["made"].get<double>(), 0.0038, 0.0002);
    EXPECT_EQ(small["left_out"], 1);
    EXPECT_EQ(small["made_larger"], 1);
  }
  const auto summary = nlohmann::json::parse(read_file(folder_ / "c/summary.json"));
  EXPECT_EQ(summary["too_small"]["parameters"].size(), 2U);
  EXPECT_EQ(summary["dropped_parameters"], 1);
}

TEST_F(Verify, EveryCommandThatTakesDropBelowDropsAndSaysSo) {
  put("m.safetensors", model_with_a_small_weight());
  const Arguments more = {"m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--drop-below", "0.1"};
  for (const Arguments& command : {Arguments{"run"}, Arguments{"hazards"}, Arguments{"montecarlo"}}) {
    Arguments arguments = command;
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (command.front() == "run") arguments.insert(arguments.end(), {"--engine", "spice"});
    if (command.front() == "montecarlo") arguments.insert(arguments.end(), {"--dies", "2"});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "dropped 1 weights and biases below 0.1")) << command.front() << outcome.messages;
  }
}

TEST_F(Verify, AClipThatFailsDoesNotEndHazards) {
  const FakeProgram fake(watched("[ $count = 2 ] && { echo 'Error: the moon is full' >&2; exit 1; }"));
  use(fake);
  const Outcome outcome =
      run({"hazards", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--jobs", "1", "--rate", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "clip 1: ngspice: ")) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "the frame rate is not searched")) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_FALSE(json.contains("highest_frame_rate_hz"));
  EXPECT_EQ(json["failed_clips"], (nlohmann::json{1}));
  EXPECT_EQ(json["clips"], 1);
  EXPECT_FALSE(json["rails"].empty());
}

/// The whole line on a folder of tones, with one clip that the simulator cannot solve.
TEST_F(Verify, DemoWritesEverythingAndOwnsUpToAFailedClip) {
  for (const char* word : {"yes", "no", "up", "down", "left", "right", "_silence_"}) {
    for (int speaker = 0; speaker < 6; ++speaker) {
      const double hertz = 300.0 + 250.0 * static_cast<double>(word[0] % 8) + 9.0 * speaker;
      put("words/" + std::string(word) + "/s" + std::to_string(speaker) + "_nohash_0.wav", tone(hertz));
    }
  }
  const FakeProgram fake(watched("if [ $count = 1 ]; then echo 'Error: the moon is full' >&2; exit 1; fi"));
  use(fake);
  const Outcome outcome = run({"demo", "--data", "words", "--output", "demo", "--steps", "60", "--clips", "2",
                               "--width", "2", "--calibrate", "curves", "--jobs", "1", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "1 of 2 clips could not be simulated")) << outcome.messages;
  const auto figures = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(figures["failed_clips"], 1);
  for (const char* key : {"test_accuracy", "transistors", "decision_agreement", "frame_agreement", "state_mismatch"}) {
    EXPECT_TRUE(figures[key].is_number()) << key;
  }
  EXPECT_GT(figures["power_nw"]["total"], 0.0);
  for (const char* file : {"model.safetensors", "test.npy", "circuit/network.spice", "circuit/network_flat.spice",
                           "circuit/mapping.csv", "circuit/summary.json", "demo.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / "demo" / file)) << file;
  }
  EXPECT_TRUE(has(run({"run", "demo/model.safetensors", "--input", "demo/test.npy"}).output, "yes"));
}

}  // namespace
}  // namespace hysteron::cli
