// The reference backbone from the command line: train, eval, resume, study.

#include "base/store.h"
#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Software : public Cli {
 protected:
  void put_config(const std::string& more = "", int steps = 40) const {
    put("c.toml",
        "[data]\ntask = \"flip_flop\"\nlength = 20\nsequences = 64\n[model]\nbackbone = \"reference\"\n"
        "cell = \"bmru\"\nwidth = 4\nlayers = 1\noutput = \"m.safetensors\"\n[training]\nbatch = 16\n"
        "validation_interval = 10\nsteps = " +
            std::to_string(steps) + "\n" + more);
  }

  /// A run long enough to be interrupted, which it is once it has written a checkpoint.
  void interrupt() const {
    Program program({"train", "c.toml"}, surroundings_);
    const Outcome outcome = program.interrupt_when([&] { return fs::exists(folder_ / "m.safetensors.checkpoint"); });
    EXPECT_EQ(outcome.exit_code, 130) << outcome.messages;
    EXPECT_TRUE(has(outcome.messages, "m.safetensors.checkpoint")) << outcome.messages;
  }
};

TEST_F(Software, TrainsAndScores) {
  put_config();
  const auto trained = run_json({"train", "c.toml"});
  EXPECT_EQ(trained["task"], "flip_flop");
  EXPECT_EQ(trained["test_sequences"], 64);
  const auto scored = run_json({"eval", "m.safetensors"});
  EXPECT_EQ(scored["accuracy"], trained["test_accuracy"]);
  const auto noisy = run_json({"eval", "m.safetensors", "--draws", "5", "--static", "1.5", "--additive", "1"});
  EXPECT_EQ(noisy["dies"]["draws"], 5);
  EXPECT_LT(noisy["dies"]["accuracy"]["worst"], scored["accuracy"]);
  EXPECT_TRUE(has(run({"eval", "m.safetensors", "--draws", "2", "--bits", "2"}).output, "worst of 2 dies"));
}

/// Mean of the recalls of a confusion matrix [label][decision].
double mean_recall(const nlohmann::json& confusion) {
  double sum = 0.0;
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    double of_label = 0.0;
    for (const auto& count : confusion[label]) of_label += count.get<double>();
    sum += confusion[label][label].get<double>() / of_label;
  }
  return sum / static_cast<double>(confusion.size());
}

/// Three words, one of them rarer, and both backbones.
TEST_F(Software, SpotsSeveralKeywordsWithEitherBackbone) {
  put_tones(folder_ / "tones");
  for (int speaker = 0; speaker < 6; ++speaker) {
    const std::string name = "s" + std::to_string(speaker);
    put("tones/middle/" + name + "_0.wav", tone(900.0 * (1.0 + 0.02 * speaker)));
  }
  for (const char* backbone : {"circuit", "reference"}) {
    put("c.toml",
        "[data]\nfolder = \"tones\"\n[model]\nwidth = 8\nlayers = 1\noutput = \"m.safetensors\"\nbackbone = \"" +
            std::string(backbone) +
            "\"\n[training]\nbatch = 12\nsteps = 200\nlearning_rate = 0.02\n"
            "[classes]\nhigh = [\"high\"]\nmiddle = [\"middle\"]\nlow = [\"low\"]\n");
    const auto trained = run_json({"train", "c.toml"});
    const auto scored = run_json({"eval", "m.safetensors", "--data", "tones"});
    EXPECT_EQ(scored["labels"], (nlohmann::json{"high", "middle", "low"})) << backbone;
    const auto& confusion = scored["confusion"];
    ASSERT_EQ(confusion.size(), 3u) << backbone;
    std::size_t clips = 0;
    std::size_t right = 0;
    for (std::size_t label = 0; label < 3; ++label) {
      ASSERT_EQ(confusion[label].size(), 3u) << backbone;
      for (const auto& count : confusion[label]) clips += count.get<std::size_t>();
      right += confusion[label][label].get<std::size_t>();
    }
    EXPECT_EQ(scored["clips"], clips) << backbone;
    EXPECT_DOUBLE_EQ(scored["accuracy"], static_cast<double>(right) / static_cast<double>(clips)) << backbone;
    EXPECT_DOUBLE_EQ(scored["balanced_accuracy"], mean_recall(confusion)) << backbone;
    EXPECT_GT(scored["balanced_accuracy"], 0.4) << backbone << ", chance is 1/3: " << confusion;
    EXPECT_EQ(trained["test_accuracy"], scored["accuracy"]) << backbone;
    EXPECT_EQ(trained["test_balanced_accuracy"], scored["balanced_accuracy"]) << backbone;
    EXPECT_TRUE(trained.contains("validation_balanced_accuracy")) << backbone;
    const auto dies = run_json({"eval", "m.safetensors", "--data", "tones", "--draws", "5", "--static", "0.5"})["dies"];
    EXPECT_EQ(dies["draws"], 5) << backbone;
    EXPECT_LE(dies["balanced_accuracy"]["worst"], dies["balanced_accuracy"]["mean"]) << backbone;
    EXPECT_TRUE(has(run({"eval", "m.safetensors", "--data", "tones"}).output, "balanced accuracy")) << backbone;
  }
}

