#include "data/audio.h"

#include <fmt/format.h>
#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "data/bytes.h"

namespace hysteron::data {
namespace {

/// A file in memory as libsndfile sees it: names never reach the library.
struct MemoryFile {
  std::string_view bytes;
  sf_count_t position = 0;
};

sf_count_t memory_length(void* user) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size()); }

sf_count_t memory_seek(sf_count_t offset, int whence, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  const auto size = static_cast<sf_count_t>(file.bytes.size());
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = file.position;
  if (whence == SEEK_END) base = size;
  file.position = std::clamp<sf_count_t>(base + offset, 0, size);
  return file.position;
}

sf_count_t memory_read(void* target, sf_count_t count, void* user) {
  auto& file = *static_cast<MemoryFile*>(user);
  const sf_count_t left = static_cast<sf_count_t>(file.bytes.size()) - file.position;
  const sf_count_t taken = std::clamp<sf_count_t>(count, 0, left);
  std::memcpy(target, file.bytes.data() + file.position, static_cast<std::size_t>(taken));
  file.position += taken;
  return taken;
}

sf_count_t memory_write(const void*, sf_count_t, void*) { return 0; }

sf_count_t memory_tell(void* user) { return static_cast<MemoryFile*>(user)->position; }

struct CloseSound {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using Sound = std::unique_ptr<SNDFILE, CloseSound>;

/// libsndfile shortens a truncated WAV file silently, so the chunk sizes are compared with the file's here. Any sample
/// rate, coding or extra chunk is libsndfile's business. Source: Multimedia Programming Interface 1.0 (RIFF).
void check_wav_is_whole(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") return;
  std::size_t position = 12;
  while (bytes.size() - position >= 8) {
    const std::string_view id = bytes.substr(position, 4);
    const std::size_t size = load_little_endian<std::uint32_t>(bytes.data() + position + 4);
    const std::size_t left = bytes.size() - position - 8;
    if (size > left && id == "data") {
      throw bad_input(fmt::format("{}: the file is truncated: its header says {} bytes of samples and {} are there",
                                  name, size, left));
    }
    if (id == "data") return;
    if (size > left) break;
    position += 8 + std::min(left, size + size % 2);  // chunks begin at even places
  }
  throw bad_input(fmt::format("{}: the file is truncated: it ends before its samples", name));
}

std::string describe_format(int format) {
  SF_FORMAT_INFO info{};
  info.format = format & SF_FORMAT_TYPEMASK;
  const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof(info)) == 0 && info.name != nullptr;
  return known ? info.name : "of an unknown format";
}

void check_format(const SF_INFO& info, const std::string& name) {
  switch (info.format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
    case SF_FORMAT_FLAC:
      break;
    default:
      throw bad_input(fmt::format("{}: the file is {}; expected WAV or FLAC", name, describe_format(info.format)));
  }
  if (info.frames == 0) throw bad_input(fmt::format("{}: the file contains no samples", name));
}

/// Every frame of the file, its channels averaged.
std::vector<float> read_mono(SNDFILE* sound, const SF_INFO& info, const std::string& name) {
  constexpr sf_count_t kBlockFrames = 16384;
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> block(static_cast<std::size_t>(kBlockFrames) * channels);
  std::vector<float> mono;
  while (true) {
    const sf_count_t frames = sf_readf_float(sound, block.data(), kBlockFrames);
    if (frames <= 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
      double sum = 0.0;
      for (std::size_t c = 0; c < channels; ++c) sum += block[i * channels + c];
      if (!std::isfinite(sum)) {
        throw bad_input(fmt::format("{}: sample {} is NaN or infinite; expected finite values", name, mono.size()));
      }
      mono.push_back(static_cast<float>(sum / static_cast<double>(channels)));
    }
  }
  if (static_cast<sf_count_t>(mono.size()) != info.frames) {
    throw bad_input(
        fmt::format("{}: the file is truncated or damaged: its header announces {} samples, but only {} can be read",
                    name, info.frames, mono.size()));
  }
  return mono;
}

}  // namespace

