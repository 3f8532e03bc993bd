#include "data/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "data/audio.h"
#include "data/dataset.h"
#include "data/noise.h"
#include "data/speech.h"
#include "data/testing.h"

namespace hysteron::data {
namespace {

/// Sets an environment variable while it lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name), before_(std::getenv(name)) {
    if (before_ != nullptr) saved_ = before_;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { before_ != nullptr ? ::setenv(name_, saved_.c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  const char* before_;
  std::string saved_;
};

CorpusSpec tiny(std::uint64_t seed = 3) { return {seed, 4, 2, {"yes", "no"}}; }

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder).string()] = read_file(entry.path());
  }
  return files;
}

class SpokenCorpus : public ::testing::Test {
 protected:
  fs::path make(const CorpusSpec& spec, int jobs, const std::string& name) {
    ThreadPool pool(jobs);
    make_corpus(spec, folder_.path() / name, pool, reporter_, stop_);
    return folder_.path() / name;
  }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  TemporaryDirectory folder_{"corpus-test"};
  SilentReporter reporter_;
  StopFlag stop_;
};

TEST_F(SpokenCorpus, IsTheSameAtAnyNumberOfThreads) {
  EXPECT_EQ(contents(make(tiny(), 1, "one")), contents(make(tiny(), 2, "two")));
}

TEST_F(SpokenCorpus, DependsOnTheSeed) {
  EXPECT_NE(contents(make(tiny(3), 2, "three")), contents(make(tiny(4), 2, "four")));
}

TEST_F(SpokenCorpus, HoldsOneSecondClipsOfEveryWordAndSilence) {
  const fs::path root = make(tiny(), 2, "corpus");
  const Dataset dataset(root, {{"yes", {"yes"}}, {"other", {"no", "silence"}}});
  const std::vector<Clip> clips = dataset.clips(Split::kAll);
  EXPECT_EQ(clips.size(), 4u * 2u * 3u);
  std::set<std::string> different;
  for (const Clip& clip : clips) {
    const std::vector<float> samples = read_audio(root / clip.name);
    EXPECT_EQ(samples.size(), 16000u) << clip.name;
    EXPECT_TRUE(std::ranges::any_of(samples, [](float x) { return x != 0.0F; })) << clip.name;
    different.insert(read_file(root / clip.name));
  }
  EXPECT_EQ(different.size(), clips.size());
  EXPECT_EQ(entries(), 1u);  // nothing is left beside it
}

TEST_F(SpokenCorpus, SharesNoSpeakerAndNoVariantBetweenSplits) {
  CorpusSpec spec{5, 45, 1, {"yes"}};
  const Dataset dataset(make(spec, 2, "corpus"));
  std::map<std::string, std::set<int>> splits_of;
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    for (const Clip& clip : dataset.clips(split)) {
      splits_of[clip.speaker].insert(static_cast<int>(split));
      splits_of[clip.speaker.substr(clip.speaker.rfind('-'))].insert(static_cast<int>(split));
    }
  }
  EXPECT_EQ(splits_of.size(), 45u + 36u);
  for (const auto& [speaker, splits] : splits_of) EXPECT_EQ(splits.size(), 1u) << speaker;
}

TEST_F(SpokenCorpus, IsSpokenByMoreThanSixtyDifferentVoices) {
  const std::size_t speakers = CorpusSpec().speakers;
  ASSERT_GE(speakers, 60u);
  const std::vector<std::string> voices = corpus_voices();
  ASSERT_GE(voices.size(), speakers);
  std::vector<std::string> heard(speakers);
  ThreadPool pool(2);
  pool.run(speakers, [&](std::size_t i) { heard[i] = wav_bytes(speak({voices[i], "yes"})); });
  EXPECT_EQ(std::set<std::string>(heard.begin(), heard.end()).size(), speakers);
}

