// `noise` and `study accumulation`: what noise does to a held state, and over time.

#include <cmath>

#include "cli/program.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

class Noise : public WatchedCli {};

TEST_F(Noise, SaysWhatAHeldCellLeavesOfIt) {
  const auto json = run_json({"noise",     "--sigma",          "0.02,0.2", "--places",
                              "0.5",       "--trials",         "3",        "--samples",
                              "100",       "--supplies",       "1.8",      "--temperatures",
                              "27",        "--device-trials",  "2",        "--device-samples",
                              "500",       "--device-margins", "20",       "-o",
                              "noise.json"});
  ASSERT_EQ(json["suppression"].size(), 4u) << "on and off, two deviations";
  const auto& quiet = json["suppression"][0];
  EXPECT_EQ(quiet["state"], "on");
  EXPECT_EQ(quiet["flips"], 0);
  EXPECT_GT(quiet["suppression"], 20.0) << "the published figure";
  EXPECT_LT(quiet["ci95"][0], quiet["suppression"]);
  EXPECT_GT(quiet["ci95"][1], quiet["suppression"]);
  EXPECT_EQ(quiet["trials_used"], 3);
  EXPECT_GT(quiet["simulator_floor"], quiet["suppression"]);
  EXPECT_GT(quiet["simulator_floor_under_noise"], 3.0 * quiet["suppression"].get<double>());
  EXPECT_LT(quiet["simulator_floor_under_noise"], 1e9) << "closer tolerances change something";
  EXPECT_EQ(quiet["unheld"], 0);
  EXPECT_FALSE(quiet.contains("reason"));
  EXPECT_EQ(quiet["per_frequency"].size(), 4u);
  EXPECT_NEAR(json["cell"]["rise"].get<double>(), 1e-9, 1e-11);
  const auto& flips = json["flip_probability"]["points"];
  ASSERT_EQ(flips.size(), 4u);
  EXPECT_NEAR(flips[0]["margin_over_sigma"].get<double>(), 12.5, 0.2);
  EXPECT_NEAR(flips[2]["gaussian_tail"].get<double>(), 0.1056, 0.01);
  EXPECT_EQ(json["retention"].size(), 2u);
  ASSERT_EQ(json["retention_counted"].size(), 2u) << "on and off";
  const auto& law = json["flip_probability"]["fit"];
  EXPECT_TRUE(law["slope"].is_null()) << "flips at one margin alone, which both states share";
  EXPECT_TRUE(law["slope_ci95"][0].is_null()) << "no law, no interval of it";
  EXPECT_TRUE(json["retention"][0]["log10_seconds_on_ci95"][0].is_null());
  EXPECT_EQ(json["technology"], "generic180");
  EXPECT_EQ(json["unit_current_a"], 1e-9);
  EXPECT_EQ(json["retention_counted"][0]["state"], "on");
  EXPECT_EQ(json["retention_counted"][1]["sigma_in"], json["retention"][1]["sigma_in"]) << "the larger one";
  EXPECT_GT(json["retention_counted"][1]["samples"], 0);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& point = json["suppression"][i];
    EXPECT_LE(point["flips"], point["samples"]);
    if (point["trials_used"] >= 3) continue;
    EXPECT_TRUE(point["suppression"].is_null());
    EXPECT_TRUE(has(point["reason"], "of 3 trials"));
  }
  const auto& devices = json["device_noise"];
  ASSERT_EQ(devices["held"].size(), 2u);
  for (const auto& point : devices["held"]) {
    EXPECT_EQ(point["held"], true);
    EXPECT_EQ(point["in_time"]["trials"], 2);
    EXPECT_EQ(point["densities"].size(), 6u);
    EXPECT_GE(point["devices"].size(), 12u) << "M1 to M9, the candidate's rails, the bias";
  }
  ASSERT_EQ(devices["retention"].size(), 2u);
  EXPECT_GT(devices["retention"][0]["sigma_a"], 1e-13);
  EXPECT_EQ(devices["retention"][0]["needed"].size(), 3u);
  EXPECT_EQ(devices["near_thresholds"].size(), 2u);
  EXPECT_TRUE(fs::exists(folder_ / "noise.json"));
}

