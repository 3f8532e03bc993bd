// `hazards`, and the flags that mitigation them.

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

/// The tiny model with a first cell that sees the sum of both inputs.
std::string summing_model() {
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors[2].values = {1.0F, 1.0F, 0.0F, 1.0F};
  return safetensors_bytes(tensors, tiny_metadata());
}

/// The sum sets the first cell and then stays at 0.45, in its band, while it goes over from one input to the other.
std::string changing_features() {
  std::vector<float> values;
  for (int frame = 0; frame < 8; ++frame) {
    if (frame < 2) {
      values.insert(values.end(), {1.1F, -0.5F});
    } else {
      values.insert(values.end(), {frame % 2 == 0 ? 0.45F : -0.5F, frame % 2 == 0 ? -0.5F : 0.45F});
    }
  }
  return npy_bytes("1, 8, 2", values);
}

/// Two layers: the first cell of the second one has a candidate of 1.0, beyond its beta_hi, until that of the first has
/// set in the first frame, and 0.1 from then on.
std::string racing_model() {
  std::vector<NamedTensor> tensors = tiny_tensors();
  std::vector<NamedTensor> second;
  for (const NamedTensor& tensor : tensors) {
    if (!tensor.name.starts_with("layers.0.")) continue;
    second.push_back(tensor);
    second.back().name[7] = '1';
  }
  second[0].values = {-0.9F, 0.0F, 0.0F, 1.0F};
  second[1].values = {1.9F, 0.0F};
  tensors.insert(tensors.end() - 2, second.begin(), second.end());
  return safetensors_bytes(tensors, tiny_metadata());
}

std::string steady_features() {
  std::vector<float> values;
  for (int frame = 0; frame < 6; ++frame) values.insert(values.end(), {1.0F, 0.1F});
  return npy_bytes("1, 6, 2", values);
}

/// The label of the tiny model is the first cell's bit: it sets, holds, resets, and sets again.
std::string telling_features() {
  std::vector<float> values;
  for (const float input : {0.5F, 1.0F, 0.5F, 0.5F, 0.1F, 0.5F, 1.0F, 0.5F}) {
    values.insert(values.end(), {input, 0.6F});
  }
  return npy_bytes("1, 8, 2", values);
}

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
    EXPECT_GT(rail["worst"], 0.0) << rail;
    EXPECT_EQ(rail["unsettled"], 0.0) << rail;
    EXPECT_GT(rail["rails"], 0) << rail;
  }
  std::map<std::string, std::size_t> diodes;
  std::map<std::string, double> worst;
  std::set<std::string> names;
  for (const auto& diode : json["diodes"]) {
    ++diodes[diode["kind"]];
    worst[diode["kind"]] = std::max(worst[diode["kind"]], diode["worst"].get<double>());
    names.insert(diode["name"].get<std::string>());
    EXPECT_GE(diode["worst"], diode["p99"]) << diode;
    EXPECT_GE(diode["p99"], diode["median"]) << diode;
  }
  EXPECT_EQ(names.size(), json["diodes"].size());
  for (const auto& rail : json["rails"]) {
    EXPECT_EQ(diodes[rail["kind"]], rail["rails"]) << rail;
    EXPECT_EQ(worst[rail["kind"]], rail["worst"]) << rail;
    EXPECT_EQ(names.count(rail["slowest"]), 1u) << rail;
  }
  for (const char* kind : {"input, N rail", "candidate, N rail", "candidate, P rail", "state, P rail"}) {
    EXPECT_EQ(kinds.count(kind), 1u) << kind;
  }
  EXPECT_EQ(json["glitch_counts"]["flips"], 0);
  EXPECT_EQ(json["wrong_bits"], 0);
  EXPECT_FALSE(json.contains("highest_frame_rate_hz"));
  EXPECT_TRUE(json["advice"]["mends"].empty());
  EXPECT_TRUE(has(json["advice"]["verdict"], "nothing to mitigate")) << json["advice"];
}

TEST_F(Hazards, CountFramesThatAreReadBeforeARailSettled) {
  put("x.npy", changing_features());
  const auto json =
      run_json({"hazards", "m.safetensors", "--input", "x.npy", "--calibrate", "curves", "--frame-time", "0.3m"});
  double largest = 0.0;
  for (const auto& rail : json["rails"]) {
    EXPECT_EQ(rail["unsettled"] > 0.0, rail["worst"] > 0.95 * 0.3e-3) << rail;
    largest = std::max(largest, rail["unsettled"].get<double>());
  }
  EXPECT_GT(largest, 0.0);
  EXPECT_LT(largest, 1.0);
}

