#pragma once

#include <filesystem>
#include <string>

#include "model/network.h"
#include "model/safetensors.h"

// Model files: docs/model-file.md has every tensor and metadata key.

namespace hysteron::model {

/// The network of a model file. Throws a bad-input Error that names the file, the tensor or metadata key, the value
/// found and what was expected.
Network load_model(const std::filesystem::path& path);

/// Checks `network` and writes it, whole or not at all. The same network gives the same bytes.
void save_model(const std::filesystem::path& path, const Network& network);

/// The two halves of load_model and save_model that know the format; `origin` names the file in messages.
Network network_from_tensors(const TensorFile& file, const std::string& origin);
TensorFile tensors_from_network(const Network& network);

}  // namespace hysteron::model
