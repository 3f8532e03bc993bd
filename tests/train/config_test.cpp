#include "train/config.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::train {
namespace {

TEST(Config, AnEmptyFileTakesEveryDefault) {
  const TrainConfig config = parse_config("", "c.toml");
  EXPECT_EQ(config.steps, TrainConfig{}.steps);
  EXPECT_EQ(config.classes.size(), 2u);
  EXPECT_EQ(config.cells_per_layer(), config.width);
}

TEST(Config, ReadsEveryKindOfValue) {
  const TrainConfig config = parse_config(R"(
    [data]
    folder = "speech"
    [model]
    width = 16
    cells = 8
    [training]
    learning_rate = 1   # a whole number will do
    dropout = 0.5
    [classes]
    up = ["up", "go"]
    down = ["down"]
    [augmentation]
    time_shift = 7
  )",
                                          "c.toml");
  EXPECT_EQ(config.data_folder, "speech");
  EXPECT_EQ(config.width, 16u);
  EXPECT_EQ(config.cells_per_layer(), 8u);
  EXPECT_EQ(config.learning_rate, 1.0);
  EXPECT_EQ(config.dropout, 0.5);
  EXPECT_EQ(config.time_shift, 7u);
  ASSERT_EQ(config.classes.size(), 2u);
  EXPECT_EQ(config.classes[0].label, "up") << "labels keep the order of the file";
  EXPECT_EQ(config.classes[0].folders, (std::vector<std::string>{"up", "go"}));
}

struct BadConfig {
  const char* name;
  const char* text;
  std::vector<std::string> expected;
};

class BadConfigs : public testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreRefusedWithFileLineAndKey) {
  std::string message;
  try {
    parse_config(GetParam().text, "c.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    message = error.what();
  }
  for (const std::string& part : GetParam().expected) EXPECT_NE(message.find(part), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadConfigs,
    testing::Values(
        BadConfig{"NoToml", "[training\nsteps = 5", {"'c.toml'", "line 1"}},
        BadConfig{"KeyTwice", "[model]\nwidth = 4\nwidth = 5", {"line 3"}},
        BadConfig{"UnknownTable", "\n[trainings]\nsteps = 5", {"line 2", "'trainings'", "[training]"}},
        BadConfig{"UnknownKey", "[training]\n\nstep = 5", {"line 3", "'training.step'"}},
        BadConfig{"KeyOutsideTables", "steps = 5", {"line 1", "'steps'"}},
        BadConfig{"TableIsValue", "training = 5", {"line 1", "'training'", "[training]"}},
        BadConfig{
            "TextForNumber", "[training]\nsteps = \"many\"", {"line 2", "training.steps", "many", "whole number"}},
        BadConfig{"FractionForWhole", "[training]\nsteps = 5.5", {"line 2", "training.steps", "5.5"}},
        BadConfig{"Negative", "[training]\nbatch = -1", {"line 2", "training.batch", "-1", "1 to 65536"}},
        BadConfig{"Zero", "[model]\nwidth = 0", {"line 2", "model.width", "1 to 4096"}},
        BadConfig{"TooLarge", "[training]\ndropout = 0.99", {"line 2", "training.dropout", "0 to 0.95"}},
        BadConfig{"Nan", "[training]\nlearning_rate = nan", {"line 2", "training.learning_rate", "nan"}},
        BadConfig{"Infinite", "[circuit]\nmargin_weight = inf", {"line 2", "circuit.margin_weight", "inf"}},
        BadConfig{"Choice", "[data]\nnormalisation = \"none\"", {"line 2", "data.normalisation", "none", "\"fixed\""}},
        BadConfig{"BoolForText", "[data]\nfolder = true", {"line 2", "data.folder", "true", "text"}},
        BadConfig{"ListForNumber", "[training]\nseed = [1]", {"line 2", "training.seed"}},
        BadConfig{"OneLabel", "[classes]\nyes = [\"yes\"]", {"line 1", "[classes]", "two labels"}},
        BadConfig{"ClassNoList", "[classes]\nyes = \"yes\"\nno = [\"no\"]", {"line 2", "classes.yes"}},
        BadConfig{"ClassEmpty", "[classes]\nyes = []\nno = [\"no\"]", {"line 2", "classes.yes"}},
        BadConfig{"ClassOfNumbers", "[classes]\nyes = [1]\nno = [\"no\"]", {"line 2", "classes.yes"}},
        BadConfig{"FolderTwice", "[classes]\nyes = [\"a\"]\nno = [\"a\"]", {"line 3", "classes.no", "'a'"}},
        BadConfig{"NoTimeAtZero", "[training]\nepsilon_hold = 0.5\nepsilon_fall = 0.5", {"epsilon_hold", "0.95"}}),
    [](const testing::TestParamInfo<BadConfig>& bad) { return bad.param.name; });

TEST(Config, EveryKeyIsDescribedAndOfferedOnce) {
  std::set<std::string> names;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_FALSE(key.description.empty()) << key.name;
    EXPECT_FALSE(key.range.empty()) << key.name;
    const std::string text = key.name + " = " + key.default_value;
    EXPECT_NO_THROW(parse_config(text, "c.toml")) << text;
  }
}

TEST(Config, DocumentationHoldsTheTableOfKeys) {
  const std::string page = read_file(std::string(HYSTERON_SOURCE_DIR) + "/docs/training.md");
  EXPECT_NE(page.find(config_table()), std::string::npos)
      << "put the output of `hysteron train --keys` into docs/training.md";
}

TEST(Config, WhatDoesNotFitTogetherIsRefusedWithTheFile) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& parts) {
    std::string message;
    try {
      parse_config(text, "c.toml");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      message = error.what();
    }
    for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << text << ": " << message;
  };
  refused("[augmentation]\ngain = 6", {"'c.toml'", "augmentation.gain is 6", "\"fixed\""});
  refused("[training_noise]\nbits = 1", {"'c.toml'", "training_noise.bits is 1"});
  for (const char* cell : {"mingru", "lru", "gru"}) {
    const std::string model = std::string("[model]\nbackbone = \"reference\"\ncell = \"") + cell + "\"\n";
    EXPECT_NO_THROW(parse_config(model, "c.toml"));
  }
  const std::string gru = "[model]\nbackbone = \"reference\"\ncell = \"gru\"\n";
  refused(gru + "[test_noise]\nadditive = 0.1", {"'c.toml'", "test_noise", "gru", "another cell"});
  refused(gru + "[training_noise]\nmultiplicative = 0.1", {"training_noise", "gru"});
  EXPECT_NO_THROW(parse_config("[data]\nnormalisation = \"fixed\"\n[augmentation]\ngain = 6", "c.toml"));
}