TEST_F(Software, TargetsOfFramesHaveNoConfusion) {
  put_config();
  EXPECT_FALSE(run_json({"train", "c.toml"}).contains("test_balanced_accuracy"));
  EXPECT_FALSE(run_json({"eval", "m.safetensors"}).contains("confusion"));
}

TEST_F(Software, DataThatTheTaskDoesNotReadAreRefused) {
  put_config();
  run_json({"train", "c.toml"});
  expect_refusal({"eval", "m.safetensors", "--data", "nowhere"}, 3, {"m.safetensors", "data", "flip_flop"});
  expect_refusal({"eval", "m.safetensors", "--corpus-seed", "2"}, 3, {"corpus_seed", "flip_flop"});
}

TEST_F(Software, KeysWithoutEffectAreRefused) {
  put_config();
  const std::string good = read_file(folder_ / "c.toml");
  const auto refused = [&](const std::string& table, const std::string& line) {
    std::string text = good;
    const std::string head = "[" + table + "]\n";
    if (const std::size_t at = text.find(head); at != std::string::npos) {
      text.insert(at + head.size(), line + "\n");
    } else {
      text += head + line + "\n";
    }
    put("bad.toml", text);
    const std::string key = table == "classes" ? table : table + "." + line.substr(0, line.find(' '));
    expect_refusal({"train", "bad.toml"}, 3, {"'bad.toml': " + key + " has no effect", "reference", "flip_flop"});
  };
  refused("data", "folder = \"/does/not/exist\"");
  refused("data", "file = \"/does/not/exist\"");
  refused("data", "symbols = 3");
  refused("training", "restarts = 7");
  refused("training", "vote_share = 0.5");
  refused("circuit", "margin_weight = 1");
  refused("circuit", "power_weight = 0.1");
  refused("augmentation", "speed = 0.1");
  refused("classes", "a = [\"a\"]\nb = [\"b\"]");
  put("bad.toml", "[training]\nwarm_up = 5\n");
  expect_refusal({"train", "bad.toml"}, 3, {"training.warm_up", "circuit"});
}

TEST_F(Software, ReportsTheDiesOfTestNoise) {
  put_config("[test_noise]\ndraws = 4\nweights = 0.5\n");
  EXPECT_EQ(run_json({"train", "c.toml"})["test_dies"]["draws"], 4);
}

TEST_F(Software, PerturbationsNeedDraws) {
  put_config();
  run_json({"train", "c.toml"});
  expect_refusal({"eval", "m.safetensors", "--static", "0.1"}, 2, {"--draws"});
  expect_refusal({"eval", "m.safetensors", "--draws", "2", "--bits", "1"}, 2, {"--bits"});
  expect_refusal({"eval", "m.safetensors", "--draws", "2", "--technology", "none"}, 3, {"none"});
}

