#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/parallel.h"
#include "data/audio.h"
#include "data/testing.h"

namespace hysteron::data {
namespace {

class DatasetFolder : public ::testing::Test {
 protected:
  /// A short clip `name` (CLASS/FILE).
  void clip(const std::string& name, float level = 0.1F) const {
    put(root() / name, wav_bytes(std::vector<float>(160, level)));
  }

  /// `speakers` people who say each word once.
  void say(const std::vector<std::string>& words, int speakers, int takes = 1) const {
    for (const std::string& word : words) {
      for (int s = 0; s < speakers; ++s) {
        for (int t = 0; t < takes; ++t) clip(fmt::format("{}/p{:02}_nohash_{}.wav", word, s, t));
      }
    }
  }

  void lists(const std::string& validation, const std::string& testing) const {
    put(root() / "validation_list.txt", validation);
    put(root() / "testing_list.txt", testing);
  }

  void expect_refused(const std::vector<std::string>& parts, const ClassMap& classes = {}) const {
    expect_bad_input([&] { Dataset(root(), classes); }, parts);
  }

  fs::path root() const { return folder_.path() / "my data"; }

  TemporaryDirectory folder_{"dataset-test"};
};

std::vector<std::string> names(const std::vector<Clip>& clips) {
  std::vector<std::string> result;
  result.reserve(clips.size());
  for (const Clip& clip : clips) result.push_back(clip.name);
  return result;
}

TEST_F(DatasetFolder, ListsSplitIt) {
  say({"no", "yes"}, 3);
  lists("yes/p01_nohash_0.wav\r\n\nno/p01_nohash_0.wav\n", "./yes/p02_nohash_0.wav\nno/p02_nohash_0.wav");
  const Dataset dataset(root());
  EXPECT_EQ(dataset.labels(), (std::vector<std::string>{"no", "yes"}));
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(dataset.clips(Split::kTrain)), (Names{"no/p00_nohash_0.wav", "yes/p00_nohash_0.wav"}));
  EXPECT_EQ(names(dataset.clips(Split::kValidation)), (Names{"no/p01_nohash_0.wav", "yes/p01_nohash_0.wav"}));
  EXPECT_EQ(names(dataset.clips(Split::kTest)), (Names{"no/p02_nohash_0.wav", "yes/p02_nohash_0.wav"}));
  const std::vector<Clip> all = dataset.clips(Split::kAll);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const Clip& a, const Clip& b) { return a.name < b.name; }));
  EXPECT_EQ(all.back().label, 1u);
  EXPECT_EQ(all.back().folder, 1u);
  EXPECT_EQ(all.back().speaker, "p02");
}

TEST_F(DatasetFolder, WithoutListsNoSpeakerIsInTwoSplits) {
  say({"no", "up", "yes"}, 30, 3);
  const Dataset dataset(root());
  std::map<std::string, std::set<int>> splits_of;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    for (const Clip& clip : dataset.clips(split)) splits_of[clip.speaker].insert(static_cast<int>(split));
  }
  EXPECT_EQ(splits_of.size(), 30u);
  for (const auto& [speaker, splits] : splits_of) EXPECT_EQ(splits.size(), 1u) << speaker;
  EXPECT_EQ(dataset.clips(Split::kTest).size(), 27u);
  EXPECT_EQ(dataset.clips(Split::kValidation).size(), 27u);
  EXPECT_EQ(dataset.clips(Split::kAll).size(), 270u);
}

TEST_F(DatasetFolder, WithoutListsThreeSpeakersAreEnough) {
  say({"no", "yes"}, 3);
  const Dataset dataset(root());
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    EXPECT_EQ(dataset.clips(split).size(), 2u) << to_string(split);
  }
}

TEST_F(DatasetFolder, WithoutListsFilesWithoutSpeakersStillReachEverySplit) {
  say({"no", "yes"}, 10);
  for (int i = 0; i < 20; ++i) clip(fmt::format("_silence_/{}.wav", 1000 + i));
  const Dataset dataset(root());
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    EXPECT_FALSE(dataset.clips(split).empty());  // throws where a label is missing
  }
}

TEST_F(DatasetFolder, ClassMapMergesFoldersAndIgnoresOthers) {
  say({"no", "up", "yes", "stop"}, 4);
  const Dataset dataset(root(), {{"yes", {"yes"}}, {"other", {"up", "no"}}});
  EXPECT_EQ(dataset.labels(), (std::vector<std::string>{"yes", "other"}));
  EXPECT_EQ(dataset.folders(), (std::vector<std::string>{"yes", "up", "no"}));
  for (const Clip& clip : dataset.clips(Split::kAll)) {
    EXPECT_EQ(clip.label, clip.name.starts_with("yes/") ? 0u : 1u);
    EXPECT_TRUE(clip.name.starts_with(dataset.folders()[clip.folder] + "/"));
  }
  EXPECT_EQ(dataset.clips(Split::kAll).size(), 12u);
}

