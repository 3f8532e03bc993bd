// `noise` and `study accumulation`: what noise does to a held state, and over time.

#include <cmath>

#include "cli/program.h"

namespace hysteron::cli {
namespace {

class Noise : public Cli {};

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
  EXPECT_GT(quiet["simulator_floor"], quiet["suppression"]);
  EXPECT_EQ(quiet["per_frequency"].size(), 4u);
  EXPECT_NEAR(json["cell"]["rise"].get<double>(), 1e-9, 1e-11);
  const auto& flips = json["flip_probability"]["points"];
  ASSERT_EQ(flips.size(), 4u);
  EXPECT_NEAR(flips[0]["margin_over_sigma"].get<double>(), 12.5, 0.2);
  EXPECT_NEAR(flips[2]["gaussian_tail"].get<double>(), 0.1056, 0.01);
  EXPECT_EQ(json["retention"].size(), 2u);
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

TEST_F(Noise, RefusesWhatCannotBe) {
  expect_refusal({"noise", "--trials", "0"}, 3, {"trials 0", "expected"});
  expect_refusal({"noise", "--sigma", "2"}, 3, {"deviation 2"});
  expect_refusal({"noise", "--places", "0"}, 3, {"place"});
  expect_refusal({"noise", "--sample-seconds", "0"}, 3, {"seconds of a sample"});
  expect_refusal({"noise", "--supplies", "9"}, 3, {"supply 9"});
  expect_refusal({"noise", "--temperatures", "400"}, 3, {"400"});
  expect_refusal({"noise", "--device-samples", "3"}, 3, {"--device-samples 3"});
  expect_refusal({"noise", "--device-sample-seconds", "0"}, 3, {"--device-sample-seconds 0"});
  expect_refusal({"noise", "--device-margins", "0"}, 3, {"--device-margins 0"});
  expect_refusal({"noise", "--device-trials", "-1"}, 2, {"--device-trials"});
  expect_refusal({"noise", "-o", "nowhere/noise.json"}, 3, {"--output"});
}

TEST_F(Noise, AccumulatesInALinearMemoryAndNotInACell) {
  const auto json = run_json({"study", "accumulation", "--frames", "100", "--layers", "3", "--chains", "300"});
  const auto& memories = json["memories"];
  EXPECT_NEAR(memories["fq_bmru"]["over_frames"]["exponent"].get<double>(), 0.0, 0.05);
  EXPECT_GT(memories["leaky"]["over_frames"]["exponent"], 0.25);
  EXPECT_GT(memories["lru"]["over_frames"]["exponent"], 0.2);
  EXPECT_EQ(memories["lru"]["over_frames"]["frames"], (nlohmann::json{1, 2, 5, 10, 20, 50, 100}));
  EXPECT_EQ(memories["fq_bmru"]["over_layers"]["error"].size(), 3u);
}

TEST_F(Noise, AccumulationRefusesWhatCannotBe) {
  expect_refusal({"study", "accumulation", "--frames", "0"}, 3, {"--frames 0"});
  expect_refusal({"study", "accumulation", "--noise", "0"}, 3, {"--noise 0"});
  expect_refusal({"study", "accumulation", "--decay", "1.5"}, 3, {"--decay 1.5"});
}

}  // namespace
}  // namespace hysteron::cli
