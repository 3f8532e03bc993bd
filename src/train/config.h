#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "train/perturbation.h"

namespace hysteron::train {

/// Value of data.folder that stands for data which the program makes itself.
inline constexpr const char* kBuiltInData = "espeak";

/// What a training run is told. Every field is a key of the TOML file; config_keys() lists them with default, range and
/// meaning, and docs/training.md is generated from that list.
struct TrainConfig {
  std::string task = "keywords";
  std::string data_folder = kBuiltInData;
  std::string data_file;
  std::uint64_t corpus_seed = 1;
  std::string normalisation = "clip";
  data::ClassMap classes = {{"yes", {"yes"}}, {"other", {"no", "up", "down", "left", "right", "silence"}}};

  std::size_t task_length = 0;  ///< 0: the task's own
  std::size_t task_symbols = 0;
  std::size_t task_limit = 0;
  std::uint64_t task_seed = 1;

  std::string output = "model.safetensors";
  std::string start;  ///< empty: values are drawn
  std::string backbone = "circuit";
  std::string cell = "fq_bmru";
  std::string mlp = "glu";
  std::size_t position = 0;
  std::string convolution = "none";
  std::size_t width = 4;
  std::size_t layers = 2;
  std::size_t cells = 0;  ///< 0: as many as `width`

  std::size_t steps = 5000;
  std::size_t batch = 256;
  double learning_rate = 3e-3;
  double weight_decay = 1e-4;
  double gradient_clip = 1.0;
  double dropout = 0.0;
  double vote_share = 0.9;
  std::string calibration = "vote";
  std::string initialisation = "positive";
  double epsilon_hold = 0.05;
  double epsilon_fall = 0.3;
  std::uint64_t seed = 1;
  std::size_t restarts = 0;  ///< 0: see starts()
  std::size_t validation_interval = 100;
  std::size_t validation_limit = 0;
  std::size_t test_limit = 0;
  std::size_t warm_up = 0;
  std::size_t checkpoint_interval = 1000;
  std::size_t threads = 0;
  std::string metrics;

  double margin = 0.05;
  double margin_weight = 0.5;
  double power_weight = 0.0;
  double floor = 0.05;
  double weight_limit = 10.0;
  std::string die;  ///< empty: no chip

  Perturbation training_noise = candidate_noise(0.04);  ///< what the network is trained with
  Perturbation test_noise;                              ///< what it is scored with besides, at the end
  std::size_t test_draws = 0;                           ///< dies of that score; 0: none

  std::size_t time_shift = 5;
  double speed = 0.1;
  double feature_noise = 0.0;
  double gain = 0.0;  ///< decibel

  std::vector<std::string> deprecations;  ///< older spellings that were read, as sentences for the user
  std::set<std::string> given;            ///< keys that were read from a file, of which no number depends on

  /// How many starts are trained: `restarts`, or where that is 0 three for widths up to 8, which get stuck in poor
  /// minima, and one above or where the start is a model.
  std::size_t starts() const { return restarts != 0 ? restarts : (width <= 8 && start.empty() ? 3 : 1); }

  std::size_t cells_per_layer() const { return cells == 0 ? width : cells; }
};

/// One key as documentation shows it.
struct ConfigKey {
  std::string name;           ///< "training.steps"
  std::string type;           ///< "whole number", "number", "text"
  std::string default_value;  ///< as TOML
  std::string range;
  std::string description;
};

/// Every key except the table [classes], in the order of the documentation.
std::vector<ConfigKey> config_keys();

/// Keys that say where files lie and how a run is made, which its numbers do not depend on.
const std::vector<std::string>& keys_without_effect();

/// Every key with [classes] as a Markdown table: what `hysteron train --keys` prints and docs/training.md holds.
std::string config_table();

/// Parses TOML text; `origin` names the file. Throws a bad-input Error with file, line and key for text that is no
/// TOML, an unknown key or table, a value of the wrong type or one out of range.
TrainConfig parse_config(std::string_view text, const std::string& origin);

/// parse_config of a file.
TrainConfig read_config(const std::filesystem::path& path);

/// Throws a bad-input Error that names the key whose value is out of range; for configurations made by a program.
void check_config(const TrainConfig& config);

/// Whether the backbone and the task of `config` look at `key` ("circuit.margin", "classes") not at all.
bool is_ignored(const TrainConfig& config, const std::string& key);

/// Throws a bad-input Error that names a key of config.given that is ignored; `origin` names the file.
void check_used(const TrainConfig& config, const std::string& origin);

/// Gives every ignored key its default, so that configurations that train the same are the same; for programs that set
/// backbones and tasks of one configuration in turn.
void drop_ignored(TrainConfig& config);

/// Gives training_noise.additive the default of the backbone unless it was set by a key, and the incomplete reset that
/// of the start: a model that is trained on is one with complete resets. For whoever sets the backbone of a
/// configuration that was read; parse_config has done it.
void apply_noise_defaults(TrainConfig& config);

/// The configuration as TOML without the ignored keys: a file that parse_config and check_used take.
std::string used_toml(const TrainConfig& config);

/// The configuration as TOML without keys_without_effect(): what a model file holds, so that the same training gives
/// the same bytes wherever it runs.
std::string decisive_toml(const TrainConfig& config);

/// Throws a bad-input Error where config.output cannot become a file: its folder does not exist, or it is a folder or a
/// device itself. For before the work, not after it.
void check_output(const TrainConfig& config);

/// The whole configuration as one JSON object, key by key, for records.
std::string config_to_json(const TrainConfig& config);

}  // namespace hysteron::train