TEST_F(DatasetFolder, SilenceIsFoundUnderBothNames) {
  say({"yes", "_silence_"}, 3);
  EXPECT_EQ(Dataset(root(), {{"yes", {"yes"}}, {"other", {"silence"}}}).folders().back(), "_silence_");
  fs::rename(root() / "_silence_", root() / "silence");
  EXPECT_EQ(Dataset(root(), {{"yes", {"yes"}}, {"other", {"_silence_"}}}).folders().back(), "silence");
}

TEST_F(DatasetFolder, NamesWithSpacesQuotesAndNewlinesWork) {
  const std::string odd = "a \"b\" 'c'\nd";
  for (const std::string& word : {std::string("yes"), odd}) {
    for (int s = 0; s < 3; ++s) clip(fmt::format("{}/p {}\n'\"_nohash_0.wav", word, s));
  }
  const Dataset dataset(root());
  ThreadPool pool(2);
  SilentReporter reporter;
  const auto loaded = load_features(dataset, Split::kAll, Mfcc(), pool, reporter, StopFlag());
  EXPECT_EQ(loaded.clips.size(), 6u);
  EXPECT_EQ(loaded.labels.front(), odd);
}

TEST_F(DatasetFolder, IgnoresHiddenFilesOtherFilesAndBackgroundNoise) {
  say({"no", "yes"}, 3);
  put(root() / "yes" / "README.md", "text");
  put(root() / "yes" / "._p00_nohash_0.wav", "resource fork");
  put(root() / "_background_noise_" / "README.md", "long files");
  put(root() / ".git" / "config", "");
  EXPECT_EQ(Dataset(root()).clips(Split::kAll).size(), 6u);
}

TEST_F(DatasetFolder, RefusesMissingFolder) { expect_refused({"my data", "no such folder"}); }

TEST_F(DatasetFolder, RefusesFolderWithoutClasses) {
  fs::create_directories(root());
  expect_refused({"my data", "0 labels", "at least two"});
}

TEST_F(DatasetFolder, RefusesOneClass) {
  say({"yes"}, 3);
  expect_refused({"my data", "1 label ('yes')", "at least two"});
  expect_refused({"1 label ('yes')"}, {{"yes", {"yes"}}});
}

TEST_F(DatasetFolder, RefusesEmptyClass) {
  say({"yes", "no"}, 3);
  fs::create_directories(root() / "up");
  expect_refused({"my data/up", "the class is empty"});
  EXPECT_NO_THROW(Dataset(root(), {{"yes", {"yes"}}, {"no", {"no"}}}));
}

TEST_F(DatasetFolder, RefusesMissingFolderOfALabel) {
  say({"yes", "no"}, 3);
  expect_refused({"no class folder 'up'", "'other'", "no, yes"}, {{"yes", {"yes"}}, {"other", {"no", "up"}}});
  expect_refused({"'../x'"}, {{"yes", {"yes"}}, {"other", {"../x"}}});
}

TEST_F(DatasetFolder, RefusesFolderNamedTwice) {
  say({"yes", "no", "_silence_"}, 3);
  expect_refused({"'no' is named twice"}, {{"yes", {"yes", "no"}}, {"other", {"no"}}});
  expect_refused({"named twice"}, {{"yes", {"yes", "silence"}}, {"other", {"_silence_"}}});
  expect_refused({"'other' has no folders"}, {{"yes", {"yes"}}, {"other", {}}});
}

TEST_F(DatasetFolder, RefusesListThatNamesMissingFile) {
  say({"yes", "no"}, 3);
  lists("yes/p00_nohash_0.wav\n", "yes/p01_nohash_0.wav\n\nno/none.wav\n");
  expect_refused({"testing_list.txt", "line 3", "'no/none.wav'"});
  lists("../my data/yes/p00_nohash_0.wav\n", "yes/p01_nohash_0.wav\n");
  expect_refused({"validation_list.txt", "line 1", "CLASS/FILE"});
  lists("yes\n", "yes/p01_nohash_0.wav\n");
  expect_refused({"validation_list.txt", "line 1", "'yes'"});
}

TEST_F(DatasetFolder, RefusesFileInBothLists) {
  say({"yes", "no"}, 3);
  lists("yes/p00_nohash_0.wav\n", "yes/p00_nohash_0.wav\n");
  expect_refused({"'yes/p00_nohash_0.wav'", "validation_list.txt", "testing_list.txt"});
}

TEST_F(DatasetFolder, RefusesOneListAlone) {
  say({"yes", "no"}, 3);
  put(root() / "testing_list.txt", "yes/p00_nohash_0.wav\n");
  expect_refused({"testing_list.txt", "no validation_list.txt"});
}

TEST_F(DatasetFolder, RefusesSplitThatLacksALabel) {
  say({"yes", "no"}, 3);
  lists("", "yes/p01_nohash_0.wav\n");
  const Dataset dataset(root());
  expect_bad_input([&] { dataset.clips(Split::kValidation); }, {"validation split", "'no'"});
  expect_bad_input([&] { dataset.clips(Split::kTest); }, {"test split", "'no'"});
  EXPECT_EQ(dataset.clips(Split::kTrain).size(), 5u);
}

