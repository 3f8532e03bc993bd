// Files of all kinds of names, and models that another program wrote.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

using nlohmann::json;

// A shell, a netlist or a JSON writer that takes it as it is would trip over it.
const char* const kOddName = "it's \"odd\" $(touch pwned) ;\n.include pwned\n* {x} = % \\ \xc3\xa4";

class OddNames : public Cli {
 protected:
  void SetUp() override { make_directories(odd_); }

  void TearDown() override {
    for (const fs::path& file : files()) {
      EXPECT_FALSE(file.filename() == "pwned");
      if (file.extension() != ".spice") continue;
      std::istringstream lines(read_file(file));
      for (std::string line; std::getline(lines, line);) {
        // Labels stand quoted, whole, in one comment; no name stands anywhere else.
        EXPECT_TRUE(!has(line, "pwned") || line.starts_with("* hysteron.labels = [\"")) << file << ": " << line;
      }
    }
    expect_no_temporary_files();
  }

  std::string odd(const std::string& file) const { return (odd_ / file).string(); }

  fs::path odd_ = folder_ / kOddName;
};

TEST_F(OddNames, WorkForAudioAndFeatures) {
  put(odd("a.wav"), tone(300.0));
  run_json({"features", odd("a.wav"), "-o", odd("f.npy")});
  EXPECT_TRUE(fs::exists(odd("f.npy")));
}

TEST_F(OddNames, WorkForModelsLabelsAndCircuits) {
  put(odd("m"), safetensors_bytes(tiny_tensors(), tiny_metadata({kOddName, "other"})));
  put(odd("x"), tiny_features());
  const json run = run_json({"run", odd("m"), "--input", odd("x"), "--output", odd("o")});
  EXPECT_EQ(run["labels"][0], kOddName);
  EXPECT_TRUE(fs::exists(odd("o")));
  run_json({"compile", odd("m"), "-o", odd("circuit")});
  EXPECT_TRUE(fs::exists(odd("circuit/network.spice")));
  EXPECT_EQ(run_json({"verify", odd("m"), "--input", odd("x")})["decision_agreement"], 1.0);
}

// Latin-1; JSON has no such text.
const char* const kLatinName = "caf\xe9";

class NamesThatAreNotUtf8 : public Cli {
 protected:
  void SetUp() override {
    make_directories(place_);
    put(named("m"), tiny_model());
    put(named("x.npy"), tiny_features());
    put(named("a.wav"), tone(300.0));
    put(named("gates"), "hysteron-gates 1\n");
    put(named("c.toml"), "[model]\nbackbone = 3\n");
  }

  std::string named(const std::string& file) const { return (place_ / file).string(); }

  fs::path place_ = folder_ / kLatinName;
};