TEST_F(Software, SplitsThatAGeneratorDoesNotHaveAreRefused) {
  put_config();
  run_json({"train", "c.toml"});
  EXPECT_EQ(run_json({"eval", "m.safetensors", "--split", "validation"})["sequences"], 64);
  for (const char* split : {"train", "all"}) {
    expect_refusal({"eval", "m.safetensors", "--split", split}, 2, {"flip_flop", "validation or test"});
  }
  expect_refusal({"eval", "m.safetensors", "--features", "f.npy"}, 2, {"features"});
}

TEST_F(Software, NoiseOnCandidatesIsForEveryCellButTheGru) {
  put_config();
  std::string text = read_file(folder_ / "c.toml");
  std::string linear = text;
  linear.replace(linear.find("bmru"), 4, "mingru");
  put("c.toml", linear + "[training_noise]\nadditive = 0.1\nmultiplicative = 0.1\n");
  run_json({"train", "c.toml"});
  EXPECT_EQ(run_json({"eval", "m.safetensors", "--draws", "2", "--additive", "0.1"})["dies"]["draws"], 2);
  text.replace(text.find("bmru"), 4, "gru");
  put("c.toml", text);
  run_json({"train", "c.toml"});
  expect_refusal({"eval", "m.safetensors", "--draws", "2", "--additive", "0.1"}, 2, {"'gru'", "mingru and lru"});
  EXPECT_EQ(run_json({"eval", "m.safetensors", "--draws", "2", "--static", "0.1"})["dies"]["draws"], 2);
  put("c.toml", text + "[training_noise]\nadditive = 0.1\n");
  expect_refusal({"train", "c.toml"}, 3, {"c.toml", "training_noise", "gru"});
}

TEST_F(Software, OwnSequencesOfAllSplitsAreScored) {
  const std::string high = ",high,1,1,1,1\n";
  std::string table = "sequence,label,a,b,c,d\n";
  for (int i = 0; i < 20; ++i) {
    for (int frame = 0; frame < 2; ++frame) table += std::to_string(i) + (i % 2 == 0 ? ",low,-1,-1,-1,-1\n" : high);
  }
  put("own/train.csv", table);
  put("own/test.csv", table);
  const std::string config =
      "[data]\ntask = \"sequences\"\nfolder = \"own\"\n[model]\nbackbone = \"reference\"\nwidth = 16\nlayers = 1\n"
      "output = \"own.safetensors\"\n[training]\nbatch = 8\nsteps = 60\n";
  put("own.toml", config);
  EXPECT_EQ(run_json({"train", "own.toml"})["test_accuracy"], 1.0);
  EXPECT_EQ(run_json({"eval", "own.safetensors", "--split", "train"})["sequences"], 18);
  EXPECT_EQ(run_json({"eval", "own.safetensors", "--split", "all"})["sequences"], 40);

  // Numbers whose sums are too large for single precision: no network comes of them.
  table.replace(table.rfind(high), high.size(), ",high,3e38,3e38,3e38,3e38\n");
  put("own/train.csv", table);
  put("own/validation.csv", table);
  put("own.toml", config + "checkpoint_interval = 1\n");
  fs::remove(folder_ / "own.safetensors");
  const Outcome outcome = run({"train", "own.toml"});
  EXPECT_EQ(outcome.exit_code, 3);
  for (const char* part :
       {"diverged at step", "largest part in input.weight", "checkpoint is own.safetensors.checkpoint"}) {
    EXPECT_TRUE(has(outcome.messages, part)) << outcome.messages;
  }
  EXPECT_FALSE(fs::exists(folder_ / "own.safetensors"));
}

TEST_F(Software, InterruptedRunGoesOnToTheSameBytes) {
  put_config("checkpoint_interval = 10\n", 4000);
  run_json({"train", "c.toml"});
  const std::string uninterrupted = read_file(folder_ / "m.safetensors");
  fs::remove(folder_ / "m.safetensors");
  interrupt();
  EXPECT_EQ(run({"train", "c.toml", "--resume"}).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "m.safetensors"), uninterrupted);
  expect_refusal({"train", "c.toml", "--resume"}, 3, {"m.safetensors.checkpoint"});
}

TEST_F(Software, CheckpointOfAnotherConfigurationIsRefused) {
  put_config("checkpoint_interval = 10\n", 4000);
  interrupt();
  put_config("checkpoint_interval = 10\nlearning_rate = 0.5\n", 4000);
  expect_refusal({"train", "c.toml", "--resume"}, 3, {"training.learning_rate is 0.003 there and 0.5 here"});
}

