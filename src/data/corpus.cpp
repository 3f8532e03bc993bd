#include "data/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/audio.h"
#include "data/mfcc.h"
#include "data/noise.h"
#include "data/progress.h"
#include "data/speech.h"
#include "data/split.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

constexpr int kCorpusVersion = 3;  // a part of the cache's folder name: raise it when the bytes change
constexpr const char* kSilenceFolder = "_silence_";

// English accents of espeak-ng that heed a variant. `en-gb` does not; `en` speaks the same accent and does.
constexpr std::array<const char*, 7> kAccents = {
    "en", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029"};

// Variants that sound like people, have no echo and lie well apart (docs/data.md tells how far): high voices and low
// ones (about 160 to 310 Hz and 85 to 150 Hz).
constexpr std::array<const char*, 12> kHighVariants = {"f1",    "Andrea", "Annie", "linda", "belinda", "anika",
                                                       "steph", "shelby", "zac",   "aunty", "grandma", "Nguyen"};
constexpr std::array<const char*, 24> kLowVariants = {
    "m3",    "quincy",  "Alex", "Andy",    "Hugo", "Jacky", "m8", "paul", "robert", "victor", "travis", "m1",
    "Mario", "Michael", "max",  "grandpa", "ed",   "Gene",  "m5", "m7",   "iven",   "david",  "sandro", "antonio"};

// Ranges the takes are drawn from.
constexpr int kMinRate = 110;  // words a minute
constexpr int kMaxRate = 180;
constexpr int kMinPitch = 25;  // espeak-ng's scale, 50 is the voice's own
constexpr int kMaxPitch = 75;
constexpr double kMinPeak = -18.0;  // decibel below full scale
constexpr double kMaxPeak = -1.0;
constexpr double kMinSnr = 10.0;  // decibel
constexpr double kMaxSnr = 30.0;
constexpr double kMinSilence = -65.0;  // decibel below full scale, RMS
constexpr double kMaxSilence = -25.0;

// Where a word begins, in seconds. The decision on a clip is the majority of its frames, so a word in the second half
// could not be told at all; recordings of single words are centered for the same reason.
constexpr double kEarliestStart = 0.02;
constexpr double kLatestStart = 0.15;

constexpr double kTestShare = 0.2;  // of the variants
constexpr double kValidationShare = 0.125;

struct Speaker {
  std::string voice;
  std::string name;  ///< in file names
  Split split = Split::kTrain;
};

double amplitude(double decibel) { return std::pow(10.0, decibel / 20.0); }

std::string variant_of(const std::string& voice) { return voice.substr(voice.find('+') + 1); }

void check_spec(const CorpusSpec& spec) {
  const std::size_t voices = corpus_voices().size();
  if (spec.speakers < 3 || spec.speakers > voices) {
    throw bad_input(fmt::format("corpus: {} speakers; expected 3 to {}", spec.speakers, voices));
  }
  if (spec.takes == 0) throw bad_input("corpus: no takes; expected at least 1");
  if (spec.words.empty()) throw bad_input("corpus: no words; expected at least 1");
  const std::set<std::string> unique(spec.words.begin(), spec.words.end());
  if (unique.size() != spec.words.size()) throw bad_input("corpus: a word is named twice");
  for (const std::string& word : spec.words) {
    const bool letters = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (word.empty() || !letters) {
      throw bad_input(fmt::format("corpus: word {}; expected letters a to z only", quoted(word)));
    }
  }
}

/// A key of how `voice` sounds; empty where this espeak-ng does not have it.
std::string voice_print(const std::string& voice) {
  constexpr int kRate = 175;
  constexpr int kPitch = 50;
  std::string bytes;
  for (const auto& samples : speak_words(voice, {"yes", "no", "right"}, kRate, kPitch)) bytes += wav_bytes(samples);
  return bytes;
}

/// The first `count` voices that this espeak-ng has and that sound different. An unknown variant is silently replaced
/// by the plain voice, which only the sound tells.
std::vector<std::string> choose_voices(std::size_t count, ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  const std::vector<std::string> candidates = corpus_voices();
  std::set<std::string> prints;
  std::vector<std::string> chosen;
  std::size_t next = 0;
  while (chosen.size() < count && next < candidates.size()) {
    const std::size_t batch = std::min(count - chosen.size(), candidates.size() - next);
    std::vector<std::string> heard(batch);
    Progress progress("checking the voices", batch, reporter, stop);
    pool.run(batch, [&](std::size_t i) {
      heard[i] = voice_print(candidates[next + i]);
      progress.step();
    });
    for (std::size_t i = 0; i < batch; ++i) {
      if (prints.insert(heard[i]).second) chosen.push_back(candidates[next + i]);
    }
    next += batch;
  }
  if (chosen.size() < count) {
    throw bad_input(
        fmt::format("corpus: espeak-ng has only {} of the {} required distinct voices", chosen.size(), count));
  }
  return chosen;
}

/// `a` and `b` in their orders, each spread evenly over the result.
template <typename T>
std::vector<T> spread_evenly(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> result;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    // The shares taken so far, (i + 1/2) / |a| and (j + 1/2) / |b|, without the division.
    const bool from_a = j == b.size() || (i < a.size() && (2 * i + 1) * b.size() <= (2 * j + 1) * a.size());
    result.push_back(from_a ? a[i++] : b[j++]);
  }
  return result;
}

