// `compare`: what it reads of a bench, what it refuses, and who takes its die file.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

/// The tiny model's two clips as a bench would record them, a sample a millisecond; `gain` off in everything.
std::string bench_csv(std::size_t clip, double gain = 1.0, std::size_t samples = 81) {
  std::string text =
      "time (ms),layers.0.candidate[0] (nA),layers.0.candidate[1] (nA),layers.0.state[0] (pA),layers.0.state[1] "
      "(pA),logit[0] (nA),logit[1] (nA)\n";
  bool on[2] = {false, false};
  for (std::size_t i = 0; i < samples; ++i) {
    const std::size_t frame =
        i == 0 ? 0 : std::min<std::size_t>(7, (i - 1) / 10);  // values change behind the frame's end
    double values[2] = {0.1, 0.1};
    values[clip] = frame < 3 ? 1.0 : 0.5;
    double v[2];
    for (int k = 0; k < 2; ++k) {
      on[k] = values[k] >= 0.7 || (on[k] && values[k] >= 0.3);
      v[k] = values[k] + (on[k] ? 1.0 : 0.0);
    }
    text += fmt::format("{},{},{},{},{},{},{}\n", i, gain * values[0], gain * values[1], gain * (on[0] ? 1000 : 0),
                        gain * (on[1] ? 1000 : 0), gain * (v[0] - v[1]), gain * (v[1] - v[0]));
  }
  return text;
}

class Compare : public Cli {
 protected:
  Compare() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
    put("a.csv", bench_csv(0));
    put("b.csv", bench_csv(1));
  }

  void expect_csv_refusal(const std::string& text, const std::vector<std::string>& parts) {
    put("bad.csv", text);
    std::vector<std::string> all = parts;
    all.emplace_back("bad.csv");
    expect_refusal({"compare", "m.safetensors", "--measured", "bad.csv", "--input", "x.npy"}, 3, all);
  }
};

TEST_F(Compare, AChipThatDoesWhatSoftwareDoesAgrees) {
  const auto json = run_json({"compare", "m.safetensors", "--measured", "a.csv", "b.csv", "--input", "x.npy"});
  EXPECT_EQ(json["clips"], 2);
  EXPECT_EQ(json["decision_agreement"], 1.0);
  EXPECT_EQ(json["frame_agreement"], 1.0);
  EXPECT_EQ(json["state_mismatch"], 0.0);
  EXPECT_LT(json["candidate_rms"], 1e-6);
  EXPECT_LT(json["logit_rms"], 1e-6);
  EXPECT_LT(json["ci95"]["decision_agreement"][0], 0.5);
  EXPECT_EQ(json["ci95"]["decision_agreement"][1], 1.0);
  EXPECT_TRUE(json["power_nw"].is_null());
  EXPECT_TRUE(json["cells"][0]["rise"]["value"].is_null()) << "no slow ramp in it";
  EXPECT_NEAR(json["cells"][0]["high"]["value"], 1.0, 1e-6);
  EXPECT_EQ(json["claims"]["errors_do_not_grow"], "not decided");
}

TEST_F(Compare, ASubsetOfSignalsLeavesFiguresNull) {
  std::istringstream lines(bench_csv(0));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    text += line.substr(0, line.find(',', line.find(',') + 1)) + "\n";
  }
  put("part.csv", text);
  const auto json = run_json({"compare", "m.safetensors", "--measured", "part.csv", "--input", "x.npy"});
  EXPECT_LT(json["candidate_rms"], 1e-6);
  for (const char* figure : {"decision_agreement", "frame_agreement", "state_mismatch", "state_rms", "logit_rms"}) {
    EXPECT_TRUE(json[figure].is_null()) << figure;
    EXPECT_TRUE(json["ci95"][figure].is_null()) << figure;
  }
}

TEST_F(Compare, SamplesMayComeAtAnyTimes) {
  std::istringstream lines(bench_csv(0));
  std::string text;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    // One sample of 9 ms from the middle on, the last with them.
    if (number <= 40 || number % 9 == 0) text += line + "\n";
  }
  put("uneven.csv", text);
  const auto json = run_json({"compare", "m.safetensors", "--measured", "uneven.csv", "--input", "x.npy"});
  EXPECT_EQ(json["state_mismatch"], 0.0);
}

