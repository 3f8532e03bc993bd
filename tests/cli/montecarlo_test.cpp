// `montecarlo`: what it gives, what is kept of it, and what a failure or an interruption leaves.

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "cli/samples.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

class MonteCarlo : public WatchedCli {
 protected:
  MonteCarlo() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }

  static Arguments command(const Arguments& more) {
    Arguments all = {"montecarlo", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--jobs", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_the_same_flips(const std::string& technology) const;
};

TEST_F(MonteCarlo, CountsDiesThatDecideAsSoftwareDoes) {
  const auto json = run_json(command({"--dies", "50", "--seed", "3"}));
  EXPECT_EQ(json["dies"], 50);
  EXPECT_EQ(json["clips"], 2);
  EXPECT_EQ(json["decision_yield"], 1.0) << "thresholds are far from every candidate";
  EXPECT_NEAR(json["ci95"][0].get<double>(), 0.963, 0.001);
  EXPECT_EQ(json["ci95"][1], 1.0);
  ASSERT_EQ(json["per_clip"].size(), 2u);
  EXPECT_EQ(json["per_clip"][1]["software"], "second");
  EXPECT_EQ(json["per_clip"][0]["margin_votes"], 8);
  ASSERT_EQ(json["per_die"].size(), 50u);
  EXPECT_EQ(json["per_die"][0]["seed"], 3);
  EXPECT_EQ(json["per_die"][49]["seed"], 52);
  EXPECT_EQ(json["seed"], 3);
  EXPECT_EQ(json["engine"], "behavioural");
  EXPECT_EQ(json["technology"], "generic180");
  EXPECT_EQ(json["unit_current_a"], 1e-9);
  EXPECT_EQ(json["cells"].size(), 2u);
}

/// The second cell has its threshold so near a candidate that mismatch decides.
TEST_F(MonteCarlo, SeesWhatMismatchFlips) {
  auto tensors = tiny_tensors();
  for (auto& tensor : tensors) {
    if (tensor.name == "layers.0.beta_hi") tensor.values = {0.7F, 0.999F};
  }
  put("m.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  const auto json = run_json(command({"--dies", "200"}));
  EXPECT_GT(json["state_mismatch"], 0.05);
  EXPECT_EQ(json["cells"][0]["cell"], 1);
  EXPECT_GT(json["cells"][0]["state_mismatch"], 0.1);
  EXPECT_EQ(json["cells"][1]["state_mismatch"], 0.0);
}

/// No clip flips on any die: a law needs flips at two margins.
TEST_F(MonteCarlo, GivesNoLawOfMarginsWhereTooFewFlip) {
  const auto json = run_json(command({"--dies", "20"}));
  EXPECT_TRUE(json["margin_fit"]["slope"].is_null());
  EXPECT_TRUE(json["margin_fit"]["slope_ci95"][0].is_null());
  EXPECT_EQ(json["margin_fit"]["resamples"], 0);
}

/// The first clip rests right above beta_lo of its cell after having set it; trims are found on clips like it.
TEST_F(MonteCarlo, TrimsTheLegThatDiesMiss) {
  auto tensors = tiny_tensors();
  for (auto& tensor : tensors) {
    if (tensor.name == "layers.0.beta_lo") tensor.values = {0.49F, 0.3F};
    if (tensor.name == "readout.bias") tensor.values = {0.0F, 1.5F};  // "second" where the skip path alone speaks
  }
  put("m.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  std::vector<float> values;
  for (int frame = 0; frame < 8; ++frame) values.insert(values.end(), {frame < 3 ? 1.0F : 0.5F, 0.12F});
  put("train.npy", npy_bytes("1, 8, 2", values));
  const Arguments trimmed = command({"--dies", "100", "--trim", "1", "--trim-on", "train.npy", "--trim-bits", "7"});
  const auto json = run_json(trimmed);
  const auto& trim = json["trim"];
  ASSERT_EQ(trim["legs"].size(), 1u);
  EXPECT_EQ(trim["legs"][0]["parameter"], "layers.0.delta[0]");
  EXPECT_EQ(trim["storage_bits"], 7);
  EXPECT_EQ(trim["extra_transistors"], 14);
  EXPECT_LT(trim["before"]["decision_yield"], 0.95);
  EXPECT_GT(json["decision_yield"], trim["before"]["decision_yield"].get<double>() + 0.04);
  EXPECT_GT(json["decision_yield"], 0.99);
  ASSERT_EQ(json["per_die"][0]["trim_codes"].size(), 1u);
  const auto plain = run_json(command({"--dies", "100"}));
  EXPECT_EQ(trim["before"]["decision_yield"], plain["decision_yield"]) << "the same dies";
  EXPECT_EQ(trim["before"]["ci95"], plain["ci95"]);
}

TEST_F(MonteCarlo, RefusesTrimsThatCannotBe) {
  expect_refusal(command({"--dies", "1", "--trim", "1"}), 2, {"--trim-on", "--center"});
  expect_refusal(command({"--dies", "1", "--trim", "1", "--trim-on", "x.npy"}), 3, {"x.npy", "clip 0", "not tested"});
  expect_refusal(command({"--dies", "1", "--trim", "1", "--trim-on", "absent.npy"}), 3, {"absent.npy"});
  expect_refusal(command({"--dies", "1", "--trim", "1", "--engine", "both"}), 2, {"trim", "behavioural"});
  expect_refusal(command({"--dies", "1", "--trim", "1", "--trim-step", "0.4"}), 3, {"trim_step", "0.4"});
  expect_refusal(command({"--dies", "1", "--trim", "1", "--trim-bits", "0"}), 2, {"--trim-bits"});
}

TEST_F(MonteCarlo, IsTheSameAtAnyThreadCountAndDieByDie) {
  auto all = run_json(command({"--dies", "20"}));
  auto parallel = run_json(
      {"montecarlo", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--jobs", "2", "--dies", "20"});
  all.erase("seconds");
  parallel.erase("seconds");
  EXPECT_EQ(all, parallel);
  EXPECT_EQ(run_json(command({"--dies", "1", "--seed", "17"}))["per_die"][0], all["per_die"][16]);
  EXPECT_EQ(run_json(command({"--dies", "20", "--clips", "1"}))["per_clip"][0], all["per_clip"][1]);
  const auto noisy = run_json(command({"--dies", "20", "--device-noise"}));
  EXPECT_EQ(noisy["device_noise"], true);
  EXPECT_EQ(run_json(command({"--dies", "20", "--clips", "1", "--device-noise"}))["per_clip"][0], noisy["per_clip"][1]);
  expect_refusal(command({"--dies", "1", "--device-noise", "--engine", "spice"}), 2, {"device_noise", "behavioural"});
}

TEST_F(MonteCarlo, RunsTheDiesOfNgspiceInBothEnginesAndKeepsThem) {
  const FakeProgram fake(watched(":"));
  use(fake);
  const Arguments both = command({"--dies", "2", "--engine", "both", "--output", "dies"});
  auto first = run_json(both);
  EXPECT_EQ(clips_begun(fake), 6u) << "two dies, two clips and the draws of each die";
  EXPECT_EQ(first["decision_yield"], 1.0);
  EXPECT_EQ(first["conformance"]["clips"], 4);
  EXPECT_EQ(first["conformance"]["same_bits"], 1.0);
  EXPECT_LT(first["conformance"]["candidate_relative_rms"], 0.02);
  EXPECT_EQ(first["conformance"]["differing"].size(), 0u);
  EXPECT_GT(first["per_die"][0]["power_nw"], 1.0);
  EXPECT_NE(first["per_die"][0]["power_nw"], first["per_die"][1]["power_nw"]) << "dies differ";
  EXPECT_TRUE(fs::exists(folder_ / "dies" / "dies" / "die_0000000002" / "clip_00001.safetensors"));
  auto again = run_json(command({"--dies", "2", "--engine", "spice", "--output", "dies"}));
  EXPECT_EQ(clips_begun(fake), 6u);
  EXPECT_EQ(again["per_die"], first["per_die"]);
  auto alone = run_json(command({"--dies", "1", "--seed", "2", "--engine", "spice"}));
  EXPECT_EQ(alone["per_die"][0], first["per_die"][1]);
}

/// Thresholds that mismatch carries past candidates: what a die does is then decided by its draws, which both engines
/// are handed.
void MonteCarlo::expect_the_same_flips(const std::string& technology) const {
  auto tensors = tiny_tensors();
  for (auto& tensor : tensors) {
    if (tensor.name == "layers.0.beta_hi") tensor.values = {0.7F, 0.985F};
    if (tensor.name == "readout.bias") tensor.values = {1.5F, 0.0F};  // "second" where the second cell alone is on
  }
  put("m.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  const auto json = run_json(command({"--dies", "16", "--engine", "both", "--pdk", technology}));
  EXPECT_GT(json["state_mismatch"], 0.02) << "some dies never set the second cell";
  EXPECT_LT(json["per_clip"][1]["decision_yield"], 1.0) << "and decide otherwise";
  EXPECT_GT(json["per_clip"][1]["decision_yield"], 0.2) << "others do set it";
  EXPECT_LT(json["ci95_resampled"][0], json["ci95"][0]) << "one of two clips flips: others may differ by more";
  EXPECT_GT(json["ci95_resampled"][1], json["decision_yield"]);
  EXPECT_EQ(json["conformance"]["clips"], 32);
  EXPECT_GE(json["conformance"]["same_decisions"], 30.0 / 32.0);
  EXPECT_GE(json["conformance"]["same_bits"], 0.97);
  const auto lost = [&](const char* where) { return json["conformance"][where].get<std::size_t>(); };
  EXPECT_EQ(lost("lost_in_spice"), std::lround(32.0 * (1.0 - json["decision_yield"].get<double>())));
  EXPECT_GE(lost("lost_in_both") + 2, lost("lost_in_spice")) << "the flips are the same ones";
  EXPECT_LE(lost("lost_in_behavioural"), lost("lost_in_both") + 2);
  EXPECT_LT(json["conformance"]["candidate_relative_rms"], 0.02);
  EXPECT_EQ(json["conformance"]["differing"].size(),
            std::lround(32.0 * (1.0 - json["conformance"]["same_decisions"].get<double>())));
}

TEST_F(MonteCarlo, BothEnginesFlipTheSameBits) { expect_the_same_flips("generic180"); }

TEST_F(MonteCarlo, BothEnginesFlipTheSameBitsOnThePdk) {
  const char* root = std::getenv("PDK_ROOT");
  if (root == nullptr || !fs::exists(root)) GTEST_SKIP() << "$PDK_ROOT names no folder with the gf180mcu PDK";
  expect_the_same_flips("gf180mcu");
}

TEST_F(MonteCarlo, APairThatFailsIsNamedAndCountsForNothing) {
  const FakeProgram fake(watched("[ $count = 2 ] && { echo 'Error: the moon is full' >&2; exit 1; }"));
  use(fake);
  const Arguments arguments = command({"--dies", "2", "--engine", "spice", "--output", "dies", "--json"});
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "die 1, clip 1: ngspice: ")) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  ASSERT_EQ(json["failed"].size(), 1u);
  EXPECT_EQ(json["failed"][0]["seed"], 1);
  EXPECT_TRUE(has(json["failed"][0]["error"], "the moon is full"));
  EXPECT_EQ(json["per_die"][0]["clips"], 1);
  EXPECT_EQ(json["per_clip"][1]["dies"], 1);
  EXPECT_EQ(run_json(command({"--dies", "2", "--engine", "spice", "--output", "dies"}))["failed"].size(), 0u);
}

TEST_F(MonteCarlo, WhereEveryPairFailsEachIsNamed) {
  const FakeProgram fake(watched("echo 'Error: the moon is full' >&2; exit 1"));
  use(fake);
  const Outcome outcome = run(command({"--dies", "2", "--engine", "both", "--json"}));
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["failed"].size(), 4u);
  EXPECT_EQ(json["per_die"][0]["clips"], 0);
  for (const char* figure : {"decision_yield", "ci95", "ci95_resampled", "frame_agreement", "state_mismatch"}) {
    EXPECT_TRUE(json[figure].is_null()) << figure;
  }
  EXPECT_TRUE(json["per_clip"][0]["frame_agreement"].is_null());
  EXPECT_TRUE(json["cells"][0]["state_mismatch"].is_null());
  EXPECT_FALSE(json.contains("conformance")) << "nothing was compared";
  EXPECT_EQ(run(command({"--dies", "1", "--engine", "spice"})).exit_code, 4);
  EXPECT_TRUE(has(outcome.messages, "4 of 4 runs could not be simulated")) << outcome.messages;
}

TEST_F(MonteCarlo, ADieWhoseDrawsCannotBeReadIsNamedAndItsRunKept) {
  // One die, two clips: a clip, the draws of its die, the other clip, the draws once more.
  const FakeProgram fake(watched("[ $count = 2 ] && { echo 'Error: the moon is full' >&2; exit 1; }"));
  use(fake);
  const Arguments arguments = command({"--dies", "1", "--engine", "both", "--output", "dies"});
  Arguments with_json = arguments;
  with_json.emplace_back("--json");
  const Outcome outcome = run(with_json);
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["failed"].size(), 1u);
  EXPECT_TRUE(fs::exists(folder_ / "dies" / "dies" / "die_0000000001" / "clip_00000.safetensors"));
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["conformance"]["clips"], 1) << "of the clip that read them again";
  EXPECT_EQ(run_json(arguments)["conformance"]["clips"], 2);
  EXPECT_EQ(clips_begun(fake), 5u) << "the draws alone are simulated again";
}

TEST_F(MonteCarlo, InterruptionKeepsWhatIsDone) {
  const FakeProgram fake(watched("[ $count = 2 ] && sleep 1000"));
  use(fake);
  const Arguments arguments = command({"--dies", "2", "--engine", "spice", "--output", "dies"});
  Program program(arguments, surroundings_);
  const Outcome outcome = interrupt_at(program, fake, 2);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "1 of 4 runs are kept in")) << outcome.messages;
  expect_no_temporary_files();
  run_json(arguments);
  EXPECT_EQ(clips_begun(fake), 5u) << "three more";
}

