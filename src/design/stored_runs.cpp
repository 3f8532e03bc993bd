#include "design/stored_runs.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "design/record_file.h"
#include "model/safetensors.h"

namespace hysteron::design {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWaves = "waveforms";  // F64 [1 + probes, points]: times, then one row a probe
constexpr const char* kNoise = "noise";      // F64 [3 + 2 transistors, points]: frequency, output, input, then two each
constexpr const char* kSeconds = "hysteron.spice_seconds";

using Rows = std::vector<std::vector<double>>;  // of one length

model::Tensor tensor_of(const Rows& rows) {
  model::Tensor tensor{"F64", {rows.size(), rows.front().size()}, {}};
  for (const std::vector<double>& row : rows) {
    tensor.data.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(double));
  }
  return tensor;
}

/// Nothing unless `file` has a tensor of that many rows.
std::optional<Rows> rows_of(const model::TensorFile& file, const char* name, std::size_t count) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) return std::nullopt;
  const model::Tensor& tensor = found->second;
  if (tensor.dtype != "F64" || tensor.shape.size() != 2 || tensor.shape[0] != count) return std::nullopt;
  const std::size_t points = tensor.shape[1];
  Rows rows(count, std::vector<double>(points));
  for (std::size_t i = 0; i < count && points > 0; ++i) {
    std::memcpy(rows[i].data(), tensor.data.data() + i * points * sizeof(double), points * sizeof(double));
  }
  return rows;
}

void write_run(const fs::path& path, const std::string& key, const sim::Outcome& outcome) {
  model::TensorFile file;
  Rows waves = {outcome.waveforms->time};
  waves.insert(waves.end(), outcome.waveforms->values.begin(), outcome.waveforms->values.end());
  file.tensors[kWaves] = tensor_of(waves);
  if (outcome.noise) {
    Rows noise = {outcome.noise->frequency, outcome.noise->output, outcome.noise->input};
    for (const sim::DeviceNoise& device : outcome.noise->devices) {
      noise.push_back(device.thermal);
      noise.push_back(device.flicker);
    }
    file.tensors[kNoise] = tensor_of(noise);
  }
  file.metadata = {{kRecordKey, key}, {kSeconds, fmt::format("{}", outcome.waveforms->seconds)}};
  model::write_tensors(path, file);
}

/// What the file's metadata says under `name`; empty: nothing.
std::string said(const model::TensorFile& file, const char* name) {
  const auto found = file.metadata.find(name);
  return found == file.metadata.end() ? std::string() : found->second;
}

/// Nothing where the file is missing, of another key or not whole: the run can always be made anew.
std::optional<sim::Outcome> read_run(const fs::path& path, const std::string& key, const sim::Testbench& bench) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return std::nullopt;
  try {
    const model::TensorFile file = model::read_tensors(path);
    auto waves = rows_of(file, kWaves, 1 + bench.probes.size());
    if (said(file, kRecordKey) != key || !waves) return std::nullopt;
    sim::Outcome outcome;
    outcome.waveforms.emplace();
    outcome.waveforms->time = std::move(waves->front());
    outcome.waveforms->values.assign(std::next(waves->begin()), waves->end());
    outcome.waveforms->seconds = std::strtod(said(file, kSeconds).c_str(), nullptr);
    if (!bench.noise) return outcome;
    const auto noise = rows_of(file, kNoise, 3 + 2 * bench.circuit->transistors().size());
    if (!noise) return std::nullopt;
    outcome.noise = sim::NoiseSpectrum{(*noise)[0], (*noise)[1], (*noise)[2], {}};
    for (std::size_t i = 3; i < noise->size(); i += 2) outcome.noise->devices.push_back({(*noise)[i], (*noise)[i + 1]});
    return outcome;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

StoredRuns::StoredRuns(const sim::Engine& engine, std::filesystem::path folder)
    : engine_(engine), folder_(std::move(folder)) {
  make_directories(folder_);
}

void StoredRuns::run_each(std::span<const sim::Testbench> benches, int jobs, const OnOutcome& on_outcome) const {
  std::vector<sim::Testbench> missing;
  std::vector<std::size_t> places;
  std::vector<std::string> keys;  // of the missing ones
  const auto file_of = [&](const std::string& key) { return folder_ / (key + ".safetensors"); };
  for (std::size_t i = 0; i < benches.size(); ++i) {
    std::string key = engine_.fingerprint(benches[i]);
    if (auto outcome = read_run(file_of(key), key, benches[i])) {
      on_outcome(i, std::move(*outcome));
      continue;
    }
    missing.push_back(benches[i]);
    places.push_back(i);
    keys.push_back(std::move(key));
  }
  if (missing.empty()) return;
  try {
    engine_.run_each(missing, jobs, [&](std::size_t i, sim::Outcome outcome) {
      if (!outcome.error) write_run(file_of(keys[i]), keys[i], outcome);
      on_outcome(places[i], std::move(outcome));
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    throw interruption(fmt::format("{} runs", files_in(folder_)), folder_);
  }
}

}  // namespace hysteron::design
