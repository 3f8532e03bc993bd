// Bad input: exit code 3, a message that names the file and what was expected, nothing left behind.

#include <sys/mount.h>
#include <sys/stat.h>

#include <functional>
#include <limits>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

constexpr int kBadInput = 3;

class BadInput : public Cli {
 protected:
  BadInput() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }
};

struct BadFile {
  const char* name;
  std::string bytes;
  const char* says;
};

TEST_F(BadInput, SoundThatIsNone) {
  const std::string good = tone(300.0);
  const std::string header_alone = good.substr(0, 44);
  for (const BadFile& file :
       {BadFile{"truncated.wav", good.substr(0, 1000), "truncated.wav"}, BadFile{"empty.wav", "", "empty.wav"},
        BadFile{"text.wav", "not a sound", "text.wav"}, BadFile{"no samples.wav", tone(300.0, 0.0), "no samples.wav"},
        BadFile{"header.wav", header_alone, "header.wav"}}) {
    put("good.wav", good);
    put(file.name, file.bytes);
    expect_refusal({"features", "good.wav", file.name, "-o", "f.npy"}, kBadInput, {file.says});
  }
  expect_refusal({"features", "missing.wav", "-o", "f.npy"}, kBadInput, {"missing.wav"});
}

TEST_F(BadInput, FeaturesThatAreNone) {
  const std::vector<float> four = {1.0F, 2.0F, 3.0F, 4.0F};
  const float infinite = std::numeric_limits<float>::infinity();
  for (const BadFile& file :
       {BadFile{"fortran.npy", npy_bytes("1, 2, 2", four, "<f4", "True"), "ortran"},
        BadFile{"big.npy", npy_bytes("1, 2, 2", four, ">f4"), ">f4"},
        BadFile{"integer.npy", npy_bytes("1, 2, 2", four, "<i4"), "<i4"},
        BadFile{"short.npy", npy_bytes("1, 9, 2", four), "short.npy"},
        BadFile{"rank.npy", npy_bytes("4,", four), "rank.npy"},
        BadFile{"infinite.npy", npy_bytes("1, 1, 2", {1.0F, infinite}), "infinite.npy"},
        BadFile{"wide.npy", npy_bytes("1, 1, 4", four), "4 inputs"}, BadFile{"none.npy", "", "none.npy"}}) {
    put(file.name, file.bytes);
    expect_refusal({"run", "m.safetensors", "--input", file.name, "--output", "o"}, kBadInput, {file.name, file.says});
    expect_refusal({"verify", "m.safetensors", "--input", file.name}, kBadInput, {file.name, file.says});
  }
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--clips", "0,2"}, kBadInput, {"x.npy", "2"});
  for (const char* file : {"wide.npy", "missing.npy"}) {
    expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--center", file}, kBadInput, {file});
    expect_refusal({"compile", "m.safetensors", "--center", file, "-o", "circuit"}, kBadInput, {file});
    expect_refusal({"compile", "m.safetensors", "--calibrate-on", file, "-o", "circuit"}, kBadInput, {file});
  }
  for (const char* file : {"wide.npy", "missing.npy"}) {
    // Before the technology is looked at, thus before anything is simulated.
    expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--calibrate-on", file, "--pdk", "none.toml"},
                   kBadInput, {file});
  }
  expect_refusal({"demo", "--output", "demo", "--calibrate-on", "missing.npy"}, kBadInput, {"missing.npy"});
  expect_refusal({"power", "--dims", "4", "--calibrate-on", "missing.npy"}, kBadInput, {"missing.npy"});
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--calibrate-on", "x.npy", "--calibrate", "cells"}, 2,
                 {"--calibrate-on", "layers"});
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--corner", "hot"}, kBadInput,
                 {"'hot'", "generic180", "tt"});
}

TEST_F(BadInput, ModelsThatAreNone) {
  const auto changed = [](const std::function<void(std::vector<NamedTensor>&)>& change) {
    std::vector<NamedTensor> tensors = tiny_tensors();
    change(tensors);
    return safetensors_bytes(tensors, tiny_metadata());
  };
  std::string shifted = tiny_model();
  const std::size_t at = shifted.find("\"data_offsets\":[0,16]");
  ASSERT_NE(at, std::string::npos);
  shifted.replace(at, 21, "\"data_offsets\":[0,96]");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const BadFile& file :
       {BadFile{"truncated", tiny_model().substr(0, tiny_model().size() - 5), "truncated"},
        BadFile{"offsets", shifted, "input.weight"},
        BadFile{"nan", changed([&](auto& tensors) { tensors[2].values[3] = nan; }), "layers.0.candidate.weight"},
        BadFile{"negative", changed([](auto& tensors) { tensors[4].values[0] = -0.1F; }), "layers.0.beta_lo"},
        BadFile{"missing", changed([](auto& tensors) { tensors.pop_back(); }), "readout.bias"},
        BadFile{"shape", changed([](auto& tensors) {
                  tensors[0].shape = {4, 1};
                }),
                "shape"},
        BadFile{"metadata", safetensors_bytes(tiny_tensors(), {}), "hysteron.format"}, BadFile{"empty", "", "empty"}}) {
    put(file.name, file.bytes);
    expect_refusal({"run", file.name, "--input", "x.npy", "--output", "o"}, kBadInput, {file.name, file.says});
    expect_refusal({"compile", file.name, "-o", "circuit"}, kBadInput, {file.name, file.says});
  }
}

