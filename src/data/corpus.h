#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"

namespace hysteron::data {

/// What the spoken corpus holds: speakers * takes clips of each word and as many of silence.
struct CorpusSpec {
  std::uint64_t seed = 1;
  std::size_t speakers = 72;  ///< at most corpus_voices().size(), at least 3: one for each split
  std::size_t takes = 6;      ///< clips of each word by each speaker, each at its own rate, pitch and noise
  std::vector<std::string> words = {"yes", "no", "up", "down", "left", "right"};
};

/// Voices of espeak-ng that can speak the corpus ("en-us+f2"), best spread over accents and variants first.
std::vector<std::string> corpus_voices();

/// Speaks `spec` into `folder`, in the layout of Speech Commands: one-second 16-bit WAV files at 16 kHz in a folder a
/// word and `_silence_`, `validation_list.txt` and `testing_list.txt` with speakers of their own. The bytes depend on
/// `spec` and the installed espeak-ng only, not on the number of threads. The folder appears whole or not at all and
/// must not exist. Throws a bad-input Error where espeak-ng is missing or fails, kInterrupted when `stop` is set.
void make_corpus(const CorpusSpec& spec, const std::filesystem::path& folder, ThreadPool& pool, Reporter& reporter,
                 const StopFlag& stop);

/// The folder of the default corpus with this seed, below cache_directory(); made by make_corpus() the first time.
std::filesystem::path cached_corpus(std::uint64_t seed, ThreadPool& pool, Reporter& reporter, const StopFlag& stop);

/// One utterance of espeak-ng as samples at kSampleRate. `rate` is in words a minute, `pitch` 0 to 99.
struct Utterance {
  std::string voice;
  std::string text;
  int rate = 175;
  int pitch = 50;
};
std::vector<float> speak(const Utterance& utterance);

}  // namespace hysteron::data
