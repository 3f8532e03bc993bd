// Which keys a configuration's backbone and task look at.

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "train/config.h"
#include "train/config_values.h"

namespace hysteron::train {
namespace {

bool circuit(const TrainConfig& config) { return config.backbone == "circuit"; }

bool reference(const TrainConfig& config) { return !circuit(config); }

bool task_is_one_of(const TrainConfig& config, const std::vector<std::string>& tasks) {
  return std::ranges::find(tasks, config.task) != tasks.end();
}

bool keywords(const TrainConfig& config) { return config.task == "keywords"; }

/// Whether sequences come from a random generator.
bool generated(const TrainConfig& config) {
  const bool no_files = config.data_folder == TrainConfig{}.data_folder;
  return task_is_one_of(config, {"copy_first", "flip_flop", "denoising", "parity"}) ||
         (config.task == "listops" && no_files);
}

bool takes_folder(const TrainConfig& config) {
  return task_is_one_of(config, {"keywords", "smnist", "psmnist", "listops", "sequences"});
}

/// A key, or where it ends in a dot a table, and who looks at it; any other key counts for all.
struct Use {
  const char* key;
  bool (*used)(const TrainConfig&);
};

constexpr Use kUses[] = {
    {"data.folder", takes_folder},
    {"data.file", [](const TrainConfig& config) { return config.task == "text"; }},
    {"data.length", [](const TrainConfig& config) { return generated(config) || config.task == "text"; }},
    {"data.symbols",
     [](const TrainConfig& config) {
       return task_is_one_of(config, {"copy_first", "denoising"});
     }},
    {"data.sequences", generated},
    {"data.seed",
     [](const TrainConfig& config) {
       return generated(config) || task_is_one_of(config, {"text", "psmnist"});
     }},
    {"data.corpus_seed",
     [](const TrainConfig& config) { return keywords(config) && config.data_folder == TrainConfig{}.data_folder; }},
    {"data.normalisation", keywords},
    {"model.start", circuit},
    {"model.mlp", reference},
    {"model.position", reference},
    {"model.convolution", reference},
    {"training.vote_share", circuit},
    {"training.calibration", circuit},
    {"training.initialisation", circuit},
    {"training.restarts", circuit},
    {"training.validation_limit", reference},
    {"training.test_limit", reference},
    {"training.warm_up", reference},
    {"circuit.margin", circuit},
    {"circuit.margin_weight", circuit},
    {"circuit.power_weight", circuit},
    {"circuit.die", circuit},
    {"augmentation.", keywords},
    {kClassesTable, keywords},
};

bool covers(const std::string& use, const std::string& key) {
  return use.ends_with('.') ? key.starts_with(use) : key == use;
}

}  // namespace

bool is_ignored(const TrainConfig& config, const std::string& key) {
  return std::ranges::any_of(kUses, [&](const Use& use) { return covers(use.key, key) && !use.used(config); });
}

void check_used(const TrainConfig& config, const std::string& origin) {
  for (const std::string& key : config.given) {
    if (!is_ignored(config, key)) continue;
    throw bad_input(
        fmt::format("{}: {} has no effect with model.backbone \"{}\", data.task \"{}\" and data.folder {}; remove it",
                    hysteron::quoted(origin), key, config.backbone, config.task, hysteron::quoted(config.data_folder)));
  }
}

void drop_ignored(TrainConfig& config) {
  for (const ConfigKey& key : config_keys()) {
    if (is_ignored(config, key.name)) reset_value(config, key.name);
  }
  if (is_ignored(config, kClassesTable)) config.classes = TrainConfig{}.classes;
  std::erase_if(config.given, [&](const std::string& key) { return is_ignored(config, key); });
}

std::string used_toml(const TrainConfig& config) {
  std::vector<std::string> ignored;
  for (const ConfigKey& key : config_keys()) {
    if (is_ignored(config, key.name)) ignored.push_back(key.name);
  }
  if (is_ignored(config, kClassesTable)) ignored.emplace_back(kClassesTable);
  return to_toml(config, ignored);
}

}  // namespace hysteron::train
