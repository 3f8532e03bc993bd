#include "explore/search_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/parameters.h"
#include "base/units.h"
#include "train/config_values.h"

namespace hysteron::explore {
namespace {

using Kind = SpaceVariable::Kind;

constexpr std::size_t kMaxPoints = 100'000;
constexpr std::size_t kMaxPopulation = 10'000;
constexpr std::size_t kMaxClips = 100'000;
constexpr Parameter kDeviceArea{.name = "device_area",
                                .min = 0.25,
                                .max = 16.0,
                                .help = "Gate area of all that has to match, over the technology's"};
constexpr Parameter kSparsity{.name = "sparsity", .min = 0.0, .max = 0.95, .help = "Share of weights left out"};
constexpr std::int64_t kMaxTested = 1000;  // values of a whole-number range that are each tried

const std::set<std::string> kOwnTables = {"folder", "search", "hardware", "variables"};

/// Short names of keys that a design is usually told by.
constexpr std::array<std::pair<const char*, const char*>, 3> kShortNames = {
    {{"d", "model.width"}, {"layers", "model.layers"}, {"bits", "training_noise.bits"}}};

/// Keys of a configuration that a search has of its own, or that its points share.
bool is_refused(const std::string& key, bool is_variable) {
  for (const char* own : {"model.output", "training.metrics", "training.threads", "training.checkpoint_interval"}) {
    if (key == own) return true;
  }
  if (key.starts_with("test_noise.")) return true;
  return is_variable && (key.starts_with("data.") || key == "model.backbone" || key == "model.cell");
}

/// One key of Hardware, its member and whether ngspice measures its every value once, so that it may have no range.
struct HardwareKey {
  const Parameter& parameter;
  double Hardware::*member;
  bool is_measured;
};

std::optional<double> number_of(const SpaceValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

/// Whether `value` is one that the key takes, which is then put into `hardware`. Quantities may be texts: "300p".
bool read_key(const HardwareKey& key, const SpaceValue& value, Hardware& hardware) {
  std::optional<double> number = number_of(value);
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !key.parameter.unit.empty()) {
    try {
      number = parse_si(*text, "");
    } catch (const Error&) {
      return false;
    }
  }
  if (!number || !key.parameter.takes(*number)) return false;
  hardware.*key.member = *number;
  return true;
}

const std::vector<HardwareKey>& hardware_keys() {
  static const std::vector<HardwareKey> keys = {{parameters::kUnitCurrent, &Hardware::unit_current, true},
                                                {parameters::kSupply, &Hardware::supply, true},
                                                {kDeviceArea, &Hardware::device_area, true},
                                                {kSparsity, &Hardware::sparsity, false}};
  return keys;
}

const HardwareKey* hardware_key(const std::string& name) {
  const auto found =
      std::ranges::find_if(hardware_keys(), [&](const HardwareKey& key) { return name == key.parameter.name; });
  return found == hardware_keys().end() ? nullptr : &*found;
}

std::unique_ptr<toml::node> to_node(const SpaceValue& value) {
  return std::visit(
      [](const auto& held) -> std::unique_ptr<toml::node> {
        return std::make_unique<toml::value<std::decay_t<decltype(held)>>>(held);
      },
      value);
}

std::optional<SpaceValue> from_node(const toml::node& node) {
  if (node.is_integer()) return SpaceValue(**node.as_integer());
  if (node.is_floating_point()) return SpaceValue(**node.as_floating_point());
  if (node.is_string()) return SpaceValue(**node.as_string());
  return std::nullopt;
}

std::string shown(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

class SpaceReader {
 public:
  SpaceReader(const std::filesystem::path& path, const std::vector<std::string>& objectives)
      : origin_(path.string()), root_(train::parse_toml(read_file(path), origin_)), objectives_(objectives) {}

  SearchSpace read() {
    space_.folder = "explore";
    if (const toml::node* folder = root_.get("folder")) space_.folder = text(*folder, "folder");
    read_base();
    read_hardware();
    read_search();
    read_variables();
    return std::move(space_);
  }

 private:
  [[noreturn]] void refuse(const toml::node& node, const std::string& problem) const {
    train::throw_at(origin_, node, problem);
  }

  std::string text(const toml::node& node, const std::string& name) const {
    if (!node.is_string() || (*node.as_string())->empty()) {
      refuse(node, fmt::format("{} is {}; expected text", name, shown(node)));
    }
    return **node.as_string();
  }

  std::size_t whole(const toml::node& node, const std::string& name, std::size_t low, std::size_t high) const {
    const auto number = node.is_integer() ? **node.as_integer() : -1;
    if (number < 0 || static_cast<std::size_t>(number) < low || static_cast<std::size_t>(number) > high) {
      refuse(node, fmt::format("{} is {}; expected a whole number from {} to {}", name, shown(node), low, high));
    }
    return static_cast<std::size_t>(number);
  }

  /// The table called `name`, or none.
  const toml::table* table(const std::string& name) const {
    const toml::node* node = root_.get(name);
    if (node != nullptr && !node->is_table()) {
      refuse(*node, fmt::format("{} is not a table; expected [{}]", hysteron::quoted(name), name));
    }
    return node == nullptr ? nullptr : node->as_table();
  }

  void read_base() {
    space_.base = train::config_from(root_, origin_, kOwnTables);
    for (const std::string& key : space_.base.given) {
      if (is_refused(key, false)) {
        refuse(*root_.at_path(key).node(), key + " is set by the search; remove it from the file");
      }
    }
    if (space_.base.backbone != "circuit") {
      throw bad_input(fmt::format("{}: model.backbone is {}; expected \"circuit\", which becomes a circuit",
                                  hysteron::quoted(origin_), hysteron::quoted(space_.base.backbone)));
    }
    train::check_used(space_.base, origin_);
    try {
      train::check_config(space_.base);
    } catch (const Error& error) {
      throw bad_input(fmt::format("{}: {}", hysteron::quoted(origin_), error.what()));
    }
  }

  void read_hardware() {
    const toml::table* given = table("hardware");
    if (given == nullptr) return;
    for (const auto& [key, node] : *given) {
      const std::string name(key.str());
      if (name == "pdk") {
        space_.hardware.technology = text(node, "hardware.pdk");
        continue;
      }
      const HardwareKey* known = hardware_key(name);
      if (known == nullptr) refuse(node, unknown("hardware." + name, "pdk, " + hardware_names()));
      const auto value = from_node(node);
      if (!value || !read_key(*known, *value, space_.hardware)) {
        refuse(node, fmt::format("hardware.{} is {}; expected {}", name, shown(node), range_text(known->parameter)));
      }
    }
  }

  static std::string unknown(const std::string& name, const std::string& expected) {
    return fmt::format("unknown key {}; expected {}", hysteron::quoted(name), expected);
  }

  static std::string hardware_names() {
    std::vector<std::string> names;
    for (const HardwareKey& key : hardware_keys()) names.emplace_back(key.parameter.name);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void read_search() {
    space_.objectives = {"accuracy", "power"};
    const toml::table* given = table("search");
    if (given == nullptr) return;
    for (const auto& [key, node] : *given) {
      const std::string name(key.str());
      const std::string full = "search." + name;
      if (name == "points") {
        space_.points = whole(node, full, 1, kMaxPoints);
      } else if (name == "population") {
        space_.population = whole(node, full, 2, kMaxPopulation);
      } else if (name == "seed") {
        space_.seed = whole(node, full, 0, static_cast<std::size_t>(INT64_MAX));
      } else if (name == "dies") {
        space_.dies = whole(node, full, 1, static_cast<std::size_t>(parameters::kDies.max));
      } else if (name == "die_clips") {
        space_.die_clips = whole(node, full, 1, kMaxClips);
      } else if (name == "objectives") {
        read_objectives(node);
      } else {
        refuse(node, unknown(full, "points, population, seed, objectives, dies, die_clips"));
      }
    }
  }

  void read_objectives(const toml::node& node) {
    const std::string expected = fmt::format("a list of {}", fmt::join(objectives_, ", "));
    const toml::array* list = node.as_array();
    if (list == nullptr || list->empty()) {
      refuse(node, fmt::format("search.objectives is {}; expected {}", shown(node), expected));
    }
    space_.objectives.clear();
    for (const toml::node& entry : *list) {
      const std::string name = entry.is_string() ? **entry.as_string() : std::string();
      if (std::ranges::find(objectives_, name) == objectives_.end()) {
        refuse(entry, fmt::format("search.objectives holds {}; expected {}", shown(entry), expected));
      }
      if (std::ranges::find(space_.objectives, name) != space_.objectives.end()) {
        refuse(entry, fmt::format("search.objectives lists {} twice", name));
      }
      space_.objectives.push_back(name);
    }
  }

  void read_variables() {
    const toml::table* given = table("variables");
    if (given == nullptr || given->empty()) {
      throw bad_input(
          fmt::format("{}: the table [variables] is missing or empty; expected the keys that the search varies",
                      hysteron::quoted(origin_)));
    }
    std::vector<std::pair<toml::source_position, SpaceVariable>> found;
    find_variables("", *given, found);
    // As in the file, which toml++ does not keep.
    std::ranges::sort(found, [](const auto& a, const auto& b) { return a.first < b.first; });
    std::set<std::string> taken;
    for (auto& [place, variable] : found) {
      const std::string& target = variable.key.empty() ? variable.name : variable.key;
      const std::string fixed = variable.key.empty() ? "hardware." + variable.name : target;
      if (root_.at_path(fixed)) {
        throw bad_input(fmt::format("{}, line {}: both variables.{} and {} are given; expected one of them",
                                    hysteron::quoted(origin_), place.line, variable.name, fixed));
      }
      if (!taken.insert(target).second) {
        throw bad_input(fmt::format("{}, line {}: variables.{} is {} a second time", hysteron::quoted(origin_),
                                    place.line, variable.name, target));
      }
      space_.variables.push_back(std::move(variable));
    }
  }

  void find_variables(const std::string& prefix, const toml::table& given,
                      std::vector<std::pair<toml::source_position, SpaceVariable>>& found) const {
    for (const auto& [key, node] : given) {
      const std::string name = prefix + std::string(key.str());
      if (node.is_table() && is_section(name)) {
        find_variables(name + ".", *node.as_table(), found);
        continue;
      }
      SpaceVariable variable;
      variable.name = name;
      variable.key = config_key(name, node);
      read_values(node, variable);
      check_values(node, variable);
      found.emplace_back(node.source().begin, std::move(variable));
    }
  }

  /// Whether keys of a configuration begin with `name` and a dot.
  static bool is_section(const std::string& name) {
    return std::ranges::any_of(train::config_keys(),
                               [&](const train::ConfigKey& key) { return key.name.starts_with(name + "."); });
  }

  /// The key of a configuration that the variable stands for; empty: it is one of Hardware.
  std::string config_key(const std::string& name, const toml::node& node) const {
    if (hardware_key(name) != nullptr) return "";
    std::string key = name;
    for (const auto& [alias, stands_for] : kShortNames) {
      if (name == alias) key = stands_for;
    }
    const bool known =
        std::ranges::any_of(train::config_keys(), [&](const train::ConfigKey& one) { return one.name == key; });
    if (!known) {
      refuse(node,
             unknown("variables." + name,
                     fmt::format("d, layers, bits, {} or a key that `hysteron train --keys` lists", hardware_names())));
    }
    if (is_refused(key, true))
      refuse(node, fmt::format("variables.{}: the key is the same for all points of a search and cannot vary", name));
    if (is_ignored(space_.base, key))
      refuse(node, fmt::format("variables.{} has no effect on the circuit backbone", name));
    return key;
  }

  static std::string type_of(const SpaceVariable& variable) {
    if (variable.key.empty()) return "number";
    const auto keys = train::config_keys();
    return std::ranges::find_if(keys, [&](const train::ConfigKey& key) { return key.name == variable.key; })->type;
  }

  void read_values(const toml::node& node, SpaceVariable& variable) const {
    const std::string name = "variables." + variable.name;
    static constexpr const char* kForms = "[low, high], {low, high, scale} or {choices = [...]}";
    if (const toml::array* pair = node.as_array()) {
      if (pair->size() != 2) refuse(node, fmt::format("{} is {}; expected {}", name, shown(node), kForms));
      read_range(node, *pair->get(0), *pair->get(1), Kind::kLinear, variable);
      return;
    }
    const toml::table* form = node.as_table();
    if (form == nullptr) refuse(node, fmt::format("{} is {}; expected {}", name, shown(node), kForms));
    for (const auto& [key, part] : *form) {
      const bool fits = form->contains("choices") ? key.str() == "choices"
                                                  : key.str() == "low" || key.str() == "high" || key.str() == "scale";
      if (!fits) refuse(part, unknown(fmt::format("{}.{}", name, key.str()), kForms));
    }
    if (const toml::node* choices = form->get("choices")) {
      read_choices(*choices, variable);
      return;
    }
    const toml::node* low = form->get("low");
    const toml::node* high = form->get("high");
    if (low == nullptr || high == nullptr)
      refuse(node, fmt::format("{} has no low or no high; expected {}", name, kForms));
    Kind kind = Kind::kLinear;
    if (const toml::node* scale = form->get("scale")) {
      const std::string wanted = text(*scale, name + ".scale");
      if (wanted != "linear" && wanted != "log") {
        refuse(*scale, fmt::format("{}.scale is {}; expected \"linear\" or \"log\"", name, hysteron::quoted(wanted)));
      }
      kind = wanted == "log" ? Kind::kLog : Kind::kLinear;
    }
    read_range(node, *low, *high, kind, variable);
  }

  void read_choices(const toml::node& node, SpaceVariable& variable) const {
    const std::string name = fmt::format("variables.{}.choices", variable.name);
    variable.kind = Kind::kChoice;
    const toml::array* list = node.as_array();
    if (list == nullptr || list->empty()) {
      refuse(node, fmt::format("{} is {}; expected a list with at least one value", name, shown(node)));
    }
    for (const toml::node& entry : *list) {
      const auto value = from_node(entry);
      if (!value) refuse(entry, fmt::format("{} holds {}; expected numbers or texts", name, shown(entry)));
      if (std::ranges::find(variable.choices, *value) != variable.choices.end()) {
        refuse(entry, fmt::format("{} holds {} twice", name, shown(entry)));
      }
      variable.choices.push_back(*value);
    }
  }

  void read_range(const toml::node& node, const toml::node& low, const toml::node& high, Kind kind,
                  SpaceVariable& variable) const {
    const std::string name = "variables." + variable.name;
    const std::string type = type_of(variable);
    const HardwareKey* hardware = variable.key.empty() ? hardware_key(variable.name) : nullptr;
    if (type == "text" || (hardware != nullptr && hardware->is_measured)) {
      refuse(node, fmt::format("{} is {}; expected {{choices = [...]}}{}", name, shown(node),
                               type == "text" ? "" : ", because ngspice measures devices at every value"));
    }
    const bool is_whole = type == "whole number";
    if (is_whole ? !(low.is_integer() && high.is_integer()) : !(low.is_number() && high.is_number())) {
      refuse(node, fmt::format("{} is {}; expected {}s", name, shown(node), type));
    }
    variable.low = low.value<double>().value_or(0.0);
    variable.high = high.value<double>().value_or(0.0);
    variable.kind = is_whole ? Kind::kWhole : kind;
    if (!(variable.low < variable.high)) {
      refuse(node, fmt::format("{} is the empty range {}; expected low < high", name, shown(node)));
    }
    if (is_whole && kind == Kind::kLog)
      refuse(node, fmt::format("{}.scale is \"log\"; whole numbers allow \"linear\" only", name));
    if (kind == Kind::kLog && variable.low <= 0.0) {
      refuse(node, fmt::format("{}.low is {:g}; expected more than 0 on a logarithmic scale", name, variable.low));
    }
  }

  /// Every value, or the ends of a range, must be one that the key can have.
  void check_values(const toml::node& node, const SpaceVariable& variable) const {
    std::vector<SpaceValue> values = variable.choices;
    if (variable.kind == Kind::kWhole && variable.high - variable.low <= static_cast<double>(kMaxTested)) {
      for (std::size_t i = 0; i < variable.levels(); ++i) values.push_back(variable.value(static_cast<double>(i)));
    } else if (variable.kind == Kind::kWhole) {
      values = {static_cast<std::int64_t>(variable.low), static_cast<std::int64_t>(variable.high)};
    } else if (variable.kind != Kind::kChoice) {
      values = {variable.low, variable.high};
    }
    for (const SpaceValue& value : values) {
      if (variable.key.empty()) {
        const HardwareKey& key = *hardware_key(variable.name);
        Hardware hardware;
        if (read_key(key, value, hardware)) continue;
        refuse(node, fmt::format("variables.{} has {}; expected {}", variable.name, value_text(value),
                                 range_text(key.parameter)));
      }
      train::TrainConfig config = space_.base;
      assign_value(config, origin_, variable.key, *to_node(value), &node);
      try {
        train::check_config(config);
      } catch (const Error& error) {
        refuse(node, fmt::format("variables.{} has {}: {}", variable.name, value_text(value), error.what()));
      }
    }
  }

  std::string origin_;
  toml::table root_;
  const std::vector<std::string>& objectives_;
  SearchSpace space_;
};

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kWhole:
      return "whole";
    case Kind::kLinear:
      return "linear";
    case Kind::kLog:
      return "log";
    case Kind::kChoice:
      break;
  }
  return "choice";
}

}  // namespace

std::string value_text(const SpaceValue& value) {
  return std::visit([](const auto& held) { return fmt::format("{}", held); }, value);
}

std::size_t SpaceVariable::levels() const {
  if (kind == Kind::kChoice) return choices.size();
  return kind == Kind::kWhole ? static_cast<std::size_t>(high - low) + 1 : 0;
}

bool SpaceVariable::is_ordered() const {
  return kind != Kind::kChoice || key.empty() || !std::holds_alternative<std::string>(choices.front());
}

SpaceValue SpaceVariable::value(double coordinate) const {
  switch (kind) {
    case Kind::kChoice:
      return choices[static_cast<std::size_t>(coordinate)];
    case Kind::kWhole:
      return static_cast<std::int64_t>(low + coordinate);
    case Kind::kLog:
      return low * std::pow(high / low, coordinate);
    case Kind::kLinear:
      break;
  }
  return low + coordinate * (high - low);
}

std::string Hardware::technology_name() const {
  return device_area == 1.0 ? technology : fmt::format("{}@{:g}", technology, device_area);
}

PointDesign SearchSpace::design(const std::vector<double>& coordinates) const {
  std::vector<SpaceValue> values;
  for (std::size_t i = 0; i < variables.size(); ++i) values.push_back(variables[i].value(coordinates[i]));
  return design_with(values);
}

PointDesign SearchSpace::design_with(const std::vector<SpaceValue>& values) const {
  PointDesign design{{}, base, hardware};
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const SpaceVariable& variable = variables[i];
    if (variable.key.empty()) {
      read_key(*hardware_key(variable.name), values[i], design.hardware);
    } else {
      assign_value(design.config, variable.name, variable.key, *to_node(values[i]));
    }
    design.values.emplace_back(variable.name, values[i]);
  }
  return design;
}