TEST_F(Noise, GivesNoFigureOfFewTrialsAndALawWithIntervals) {
  const Arguments command = {"noise", "--sigma",         "0.2,0.3", "--places",   "0.25",  "--trials",
                             "4",     "--samples",       "120",     "--supplies", "1.8",   "--temperatures",
                             "27",    "--device-trials", "0",       "-o",         "n.json"};
  const auto json = run_json(command);
  const auto& lost = json["suppression"][0];  // on, 20 % of beta_hi: 0.6 deviations from the threshold
  EXPECT_EQ(lost["flips"], 4);
  EXPECT_GE(lost["samples"], 4);
  EXPECT_LT(lost["trials_used"], 3);
  EXPECT_TRUE(lost["suppression"].is_null());
  EXPECT_TRUE(has(lost["reason"], "of 4 trials held the state for 64 samples")) << lost["reason"];
  EXPECT_TRUE(lost["per_frequency"][0]["suppression"].is_null());
  const auto& fit = json["flip_probability"]["fit"];
  EXPECT_GT(fit["resamples"], 100);
  EXPECT_LE(fit["slope_ci95"][0], fit["slope"]);
  EXPECT_GE(fit["slope_ci95"][1], fit["slope"]);
  const auto& kept = json["retention"][0];
  EXPECT_LE(kept["log10_seconds_off_ci95"][0], kept["log10_seconds_off"]);
  EXPECT_GE(kept["log10_seconds_off_ci95"][1], kept["log10_seconds_off"]);
  EXPECT_EQ(run_json(command), json) << "from the runs that are kept, drawn again alike";
}

TEST_F(Noise, WithoutDeviceNoiseTheRestIsReportedAllTheSame) {
  const FakeProgram fake(
      "if grep -q hysteron_noise deck.cir; then echo 'Error: the moon is full' >&2; exit 1; fi\nexec ngspice \"$@\"");
  use(fake);
  const Outcome outcome = run({"noise", "--sigma", "0.02", "--places", "0.5", "--trials", "3", "--samples", "100",
                               "--supplies", "1.8", "--temperatures", "27", "-o", "noise.json", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "the moon is full")) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_GT(json["suppression"][0]["suppression"], 20.0);
  EXPECT_TRUE(json["device_noise"]["held"].empty());
  EXPECT_TRUE(has(json["device_noise"]["failures"][0], "the moon is full"));
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "noise.json")), json);
}

TEST_F(Noise, RefusesWhatCannotBe) {
  expect_refusal({"noise", "--trials", "0"}, 3, {"trials: 0", "expected 3"});
  expect_refusal({"noise", "--trials", "2"}, 3, {"trials: 2"});
  expect_refusal({"noise", "--sigma", "2"}, 3, {"sigma: 2"});
  expect_refusal({"noise", "--places", "0"}, 3, {"places: 0"});
  expect_refusal({"noise", "--sample-seconds", "0"}, 3, {"sample_seconds: 0"});
  expect_refusal({"noise", "--supplies", "9"}, 3, {"supply 9"});
  expect_refusal({"noise", "--temperatures", "400"}, 3, {"400"});
  expect_refusal({"noise", "--device-samples", "3"}, 3, {"device_samples: 3"});
  expect_refusal({"noise", "--device-sample-seconds", "0"}, 3, {"device_sample_seconds: 0"});
  expect_refusal({"noise", "--device-margins", "0"}, 3, {"device_margins: 0"});
  expect_refusal({"noise", "--device-trials", "-1"}, 2, {"--device-trials"});
  expect_refusal({"noise", "-o", "nowhere/noise.json"}, 3, {"--output"});
}

TEST_F(Noise, AccumulatesInALinearMemoryAndNotInACell) {
  const auto json =
      run_json({"study", "accumulation", "--frames", "100", "--layers", "3", "--chains", "300", "--noise", "0.01,0.2"});
  ASSERT_EQ(json["levels"].size(), 2u);
  const auto& memories = json["levels"][0]["memories"];
  EXPECT_NEAR(memories["fq_bmru"]["over_frames"]["exponent"].get<double>(), 0.0, 0.05);
  EXPECT_GT(memories["leaky"]["over_frames"]["exponent"], 0.25);
  EXPECT_GT(memories["lru"]["over_frames"]["exponent"], 0.2);
  EXPECT_EQ(memories["lru"]["over_frames"]["frames"], (nlohmann::json{1, 2, 5, 10, 20, 50, 100}));
  EXPECT_EQ(memories["fq_bmru"]["over_layers"]["error"].size(), 3u);
  EXPECT_EQ(memories["lru"]["error"].size(), 3u);
  EXPECT_EQ(memories["lru"]["error"][2][6], memories["lru"]["over_layers"]["error"][2]);
  EXPECT_EQ(memories["fq_bmru"]["over_layers"]["wrong_bits"][2], 0.0);
  EXPECT_EQ(json["levels"][1]["noise"], 0.2);
  EXPECT_GT(json["levels"][1]["memories"]["fq_bmru"]["over_layers"]["wrong_bits"][2], 0.05);
}