TEST_F(BadInput, ModelsThatNoCircuitCanBe) {
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors[0].values[1] = 1e5F;
  put("huge.safetensors", safetensors_bytes(tensors, tiny_metadata()));
  expect_refusal({"compile", "huge.safetensors", "-o", "circuit"}, kBadInput, {"input.weight[0,1]", "100000", "1000"});
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--unit-current", "1p"}, kBadInput,
                 {"layers.0.beta_hi", "floor"});
}

TEST_F(BadInput, ConfigurationsThatAreNone) {
  put_tones(folder_ / "tones");
  for (const BadFile& file :
       {BadFile{"unknown.toml", "[training]\nspeed = 3\n", "training.speed"},
        BadFile{"range.toml", "[training]\ndropout = 1.5\n", "training.dropout"},
        BadFile{"type.toml", "[training]\nsteps = \"many\"\n", "training.steps"},
        BadFile{"syntax.toml", "[training\n", "line 1"}, BadFile{"table.toml", "[trainig]\nsteps = 3\n", "trainig"}}) {
    put(file.name, file.bytes);
    expect_refusal({"train", file.name}, kBadInput, {file.name, file.says});
  }
  expect_refusal({"train", "missing.toml"}, kBadInput, {"missing.toml"});
  make_directories(folder_ / "taken");
  for (const auto& [output, says] : {std::pair{"", "model.output is empty"}, std::pair{"taken", "'taken'"},
                                     std::pair{"taken/", "'taken/'"}, std::pair{"none/m", "none"}}) {
    put("output.toml", tiny_training("tones", output));
    expect_refusal({"train", "output.toml"}, kBadInput, {"model.output", says});
  }
}

TEST_F(BadInput, DataFoldersThatAreNone) {
  const auto refused = [&](const char* data, const std::vector<std::string>& says) {
    put("c.toml", tiny_training(data, "out.safetensors"));
    expect_refusal({"train", "c.toml"}, kBadInput, says);
  };
  put_tones(folder_ / "one");
  fs::remove_all(folder_ / "one" / "high");
  refused("one", {"one", "high"});

  put_tones(folder_ / "hollow");
  for (const auto& entry : fs::directory_iterator(folder_ / "hollow" / "high")) fs::remove(entry);
  refused("hollow", {"high"});

  put_tones(folder_ / "listed");
  put("listed/validation_list.txt", "low/s0_0.wav\nhigh/s0_0.wav\n");
  put("listed/testing_list.txt", "low/s1_0.wav\nhigh/nobody_0.wav\n");
  refused("listed", {"testing_list.txt", "nobody_0.wav"});

  refused("nowhere", {"nowhere"});

  put("alone/yes/a.wav", tone(300.0));
  expect_refusal({"demo", "--data", "alone", "--output", "demo"}, kBadInput, {"alone", "'no'"});
}

