#include "train/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <variant>

#include "base/error.h"
#include "base/file.h"
#include "train/cell_kind.h"
#include "train/config_values.h"

namespace hysteron::train {
namespace {

/// One value of a configuration: a member, or a member of one of its perturbations.
template <typename T>
class Field {
 public:
  Field(T TrainConfig::*member) : at_([member](TrainConfig& config) -> T& { return config.*member; }) {}
  Field(Perturbation TrainConfig::*part, T Perturbation::*member)
      : at_([part, member](TrainConfig& config) -> T& { return config.*part.*member; }) {}

  T& of(TrainConfig& config) const { return at_(config); }
  const T& of(const TrainConfig& config) const { return at_(const_cast<TrainConfig&>(config)); }

 private:
  std::function<T&(TrainConfig&)> at_;
};

using Whole = Field<std::size_t>;
using Number = Field<double>;
using Text = Field<std::string>;

static_assert(std::is_same_v<std::size_t, std::uint64_t>, "seeds and sizes share one field type");

/// One key: where it lives, what it may hold, what it means. Text keys list their choices; none: any text.
struct Key {
  const char* name;
  std::variant<Whole, Number, Text> field;
  double low = 0.0;
  double high = 0.0;
  std::vector<std::string> choices;
  const char* description = "";
};

constexpr double kAnySeed = 9.0e18;  // TOML's whole numbers end at 2^63 - 1

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = {"keywords",   "smnist",    "psmnist",   "listops", "text",
                                                 "copy_first", "flip_flop", "denoising", "parity",  "sequences"};
  return names;
}

/// Every key but those of perturbations.
std::vector<Key> plain_keys() {
  using C = TrainConfig;
  return {
      {"data.task", Text(&C::task), 0, 0, task_names(), "what is learned: docs/tasks.md"},
      {"data.folder",
       Text(&C::data_folder),
       0,
       0,
       {},
       "folder with one folder per class (keywords; \"espeak\": the built-in spoken corpus), with idx files (smnist, "
       "psmnist), with basic_train.tsv, basic_val.tsv and basic_test.tsv (listops; \"espeak\": generated) or with your "
       "own files (sequences)"},
      {"data.file", Text(&C::data_file), 0, 0, {}, "text file for the task text"},
      {"data.length",
       Whole(&C::task_length),
       0,
       1e6,
       {},
       "frames per sequence of the tasks text, copy_first, flip_flop, denoising and parity, and the maximum of "
       "listops; 0: the task's default"},
      {"data.symbols",
       Whole(&C::task_symbols),
       0,
       1000,
       {},
       "symbols or channels of the memory tasks; 0: the task's default"},
      {"data.sequences",
       Whole(&C::task_limit),
       0,
       1e6,
       {},
       "number of validation and of test sequences of a generated task; 0: the task's default"},
      {"data.seed",
       Whole(&C::task_seed),
       0,
       kAnySeed,
       {},
       "seed of generated sequences and of the permutation of psmnist"},
      {"data.corpus_seed", Whole(&C::corpus_seed), 0, kAnySeed, {}, "seed of the built-in corpus"},
      {"data.normalisation",
       Text(&C::normalisation),
       0,
       0,
       {"clip", "fixed"},
       "normalise coefficients by each clip's statistics, or by the training set's (saved in the model)"},
      {"model.output", Text(&C::output), 0, 0, {}, "model file to write; relative to the current folder"},
      {"model.start",
       Text(&C::start),
       0,
       0,
       {},
       "circuit backbone: model file to start from, of the same shape; empty: random initial values. With a model the "
       "incomplete reset (training.epsilon_hold, training.epsilon_fall) is 0 unless given"},
      {"model.backbone",
       Text(&C::backbone),
       0,
       0,
       {"circuit", "reference"},
       "circuit compiles to a circuit (keywords with fq_bmru); reference has residual blocks for any task and cell"},
      {"model.cell", Text(&C::cell), 0, 0, cell_names(), "recurrent cell"},
      {"model.mlp",
       Text(&C::mlp),
       0,
       0,
       {"glu", "relu", "none"},
       "reference backbone: the layer after the cell in a block"},
      {"model.position",
       Whole(&C::position),
       0,
       4096,
       {},
       "reference backbone: number of learnable sinusoids of the frame number appended to the inputs"},
      {"model.convolution",
       Text(&C::convolution),
       0,
       0,
       {"none", "causal"},
       "reference backbone: causal convolution of width 4 before the cell"},
      {"model.width", Whole(&C::width), 1, 4096, {}, "width d of the backbone"},
      {"model.layers", Whole(&C::layers), 1, 64, {}, "number of layers L"},
      {"model.cells", Whole(&C::cells), 0, 4096, {}, "cells m in each layer; 0: as many as the width"},
      {"training.steps", Whole(&C::steps), 1, 1e9, {}, "optimiser steps"},
      {"training.batch", Whole(&C::batch), 1, 65536, {}, "clips per step, balanced over labels and their folders"},
      {"training.learning_rate",
       Number(&C::learning_rate),
       0,
       1,
       {},
       "learning rate of AdamW at the first step; falls to 0 along a cosine"},
      {"training.weight_decay", Number(&C::weight_decay), 0, 1, {}, "weight decay of AdamW, on weight matrices only"},
      {"training.gradient_clip",
       Number(&C::gradient_clip),
       0,
       1e6,
       {},
       "largest norm of the whole gradient; 0: no limit"},
      {"training.dropout", Number(&C::dropout), 0, 0.95, {}, "fraction of the layers' outputs dropped"},
      {"training.vote_share",
       Number(&C::vote_share),
       0,
       1,
       {},
       "circuit backbone: fraction of the loss on the clip's soft vote; the rest is on each frame"},
      {"training.calibration",
       Text(&C::calibration),
       0,
       0,
       {"none", "vote"},
       "circuit backbone: shift the readout's bias, for two labels, so that the vote decides the training clips best"},
      {"training.initialisation",
       Text(&C::initialisation),
       0,
       0,
       {"positive", "signed"},
       "circuit backbone: initial weights and biases of the layers are positive or of both signs"},
      {"training.epsilon_hold",
       Number(&C::epsilon_hold),
       0,
       0.9,
       {},
       "fraction of the steps with incomplete reset at 1"},
      {"training.epsilon_fall",
       Number(&C::epsilon_fall),
       0,
       0.9,
       {},
       "fraction of the steps over which it then falls to 0"},
      {"training.seed", Whole(&C::seed), 0, kAnySeed, {}, "seed of initial values, batches, dropout and noise"},
      {"training.restarts",
       Whole(&C::restarts),
       0,
       1000,
       {},
       "circuit backbone: number of starts from different initial values, of which the best is used; 0: three up to "
       "width 8, else one"},
      {"training.validation_interval", Whole(&C::validation_interval), 1, 1e9, {}, "steps between validations"},
      {"training.validation_limit",
       Whole(&C::validation_limit),
       0,
       1e9,
       {},
       "reference backbone: maximum number of sequences per validation; 0: all"},
      {"training.test_limit",
       Whole(&C::test_limit),
       0,
       1e9,
       {},
       "reference backbone: maximum number of sequences in the test; 0: all"},
      {"training.warm_up",
       Whole(&C::warm_up),
       0,
       1e9,
       {},
       "reference backbone: steps over which the learning rate rises to its cosine"},
      {"training.checkpoint_interval",
       Whole(&C::checkpoint_interval),
       0,
       1e9,
       {},
       "steps between checkpoints, written beside the model; 0: only when interrupted"},
      {"training.threads",
       Whole(&C::threads),
       0,
       1024,
       {},
       "number of threads; 0: one per core; the result does not depend on it"},
      {"training.metrics",
       Text(&C::metrics),
       0,
       0,
       {},
       "file for JSON lines with losses, rates and speed; empty: none"},
      {"circuit.margin",
       Number(&C::margin),
       1e-3,
       1,
       {},
       "circuit backbone: distance of candidates from thresholds, relative to beta_hi, below which the margin loss "
       "acts"},
      {"circuit.margin_weight",
       Number(&C::margin_weight),
       0,
       100,
       {},
       "circuit backbone: weight of the margin loss; 0: none"},
      {"circuit.power_weight",
       Number(&C::power_weight),
       0,
       100,
       {},
       "circuit backbone: weight in the loss of the current that a clip draws, in unit currents; 0: none"},
      {"circuit.floor", Number(&C::floor), 0, 1, {}, "minimum of beta_lo, beta_hi - beta_lo and alpha"},
      {"circuit.weight_limit", Number(&C::weight_limit), 1, 1e6, {}, "largest magnitude of any parameter"},
      {"circuit.die",
       Text(&C::die),
       0,
       0,
       {},
       "circuit backbone: die file (docs/silicon.md) of the chip that the network is trained for and scored on; "
       "requires model.start, the model that it belongs to; empty: none"},
      {"augmentation.time_shift", Whole(&C::time_shift), 0, 100, {}, "largest shift of a training clip, in frames"},
      {"augmentation.speed", Number(&C::speed), 0, 0.5, {}, "largest relative change of a training clip's speed"},
      {"augmentation.feature_noise",
       Number(&C::feature_noise),
       0,
       10,
       {},
       "standard deviation of the noise on training features, which have standard deviation 1"},
      {"augmentation.gain",
       Number(&C::gain),
       0,
       40,
       {},
       "largest change of a training clip's level, in decibel; requires data.normalisation \"fixed\", because the "
       "clip's own statistics remove its level"},
  };
}

/// The keys of one perturbation under `table`, each called `table`.NAME; names live as long as the program.
std::vector<Key> perturbation_keys(const std::string& table, Perturbation TrainConfig::*part) {
  using P = Perturbation;
  static std::deque<std::string> names;
  const auto name = [&](const char* key) { return names.emplace_back(table + "." + key).c_str(); };
  const auto number = [&](const char* key, double P::*member, double high, const char* description) {
    return Key{name(key), Number(part, member), 0, high, {}, description};
  };
  return {
      number("additive", &P::additive, 1,
             "standard deviation of the noise on candidates, relative to beta_hi (mingru, lru: to their root mean "
             "square); reference backbones: none unless given"),
      number("multiplicative", &P::multiplicative, 1,
             "standard deviation of the noise on candidates, relative to the candidate"),
      number("weights", &P::weights, 3, "relative static error of weights and biases, at three standard deviations"),
      number("thresholds", &P::thresholds, 3, "static error of beta_hi, relative, at three standard deviations"),
      number("widths", &P::widths, 3, "static error of beta_hi - beta_lo, relative, at three standard deviations"),
      number("gains", &P::gains, 3, "static error of alpha, relative, at three standard deviations"),
      {name("bits"),
       Whole(part, &P::bits),
       0,
       8,
       {},
       "weights and biases have 2^bits - 1 levels, bits from 2 to 8; 0: any value"},
      {name("technology"),
       Text(part, &P::technology),
       0,
       0,
       {},
       "weights and biases are limited to the widths that this technology can realise; empty: any value"},
  };
}

const std::vector<Key>& keys() {
  static const std::vector<Key> list = [] {
    std::vector<Key> all = plain_keys();
    for (const auto& [table, part] :
         {std::pair{"training_noise", &TrainConfig::training_noise}, {"test_noise", &TrainConfig::test_noise}}) {
      std::ranges::move(perturbation_keys(table, part), std::back_inserter(all));
    }
    all.push_back({"test_noise.draws",
                   Whole(&TrainConfig::test_draws),
                   0,
                   1e6,
                   {},
                   "dies that the network is scored on with this noise at the end of training; 0: none"});
    return all;
  }();
  return list;
}

constexpr const char* kAdditive = "training_noise.additive";

std::string toml_text(const TrainConfig& config, const Key& key) {
  if (const auto* field = std::get_if<Text>(&key.field)) return nlohmann::json(field->of(config)).dump();
  if (const auto* field = std::get_if<Whole>(&key.field)) return fmt::format("{}", field->of(config));
  return fmt::format("{}", std::get<Number>(key.field).of(config));
}

std::string range_text(const Key& key) {
  if (!key.choices.empty()) return fmt::format("one of \"{}\"", fmt::join(key.choices, "\", \""));
  if (std::holds_alternative<Text>(key.field)) return "any text";
  if (key.high == kAnySeed) return "from 0";
  return fmt::format("{:.12g} to {:.12g}", key.low, key.high);
}

const char* type_text(const Key& key) {
  if (std::holds_alternative<Text>(key.field)) return "text";
  return std::holds_alternative<Whole>(key.field) ? "whole number" : "number";
}

bool in_range(double number, const Key& key) { return number >= key.low && number <= key.high; }

[[noreturn]] void wrong(const std::string& origin, const toml::node& value, const Key& key, const toml::node& place) {
  std::ostringstream shown;
  value.visit([&](const auto& node) { shown << node; });
  throw_at(origin, place,
           fmt::format("{} is {}; expected {}, {}", key.name, shown.str(), type_text(key), range_text(key)));
}

}  // namespace

