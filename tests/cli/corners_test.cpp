// `corners`: points, what counts, what is kept, what is refused.

#include <sstream>

#include "cli/samples.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

class Corners : public WatchedCli {
 protected:
  Corners() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }

  static Arguments command(const Arguments& more) {
    Arguments all = {"corners", "m.safetensors", "--input", "x.npy",   "--calibrate",
                     "cells",   "--jobs",        "1",       "--clips", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Corners, CountsPointsAndReportsOthersBeside) {
  const auto json =
      run_json(command({"--corners", "tt,ss", "--supplies", "1.8", "--temperatures", "27", "--beside", "85"}));
  ASSERT_EQ(json["points"].size(), 4u);
  EXPECT_EQ(json["counted_points"], 2);
  EXPECT_EQ(json["decision_agreement"], 1.0);
  EXPECT_TRUE(json["points"][0]["lost_clips"].empty());
  ASSERT_EQ(json["per_clip"].size(), 1u);
  EXPECT_EQ(json["per_clip"][0]["clip"], 1);
  EXPECT_EQ(json["per_clip"][0]["lost_points"], 0);
  EXPECT_GE(json["per_clip"][0]["margin_votes"], 1);
  EXPECT_EQ(json["points"][0]["corner"], "tt");
  EXPECT_NEAR(json["points"][0]["unit_current_a"].get<double>(), 1e-9, 0.02e-9);
  EXPECT_NE(json["points"][1]["unit_current_a"], json["points"][0]["unit_current_a"]) << "the reference drifts";
  EXPECT_EQ(json["points"][1]["corner"], "ss");
  EXPECT_EQ(json["points"][3]["counted"], false);
  EXPECT_EQ(json["points"][3]["temperature_c"], 85.0);
  EXPECT_TRUE(json["worst"]["counted"]);
  EXPECT_NEAR(json["reference_nw"].get<double>(), 3.0 * 1.8, 0.3) << "three branches beside the output";
  EXPECT_NEAR(json["points"][0]["reference_nw"].get<double>(), json["reference_nw"].get<double>(), 1e-3);
  EXPECT_NE(json["points"][1]["reference_nw"], json["reference_nw"]) << "measured where it stands";
  EXPECT_GT(json["points"][0]["power_nw"]["total"], 1.0);
}

TEST_F(Corners, AnIdealReferenceStaysAndPointsAreKept) {
  const FakeProgram fake(watched(":"));
  use(fake);
  const Arguments ideal = command({"--corners", "ff", "--supplies", "1.7", "--temperatures", "-40,27", "--beside", "27",
                                   "--reference", "ideal", "--output", "corners"});
  const auto first = run_json(ideal);
  EXPECT_EQ(first["points"][0]["unit_current_a"], 1e-9);
  EXPECT_EQ(first["reference_nw"], 0.0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "corners" / "reference.spice")) << "an ideal one has no circuit";
  EXPECT_EQ(clips_begun(fake), 2u) << "the point beside is one of the counted";
  EXPECT_EQ(run_json(ideal), first);
  EXPECT_EQ(clips_begun(fake), 2u);
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "corners" / "corners.json")), first);
}

TEST_F(Corners, WriteTheReferenceAsASubcircuit) {
  run_json(command(
      {"--corners", "tt", "--supplies", "1.8", "--temperatures", "27", "--beside", "27", "--output", "corners"}));
  const std::string netlist = read_file(folder_ / "corners" / "reference.spice");
  EXPECT_TRUE(has(netlist, ".subckt current_reference vdd vddc output")) << netlist;
  std::size_t devices = 0;
  std::istringstream lines(netlist);
  for (std::string line; std::getline(lines, line);) devices += line.starts_with("x") ? 1 : 0;
  EXPECT_EQ(devices, 2U + 4U + 2U * 8U) << "a pair, a mirror of four and two chains\n" << netlist;
}

TEST_F(Corners, APointThatFailsIsNamedAndTheOthersCount) {
  const FakeProgram fake(watched("[ $count = 1 ] && { echo 'Error: the moon is full' >&2; exit 1; }"));
  use(fake);
  const Outcome outcome = run(command({"--corners", "ff", "--supplies", "1.8", "--temperatures", "0,27", "--beside",
                                       "27", "--reference", "ideal", "--json"}));
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_TRUE(has(json["points"][0]["error"], "the moon is full"));
  EXPECT_EQ(json["points"][0]["failed_clips"], nlohmann::json{1});
  EXPECT_EQ(json["points"][0]["decision_agreement"], 0.0);
  for (const char* figure : {"frame_agreement", "state_mismatch", "candidate_relative_rms", "power_nw"}) {
    EXPECT_TRUE(json["points"][0][figure].is_null()) << figure;
  }
  EXPECT_EQ(json["per_clip"][0]["lost_points"], 1);
  EXPECT_EQ(json["failed_clips"], 1);
  EXPECT_EQ(json["points"][1]["decision_agreement"], 1.0);
  EXPECT_EQ(json["decision_agreement"], 0.5) << "a clip that failed is none that is right";
  EXPECT_EQ(json["worst"]["temperature_c"], 0.0);
}

TEST_F(Corners, InterruptionKeepsThePointsThatAreDone) {
  const FakeProgram fake(watched("[ $count = 2 ] && sleep 1000"));
  use(fake);
  const Arguments arguments = command(
      {"--corners", "ff,ss", "--supplies", "1.8", "--temperatures", "0,27", "--beside", "27", "--output", "corners"});
  Program program(arguments, surroundings_);
  const Outcome outcome = interrupt_at(program, fake, 2);
  EXPECT_EQ(outcome.exit_code, 130) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "the same command goes on")) << outcome.messages;
  EXPECT_FALSE(fs::exists(folder_ / "corners" / "corners.json")) << "not all points are there";
  expect_no_temporary_files();
  const auto resumed = run_json(arguments);
  EXPECT_EQ(clips_begun(fake), 5U) << "four points, of which the second was begun twice";
  EXPECT_EQ(run_json(arguments), resumed);
  EXPECT_EQ(clips_begun(fake), 5U);
}

TEST_F(Corners, RefusesPointsThatCannotBe) {
  expect_refusal(command({"--corners", "tt,warm"}), 3, {"'warm'", "ff"});
  expect_refusal(command({"--corners", ""}), 3, {"corners", "empty"});
  expect_refusal(command({"--temperatures", "400"}), 3, {"400", "125"});
  expect_refusal(command({"--beside", "-80"}), 3, {"-80"});
  expect_refusal(command({"--supplies", "9"}), 3, {"supplies", "9 V"});
  expect_refusal(command({"--reference", "magic"}), 2, {"--reference"});
  expect_refusal(command({"--corners", "tt,ff,tt"}), 3, {"corners", "tt", "twice"});
  expect_refusal(command({"--supplies", "1.8,1.8"}), 3, {"supplies", "1.8", "twice"});
  expect_refusal(command({"--temperatures", "27,-40,27"}), 3, {"temperatures", "27", "twice"});
  expect_refusal(command({"--beside", "125,125"}), 3, {"beside", "125", "twice"});
}

}  // namespace
}  // namespace hysteron::cli