TEST_F(Hazards, AreMendedByWhatIsOffered) {
  put("m.safetensors", summing_model());
  put("x.npy", changing_features());
  const Arguments bare = {"hazards", "m.safetensors",      "--input", "x.npy", "--calibrate", "cells",
                          "--try",   "--cell-capacitance", "0"};
  const auto json = run_json(bare);
  EXPECT_GE(json["glitch_counts"]["flips"], 1);
  EXPECT_GE(json["wrong_bits"], 1);
  const auto& advice = json["advice"];
  EXPECT_EQ(advice["mends"][0]["flag"], "--cell-capacitance");
  EXPECT_EQ(advice["mends"][0]["value"], "80f") << advice;
  EXPECT_EQ(advice["cells"][0]["layer"], 0);
  EXPECT_EQ(advice["cells"][0]["cell"], 0);
  EXPECT_GT(advice["cells"][0]["charge_c"].get<double>(), 24e-15) << "what a cell without a capacitor takes to switch";
  EXPECT_EQ(advice["switches"], 1);
  EXPECT_EQ(json["trial"]["value"], "80f");
  EXPECT_EQ(json["trial"]["glitch_counts"]["flips"], 0);
  EXPECT_EQ(json["trial"]["wrong_bits"], 0);
  const Outcome text = run(bare);
  EXPECT_TRUE(has(text.output, "flipped its cell")) << text.output;
  EXPECT_TRUE(has(text.output, "\n  --cell-capacitance 80f  ")) << text.output;
  EXPECT_TRUE(has(text.output, "\n--cell-capacitance 80f ")) << "the trial's row: " << text.output;

  const auto mitigated = run_json({"hazards", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--try"});
  EXPECT_EQ(mitigated["glitch_counts"]["flips"], 0);
  EXPECT_EQ(mitigated["glitch_counts"], json["trial"]["glitch_counts"]) << "the trial is the circuit with the flag";
  EXPECT_TRUE(mitigated["advice"]["mends"].empty());
  EXPECT_FALSE(mitigated.contains("trial"));
}

TEST_F(Hazards, AreFoundInTheFirstFrameAfterReset) {
  put("m.safetensors", racing_model());
  put("x.npy", steady_features());
  const Arguments arguments = {"hazards", "m.safetensors", "--input", "x.npy", "--calibrate", "cells"};
  const auto json = run_json(arguments);
  ASSERT_EQ(json["glitches"].size(), 1u) << json["glitches"];
  const auto& glitch = json["glitches"][0];
  EXPECT_EQ(glitch["frame"], 0);
  EXPECT_EQ(glitch["layer"], 1);
  EXPECT_EQ(glitch["threshold"], "beta_hi");
  EXPECT_EQ(glitch["flipped"], false);
  EXPECT_NEAR(glitch["size"].get<double>(), 0.3, 0.1);
  EXPECT_LT(glitch["seconds"].get<double>(), 2e-3);
}

TEST_F(Hazards, ALongerFrameIsWhatTheCircuitGets) {
  put("x.npy", telling_features());
  const Arguments base = {"m.safetensors", "--input", "x.npy", "--calibrate", "cells"};
  const auto with = [&](const char* command, const char* frame) {
    Arguments all = base;
    all.insert(all.begin(), command);
    all.insert(all.end(), {"--frame-time", frame});
    return all;
  };
  const auto slow = run_json(with("verify", "40m"));
  const auto fast = run_json(with("verify", "100u"));
  EXPECT_EQ(slow["wrong_bits"], 0);
  EXPECT_EQ(slow["frame_agreement"], 1.0);
  EXPECT_LT(fast["frame_agreement"], 1.0);
  run_json({"compile", "m.safetensors", "-o", "slow", "--calibrate", "curves", "--frame-time", "40m"});
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "slow" / "summary.json"))["frame_seconds"], 0.04);
  expect_refusal(with("verify", "0"), 2, {"--frame-time"});
  expect_refusal(with("hazards", "long"), 2, {"--frame-time", "long"});
}

TEST_F(Hazards, TheSearchGoesToLongerFramesWhereTheOwnIsTooShort) {
  put("x.npy", telling_features());
  const auto json = run_json(
      {"hazards", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "--frame-time", "1m", "--rate"});
  ASSERT_LT(json["frame_agreement"], 0.99) << "nothing to search for";
  EXPECT_EQ(json["frame_agreement_wanted"], 0.99);
  EXPECT_GT(json["fastest_frame_seconds"], 1e-3);
  EXPECT_LE(json["fastest_frame_seconds"], 16e-3);
  EXPECT_EQ(json["frame_rates"][0]["holds"], false);
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
  const auto mitigated = nlohmann::json::parse(read_file(folder_ / "mended" / "summary.json"));
  EXPECT_EQ(plain["capacitors"], 0);
  EXPECT_EQ(mitigated["capacitors"], 2);
  EXPECT_NEAR(mitigated["capacitance_f"].get<double>(), 1.6e-13, 1e-20);
  EXPECT_NEAR(mitigated["area_um2"].get<double>() - plain["area_um2"].get<double>(), 160.0, 1e-6);
  EXPECT_EQ(mitigated["transistors"], plain["transistors"]);
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
