// `hazards`, and the flags that mend them.

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Hazards : public Cli {
 protected:
  Hazards() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }
};

TEST_F(Hazards, ReportSettlingOfEveryKindOfRail) {
  const auto json = run_json({"hazards", "m.safetensors", "--input", "x.npy", "--clips", "0"});
  std::set<std::string> kinds;
  for (const auto& rail : json["rails"]) {
    kinds.insert(rail["kind"]);
    EXPECT_GE(rail["worst"], rail["p99"]) << rail;
    EXPECT_GE(rail["p99"], rail["median"]) << rail;
    EXPECT_LE(rail["worst"], 0.01) << rail;
    EXPECT_GT(rail["rails"], 0) << rail;
  }
  for (const char* kind : {"input, N rail", "candidate, N rail", "candidate, P rail", "state, P rail"}) {
    EXPECT_EQ(kinds.count(kind), 1u) << kind;
  }
  EXPECT_EQ(json["glitch_counts"]["flips"], 0);
  EXPECT_EQ(json["wrong_bits"], 0);
  EXPECT_FALSE(json.contains("highest_frame_rate_hz"));
}

TEST_F(Hazards, FindTheHighestFrameRate) {
  const auto json = run_json({"hazards", "m.safetensors", "--input", "x.npy", "--clips", "0", "--rate"});
  const double fastest = json["fastest_frame_seconds"];
  EXPECT_LT(fastest, 0.01);
  EXPECT_NEAR(json["highest_frame_rate_hz"].get<double>() * fastest, 1.0, 1e-9);
  bool held = false;
  for (const auto& point : json["frame_rates"]) {
    EXPECT_TRUE(!point["holds"] || point["frame_seconds"].get<double>() >= fastest * 0.999) << point;
    held = held || point["frame_seconds"] == fastest;
  }
  EXPECT_TRUE(held);
}

TEST_F(Hazards, AreMendedByFlagsOfEveryCircuitCommand) {
  run_json({"compile", "m.safetensors", "-o", "plain", "--calibrate", "curves", "--cell-capacitance", "0"});
  run_json({"compile", "m.safetensors", "-o", "mended", "--calibrate", "curves"});
  const auto plain = nlohmann::json::parse(read_file(folder_ / "plain" / "summary.json"));
  const auto mended = nlohmann::json::parse(read_file(folder_ / "mended" / "summary.json"));
  EXPECT_EQ(plain["capacitors"], 0);
  EXPECT_EQ(mended["capacitors"], 2);
  EXPECT_NEAR(mended["capacitance_f"].get<double>(), 1.6e-13, 1e-20);
  EXPECT_NEAR(mended["area_um2"].get<double>() - plain["area_um2"].get<double>(), 160.0, 1e-6);
  EXPECT_EQ(mended["transistors"], plain["transistors"]);
  EXPECT_TRUE(has(read_file(folder_ / "mended" / "network.spice"), "\ncv0 "));
}

TEST_F(Hazards, MendsThatNoCircuitCanHaveAreRefused) {
  const Arguments base = {"verify", "m.safetensors", "--input", "x.npy"};
  const auto with = [&](const Arguments& more) {
    Arguments all = base;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_refusal(with({"--cell-capacitance", "1"}), 2, {"--cell-capacitance"});
  expect_refusal(with({"--cell-capacitance", "much"}), 2, {"--cell-capacitance", "much"});
  expect_refusal(with({"--input-ramp", "0"}), 2, {"--input-ramp"});
  expect_refusal(with({"--input-pedestal", "-1"}), 2, {"--input-pedestal"});
  expect_refusal({"hazards", "m.safetensors", "--input", "x.npy", "--clips", "7"}, 3, {"clip 7"});
}

}  // namespace
}  // namespace hysteron::cli
