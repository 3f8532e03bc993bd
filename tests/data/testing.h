#pragma once

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::data {

namespace fs = std::filesystem;

/// Expects `call` to throw a bad-input Error whose message has every part of `parts`.
inline void expect_bad_input(const std::function<void()>& call, const std::vector<std::string>& parts) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
          << "no \"" << part << "\" in: " << error.what();
    }
    return;
  }
  FAIL() << "nothing was thrown";
}

inline void put(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
}

/// A sine of `hertz` and amplitude 0.5, each sample repeated for every channel.
inline std::vector<float> sine(double hertz, int rate, double seconds = 1.0, int channels = 1) {
  const auto frames = static_cast<std::size_t>(seconds * rate);
  std::vector<float> samples;
  for (std::size_t i = 0; i < frames; ++i) {
    const double value = 0.5 * std::sin(2.0 * 3.14159265358979323846 * hertz * static_cast<double>(i) / rate);
    samples.insert(samples.end(), static_cast<std::size_t>(channels), static_cast<float>(value));
  }
  return samples;
}

/// Writes interleaved `samples` through libsndfile in any of its formats.
inline void put_sound(const fs::path& file, const std::vector<float>& samples, int format, int rate = 16000,
                      int channels = 1) {
  fs::create_directories(file.parent_path());
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* sound = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_NE(sound, nullptr) << sf_strerror(nullptr);
  sf_writef_float(sound, samples.data(), static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(sound);
}

inline constexpr int kWav16 = SF_FORMAT_WAV | SF_FORMAT_PCM_16;

}  // namespace hysteron::data