TEST_F(BadInput, PdkFoldersWithoutTheFiles) {
  make_directories(folder_ / "pdk");
  const Arguments cell = {"cell", "--i-thresh", "1n", "--i-width", "500p", "--i-gain", "1n"};
  const auto with = [&](const Arguments& more) {
    Arguments all = cell;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_refusal(with({"--pdk", "gf180mcu", "--pdk-root", "pdk"}), kBadInput, {"pdk", "gf180mcu"});
  expect_refusal(with({"--pdk", "gf180mcu", "--pdk-root", "nowhere"}), kBadInput, {"nowhere"});
  expect_refusal(with({"--pdk", "no-such-technology"}), kBadInput, {"no-such-technology", "generic180"});
  put("mine.toml", "supply = \"high\"\n");
  expect_refusal(with({"--pdk", "mine.toml"}), kBadInput, {"mine.toml"});
}

TEST_F(BadInput, CellsThatCannotBe) {
  const auto cell = [](const std::string& threshold, const std::string& width, const std::string& gain,
                       const Arguments& more = {}) {
    Arguments all = {"cell", "--i-thresh", threshold, "--i-width", width, "--i-gain", gain};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_refusal(cell("0", "1p", "1n"), kBadInput, {"--i-thresh 0"});
  expect_refusal(cell("1n", "-3p", "1n"), kBadInput, {"--i-width -3p"});
  expect_refusal(cell("1n", "500p", "3u"), kBadInput, {"--i-gain 3u", "1u"});
  expect_refusal(cell("1n", "2n", "1n"), kBadInput, {"--i-width", "reset"});
  expect_refusal(cell("100f", "50f", "1n"), kBadInput, {"I_thresh 100 fA", "floor of"});
  expect_refusal(cell("1n", "100f", "1n"), kBadInput, {"I_width 100 fA", "floor of"});
  expect_refusal(cell("1n", "999.99p", "1n"), kBadInput, {"I_thresh - I_width", "leakage"});
  expect_refusal(cell("1n", "500p", "1n", {"--corner", "hot"}), kBadInput, {"'hot'", "generic180", "ss"});
  expect_refusal(cell("1n", "500p", "1n", {"--temperature", "200"}), kBadInput, {"200", "125"});
  expect_refusal(cell("1n", "500p", "1n", {"--supply", "5"}), kBadInput, {"supply 5 V", "3.6"});
  expect_refusal(cell("1n", "500p", "1n", {"--loop", "nowhere/loop.csv"}), kBadInput, {"nowhere"});
}

TEST_F(BadInput, SeedsOutOfRangeAndNoDies) {
  put("q.gates", "input a\nq = not a\noutput q\n");
  const Arguments commands[] = {{"noise", "--seed"},
                                {"power", "--seed"},
                                {"gates", "q.gates", "--seed"},
                                {"study", "accumulation", "--seed"},
                                {"montecarlo", "m.safetensors", "--input", "x.npy", "--dies", "1", "--seed"},
                                {"eval", "m.safetensors", "--data", ".", "--die-seed"},
                                {"eval", "m.safetensors", "--data", ".", "--corpus-seed"}};
  for (const Arguments& command : commands) {
    for (const char* seed : {"-1", "18446744073709551616", "1.5", "many", ""}) {
      Arguments all = command;
      all.emplace_back(seed);
      expect_refusal(all, kBadInput, {command.back(), "a whole number from 0 to 18446744073709551615"});
    }
  }
  expect_refusal({"gates", "q.gates", "--dies", "0"}, kBadInput, {"--dies is 0"});
  expect_refusal({"eval", "m.safetensors", "--data", ".", "--draws", "0"}, kBadInput, {"--draws is 0"});
}

TEST_F(BadInput, CellStudiesThatCannotBe) {
  const auto study = [](const Arguments& more) {
    Arguments all = {"study", "cell", "-o", "cell.json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  expect_refusal(study({"--currents", "100p,5u"}), kBadInput, {"5 uA", "100 nA"});
  expect_refusal(study({"--currents", "10f"}), kBadInput, {"10 fA"});
  expect_refusal(study({"--currents", "1p"}), kBadInput, {"1 pA", "floor of"});
  expect_refusal(study({"--currents", "much"}), 2, {"--currents"});
  expect_refusal(study({"--linearity", "100p,600p"}), kBadInput, {"600 pA", "less than 500 pA"});
  expect_refusal(study({"--linearity", "100p,100p"}), kBadInput, {"two different currents"});
  expect_refusal(study({"--supplies", "1.8,-1"}), kBadInput, {"supply -1 V"});
  expect_refusal(study({"--temperatures", "27,400"}), kBadInput, {"400", "125"});
  expect_refusal(study({"--corners", "tt,warm"}), kBadInput, {"'warm'", "ff"});
}

/// A disk of 16 kB at `folder` for the life of the object, where the system lets us make one.
class TinyDisk {
 public:
  explicit TinyDisk(fs::path folder) : folder_(std::move(folder)) {
    make_directories(folder_);
    mounted_ = ::mount("hysteron-test", folder_.c_str(), "tmpfs", 0, "size=16k") == 0;
  }
  ~TinyDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  bool mounted() const { return mounted_; }

 private:
  fs::path folder_;
  bool mounted_ = false;
};

class FullDisk : public BadInput {
 protected:
  FullDisk() {
    put("long.npy", npy_bytes("1, 3000, 2", std::vector<float>(6000, 0.1F)));
    put("a.wav", tone(300.0));
    put_tones(folder_ / "tones");
  }

  /// Every command that writes, into `place`, must fail and leave nothing there.
  void expect_refusals(const fs::path& place) const {
    const std::string folder = place.string();
    const Arguments many(8, "a.wav");
    Arguments features = {"features", "-o", folder + "/f.npy"};
    features.insert(features.end(), many.begin(), many.end());
    expect_refusal(features, kBadInput, {"f.npy"});
    expect_refusal({"run", "m.safetensors", "--input", "long.npy", "--output", folder + "/o"}, kBadInput, {"/o"});
    put("c.toml", tiny_training("tones", place / "trained", "steps = 2\n", 64));
    expect_refusal({"train", "c.toml"}, kBadInput, {"trained"});
  }
};

TEST_F(FullDisk, LeavesNothingOnIt) {
  const TinyDisk disk(folder_ / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
  expect_refusals(folder_ / "disk");
}

TEST_F(FullDisk, LeavesNoHalfOfACircuit) {
  const TinyDisk disk(folder_ / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
  run_json({"compile", "m.safetensors", "-o", "whole"});
  const Outcome outcome = run({"compile", "m.safetensors", "-o", "disk/circuit"});
  EXPECT_EQ(outcome.exit_code, kBadInput) << outcome.messages;
  for (const auto& entry : fs::directory_iterator(folder_ / "disk" / "circuit")) {
    EXPECT_EQ(read_file(entry.path()), read_file(folder_ / "whole" / entry.path().filename())) << entry.path();
  }
}

TEST_F(FullDisk, OfTemporaryFilesFailsTheRun) {
  const TinyDisk disk(folder_ / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
  surroundings_.environment["TMPDIR"] = (folder_ / "disk").string();
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy"}, kBadInput, {"disk"});
}

TEST_F(FullDisk, OfStdoutIsNoSuccess) {
  surroundings_.output = "/dev/full";
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--json"}, kBadInput, {"stdout"});
}

TEST_F(FullDisk, OfTheMetricsLogEndsTraining) {
  const std::string metrics = "steps = 200\ncheckpoint_interval = 10\nmetrics = ";
  put("device.toml", tiny_training("tones", "trained", metrics + "\"/dev/full\"\n"));
  expect_refusal({"train", "device.toml"}, kBadInput, {"training.metrics", "/dev/full", "No space left"});
  put("limited.toml", tiny_training("tones", "trained", "steps = 200\nmetrics = \"log.jsonl\"\n"));
  surroundings_.largest_file = 2048;
  const Outcome outcome = run({"train", "limited.toml"});
  EXPECT_EQ(outcome.exit_code, kBadInput) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "training.metrics: cannot write 'log.jsonl'")) << outcome.messages;
  EXPECT_FALSE(fs::exists(folder_ / "trained"));
}

TEST_F(FullDisk, OfTheMetricsLogEndsTrainingOfSoftwareBackbonesToo) {
  put("c.toml",
      "[data]\ntask = \"flip_flop\"\nlength = 20\nsequences = 16\n[model]\nbackbone = \"reference\"\nwidth = 4\n"
      "output = \"m\"\n[training]\nbatch = 16\nsteps = 20\nmetrics = \"/dev/full\"\n");
  expect_refusal({"train", "c.toml"}, kBadInput, {"training.metrics", "/dev/full"});
}

TEST_F(FullDisk, LeavesNothingWhereAFileMayNotGrow) {
  surroundings_.largest_file = 4096;
  make_directories(folder_ / "limited");
  expect_refusals(folder_ / "limited");
}

TEST_F(FullDisk, OfStdoutFailsHelpToo) {
  surroundings_.output = "/dev/full";
  expect_refusal({"--help"}, kBadInput, {"stdout"});
  expect_refusal({"verify", "--help"}, kBadInput, {"stdout"});
}

/// The message about the output comes before anything long is done: neither sound nor data exist.
TEST_F(FullDisk, AFolderThatDoesNotExistIsNamedBeforeAnythingIsDone) {
  expect_refusal({"features", "missing.wav", "-o", "nowhere/f.npy"}, kBadInput, {"output", "nowhere/f.npy"});
  expect_refusal({"eval", "m.safetensors", "--data", "missing", "--features", "nowhere/f.npy"}, kBadInput,
                 {"features", "nowhere/f.npy"});
  expect_refusal({"study", "quadrant", "--base", "missing.toml", "-o", "nowhere/q.json"}, kBadInput,
                 {"--output", "nowhere/q.json"});
  expect_refusal({"study", "quadrant", "--base", "missing.toml", "-o", "tones"}, kBadInput, {"--output", "folder"});
  expect_refusal({"study", "cell", "--pdk", "missing.toml", "-o", "nowhere/c.json"}, kBadInput,
                 {"--output", "nowhere/c.json"});
}

TEST_F(FullDisk, AFolderThatDoesNotExistIsNamed) {
  expect_refusal({"features", "a.wav", "-o", "nowhere/f.npy"}, kBadInput, {"nowhere/f.npy"});
  expect_refusal({"compile", "m.safetensors", "-o", "m.safetensors/circuit"}, kBadInput, {"m.safetensors/circuit"});
  put("c.toml", tiny_training("tones", "nowhere/out.safetensors"));
  expect_refusal({"train", "c.toml"}, kBadInput, {"nowhere"});
}

}  // namespace
}  // namespace hysteron::cli
