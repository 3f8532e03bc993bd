#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "data/audio.h"

// Files as another program would make them: bytes put together here from the descriptions of the formats, not by the
// code under test (but for WAV, which libsndfile reads).

namespace hysteron::cli {

inline std::string float_bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// An .npy file of version 1; `descr` and `order` as its header spells them.
inline std::string npy_bytes(const std::string& shape, const std::vector<float>& values,
                             const std::string& descr = "<f4", const std::string& order = "False") {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  const std::string size = {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  return std::string("\x93NUMPY\x01\x00", 8) + size + header + float_bytes(values);
}

/// Tensors in the order they are to have in the file, with shape and values.
struct NamedTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A safetensors file: 8 bytes of header length, the JSON header padded with `padding` spaces, the data.
inline std::string safetensors_bytes(const std::vector<NamedTensor>& tensors,
                                     const std::map<std::string, std::string>& metadata, std::size_t padding = 0) {
  std::string data;
  nlohmann::ordered_json header;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t begin = data.size();
    data += float_bytes(tensor.values);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  header["__metadata__"] = metadata;
  const std::string text = header.dump() + std::string(padding, ' ');
  std::string length(8, '\0');
  const std::uint64_t size = text.size();
  std::memcpy(length.data(), &size, sizeof size);
  return length + text + data;
}

/// Two inputs, two cells that follow one input each, and a readout that gives "first" where the first cell alone is on.
/// Thresholds are 0.3 and 0.7, far from what tiny_features() brings.
inline std::vector<NamedTensor> tiny_tensors() {
  return {
      {"input.weight", {2, 2}, {1.0F, 0.0F, 0.0F, 1.0F}},
      {"input.bias", {2}, {0.0F, 0.0F}},
      {"layers.0.candidate.weight", {2, 2}, {1.0F, 0.0F, 0.0F, 1.0F}},
      {"layers.0.candidate.bias", {2}, {0.0F, 0.0F}},
      {"layers.0.beta_lo", {2}, {0.3F, 0.3F}},
      {"layers.0.beta_hi", {2}, {0.7F, 0.7F}},
      {"layers.0.alpha", {2}, {1.0F, 1.0F}},
      {"layers.0.initial_state", {2}, {0.0F, 0.0F}},
      {"layers.0.output.weight", {2, 2}, {1.0F, 0.0F, 0.0F, 1.0F}},
      {"layers.0.output.bias", {2}, {0.0F, 0.0F}},
      {"readout.weight", {2, 2}, {1.0F, -1.0F, -1.0F, 1.0F}},
      {"readout.bias", {2}, {0.0F, 0.0F}},
  };
}

inline std::map<std::string, std::string> tiny_metadata(const std::vector<std::string>& labels = {"first", "second"}) {
  return {{"hysteron.format", "1"},
          {"hysteron.cell", "fq_bmru"},
          {"hysteron.labels", nlohmann::json(labels).dump()},
          {"hysteron.frame_seconds", "0.01"}};
}

inline std::string tiny_model() { return safetensors_bytes(tiny_tensors(), tiny_metadata()); }

/// Two clips of 8 frames for the tiny model: one input goes over its threshold, then rests within the band. Decisions
/// are "first" and "second".
inline std::string tiny_features() {
  std::vector<float> values;
  for (const std::size_t loud : {0, 1}) {
    for (int frame = 0; frame < 8; ++frame) {
      float inputs[2] = {0.1F, 0.1F};
      inputs[loud] = frame < 3 ? 1.0F : 0.5F;
      values.insert(values.end(), {inputs[0], inputs[1]});
    }
  }
  return npy_bytes("2, 8, 2", values);
}

/// The tiny model with a bias that is beta_lo of its first cell to the last bit, and a bias of 0.1 in the second: at
/// zero input the first cell rests on its threshold.
inline std::string resting_model() {
  std::vector<NamedTensor> tensors = tiny_tensors();
  tensors[3].values = {0.3F, 0.1F};
  return safetensors_bytes(tensors, tiny_metadata());
}

/// Three clips of 8 frames: an input goes over its threshold and then rests at zero.
inline std::string resting_features() {
  std::vector<float> values;
  for (int clip = 0; clip < 3; ++clip) {
    for (int frame = 0; frame < 8; ++frame) values.insert(values.end(), {frame < 3 && clip != 1 ? 1.0F : 0.0F, 0.0F});
  }
  return npy_bytes("3, 8, 2", values);
}

inline std::string tone(double hertz, double seconds = 1.0) {
  std::vector<float> samples(static_cast<std::size_t>(seconds * data::kSampleRate));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(0.4 * std::sin(2.0 * std::numbers::pi * hertz * double(i) / data::kSampleRate));
  }
  return data::wav_bytes(samples);
}

/// A data set of two classes of tones, low and high, by six speakers.
inline void put_tones(const std::filesystem::path& folder) {
  for (const auto& [name, hertz] : {std::pair{"low", 300.0}, std::pair{"high", 2000.0}}) {
    make_directories(folder / name);
    for (int speaker = 0; speaker < 6; ++speaker) {
      for (int take = 0; take < 2; ++take) {
        const std::string file = "s" + std::to_string(speaker) + "_" + std::to_string(take) + ".wav";
        write_file(folder / name / file, tone(hertz * (1.0 + 0.03 * speaker + 0.01 * take)));
      }
    }
  }
}

/// A training configuration for put_tones() that is over in a moment; `more` is added to its [training].
inline std::string tiny_training(const std::filesystem::path& data, const std::filesystem::path& model,
                                 const std::string& more = "steps = 20\n", int width = 3) {
  const auto text = [](const std::filesystem::path& path) { return nlohmann::json(path.string()).dump(); };
  return "[data]\nfolder = " + text(data) + "\n[model]\noutput = " + text(model) +
         "\nwidth = " + std::to_string(width) + "\nlayers = 1\n" + "[training]\nbatch = 8\nvalidation_interval = 5\n" +
         more + "[classes]\nlow = [\"low\"]\nhigh = [\"high\"]\n";
}

}  // namespace hysteron::cli
