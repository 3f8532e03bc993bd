#include "design/record_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "model/stored_tensors.h"

namespace hysteron::design {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPowerCells = "hysteron.power_cells_w";
constexpr const char* kPowerFeedforward = "hysteron.power_feedforward_w";
constexpr const char* kSeconds = "hysteron.spice_seconds";

}  // namespace

fs::path clip_file(const fs::path& folder, std::size_t clip) {
  return folder / fmt::format("clip_{:05}.safetensors", clip);
}

void size_trace(const compile::CompiledNetwork& network, std::size_t frames, model::Trace& trace) {
  trace.frames = frames;
  trace.layers = network.cells.size();
  trace.outputs = network.readouts.size();
  for (const auto& layer : network.cells) trace.cells = std::max(trace.cells, layer.size());
}

std::vector<NamedArray> trace_arrays(model::Trace& trace) {
  const std::vector<std::size_t> bits = {trace.layers, trace.frames, trace.cells};
  return {{"logits", &trace.logits, {trace.frames, trace.outputs}},
          {"states", &trace.states, bits},
          {"candidates", &trace.candidates, bits}};
}

void write_record_file(const Store& store, const compile::CircuitTrace& circuit,
                       const std::vector<NamedArray>& arrays) {
  model::TensorFile file;
  for (const NamedArray& array : arrays) {
    file.tensors[array.name] = model::float_tensor(array.shape, *array.values);
  }
  file.metadata = {{kPowerCells, fmt::format("{:.17g}", circuit.power.cells)},
                   {kPowerFeedforward, fmt::format("{:.17g}", circuit.power.feedforward)},
                   {kSeconds, fmt::format("{}", circuit.seconds)}};
  model::write_stored_tensors(store, std::move(file));
}

bool read_record_file(const Store& store, compile::CircuitTrace& circuit, const std::vector<NamedArray>& arrays) {
  const auto is_whole = [&](const model::TensorFile& file) {
    return std::ranges::all_of(arrays, [&](const NamedArray& array) {
      return model::find_tensor(file, array.name, "F32", array.shape) != nullptr;
    });
  };
  const auto file = model::read_stored_tensors(store).value;
  if (!file || !is_whole(*file)) return false;
  for (const NamedArray& array : arrays) {
    *array.values = model::float_values(file->tensors.at(array.name), store.path().string(), array.name);
  }
  circuit.power.cells = model::metadata_number(*file, kPowerCells);
  circuit.power.feedforward = model::metadata_number(*file, kPowerFeedforward);
  circuit.power.total = circuit.power.cells + circuit.power.feedforward;
  circuit.seconds = model::metadata_number(*file, kSeconds);
  return true;
}

}  // namespace hysteron::design