namespace {

/// Values that were renamed, taken for one release with a warning.
std::string current_spelling(const std::string& key, const std::string& value, TrainConfig& config) {
  if (key != "model.backbone" || (value != "hardware" && value != "software")) return value;
  std::string current = value == "hardware" ? "circuit" : "reference";
  config.deprecations.push_back(fmt::format("{} \"{}\" is now called \"{}\"", key, value, current));
  return current;
}

}  // namespace

void throw_at(const std::string& origin, const toml::node& node, const std::string& problem) {
  throw bad_input(fmt::format("{}, line {}: {}", hysteron::quoted(origin), node.source().begin.line, problem));
}

void assign_value(TrainConfig& config, const std::string& origin, const std::string& name, const toml::node& value,
                  const toml::node* given_place) {
  const toml::node& place = given_place != nullptr ? *given_place : value;
  const auto key = std::ranges::find_if(keys(), [&](const Key& entry) { return entry.name == name; });
  if (key == keys().end()) {
    throw_at(origin, place,
             fmt::format("unknown key {}; `hysteron train --keys` lists them all", hysteron::quoted(name)));
  }
  if (const auto* field = std::get_if<Text>(&key->field)) {
    if (!value.is_string()) wrong(origin, value, *key, place);
    field->of(config) = current_spelling(name, **value.as_string(), config);
    if (!key->choices.empty() && std::ranges::find(key->choices, field->of(config)) == key->choices.end()) {
      wrong(origin, value, *key, place);
    }
  } else if (const auto* whole = std::get_if<Whole>(&key->field)) {
    if (!value.is_integer()) wrong(origin, value, *key, place);
    const std::int64_t number = **value.as_integer();
    if (number < 0 || !in_range(static_cast<double>(number), *key)) wrong(origin, value, *key, place);
    whole->of(config) = static_cast<std::size_t>(number);
  } else {
    if (!value.is_number()) wrong(origin, value, *key, place);
    const double number = value.value<double>().value_or(std::nan(""));
    if (!in_range(number, *key)) wrong(origin, value, *key, place);
    std::get<Number>(key->field).of(config) = number;
  }
  config.given.insert(name);
}