/// Whoever reads the errors alone would take a memory for perfect that has lost half of its bits.
TEST_F(Noise, TextOfAccumulationHasTheBitsThatAreLost) {
  const auto text = [&](const char* noise) {
    return run({"study", "accumulation", "--frames", "100", "--layers", "1", "--chains", "300", "--noise", noise})
        .output;
  };
  EXPECT_TRUE(has(text("0.2"), "bits lost")) << text("0.2");
  EXPECT_FALSE(has(text("0.01"), "bits lost")) << text("0.01");
  EXPECT_FALSE(has(text("0.2"), "nan")) << text("0.2");
}

TEST_F(Noise, AccumulationRefusesWhatCannotBe) {
  expect_refusal({"study", "accumulation", "--frames", "0"}, 3, {"frames: 0"});
  expect_refusal({"study", "accumulation", "--noise", "0"}, 3, {"noise: 0"});
  expect_refusal({"study", "accumulation", "--noise", "0.1,2"}, 3, {"noise: 2"});
  expect_refusal({"study", "accumulation", "--decay", "1.5"}, 3, {"decay: 1.5"});
}

/// The level of the devices is the first; half the current has more thermal noise over its mean.
TEST_F(Noise, AccumulatesWhatTheDevicesOfATechnologyDo) {
  const Arguments small = {"study",    "accumulation", "--frames", "100",  "--layers",      "1",
                           "--chains", "200",          "--noise",  "0.01", "--device-noise"};
  const auto json = run_json(small);
  const double mirror = json["mirror_noise"].get<double>();
  EXPECT_EQ(json["technology"], "generic180");
  EXPECT_EQ(json["frame_seconds"], 0.01);
  EXPECT_GT(mirror, 1e-4);
  EXPECT_LT(mirror, 5e-3);
  ASSERT_EQ(json["levels"].size(), 2u);
  EXPECT_EQ(json["levels"][0]["noise"], mirror);
  const auto& errors = json["levels"][0]["memories"]["fq_bmru"]["over_frames"]["error"];
  EXPECT_NEAR(errors[0].get<double>(), mirror, 0.3 * mirror);
  Arguments halved = small;
  halved.insert(halved.end(), {"--unit-current", "0.5n"});
  EXPECT_GT(run_json(halved)["mirror_noise"], 1.02 * mirror);
  Arguments longer = small;
  longer.insert(longer.end(), {"--frame-seconds", "1"});
  EXPECT_LT(run_json(longer)["mirror_noise"], mirror);
}

TEST_F(Noise, AccumulationGoesOnAfterAnInterruption) {
  const Arguments plain = {"study", "accumulation", "--frames", "500",     "--layers",
                           "8",     "--chains",     "500",      "--noise", "0.01,0.02,0.03"};
  Arguments kept = plain;
  kept.insert(kept.end(), {"-o", "out", "--jobs", "1"});
  const fs::path first = folder_ / "out" / "runs" / "noise_0.01_fq_bmru.json";
  {
    Program program(kept, surroundings_);
    const Outcome outcome = program.interrupt_when([&] { return fs::exists(first); });
    ASSERT_EQ(outcome.exit_code, 130) << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "of 9 runs are kept in")) << outcome.messages;
  }
  expect_no_temporary_files();
  const auto written = fs::last_write_time(first);
  const auto resumed = run_json(kept);
  EXPECT_EQ(fs::last_write_time(first), written) << "not run again";
  EXPECT_EQ(resumed, run_json(plain));
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "out" / "accumulation.json")), resumed);
  put("out/runs/noise_0.01_fq_bmru.json", "{");
  EXPECT_EQ(run_json(kept), resumed);
}

TEST_F(Noise, AccumulationOfOneChainHasFigures) {
  const auto one = run_json({"study", "accumulation", "--frames", "20", "--layers", "2", "--chains", "1"});
  for (const auto& [name, memory] : one["levels"][0]["memories"].items()) {
    for (const auto& error : memory["over_frames"]["error"]) EXPECT_TRUE(error.is_number()) << name;
    EXPECT_TRUE(memory["over_frames"]["exponent"].is_number()) << name;
  }
}

}  // namespace
}  // namespace hysteron::cli