TEST_F(Compare, BadRecordsAreRefusedWithFileAndPlace) {
  const std::string good = bench_csv(0);
  const auto replaced = [&](const std::string& part, const std::string& by) {
    std::string text = good;
    text.replace(text.find(part), part.size(), by);
    return text;
  };
  expect_csv_refusal(replaced(" (pA)", ""), {"line 1", "column 4", "layers.0.state[0]", "no unit"});
  expect_csv_refusal(replaced("(pA)", "(pW)"), {"line 1", "column 4", "'pW'"});
  expect_csv_refusal(replaced("\n5,", "\n3,"), {"line 7", "0.004 s to 0.003 s"});
  expect_csv_refusal(replaced("\n5,", "\nnan,"), {"line 7", "column 1", "'nan'"});
  expect_csv_refusal(replaced("\n5,1,", "\n5,inf,"), {"line 7", "column 2", "'inf'"});
  expect_csv_refusal(replaced("layers.0.state[1]", "layers.0.state[2]"),
                     {"column 5", "'layers.0.state[2]'", "not a signal of the model"});
  expect_csv_refusal(replaced("(pA)", "(mV)"), {"column 4", "layers.0.state[0]", "transresistance"});
  expect_csv_refusal(good.substr(0, good.size() / 2), {"truncated"});
  std::string gap = good;
  gap.erase(gap.find("\n20,"), gap.find("\n35,") - gap.find("\n20,"));
  expect_csv_refusal(gap, {"line 22", "gap", "0.016 s"});
  std::string hole = good;  // shorter than a frame
  hole.erase(hole.find("\n20,"), hole.find("\n26,") - hole.find("\n20,"));
  expect_csv_refusal("# bench\n" + hole, {"line 23", "gap", "0.007 s", "every 0.001 s"});
  expect_csv_refusal(bench_csv(0, 1.0, 40), {"0.039 s", "8 frames"});
  expect_refusal({"compare", "m.safetensors", "--measured", "none.csv", "--input", "x.npy"}, 3, {"none.csv"});
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv", "b.csv", "--input", "x.npy", "--clips", "0"}, 3,
                 {"2 waveform files", "1 clips"});
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv", "--input", "x.npy", "--clips", "7"}, 3,
                 {"x.npy", "7"});
  put("wide.npy", npy_bytes("1, 8, 3", std::vector<float>(24, 0.1F)));
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv", "--input", "wide.npy"}, 3, {"wide.npy", "3"});
  expect_refusal({"compare", "m.safetensors"}, 2, {"--stimulus", "--measured"});
  expect_refusal({"compare", "m.safetensors", "--stimulus", "s", "--measured", "x.csv"}, 2, {"--stimulus", "excludes"});
  expect_refusal({"compare", "m.safetensors", "--stimulus", "s", "--supply", "1.8"}, 2, {"--supply", "excludes"});
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv"}, 2, {"--input"});
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv", "--input", "x.npy", "--write-die", "no/die.json"},
                 3, {"no/die.json"});
}

TEST_F(Compare, TheStimulusIsThatOfItsSeedAndPassesEveryThreshold) {
  const auto json = run_json({"compare", "m.safetensors", "--stimulus", "bench"});
  EXPECT_EQ(json["unreached"].size(), 0u);
  EXPECT_EQ(json["ramps"].size(), 12u);
  const std::string features = read_file(folder_ / "bench" / "stimulus.npy");
  run_json({"compare", "m.safetensors", "--stimulus", "again"});
  EXPECT_EQ(read_file(folder_ / "again" / "stimulus.npy"), features);
  EXPECT_EQ(read_file(folder_ / "again" / "stimulus.csv"), read_file(folder_ / "bench" / "stimulus.csv"));
  EXPECT_TRUE(read_file(folder_ / "bench" / "stimulus.csv")
                  .starts_with("time (s),input[0].positive (nA),input[0].negative (nA),"));
  const auto run = run_json({"run", "m.safetensors", "--input", "bench/stimulus.npy"});
  EXPECT_EQ(run["decisions"].size(), 1u);
}