TEST_F(DatasetFolder, FeaturesFollowTheClipsAtAnyNumberOfThreads) {
  say({"no", "yes"}, 4);
  for (int s = 0; s < 4; ++s) put_sound(root() / fmt::format("up/p{:02}.wav", s), sine(200.0 * s, 16000), kWav16);
  const Dataset dataset(root());
  SilentReporter reporter;
  ThreadPool one(1);
  ThreadPool two(2);
  const Mfcc mfcc;
  const auto loaded = load_features(dataset, Split::kAll, mfcc, one, reporter, StopFlag());
  EXPECT_EQ(load_features(dataset, Split::kAll, mfcc, two, reporter, StopFlag()).features.values,
            loaded.features.values);
  ASSERT_EQ(loaded.features.clips, loaded.clips.size());
  for (std::size_t i = 0; i < loaded.clips.size(); ++i) {
    const std::vector<float> expected = mfcc.compute(read_audio(root() / loaded.clips[i].name));
    EXPECT_TRUE(std::ranges::equal(loaded.features.clip(i), expected)) << loaded.clips[i].name;
  }
}

TEST_F(DatasetFolder, LoadingNamesABadFile) {
  say({"no", "yes"}, 3);
  put(root() / "yes" / "p01_nohash_0.wav", "no sound");
  ThreadPool pool(2);
  SilentReporter reporter;
  expect_bad_input([&] { load_features(Dataset(root()), Split::kAll, Mfcc(), pool, reporter, StopFlag()); },
                   {"yes/p01_nohash_0.wav"});
}

TEST_F(DatasetFolder, LoadingStopsWhenAsked) {
  say({"no", "yes"}, 3);
  ThreadPool pool(2);
  SilentReporter reporter;
  StopFlag stop;
  stop.request();
  try {
    load_features(Dataset(root()), Split::kAll, Mfcc(), pool, reporter, stop);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST(SpeakerNames, ComeFromTheFileName) {
  EXPECT_EQ(speaker_of("yes", "022cd682_nohash_0.wav"), "022cd682");
  EXPECT_EQ(speaker_of("yes", "en-us-f1_nohash_3.wav"), "en-us-f1");
  EXPECT_EQ(speaker_of("yes", "ann_3.wav"), "ann");
  EXPECT_EQ(speaker_of("7", "7_jackson_12.wav"), "jackson");
  EXPECT_EQ(speaker_of("_silence_", "1043.wav"), "1043");
  EXPECT_EQ(speaker_of("yes", "_odd.wav"), "_odd");
}

TEST(Classes, SurviveJson) {
  const ClassMap classes = {{"yes", {"yes"}}, {"other", {"no", "_silence_"}}};
  const std::string json = classes_to_json(classes);
  EXPECT_EQ(json, R"({"yes":["yes"],"other":["no","_silence_"]})");
  const ClassMap back = parse_classes(json, {"other", "yes"}, "m");
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].label, "other");
  EXPECT_EQ(back[0].folders, (std::vector<std::string>{"no", "_silence_"}));
  EXPECT_EQ(parse_classes(json, {}, "m")[0].label, "yes");
}

TEST(Classes, RefuseMalformedJsonByName) {
  const std::vector<std::string> labels = {"yes", "no"};
  struct Case {
    std::string json;
    std::string part;
  };
  for (const Case& c : std::vector<Case>{{"{", "not a JSON object"},
                                         {"[]", "not a JSON object"},
                                         {R"({"yes":"yes","no":["no"]})", "'yes' has no list"},
                                         {R"({"yes":[1],"no":["no"]})", "'yes' lists 1"},
                                         {R"({"yes":[],"no":["no"]})", "'yes' has no folders"},
                                         {R"({"yes":["a"],"no":["a"]})", "'a' is named twice"},
                                         {R"({"yes":["yes"]})", "'no' is missing"},
                                         {R"({"yes":["yes"],"no":["no"],"up":["up"]})", "does not have"}}) {
    SCOPED_TRACE(c.json);
    expect_bad_input([&] { parse_classes(c.json, labels, "model.safetensors"); }, {"model.safetensors", c.part});
  }
}

TEST(Splits, NamesAreReadBack) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest, Split::kAll}) {
    EXPECT_EQ(parse_split(to_string(split), "--split"), split);
  }
  EXPECT_THROW(parse_split("dev", "--split"), Error);
}

TEST(RealSpeech, HasTheSplitItsListsSay) {
  const fs::path root = fs::path(HYSTERON_SOURCE_DIR) / ".." / "shared" / "data" / "speech_commands";
  if (!fs::is_directory(root)) GTEST_SKIP() << root << " is absent";
  const Dataset dataset(root);
  EXPECT_EQ(dataset.labels().size(), 12u);
  EXPECT_EQ(dataset.clips(Split::kTrain).size(), 2407u);
  EXPECT_EQ(dataset.clips(Split::kValidation).size(), 359u);
  EXPECT_EQ(dataset.clips(Split::kTest).size(), 704u);
}

}  // namespace
}  // namespace hysteron::data
