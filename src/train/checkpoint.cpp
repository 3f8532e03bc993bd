#include "train/checkpoint.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/store.h"
#include "model/safetensors.h"

namespace hysteron::train {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kVersionKey = "hysteron.checkpoint";
constexpr const char* kConfigKey = "hysteron.config";
constexpr const char* kProgressKey = "hysteron.progress";
const std::string kVersion = std::to_string(kStoreVersion);

fs::path previous_path(fs::path path) { return path += ".previous"; }

[[noreturn]] void refuse(const fs::path& path, const std::string& problem) {
  throw bad_input(fmt::format("{}: {}", hysteron::quoted(path.string()), problem));
}

model::Tensor tensor(const std::vector<float>& values) { return model::float_tensor({values.size()}, values); }

/// What of a configuration decides the run's numbers.
Json decisive(const TrainConfig& config) {
  Json json = Json::parse(config_to_json(config));
  for (const std::string& key : keys_without_effect()) json.erase(key);
  return json;
}

void check_same_config(const fs::path& path, const Json& stored, const Json& target) {
  for (const auto& [key, value] : target.items()) {
    const auto found = stored.find(key);
    if (found != stored.end() && *found == value) continue;
    refuse(path, fmt::format("the checkpoint belongs to another configuration: {} is {} there and {} here", key,
                             found == stored.end() ? "missing" : found->dump(), value.dump()));
  }
}

std::string metadata(const model::TensorFile& file, const fs::path& path, const char* key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) refuse(path, fmt::format("metadata {} is missing; this is not a checkpoint", key));
  return found->second;
}

Json parse(const fs::path& path, const char* key, const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    refuse(path, fmt::format("metadata {}: {}", key, error.what()));
  }
}

std::vector<float> values(const model::TensorFile& file, const fs::path& path, const std::string& name,
                          std::size_t size) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) refuse(path, fmt::format("the array {} is missing", name));
  std::vector<float> result = model::float_values(found->second, path.string(), name);
  if (result.size() != size) {
    refuse(path, fmt::format("the array {} has {} values; expected the network's {}", name, result.size(), size));
  }
  return result;
}

Json place(const KeptParameters& kept) { return {{"restart", kept.restart}, {"step", kept.step}}; }

Checkpoint read(const fs::path& path, const TrainConfig& config, std::size_t parameters) {
  const model::TensorFile file = model::read_tensors(path);
  const std::string version = metadata(file, path, kVersionKey);
  if (version != kVersion) {
    refuse(path, fmt::format("a checkpoint of version {}; this program reads version {}", hysteron::quoted(version),
                             kVersion));
  }
  check_same_config(path, parse(path, kConfigKey, metadata(file, path, kConfigKey)), decisive(config));
  const Json progress = parse(path, kProgressKey, metadata(file, path, kProgressKey));
  Checkpoint checkpoint;
  checkpoint.parameters = values(file, path, "parameters", parameters);
  checkpoint.mean = values(file, path, "mean", parameters);
  checkpoint.variance = values(file, path, "variance", parameters);
  const auto kept = [&](const char* name) -> std::optional<KeptParameters> {
    if (!progress.contains(name)) return std::nullopt;
    return KeptParameters{progress.at(name).at("restart"), progress.at(name).at("step"),
                          values(file, path, name, parameters)};
  };
  try {
    checkpoint.restart = progress.at("restart");
    checkpoint.step = progress.at("step");
    checkpoint.metrics_bytes = progress.at("metrics_bytes");
    checkpoint.best = kept("best");
    checkpoint.of_restart = kept("of_restart");
  } catch (const Json::exception& error) {
    refuse(path, fmt::format("metadata {}: {}", kProgressKey, error.what()));
  }
  if (checkpoint.restart >= config.starts() || checkpoint.step > config.steps) {
    refuse(path, fmt::format("step {} of start {} is outside the run", checkpoint.step, checkpoint.restart + 1));
  }
  return checkpoint;
}

}  // namespace

fs::path checkpoint_path(const TrainConfig& config) {
  return config.output.empty() ? fs::path() : fs::path(config.output + ".checkpoint");
}

void save_checkpoint(const TrainConfig& config, const Checkpoint& checkpoint) {
  const fs::path path = checkpoint_path(config);
  if (path.empty()) return;
  model::TensorFile file;
  file.tensors["parameters"] = tensor(checkpoint.parameters);
  file.tensors["mean"] = tensor(checkpoint.mean);
  file.tensors["variance"] = tensor(checkpoint.variance);
  Json progress = {
      {"restart", checkpoint.restart}, {"step", checkpoint.step}, {"metrics_bytes", checkpoint.metrics_bytes}};
  const auto keep = [&](const char* name, const std::optional<KeptParameters>& kept) {
    if (!kept) return;
    file.tensors[name] = tensor(kept->parameters);
    progress[name] = place(*kept);
  };
  keep("best", checkpoint.best);
  keep("of_restart", checkpoint.of_restart);
  file.metadata[kVersionKey] = kVersion;
  file.metadata[kConfigKey] = decisive(config).dump();
  file.metadata[kProgressKey] = progress.dump();
  // A second name for the last one, so that a process that is killed at any time leaves a checkpoint at `path`. There
  // may be none yet, and a file system without links does without the one before.
  const fs::path previous = previous_path(path);
  std::error_code none;
  fs::remove(previous, none);
  fs::create_hard_link(path, previous, none);
  model::write_tensors(path, file);
}

Checkpoint load_checkpoint(const fs::path& path, const TrainConfig& config, std::size_t parameters) {
  try {
    return read(path, config, parameters);
  } catch (const Error& error) {
    const fs::path previous = previous_path(path);
    std::string hint;
    try {
      const Checkpoint good = read(previous, config, parameters);
      hint = fmt::format("; the one before it is good: {} (step {} of start {})", previous.string(), good.step,
                         good.restart + 1);
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): then there is nothing to name
    }
    throw bad_input(error.what() + hint);
  }
}

void remove_checkpoints(const TrainConfig& config) {
  const fs::path path = checkpoint_path(config);
  if (path.empty()) return;
  std::error_code none;
  fs::remove(path, none);
  fs::remove(previous_path(path), none);
}

}  // namespace hysteron::train