TEST_F(Compare, TheDieFileGoesToItsModelAlone) {
  put("a.csv", bench_csv(0, 1.04));
  run_json({"compare", "m.safetensors", "--measured", "a.csv", "--input", "x.npy", "--write-die", "die.json"});
  const auto die = nlohmann::json::parse(read_file(folder_ / "die.json"));
  EXPECT_NEAR(die["errors"]["layers.0.gain"][0], 0.04, 1e-4);
  EXPECT_EQ(die["model"]["name"], "m.safetensors");
  const auto run = run_json({"run", "m.safetensors", "--input", "x.npy", "--die-file", "die.json"});
  EXPECT_EQ(run["decisions"], (nlohmann::json{0, 1}));
  EXPECT_EQ(run["die_file"], "die.json");
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors.back().values[0] = 0.25F;
  put("other.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  for (const char* engine : {"software", "behavioural"}) {
    expect_refusal({"run", "other.safetensors", "--input", "x.npy", "--engine", engine, "--die-file", "die.json"}, 3,
                   {"die.json", "another model", "m.safetensors"});
  }
  expect_refusal({"eval", "other.safetensors", "--data", ".", "--die-file", "die.json"}, 3,
                 {"die.json", "another model"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--engine", "spice", "--die-file", "die.json"}, 2,
                 {"--die-file"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--die", "1"}, 2, {"--die needs"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--waveforms", "w"}, 2, {"--waveforms needs"});
  put("die.json", "{}");
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--die-file", "die.json"}, 3,
                 {"die.json", "not a die file"});
}

TEST_F(Compare, AVirtualChipOfNgspiceIsReadBack) {
  std::vector<float> values;
  for (int frame = 0; frame < 8; ++frame) values.insert(values.end(), {frame < 3 ? 1.0F : 0.5F, 0.1F});
  put("one.npy", npy_bytes("1, 8, 2", values));
  const Arguments run = {"run",   "m.safetensors", "--input", "one.npy",     "--engine",
                         "spice", "--calibrate",   "curves",  "--waveforms", "bench.safetensors"};
  const Arguments compare = {"compare", "m.safetensors", "--measured", "bench.safetensors",
                             "--input", "one.npy",       "--supply",   "1.8"};
  run_json(run);
  const auto drawn = run_json(compare);
  EXPECT_EQ(drawn["decision_agreement"], 1.0);
  EXPECT_EQ(drawn["state_mismatch"], 0.0);
  EXPECT_LT(drawn["candidate_relative_rms"], 0.05);
  EXPECT_GT(drawn["cells"][0]["high"]["value"], 0.5) << "currents of both polarities come positive";
  EXPECT_GT(drawn["power_nw"]["total"], drawn["power_nw"]["cells"]);
  EXPECT_NE(Cli::run(compare).output.find("\npower  "), std::string::npos);
  Arguments other_unit = compare;
  other_unit.insert(other_unit.end(), {"--unit-current", "2n"});
  expect_refusal(other_unit, 3, {"bench.safetensors", "unit_current"});
  Arguments die = run;
  die.insert(die.end(), {"--die", "3"});
  run_json(die);
  EXPECT_NE(run_json(compare)["candidate_rms"], drawn["candidate_rms"]);
}

TEST_F(Compare, AnotherUnitIsSaidAndMakesNoDieFile) {
  put("micro.csv", bench_csv(0, 1000.0));
  const Arguments compare = {"compare", "m.safetensors", "--measured", "micro.csv", "--input", "x.npy"};
  const Outcome said = run(compare);
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_NE(said.messages.find("1e+03 times the model's"), std::string::npos) << said.messages;
  Arguments write = compare;
  write.insert(write.end(), {"--write-die", "die.json"});
  put("die.json", "as it was");
  const Outcome refused = run(write);
  EXPECT_EQ(refused.exit_code, 3);
  for (const char* part : {"die.json", "was not written", "another unit"})
    EXPECT_NE(refused.messages.find(part), std::string::npos) << refused.messages;
  EXPECT_NE(refused.output.find("state mismatch"), std::string::npos) << "what was measured is shown all the same";
  EXPECT_EQ(read_file(folder_ / "die.json"), "as it was");
  put("empty.csv", "");
  expect_refusal({"compare", "m.safetensors", "--measured", "empty.csv", "--input", "x.npy"}, 3, {"line 1", "header"});
}

