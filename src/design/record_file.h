#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "compile/clip_bench.h"
#include "compile/compiled_network.h"

namespace hysteron::design {

/// Metadata key of what decides a record: one with another key is stale.
inline constexpr const char* kRecordKey = "hysteron.clip_key";

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
void write_record_file(const std::filesystem::path& path, const std::string& key, const compile::CircuitTrace& circuit,
                       const std::vector<NamedArray>& arrays);

/// Reads them back. False where the file is missing, not whole, of another shape or of another key: it can always be
/// made anew.
bool read_record_file(const std::filesystem::path& path, const std::string& key, compile::CircuitTrace& circuit,
                      const std::vector<NamedArray>& arrays);

}  // namespace hysteron::design