/// Blocks of dies of the behavioural engine; a block of other clips is stale.
TEST_F(MonteCarlo, InterruptionKeepsTheDiesOfTheBehaviouralEngine) {
  const Arguments plain = command({"--dies", "60000", "--device-noise"});
  auto whole = run_json(plain);  // and what is measured once is in the cache
  Arguments kept = plain;
  kept.insert(kept.end(), {"--output", "out"});
  const fs::path first = folder_ / "out" / "dies" / "behavioural_0000000001_100.json";
  {
    Program program(kept, surroundings_);
    const Outcome outcome = program.interrupt_when([&] { return fs::exists(first); });
    ASSERT_EQ(outcome.exit_code, 130) << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "of 60000 dies are kept in")) << outcome.messages;
  }
  expect_no_temporary_files();
  const auto written = fs::last_write_time(first);
  auto resumed = run_json(kept);
  EXPECT_EQ(fs::last_write_time(first), written) << "not run again";
  whole.erase("seconds");
  resumed.erase("seconds");
  EXPECT_EQ(resumed, whole);
  EXPECT_EQ(run_json(command({"--dies", "100", "--clips", "1", "--output", "out"}))["per_clip"][0]["clip"], 1);
  EXPECT_NE(fs::last_write_time(first), written) << "another clip";
}