/// The columns of a record whose name has `part` in it, beside time.
std::string columns_with(const std::string& record, const std::string& part) {
  std::istringstream lines(record);
  std::string result;
  std::vector<std::size_t> kept;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    if (kept.empty()) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i == 0 || fields[i].find(part) != std::string::npos) kept.push_back(i);
      }
    }
    for (const std::size_t i : kept) result += (i == 0 ? "" : ",") + fields[i];
    result += "\n";
  }
  return result;
}

TEST_F(Compare, StatesAloneInTooSmallAUnitAreSaidToo) {
  put("nano.csv", columns_with(bench_csv(0, 0.001), "state"));
  const Outcome said = run({"compare", "m.safetensors", "--measured", "nano.csv", "--input", "x.npy"});
  EXPECT_NE(said.messages.find("0.001 times the model's"), std::string::npos) << said.messages;
  put("states.csv", columns_with(bench_csv(0), "state"));
  const Outcome right = run({"compare", "m.safetensors", "--measured", "states.csv", "--input", "x.npy"});
  EXPECT_EQ(right.messages.find("times the model"), std::string::npos) << right.messages;
}

TEST_F(Compare, TextSaysWhatWasMeasuredAndWhatWasNot) {
  const std::string full = run({"compare", "m.safetensors", "--measured", "a.csv", "--input", "x.npy"}).output;
  EXPECT_NE(full.find("frame 0 begins at 0 s"), std::string::npos) << full;
  EXPECT_EQ(full.find("\npower"), std::string::npos) << full;
  put("states.csv", columns_with(bench_csv(0), "state"));
  const Arguments compare = {"compare", "m.safetensors", "--measured", "states.csv", "--input", "x.npy"};
  EXPECT_NE(run(compare).output.find("neither candidates nor logits were measured"), std::string::npos);
  const auto json = run_json(compare);
  EXPECT_TRUE(json["fit"]["rms_before"].is_null());
  EXPECT_TRUE(json["fit"]["rms_after"].is_null());
}

TEST_F(Compare, FlagsOfTheStimulusAreChecked) {
  expect_refusal({"compare", "m.safetensors", "--measured", "a.csv", "--input", "x.npy", "--largest", "3"}, 2,
                 {"--largest", "--stimulus"});
  expect_refusal({"compare", "m.safetensors", "--stimulus", "s", "--largest", "0"}, 2, {"--largest"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "s"));
  EXPECT_EQ(run_json({"compare", "m.safetensors", "--stimulus", "whole", "--input-ramp", "1"})["input_ramp_s"], 0.01)
      << "a frame at most";
  EXPECT_EQ(run_json({"compare", "m.safetensors", "--stimulus", "low", "--largest", "0.5"})["unreached"].size(), 4u);
}