/// The variants of `voices` in random order, high and low ones spread evenly.
std::vector<std::string> shuffled_variants(const std::vector<std::string>& voices, Random random) {
  std::vector<std::string> high;
  std::vector<std::string> low;
  for (const std::string& voice : voices) {
    const std::string variant = variant_of(voice);
    const bool is_high = std::find(kHighVariants.begin(), kHighVariants.end(), variant) != kHighVariants.end();
    std::vector<std::string>& group = is_high ? high : low;
    if (std::find(group.begin(), group.end(), variant) == group.end()) group.push_back(variant);
  }
  random.shuffle(high);
  random.shuffle(low);
  return spread_evenly(high, low);
}

/// Splits by variant: the same throat with another accent is never on both sides, and each has high and low voices.
std::vector<Speaker> cast_speakers(const std::vector<std::string>& voices, const Random& random) {
  const std::vector<std::string> variants = shuffled_variants(voices, random.child("split"));
  const auto share = [&](double part) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(part * static_cast<double>(variants.size()))));
  };
  const std::size_t tests = share(kTestShare);
  const std::size_t held_out = tests + share(kValidationShare);
  std::vector<Speaker> speakers;
  for (const std::string& voice : voices) {
    const auto place = std::find(variants.begin(), variants.end(), variant_of(voice)) - variants.begin();
    Speaker speaker{voice, voice, Split::kTrain};
    std::replace(speaker.name.begin(), speaker.name.end(), '+', '-');
    if (static_cast<std::size_t>(place) < held_out) speaker.split = Split::kValidation;
    if (static_cast<std::size_t>(place) < tests) speaker.split = Split::kTest;
    speakers.push_back(std::move(speaker));
  }
  return speakers;
}

/// One second with `speech` at a random place and level, and noise below it.
std::vector<float> place_speech(std::vector<float> speech, Random random) {
  constexpr std::size_t kLength = Mfcc::kSamples;
  if (speech.size() > kLength) speech.resize(kLength);
  double peak = 0.0;
  double energy = 0.0;
  for (const float sample : speech) {
    peak = std::max(peak, std::abs(static_cast<double>(sample)));
    energy += static_cast<double>(sample) * static_cast<double>(sample);
  }
  const double gain = peak > 0.0 ? amplitude(random.uniform(kMinPeak, kMaxPeak)) / peak : 0.0;
  const double level = gain * std::sqrt(energy / static_cast<double>(std::max<std::size_t>(1, speech.size())));
  const std::size_t room = kLength - speech.size();
  const auto wanted = static_cast<std::size_t>(random.uniform(kEarliestStart, kLatestStart) * kSampleRate);
  const std::size_t start = std::min(wanted, room);
  const double noise_level = level * amplitude(-random.uniform(kMinSnr, kMaxSnr));
  std::vector<float> clip = make_noise(kLength, noise_level, random.child("noise"));
  for (std::size_t i = 0; i < speech.size(); ++i) {
    clip[start + i] += static_cast<float>(gain * static_cast<double>(speech[i]));
  }
  return clip;
}

std::vector<float> make_silence(Random random) {
  const double level = amplitude(random.uniform(kMinSilence, kMaxSilence));
  return make_noise(Mfcc::kSamples, level, random.child("noise"));
}

/// Writes without the flush to disk of write_file(): the folder as a whole is what appears at once.
void put_file(const fs::path& path, std::string_view bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    throw bad_input(fmt::format("{}: cannot write: {}", quoted(path.string()), std::generic_category().message(errno)));
  }
}

std::string clip_name(const std::string& folder, const Speaker& speaker, std::size_t take) {
  return fmt::format("{}/{}_nohash_{}.wav", folder, speaker.name, take);
}