TEST_F(NamesThatAreNotUtf8, GetThroughOrAreBadInput) {
  const Arguments played = {named("m"), "--input", named("x.npy"), "--calibrate", "curves"};
  const auto with = [&](const std::string& command, const Arguments& more) {
    Arguments words = {command};
    words.insert(words.end(), played.begin(), played.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  for (const Arguments& command : {
           Arguments{"features", named("a.wav"), "-o", named("f.npy")},
           Arguments{"run", named("m"), "--input", named("x.npy"), "-o", named("o")},
           Arguments{"compile", named("m"), "--calibrate", "curves", "-o", named("circuit")},
           Arguments{"extract", named("circuit")},
           with("verify", {"-o", named("verify")}),
           with("hazards", {"-o", named("hazards")}),
           with("montecarlo", {"--dies", "2", "-o", named("dies")}),
           with("corners", {"--corners", "tt", "--temperatures", "27", "--beside", "85", "-o", named("corners")}),
           with("power", {"-o", named("power")}),
           Arguments{"compare", named("m"), "--stimulus", named("stimulus")},
           Arguments{"gates", named("gates"), "-o", named("proof")},
           Arguments{"train", named("c.toml")},
           Arguments{"sweep", named("c.toml")},
           Arguments{"explore", named("c.toml")},
           Arguments{"explore", named("c.toml"), "--slurm", named("job.sh")},
           Arguments{"eval", named("m"), "--data", named("nothing")},
       }) {
    Arguments words = command;
    words.emplace_back("--json");
    const Outcome outcome = run(words);
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 3) << words[0] << ": " << outcome.messages;
    EXPECT_FALSE(has(outcome.messages, "internal error")) << words[0] << ": " << outcome.messages;
    if (outcome.exit_code == 0) {
      EXPECT_TRUE(json::accept(outcome.output)) << words[0] << ": " << outcome.output;
    }
  }
}

TEST_F(NamesThatAreNotUtf8, OfANetlistGetIntoTheModelMadeOfIt) {
  run_json({"compile", named("m"), "--calibrate", "curves", "-o", named("circuit")});
  const std::string netlist = named("circuit/" + std::string(kLatinName) + ".spice");
  fs::copy_file(named("circuit/network.spice"), netlist);
  EXPECT_TRUE(run_json({"extract", netlist, "-o", named("back")}).contains("output"));
  EXPECT_TRUE(fs::exists(named("back")));
}

/// The problem of a sweep's point is the text of the training that failed, with the names it met.
TEST_F(NamesThatAreNotUtf8, InTheProblemsOfASweepAreStored) {
  for (const char* label : {"yes", "no"}) {
    make_directories(folder_ / "data" / label);
    for (int i = 0; i < 30; ++i) put(fmt::format("data/{}/{}{}.wav", label, kLatinName, i), "not a sound");
  }
  put("base.toml", "[data]\nfolder = \"data\"\n[classes]\nyes = [\"yes\"]\nno = [\"no\"]\n");
  put("sweep.toml", "base = \"base.toml\"\nfolder = \"out\"\n[grid]\ntraining.seed = [1]\n");
  const Outcome outcome = run({"sweep", "sweep.toml", "--json"});
  EXPECT_FALSE(has(outcome.messages, "internal error")) << outcome.messages;
  EXPECT_TRUE(has(outcome.output + outcome.messages, "caf")) << outcome.output << outcome.messages;
  EXPECT_TRUE(json::accept(outcome.output)) << outcome.output;
}

TEST_F(OddNames, WorkForTemporaryFolders) {
  put("m", tiny_model());
  put("x", tiny_features());
  const fs::path place = temporary_ / kOddName;
  make_directories(place);
  surroundings_.environment["TMPDIR"] = place.string();
  EXPECT_EQ(run_json({"verify", "m", "--input", "x"})["decision_agreement"], 1.0);
  EXPECT_TRUE(fs::is_empty(place));
  fs::remove(place);
}

TEST_F(OddNames, WorkForPdkFolders) {
  const char* root = std::getenv("PDK_ROOT");
  if (root == nullptr || !fs::exists(root)) GTEST_SKIP() << "$PDK_ROOT names no folder with the gf180mcu PDK";
  fs::create_directory_symlink(fs::absolute(root), odd("pdk"));
  const json cell = run_json({"cell", "--pdk", "gf180mcu", "--pdk-root", odd("pdk"), "--i-thresh", "500p", "--i-width",
                              "300p", "--i-gain", "1n"});
  EXPECT_NEAR(cell["rise"].get<double>(), 500e-12, 10e-12);
  fs::remove(odd("pdk"));
}

TEST_F(OddNames, WorkForTrainingAndItsData) {
  put_tones(odd("tones"));
  put(odd("c.toml"), tiny_training(odd("tones"), odd("trained")));
  EXPECT_EQ(run_json({"train", odd("c.toml")})["model"], odd("trained"));
  run_json({"eval", odd("trained"), "--data", odd("tones")});
}

TEST_F(OddNames, AreReadableInMessages) {
  expect_refusal({"run", odd("missing"), "--input", "x.npy"}, 3, {R"(\n.include pwned\n)"});
}

class ForeignModel : public Cli {
 protected:
  ForeignModel() {
    std::vector<NamedTensor> tensors = tiny_tensors();
    std::reverse(tensors.begin(), tensors.end());
    std::map<std::string, std::string> metadata = tiny_metadata();
    metadata["author"] = "another program";
    put("m.safetensors", safetensors_bytes(tensors, metadata, 13));
    put("x.npy", tiny_features());
  }
};

TEST_F(ForeignModel, Runs) {
  EXPECT_EQ(run_json({"run", "m.safetensors", "--input", "x.npy"})["decisions"], (json{0, 1}));
}

TEST_F(ForeignModel, Compiles) {
  put("ours.safetensors", tiny_model());
  run_json({"compile", "m.safetensors", "-o", "circuit"});
  run_json({"compile", "ours.safetensors", "-o", "our circuit"});
  for (const char* file : {"network.spice", "mapping.csv"}) {
    EXPECT_EQ(read_file(folder_ / "circuit" / file), read_file(folder_ / "our circuit" / file)) << file;
  }
}

TEST_F(ForeignModel, Verifies) {
  EXPECT_EQ(run_json({"verify", "m.safetensors", "--input", "x.npy"})["decision_agreement"], 1.0);
}

TEST_F(ForeignModel, VerifiesOnTheRealPdk) {
  const char* root = std::getenv("PDK_ROOT");
  if (root == nullptr || !fs::exists(root)) GTEST_SKIP() << "$PDK_ROOT names no folder with the gf180mcu PDK";
  EXPECT_EQ(run_json({"verify", "m.safetensors", "--input", "x.npy", "--pdk", "gf180mcu"})["decision_agreement"], 1.0);
}

}  // namespace
}  // namespace hysteron::cli