void reset_value(TrainConfig& config, const std::string& name) {
  const auto key = std::ranges::find_if(keys(), [&](const Key& entry) { return entry.name == name; });
  const TrainConfig defaults;
  std::visit([&](const auto& field) { field.of(config) = field.of(defaults); }, key->field);
}

namespace {

double number_of(const TrainConfig& config, const Key& key) {
  if (const auto* whole = std::get_if<Whole>(&key.field)) return static_cast<double>(whole->of(config));
  return std::get<Number>(key.field).of(config);
}

}  // namespace

std::vector<ConfigKey> config_keys() {
  std::vector<ConfigKey> result;
  for (const Key& key : keys()) {
    result.push_back({key.name, type_text(key), toml_text(TrainConfig{}, key), range_text(key), key.description});
  }
  return result;
}

namespace {

ConfigKey classes_key() {
  std::string value;
  for (const data::LabelFolders& label : TrainConfig{}.classes) {
    value += fmt::format("{}{} = {}", value.empty() ? "" : "; ", label.label, nlohmann::json(label.folders).dump());
  }
  return {"[classes]", "lists of text", value, "at least two labels",
          "one line per label, with its class folders; the order of the labels is preserved"};
}

}  // namespace

const std::vector<std::string>& keys_without_effect() {
  static const std::vector<std::string> names = {"model.output", "training.metrics", "training.threads",
                                                 "training.checkpoint_interval"};
  return names;
}