/// Every clip of one take of one speaker: each word and a silence.
void record_take(const CorpusSpec& spec, const Speaker& speaker, std::size_t take, const fs::path& folder) {
  Random random = Random(spec.seed).child(speaker.name).child("take", take);
  const int rate = kMinRate + static_cast<int>(random.below(kMaxRate - kMinRate + 1));
  const int pitch = kMinPitch + static_cast<int>(random.below(kMaxPitch - kMinPitch + 1));
  std::vector<std::vector<float>> spoken = speak_words(speaker.voice, spec.words, rate, pitch);
  for (std::size_t w = 0; w < spec.words.size(); ++w) {
    const std::vector<float> clip = place_speech(std::move(spoken[w]), random.child(spec.words[w]));
    put_file(folder / clip_name(spec.words[w], speaker, take), wav_bytes(clip));
  }
  const std::vector<float> silence = make_silence(random.child(kSilenceFolder));
  put_file(folder / clip_name(kSilenceFolder, speaker, take), wav_bytes(silence));
}

void write_list(const CorpusSpec& spec, const std::vector<Speaker>& speakers, Split split, const fs::path& path) {
  std::vector<std::string> names;
  std::vector<std::string> folders = spec.words;
  folders.emplace_back(kSilenceFolder);
  for (const std::string& folder : folders) {
    for (const Speaker& speaker : speakers) {
      for (std::size_t t = 0; speaker.split == split && t < spec.takes; ++t) {
        names.push_back(clip_name(folder, speaker, t) + "\n");
      }
    }
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += name;
  put_file(path, text);
}

/// A new folder beside `target` that takes its name when it is complete and vanishes with all in it when it is not.
class PartialFolder {
 public:
  explicit PartialFolder(fs::path target) : target_(std::move(target)) {
    if (target_.has_parent_path()) make_directories(target_.parent_path());
    std::string name = target_.string() + ".partial-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw failure("cannot create the folder", errno);
    path_ = name;
    std::error_code ignored;  // mkdtemp makes it private; the corpus is as open as any file of the user
    fs::permissions(path_,
                    fs::perms::group_read | fs::perms::group_exec | fs::perms::others_read | fs::perms::others_exec,
                    fs::perm_options::add, ignored);
  }
  ~PartialFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  const fs::path& path() const { return path_; }

  void keep() {
    std::error_code code;
    fs::rename(path_, target_, code);
    if (code) throw failure("cannot rename to the folder", code.value());
    path_.clear();
  }

 private:
  Error failure(const char* what, int code) const {
    return bad_input(fmt::format("{}: {}: {}", quoted(target_.string()), what, std::generic_category().message(code)));
  }

  fs::path target_;
  fs::path path_;  // empty when kept
};

}  // namespace

std::vector<std::string> corpus_voices() {
  const std::vector<std::string> variants = spread_evenly<std::string>({kHighVariants.begin(), kHighVariants.end()},
                                                                       {kLowVariants.begin(), kLowVariants.end()});
  std::vector<std::string> voices;
  for (std::size_t round = 0; round < kAccents.size(); ++round) {
    for (std::size_t v = 0; v < variants.size(); ++v) {
      voices.push_back(fmt::format("{}+{}", kAccents[(v + round) % kAccents.size()], variants[v]));
    }
  }
  return voices;
}

void make_corpus(const CorpusSpec& spec, const fs::path& folder, ThreadPool& pool, Reporter& reporter,
                 const StopFlag& stop) {
  check_spec(spec);
  std::error_code ignored;
  if (fs::exists(folder, ignored)) throw bad_input(fmt::format("{}: exists already", quoted(folder.string())));
  const std::vector<std::string> voices = choose_voices(spec.speakers, pool, reporter, stop);
  const std::vector<Speaker> speakers = cast_speakers(voices, Random(spec.seed));
  PartialFolder partial(folder);
  for (const std::string& word : spec.words) make_directories(partial.path() / word);
  make_directories(partial.path() / kSilenceFolder);
  Progress progress("speaking the corpus", spec.speakers * spec.takes, reporter, stop);
  pool.run(spec.speakers * spec.takes, [&](std::size_t i) {
    record_take(spec, speakers[i / spec.takes], i % spec.takes, partial.path());
    progress.step();
  });
  write_list(spec, speakers, Split::kValidation, partial.path() / kValidationList);
  write_list(spec, speakers, Split::kTest, partial.path() / kTestingList);
  partial.keep();
}

fs::path cached_corpus(std::uint64_t seed, ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  fs::path folder = cache_directory() / fmt::format("corpus-v{}-seed{}", kCorpusVersion, seed);
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return folder;
  CorpusSpec spec;
  spec.seed = seed;
  try {
    make_corpus(spec, folder, pool, reporter, stop);
  } catch (const Error&) {
    if (!fs::is_directory(folder, ignored)) throw;  // another process was faster: its corpus has the same bytes
  }
  return folder;
}

}  // namespace hysteron::data