/// Trimmed dies and the same ones before, and a file that is not whole.
TEST_F(MonteCarlo, KeepsTrimmedDies) {
  std::vector<float> values;
  for (int frame = 0; frame < 8; ++frame) values.insert(values.end(), {frame < 3 ? 1.0F : 0.5F, 0.12F});
  put("train.npy", npy_bytes("1, 8, 2", values));
  auto tensors = tiny_tensors();
  for (auto& tensor : tensors) {
    if (tensor.name == "layers.0.beta_lo") tensor.values = {0.49F, 0.3F};
  }
  put("m.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  const Arguments trimmed = command({"--dies", "120", "--trim", "1", "--trim-on", "train.npy", "--output", "out"});
  auto first = run_json(trimmed);
  const fs::path whole = folder_ / "out" / "dies" / "behavioural_0000000001_100.json";
  const fs::path cut = folder_ / "out" / "dies" / "behavioural_0000000101_20.json";
  const auto written = fs::last_write_time(whole);
  const std::string bytes = read_file(cut);
  put("out/dies/behavioural_0000000101_20.json", bytes.substr(0, bytes.size() / 2));
  auto again = run_json(trimmed);
  EXPECT_EQ(fs::last_write_time(whole), written) << "not run again";
  EXPECT_EQ(read_file(cut), bytes);
  first.erase("seconds");
  again.erase("seconds");
  EXPECT_EQ(first["trim"]["legs"].size(), 1u);
  EXPECT_EQ(again, first);
}

TEST_F(MonteCarlo, RefusesDiesAndSeedsThatCannotBe) {
  expect_refusal(command({"--dies", "0"}), 3, {"dies: 0"});
  expect_refusal(command({"--dies", "2000000000"}), 3, {"dies: 2000000000", "1000000"});
  expect_refusal(command({"--dies", "10", "--seed", "0"}), 3, {"seed: 0", "2147483647"});
  expect_refusal(command({"--dies", "10", "--seed", "2147483640"}), 3, {"seed: 2147483640"});
  expect_refusal(command({"--dies", "-1"}), 2, {"--dies"});
  expect_refusal(command({"--dies", "1", "--engine", "guess"}), 2, {"--engine"});
  expect_refusal(command({"--dies", "1", "--clips", "9"}), 3, {"x.npy", "9"});
  expect_refusal(command({"--dies", "1", "--clips", "0,0"}), 3, {"x.npy", "clip 0", "twice"});
  expect_refusal(command({"--dies", "1", "--fail-under", "luck=1"}), 2, {"luck", "decision_yield"});
  EXPECT_EQ(run(command({"--dies", "1", "--fail-under", "state_mismatch=-1"})).exit_code, 5);
}

}  // namespace
}  // namespace hysteron::cli
