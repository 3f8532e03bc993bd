#include "design/stored_runs.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/store.h"
#include "model/stored_tensors.h"

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
  if (found == file.tensors.end() || found->second.shape.size() != 2) return std::nullopt;
  const std::size_t points = found->second.shape[1];
  const model::Tensor* tensor = model::find_tensor(file, name, "F64", {count, points});
  if (tensor == nullptr) return std::nullopt;
  Rows rows(count, std::vector<double>(points));
  for (std::size_t i = 0; i < count && points > 0; ++i) {
    std::memcpy(rows[i].data(), tensor->data.data() + i * points * sizeof(double), points * sizeof(double));
  }
  return rows;
}

model::TensorFile encode(const sim::Outcome& outcome) {
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
  file.metadata = {{kSeconds, fmt::format("{}", outcome.waveforms->seconds)}};
  return file;
}

std::optional<sim::Outcome> decode(const model::TensorFile& file, const sim::Testbench& bench) {
  auto waves = rows_of(file, kWaves, 1 + bench.probes.size());
  if (!waves) return std::nullopt;
  sim::Outcome outcome;
  outcome.waveforms.emplace();
  outcome.waveforms->time = std::move(waves->front());
  outcome.waveforms->values.assign(std::next(waves->begin()), waves->end());
  outcome.waveforms->seconds = model::metadata_number(file, kSeconds);
  if (!bench.noise) return outcome;
  const auto noise = rows_of(file, kNoise, 3 + 2 * bench.circuit->transistors().size());
  if (!noise) return std::nullopt;
  outcome.noise = sim::NoiseSpectrum{(*noise)[0], (*noise)[1], (*noise)[2], {}};
  for (std::size_t i = 3; i < noise->size(); i += 2) outcome.noise->devices.push_back({(*noise)[i], (*noise)[i + 1]});
  return outcome;
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
  std::vector<Store> stores;  // of the missing ones
  for (std::size_t i = 0; i < benches.size(); ++i) {
    const std::string key = engine_.fingerprint(benches[i]);
    Store store(folder_ / (key + ".safetensors"), "run", key);
    const auto decode_run = [&](const model::TensorFile& file) { return decode(file, benches[i]); };
    if (auto stored = model::read_stored_tensors(store, decode_run).value) {
      on_outcome(i, std::move(*stored));
      continue;
    }
    missing.push_back(benches[i]);
    places.push_back(i);
    stores.push_back(std::move(store));
  }
  if (missing.empty()) return;
  try {
    engine_.run_each(missing, jobs, [&](std::size_t i, sim::Outcome outcome) {
      if (!outcome.error) model::write_stored_tensors(stores[i], encode(outcome));
      on_outcome(places[i], std::move(outcome));
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    throw interruption(fmt::format("{} runs", files_in(folder_)), folder_);
  }
}

}  // namespace hysteron::design