std::string config_table() {
  std::string table = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
  std::vector<ConfigKey> rows = config_keys();
  rows.push_back(classes_key());
  for (const ConfigKey& key : rows) {
    table += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", key.name, key.type, key.default_value, key.range,
                         key.description);
  }
  return table;
}

namespace {

void check_backbone(const TrainConfig& config) {
  const bool circuit = config.backbone == "circuit";
  if (circuit && config.task != "keywords") {
    throw bad_input(
        fmt::format("data.task is {}, which model.backbone \"reference\" learns; the circuit backbone learns "
                    "keywords",
                    hysteron::quoted(config.task)));
  }
  if (circuit && config.cell != "fq_bmru") {
    throw bad_input(fmt::format("model.cell is {}; the circuit backbone takes \"fq_bmru\", the reference backbone any",
                                hysteron::quoted(config.cell)));
  }
}

/// Noise that a cell cannot have is refused rather than left out.
void check_noise(const TrainConfig& config) {
  for (const auto& [table, noise] :
       {std::pair{"training_noise", &config.training_noise}, {"test_noise", &config.test_noise}}) {
    if (noise->bits == 1) throw bad_input(fmt::format("{}.bits is 1; expected 0 or 2 to 8", table));
    if (noise->has_noise() && !takes_noise(cell_kind(config.cell))) {
      throw bad_input(fmt::format(
          "{} sets noise on candidates, which model.cell {} does not support; expected another cell or no noise", table,
          hysteron::quoted(config.cell)));
    }
  }
}

}  // namespace

