#include "data/speech.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/process.h"
#include "data/audio.h"
#include "data/bytes.h"

namespace hysteron::data {
namespace {

constexpr const char* kProgram = "espeak-ng";
constexpr std::chrono::seconds kTimeLimit{20};
constexpr std::size_t kKeptOutput = std::size_t{64} << 20;  // bytes, minutes of speech
constexpr double kPauseSeconds = 1.0;                       // asked for between words
constexpr double kGapSeconds = 0.5;                         // of exact zeros: the least that parts two words
constexpr std::string_view kPause = "<break time=\"1000ms\"/>";

/// 16-bit samples as espeak-ng writes them to a pipe: a WAV header whose sizes mean nothing, then samples to the end.
struct RawSpeech {
  int rate = 0;  // hertz
  std::vector<float> samples;
};

RawSpeech parse_speech(std::string_view bytes, const std::string& voice) {
  constexpr std::size_t kHeader = 44;
  constexpr std::size_t kRateAt = 24;
  constexpr std::size_t kBitsAt = 34;
  const bool is_wav = bytes.size() > kHeader && bytes.substr(0, 4) == "RIFF" && bytes.substr(36, 4) == "data" &&
                      load_little_endian<std::uint16_t>(bytes.data() + kBitsAt) == 16;
  if (!is_wav) throw bad_input(fmt::format("{} said nothing with voice {}", kProgram, quoted(voice)));
  RawSpeech speech;
  speech.rate = static_cast<int>(load_little_endian<std::uint32_t>(bytes.data() + kRateAt));
  bytes.remove_prefix(kHeader);
  speech.samples.resize(bytes.size() / 2);
  for (std::size_t i = 0; i < speech.samples.size(); ++i) {
    const auto value = static_cast<std::int16_t>(load_little_endian<std::uint16_t>(bytes.data() + 2 * i));
    speech.samples[i] = static_cast<float>(value) / 32768.0F;
  }
  return speech;
}

std::filesystem::path find_espeak() {
  const char* search_path = std::getenv("PATH");
  std::filesystem::path program = find_program(kProgram, search_path != nullptr ? search_path : "/usr/bin:/bin");
  if (program.empty()) {
    throw bad_input(fmt::format(
        "{} is not installed; install it (apt-get install espeak-ng), or give a folder of recordings in place of the "
        "spoken corpus",
        kProgram));
  }
  return program;
}

Error failure(const Utterance& utterance, const ProcessOutcome& outcome) {
  std::string how = fmt::format("ended with code {}", outcome.code);
  if (outcome.end == ProcessOutcome::End::kSignalled) how = fmt::format("was killed by signal {}", outcome.code);
  if (outcome.end == ProcessOutcome::End::kTimedOut) how = fmt::format("took longer than {} s", kTimeLimit.count());
  return bad_input(fmt::format("{} with voice {} {}: {}", kProgram, quoted(utterance.voice), how,
                               quoted(outcome.errors.substr(0, 200))));
}

RawSpeech run_espeak(const Utterance& utterance, bool markup) {
  ProcessRequest request;
  request.program = find_espeak();
  request.arguments = {
      "-v", utterance.voice, "-s", std::to_string(utterance.rate), "-p", std::to_string(utterance.pitch), "--stdout"};
  if (markup) request.arguments.emplace_back("-m");
  request.arguments.emplace_back("--");
  request.arguments.push_back(utterance.text);
  request.environment = environment_with({}, {});
  request.folder = ".";
  request.time_limit = kTimeLimit;
  request.kept_output = kKeptOutput;
  const ProcessOutcome outcome = run_process(request);
  if (outcome.end != ProcessOutcome::End::kExited || outcome.code != 0) throw failure(utterance, outcome);
  return parse_speech(outcome.output, utterance.voice);
}

/// The parts of `samples` between runs of at least `gap` zeros.
std::vector<std::span<const float>> split_at_silence(std::span<const float> samples, std::size_t gap) {
  std::vector<std::span<const float>> parts;
  std::size_t begin = 0;  // of the part under way
  std::size_t end = 0;    // one past its last sample that is not zero; 0: no part yet
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] == 0.0F) continue;
    if (end > 0 && i - end >= gap) parts.push_back(samples.subspan(begin, end - begin));
    if (end == 0 || i - end >= gap) begin = i;
    end = i + 1;
  }
  if (end > 0) parts.push_back(samples.subspan(begin, end - begin));
  return parts;
}

}  // namespace

std::vector<float> speak(const Utterance& utterance) {
  const RawSpeech speech = run_espeak(utterance, false);
  return resample(speech.samples, speech.rate);
}

std::vector<std::vector<float>> speak_words(const std::string& voice, const std::vector<std::string>& words, int rate,
                                            int pitch) {
  static_assert(kGapSeconds < kPauseSeconds);
  std::string text;
  for (const std::string& word : words) text += fmt::format("{}{}.", text.empty() ? "" : kPause, word);
  const RawSpeech speech = run_espeak({voice, text, rate, pitch}, true);
  const auto gap = static_cast<std::size_t>(kGapSeconds * speech.rate);
  const auto parts = split_at_silence(speech.samples, gap);
  std::vector<std::vector<float>> spoken;
  if (parts.size() == words.size()) {
    for (const auto& part : parts) spoken.push_back(resample(part, speech.rate));
    return spoken;
  }
  for (const std::string& word : words) {
    const RawSpeech single = run_espeak({voice, word, rate, pitch}, false);
    const auto whole = split_at_silence(single.samples, single.samples.size());
    if (whole.empty()) throw bad_input(fmt::format("{} said nothing with voice {}", kProgram, quoted(voice)));
    spoken.push_back(resample(whole.front(), single.rate));
  }
  return spoken;
}

}  // namespace hysteron::data
