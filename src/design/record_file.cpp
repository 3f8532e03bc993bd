#include "design/record_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "base/error.h"
#include "model/safetensors.h"

namespace hysteron::design {

namespace fs = std::filesystem;

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

void write_record_file(const fs::path& path, const std::string& key, const compile::CircuitTrace& circuit,
                       const std::vector<NamedArray>& arrays) {
  model::TensorFile file;
  for (const NamedArray& array : arrays) {
    file.tensors[array.name] = model::float_tensor(array.shape, *array.values);
  }
  file.metadata = {{kRecordKey, key},
                   {"hysteron.power_cells_w", fmt::format("{:.17g}", circuit.power.cells)},
                   {"hysteron.power_feedforward_w", fmt::format("{:.17g}", circuit.power.feedforward)},
                   {"hysteron.spice_seconds", fmt::format("{}", circuit.seconds)}};
  model::write_tensors(path, file);
}

bool read_record_file(const fs::path& path, const std::string& key, compile::CircuitTrace& circuit,
                      const std::vector<NamedArray>& arrays) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  try {
    const model::TensorFile file = model::read_tensors(path);
    const auto found = file.metadata.find(kRecordKey);
    if (found == file.metadata.end() || found->second != key) return false;
    for (const NamedArray& array : arrays) {
      const model::Tensor& tensor = file.tensors.at(array.name);
      if (tensor.shape != array.shape) return false;
      *array.values = model::float_values(tensor, path.string(), array.name);
    }
    const auto number = [&](const char* name) { return std::strtod(file.metadata.at(name).c_str(), nullptr); };
    circuit.power.cells = number("hysteron.power_cells_w");
    circuit.power.feedforward = number("hysteron.power_feedforward_w");
    circuit.power.total = circuit.power.cells + circuit.power.feedforward;
    circuit.seconds = number("hysteron.spice_seconds");
    return true;
  } catch (const Error&) {
    return false;
  } catch (const std::out_of_range&) {
    return false;
  }
}

}  // namespace hysteron::design