std::vector<float> read_audio(const std::filesystem::path& path) {
  const std::string name = quoted(path.string());
  const std::string bytes = read_file(path);
  if (bytes.empty()) throw bad_input(fmt::format("{}: the file is empty; expected WAV or FLAC", name));
  check_wav_is_whole(bytes, name);
  MemoryFile file{bytes};
  SF_VIRTUAL_IO io{memory_length, memory_seek, memory_read, memory_write, memory_tell};
  SF_INFO info{};
  const Sound sound(sf_open_virtual(&io, SFM_READ, &info, &file));
  if (!sound) {
    throw bad_input(fmt::format("{}: the file cannot be read as WAV or FLAC: {}", name, sf_strerror(nullptr)));
  }
  check_format(info, name);
  std::vector<float> mono = read_mono(sound.get(), info, name);
  if (info.samplerate == kSampleRate) return mono;
  try {
    return resample(mono, info.samplerate);
  } catch (const Error& error) {
    throw bad_input(fmt::format("{}: {}", name, error.what()));
  }
}

std::vector<float> resample(std::span<const float> samples, int from, int to) {
  const double ratio = static_cast<double>(to) / static_cast<double>(from);
  if (from <= 0 || to <= 0 || src_is_valid_ratio(ratio) == 0) {
    throw bad_input(fmt::format("cannot resample from {} Hz to {} Hz; the ratio must be from 1/256 to 256", from, to));
  }
  constexpr std::size_t kSlack = 16;  // libsamplerate may give a sample more or less than the ratio says
  const auto length = static_cast<std::size_t>(std::max(1.0, std::round(static_cast<double>(samples.size()) * ratio)));
  if (length > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw bad_input(fmt::format("{} samples at {} Hz are too many", samples.size(), from));
  }
  std::vector<float> result(length + kSlack, 0.0F);
  SRC_DATA data{};
  data.data_in = samples.data();
  data.input_frames = static_cast<long>(samples.size());
  data.data_out = result.data();
  data.output_frames = static_cast<long>(result.size());
  data.src_ratio = ratio;
  const int code = src_simple(&data, SRC_SINC_BEST_QUALITY, 1);
  if (code != 0) throw bad_input(fmt::format("cannot resample from {} Hz: {}", from, src_strerror(code)));
  result.resize(length);
  return result;
}

std::string wav_bytes(std::span<const float> samples) {
  constexpr std::uint32_t kBytesPerSample = 2;
  constexpr std::uint32_t kHeaderAfterSize = 36;
  const auto data_size = static_cast<std::uint32_t>(samples.size()) * kBytesPerSample;
  std::string bytes = "RIFF";
  append_little_endian<std::uint32_t>(bytes, kHeaderAfterSize + data_size);
  bytes += "WAVEfmt ";
  append_little_endian<std::uint32_t>(bytes, 16);                             // size of the format chunk
  append_little_endian<std::uint16_t>(bytes, 1);                              // PCM
  append_little_endian<std::uint16_t>(bytes, 1);                              // channels
  append_little_endian<std::uint32_t>(bytes, kSampleRate);                    // frames a second
  append_little_endian<std::uint32_t>(bytes, kSampleRate * kBytesPerSample);  // bytes a second
  append_little_endian<std::uint16_t>(bytes, kBytesPerSample);                // bytes a frame
  append_little_endian<std::uint16_t>(bytes, 8 * kBytesPerSample);            // bits a sample
  bytes += "data";
  append_little_endian<std::uint32_t>(bytes, data_size);
  for (const float sample : samples) {
    const long value = std::clamp(std::lround(static_cast<double>(sample) * 32768.0), -32768L, 32767L);
    append_little_endian<std::uint16_t>(bytes, static_cast<std::uint16_t>(value));
  }
  return bytes;
}

}  // namespace hysteron::data
