#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "base/store.h"
#include "compile/clip_bench.h"
#include "compile/compiled_network.h"

namespace hysteron::design {

/// folder/clip_00003.safetensors
std::filesystem::path clip_file(const std::filesystem::path& folder, std::size_t clip);

struct NamedArray {
  const char* name;
  std::vector<float>* values;
  std::vector<std::size_t> shape;
};

/// Sets the sizes of `trace` for a clip of `frames` frames.
void size_trace(const compile::CompiledNetwork& network, std::size_t frames, model::Trace& trace);

/// Logits, states and candidates; sizes of the trace must be set.
std::vector<NamedArray> trace_arrays(model::Trace& trace);

/// Writes `arrays` with power and time of `circuit`. Throws a bad-input Error where that is impossible.
void write_record_file(const Store& store, const compile::CircuitTrace& circuit, const std::vector<NamedArray>& arrays);

/// Reads them back. False, with everything as it was, where the file is missing, stale or has arrays of another shape.
/// Throws a bad-input Error where it cannot be read.
bool read_record_file(const Store& store, compile::CircuitTrace& circuit, const std::vector<NamedArray>& arrays);

}  // namespace hysteron::design