TEST_F(SpokenCorpus, IsCachedPerSeedOnlyWhenComplete) {
  const Environment cache("XDG_CACHE_HOME", folder_.path().string());
  stop_.request();
  ThreadPool pool(2);
  try {
    cached_corpus(7, pool, reporter_, stop_);
    FAIL() << "the stop was ignored";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
  EXPECT_TRUE(fs::is_empty(folder_.path() / "hysteron"));
}

TEST_F(SpokenCorpus, StoppedHalfwayLeavesNothing) {
  /// Asks for a stop once a few takes are recorded.
  class Stopper : public SilentReporter {
   public:
    explicit Stopper(StopFlag& stop) : stop_(stop) {}
    void progress(const std::string& task, std::size_t done, std::size_t, const std::string&) override {
      if (task == "speaking the corpus" && done == 2) stop_.request();
    }

   private:
    StopFlag& stop_;
  };
  Stopper stopper(stop_);
  ThreadPool pool(2);
  EXPECT_THROW(make_corpus(tiny(), folder_.path() / "corpus", pool, stopper, stop_), Error);
  EXPECT_EQ(entries(), 0u);
}

TEST_F(SpokenCorpus, SaysWhatToInstallWithoutEspeak) {
  const Environment path("PATH", folder_.path().string());
  expect_bad_input([&] { make(tiny(), 2, "corpus"); }, {"espeak-ng is not installed", "apt-get install espeak-ng"});
  EXPECT_EQ(entries(), 0u);
}

TEST_F(SpokenCorpus, SaysWhenEspeakFails) {
  const fs::path program = folder_.path() / "espeak-ng";
  const Environment path("PATH", folder_.path().string());
  put(program, "#!/bin/sh\necho no such thing >&2\nexit 1\n");
  fs::permissions(program, fs::perms::owner_all);
  expect_bad_input([&] { make(tiny(), 2, "corpus"); }, {"espeak-ng with voice", "ended with code 1", "no such thing"});
  put(program, "#!/bin/sh\nkill -SEGV $$\n");
  expect_bad_input([&] { make(tiny(), 2, "corpus"); }, {"was killed by signal 11"});
  put(program, "#!/bin/sh\nexit 0\n");
  expect_bad_input([&] { make(tiny(), 2, "corpus"); }, {"said nothing"});
}

TEST_F(SpokenCorpus, RefusesWhatItCannotSpeak) {
  const auto refuse = [&](CorpusSpec spec, const std::string& part) {
    expect_bad_input([&] { make(spec, 1, "corpus"); }, {part});
  };
  refuse({1, 2, 1, {"yes"}}, "2 speakers");
  refuse({1, 100000, 1, {"yes"}}, "100000 speakers");
  refuse({1, 3, 0, {"yes"}}, "no takes");
  refuse({1, 3, 1, {}}, "no words");
  refuse({1, 3, 1, {"yes", "yes"}}, "twice");
  refuse({1, 3, 1, {"<mark/>"}}, "'<mark/>'");
  refuse({1, 3, 1, {"../x"}}, "'../x'");
  fs::create_directory(folder_.path() / "corpus");
  refuse(tiny(), "exists already");
}

TEST(Speech, WordsSpokenTogetherAreApart) {
  for (const std::string voice : {"en+m3", "en-us+f2"}) {  // f2 has an echo that fills the pauses
    const auto spoken = speak_words(voice, {"yes", "left", "right"}, 150, 50);
    ASSERT_EQ(spoken.size(), 3u);
    for (const auto& word : spoken) {
      EXPECT_GT(word.size(), 0.15 * kSampleRate);
      EXPECT_LT(word.size(), 1.2 * kSampleRate);
    }
  }
}

TEST(Speech, TextIsNeverAnOptionOrAShellCommand) {
  EXPECT_FALSE(speak({"en", "--version; $(reboot) `x` 'y'"}).empty());
}

TEST(Noise, HasTheLevelAskedFor) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    double energy = 0.0;
    for (const float x : make_noise(16000, 0.1, Random(seed))) energy += static_cast<double>(x) * x;
    EXPECT_NEAR(std::sqrt(energy / 16000), 0.1, 0.005);
  }
}

}  // namespace
}  // namespace hysteron::data