TEST(Config, NoiseOnCandidatesIsADefaultOfTheCircuitBackboneAlone) {
  EXPECT_EQ(parse_config("", "c.toml").training_noise.additive, 0.04);
  EXPECT_EQ(parse_config("[model]\nbackbone = \"reference\"", "c.toml").training_noise.additive, 0.0);
  TrainConfig config = parse_config("[training_noise]\nadditive = 0.04", "c.toml");
  config.backbone = "reference";
  apply_noise_defaults(config);
  EXPECT_EQ(config.training_noise.additive, 0.04) << "it was asked for";
}

TEST(Config, OlderNamesOfBackbonesAreTakenAndSaid) {
  const TrainConfig circuit = parse_config("[model]\nbackbone = \"hardware\"", "c.toml");
  EXPECT_EQ(circuit.backbone, "circuit");
  EXPECT_EQ(circuit.deprecations, std::vector<std::string>{"model.backbone \"hardware\" is now called \"circuit\""});
  EXPECT_EQ(parse_config("[model]\nbackbone = \"software\"", "c.toml").backbone, "reference");
  EXPECT_TRUE(parse_config("[model]\nbackbone = \"reference\"", "c.toml").deprecations.empty());
}

TEST(Config, DecisiveTextComesBackWithoutWhatHasNoEffect) {
  TrainConfig config;
  config.width = 7;
  config.threads = 3;
  config.output = "elsewhere.safetensors";
  TrainConfig moved = config;
  moved.threads = 1;
  moved.output = "here.safetensors";
  moved.metrics = "log.jsonl";
  EXPECT_EQ(decisive_toml(config), decisive_toml(moved));
  EXPECT_EQ(parse_config(decisive_toml(config), "c.toml").width, 7u);
}

TEST(Config, ValuesSetByAProgramAreCheckedToo) {
  TrainConfig config;
  config.batch = 0;
  EXPECT_THROW(check_config(config), Error);
}

TEST(Config, KeysThatBackboneAndTaskIgnoreAreNamedOrDropped) {
  TrainConfig config =
      parse_config("[model]\nbackbone = \"reference\"\n[data]\ntask = \"listops\"\nlength = 600\n", "c.toml");
  EXPECT_NO_THROW(check_used(config, "c.toml"));
  config.data_folder = "files";  // whose lengths are what they are
  try {
    check_used(config, "c.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("data.length has no effect"), std::string::npos) << error.what();
  }
  config.margin = 0.3;
  drop_ignored(config);
  EXPECT_NO_THROW(check_used(config, "c.toml"));
  EXPECT_EQ(config.task_length, 0U);
  EXPECT_EQ(config.margin, TrainConfig{}.margin);
  EXPECT_EQ(config.data_folder, "files");
}

TEST(Config, WhatIsUsedReadsBackAsTheSameConfiguration) {
  for (const char* text : {"", "[model]\nbackbone = \"reference\"\n[data]\ntask = \"text\"\nfile = \"t\"\n",
                           "[model]\nbackbone = \"reference\"\nmlp = \"relu\"\n[data]\nfolder = \"espeak\"\n"}) {
    const TrainConfig config = parse_config(text, "c.toml");
    EXPECT_NO_THROW(check_used(config, "c.toml")) << text;
    const TrainConfig read = parse_config(used_toml(config), "used.toml");
    EXPECT_NO_THROW(check_used(read, "used.toml")) << text;
    EXPECT_EQ(config_to_json(read), config_to_json(config)) << text;
  }
}

}  // namespace
}  // namespace hysteron::train