TEST_F(Software, InterruptedStudyOfTheQuadrantGoesOnFromItsRuns) {
  put("base.toml",
      "[data]\nlength = 20\nsequences = 32\n[model]\nbackbone = \"reference\"\nlayers = 1\n[training]\nbatch = "
      "16\nvalidation_interval = 10\n");
  const Arguments command = {"study", "quadrant", "--base", "base.toml", "--tasks", "flip_flop", "--widths",
                             "4",     "--seeds",  "40",     "--steps",   "20",      "-o",        "q.json"};
  Program program(command, surroundings_);
  for (int attempt = 0; attempt < 3000 && !fs::exists(folder_ / "q.json.runs"); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  program.send(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  const Store store(folder_ / "q.json.runs", "quadrant-runs", "");
  const Stored<std::string> stored = store.read();
  ASSERT_EQ(stored.state, StoreState::kFound);
  // A figure that no training gives shows that the run is taken from there.
  auto runs = nlohmann::json::parse(*stored.value);
  ASSERT_FALSE(runs.empty());
  for (auto& [key, run] : runs.items()) run["test_accuracy"] = 0.123;
  store.write(runs.dump());
  run_json(command);
  const auto study = nlohmann::json::parse(read_file(folder_ / "q.json"));
  ASSERT_EQ(study["runs"].size(), 80u);
  EXPECT_EQ(study["runs"][0]["test_accuracy"], 0.123);
  EXPECT_FALSE(fs::exists(folder_ / "q.json.runs"));
}

TEST_F(Software, ErrorsThatNoParameterTakesAreSaid) {
  put_config("[training_noise]\nthresholds = 0.1\n");
  const Outcome trained = run({"train", "c.toml"});
  EXPECT_EQ(trained.exit_code, 0);
  EXPECT_TRUE(has(trained.messages, "training_noise.thresholds disturbs nothing: a cell 'bmru'")) << trained.messages;
  const Outcome scored = run({"eval", "m.safetensors", "--draws", "2", "--widths", "0.1", "--gains", "0.1"});
  EXPECT_TRUE(has(scored.messages, "widths disturbs nothing")) << scored.messages;
  EXPECT_FALSE(has(scored.messages, "gains disturbs")) << scored.messages;
}

TEST_F(Software, ACheckpointThatCannotBecomeAFileIsRefusedBeforeTraining) {
  put_config();
  make_directories(folder_ / "m.safetensors.checkpoint");
  expect_refusal({"train", "c.toml"}, 3, {"m.safetensors.checkpoint"});
}

TEST_F(Software, StudyOfTheQuadrantWritesItsRuns) {
  put("base.toml",
      "[data]\nlength = 20\nsequences = 32\n[model]\nbackbone = \"reference\"\nlayers = 1\n[training]\nbatch = "
      "16\nvalidation_interval = 10\n");
  const auto study = run_json({"study", "quadrant", "--base", "base.toml", "--tasks", "flip_flop,copy_first",
                               "--widths", "4", "--seeds", "2", "--steps", "20", "--noise", "0.2,0.5", "-o", "q.json"});
  ASSERT_EQ(study["rows"].size(), 4u) << "two tasks, two cells";
  EXPECT_EQ(study["rows"][0]["cell"], "bmru");
  EXPECT_EQ(study["rows"][1]["cell"], "fq_bmru");
  EXPECT_EQ(study["rows"][0]["retention"].size(), 2u);
  const auto file = nlohmann::json::parse(read_file(folder_ / "q.json"));
  ASSERT_EQ(file["runs"].size(), 8u);
  EXPECT_EQ(file["runs"][0]["curve"].size(), 2u);
  EXPECT_FALSE(fs::exists(folder_ / "q.json.runs"));
  expect_refusal({"study", "octant"}, 2, {"octant"});
  expect_refusal({"study", "quadrant", "--tasks", "chess"}, 3, {"chess"});
}

}  // namespace
}  // namespace hysteron::cli