std::string SearchSpace::identity() const {
  nlohmann::ordered_json json = {{"search.population", population},
                                 {"search.seed", seed},
                                 {"search.objectives", objectives},
                                 {"search.dies", dies},
                                 {"search.die_clips", die_clips},
                                 {"hardware.pdk", hardware.technology},
                                 {"hardware.unit_current", hardware.unit_current},
                                 {"hardware.supply", hardware.supply},
                                 {"hardware.device_area", hardware.device_area},
                                 {"hardware.sparsity", hardware.sparsity}};
  for (const SpaceVariable& variable : variables) {
    nlohmann::ordered_json form = {{"scale", kind_name(variable.kind)}};
    if (variable.kind == Kind::kChoice) {
      for (const SpaceValue& value : variable.choices) {
        std::visit([&](const auto& held) { form["choices"].push_back(held); }, value);
      }
    } else {
      form["low"] = variable.low;
      form["high"] = variable.high;
    }
    json["variables." + variable.name] = form;
  }
  const auto config = nlohmann::ordered_json::parse(config_to_json(base));
  const auto& without = train::keys_without_effect();
  for (const auto& [key, value] : config.items()) {
    if (std::ranges::find(without, key) == without.end()) json[key] = value;
  }
  return json.dump(1);
}

SearchSpace read_search_space(const std::filesystem::path& path, const std::vector<std::string>& objectives) {
  return SpaceReader(path, objectives).read();
}

}  // namespace hysteron::explore