void check_config(const TrainConfig& config) {
  for (const Key& key : keys()) {
    if (const auto* field = std::get_if<Text>(&key.field)) {
      if (!key.choices.empty() && std::ranges::find(key.choices, field->of(config)) == key.choices.end()) {
        throw bad_input(
            fmt::format("{} is {}; expected {}", key.name, hysteron::quoted(field->of(config)), range_text(key)));
      }
      continue;
    }
    const double value = number_of(config, key);
    if (!(value >= key.low && value <= key.high)) {
      throw bad_input(fmt::format("{} is {}; expected {}", key.name, toml_text(config, key), range_text(key)));
    }
  }
  check_backbone(config);
  check_noise(config);
  if (!config.die.empty() && config.start.empty()) {
    throw bad_input(
        fmt::format("circuit.die is {} but model.start is empty; expected the model that the die file belongs to",
                    hysteron::quoted(config.die)));
  }
  if (config.gain > 0.0 && config.normalisation == "clip") {
    throw bad_input(
        fmt::format("augmentation.gain is {} but data.normalisation is \"clip\", which removes a clip's level again; "
                    "expected 0 or \"fixed\"",
                    config.gain));
  }
  if (config.epsilon_hold + config.epsilon_fall > 0.95) {
    throw bad_input(
        fmt::format("training.epsilon_hold and training.epsilon_fall sum to {}; expected at most 0.95, so that "
                    "training ends with complete reset",
                    config.epsilon_hold + config.epsilon_fall));
  }
}

void apply_noise_defaults(TrainConfig& config) {
  if (!config.start.empty()) {
    if (!config.given.contains("training.epsilon_hold")) config.epsilon_hold = 0.0;
    if (!config.given.contains("training.epsilon_fall")) config.epsilon_fall = 0.0;
  }
  if (config.given.contains(kAdditive)) return;
  config.training_noise.additive = config.backbone == "reference" ? 0.0 : TrainConfig{}.training_noise.additive;
}

std::string to_toml(const TrainConfig& config, const std::vector<std::string>& without) {
  std::string text;
  std::string open;
  for (const Key& key : keys()) {
    const std::string_view name = key.name;
    if (std::ranges::find(without, name) != without.end()) continue;
    const std::string table(name.substr(0, name.find('.')));
    if (table != open) text += fmt::format("[{}]\n", table);
    open = table;
    text += fmt::format("{} = {}\n", name.substr(table.size() + 1), toml_text(config, key));
  }
  if (std::ranges::find(without, kClassesTable) != without.end()) return text;
  text += fmt::format("[{}]\n", kClassesTable);
  for (const data::LabelFolders& label : config.classes) {
    text += fmt::format("{} = {}\n", nlohmann::json(label.label).dump(), nlohmann::json(label.folders).dump());
  }
  return text;
}

std::string decisive_toml(const TrainConfig& config) { return to_toml(config, keys_without_effect()); }

void check_output(const TrainConfig& config) {
  if (config.output.empty()) return;
  check_writable(config.output, "model.output");
  check_writable(config.output + ".checkpoint", "model.output's checkpoint");
}

std::string config_to_json(const TrainConfig& config) {
  nlohmann::ordered_json object;
  for (const Key& key : keys()) object[key.name] = nlohmann::ordered_json::parse(toml_text(config, key));
  for (const data::LabelFolders& label : config.classes) object[kClassesTable][label.label] = label.folders;
  return object.dump();
}

}  // namespace hysteron::train
