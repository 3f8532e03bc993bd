#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace hysteron::data {

inline constexpr int kSampleRate = 16000;  ///< hertz; every clip inside the program has this rate

/// Mono samples at kSampleRate from a WAV or FLAC file of any sample rate, channel count (channels are averaged) and
/// sample format; integers are divided by their full scale (int16: x / 32768), so the range is [-1, 1).
///
/// Throws a bad-input Error that names the file where it is missing, empty, neither WAV nor FLAC, shorter than its
/// header says, without samples, or holds NaN or infinite samples.
std::vector<float> read_audio(const std::filesystem::path& path);

/// `samples` at `from` hertz as samples at `to` hertz (libsamplerate, best sinc), round(count * to / from) of them and
/// at least one. Throws a bad-input Error where the ratio is outside [1/256, 256].
std::vector<float> resample(std::span<const float> samples, int from, int to = kSampleRate);

/// A 16-bit mono WAV file at kSampleRate as bytes; samples outside [-1, 1) are limited.
std::string wav_bytes(std::span<const float> samples);

}  // namespace hysteron::data