/// A circuit in ngspice of parameters that `compare` is not told, under the stimulus that it writes.
TEST_F(Compare, FindsTheConstantsOfACircuitItIsNotTold) {
  auto hidden = tiny_tensors();
  for (auto& tensor : hidden) {
    if (tensor.name == "layers.0.beta_hi") tensor.values = {0.735F, 0.7F};   // 5 % up
    if (tensor.name == "layers.0.beta_lo") tensor.values = {0.335F, 0.28F};  // widths 0.4 and 0.42, 5 % up
    if (tensor.name == "layers.0.alpha") tensor.values = {1.0F, 0.94F};      // 6 % down
    if (tensor.name == "readout.weight") tensor.values = {1.05F, -1.0F, -1.0F, 1.0F};
  }
  put("hidden.safetensors", safetensors_bytes(hidden, tiny_metadata()));
  run_json({"compare", "m.safetensors", "--stimulus", "bench", "--input-ramp", "10m"});
  const auto die_of = [&](const std::string& circuit, const std::string& die) {
    run_json({"run", circuit, "--input", "bench/stimulus.npy", "--input-ramp", "10m", "--engine", "spice",
              "--calibrate", "cells", "--waveforms", "bench.safetensors"});
    run_json({"compare", "m.safetensors", "--measured", "bench.safetensors", "--input", "bench/stimulus.npy",
              "--write-die", die});
    return nlohmann::json::parse(read_file(folder_ / die))["errors"];
  };
  const auto drawn = die_of("m.safetensors", "drawn.json");
  const auto found = die_of("hidden.safetensors", "hidden.json");
  const auto error = [&](const char* name, std::size_t place) {
    return found[name][place].get<double>() - drawn[name][place].get<double>();
  };
  EXPECT_NEAR(error("layers.0.threshold", 0), 0.05, 0.005);
  EXPECT_NEAR(error("layers.0.threshold", 1), 0.0, 0.005);
  EXPECT_NEAR(error("layers.0.width", 0), 0.0, 0.01);
  EXPECT_NEAR(error("layers.0.width", 1), 0.05, 0.01);
  EXPECT_NEAR(error("layers.0.gain", 0), 0.0, 0.003);
  EXPECT_NEAR(error("layers.0.gain", 1), -0.06, 0.003);
  EXPECT_NEAR(found["readout.weight"][0].get<double>() - found["readout.weight"][1].get<double>(), 0.04, 0.015)
      << "its rail may take a part";
}

/// The loop: a circuit of ngspice with the technology's mismatch, what a bench records of it, its die file, training
/// for it.
TEST_F(Compare, AModelIsTrainedForAChipThatWasMeasured) {
  put_tones(folder_ / "tones");
  put("first.toml", tiny_training(folder_ / "tones", "first.safetensors"));
  run_json({"train", "first.toml"});
  run_json({"compare", "first.safetensors", "--stimulus", "bench", "--input-ramp", "10m"});
  run_json({"run", "first.safetensors", "--input", "bench/stimulus.npy", "--input-ramp", "10m", "--engine", "spice",
            "--calibrate", "curves", "--die", "3", "--waveforms", "bench.safetensors"});
  const auto measured = run_json({"compare", "first.safetensors", "--measured", "bench.safetensors", "--input",
                                  "bench/stimulus.npy", "--write-die", "die.json"});
  EXPECT_LT(measured["fit"]["rms_after"], 0.5 * measured["fit"]["rms_before"].get<double>());
  std::string toml = tiny_training(folder_ / "tones", "second.safetensors");
  toml.replace(toml.find("[training]"), 10, "start = \"first.safetensors\"\n[circuit]\ndie = \"die.json\"\n[training]");
  put("second.toml", toml);
  const auto tuned = run_json({"train", "second.toml"});
  const Arguments score = {"eval", "second.safetensors", "--data", "tones"};
  Arguments on_chip = score;
  on_chip.insert(on_chip.end(), {"--die-file", "die.json"});
  EXPECT_EQ(run_json(on_chip)["accuracy"], tuned["test_accuracy"]) << "training's test is the chip's";
}

TEST_F(Compare, TrainingForAChipNeedsADieFileOfItsModel) {
  put_tones(folder_ / "tones");
  put("first.toml", tiny_training(folder_ / "tones", "first.safetensors"));
  run_json({"train", "first.toml"});
  const auto features = run_json({"features", "tones/low/s0_0.wav", "-o", "f.npy"});
  EXPECT_EQ(features["clips"], 1);
  const auto stimulus = run_json({"compare", "first.safetensors", "--stimulus", "bench"});
  EXPECT_GT(stimulus["frames"], 400);
  std::string toml = tiny_training(folder_ / "tones", "second.safetensors");
  toml.replace(toml.find("[training]"), 10, "start = \"first.safetensors\"\n[circuit]\ndie = \"die.json\"\n[training]");
  put("second.toml", toml);
  expect_refusal({"train", "second.toml"}, 3, {"die.json"});
  put("die.json", R"({"hysteron.die": "1", "model": {"name": "x", "key": "0"}, "errors": {}})");
  expect_refusal({"train", "second.toml"}, 3, {"die.json", "another model"});
}

}  // namespace
}  // namespace hysteron::cli
