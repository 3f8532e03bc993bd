// Reading configuration files.

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "train/config.h"
#include "train/config_values.h"

namespace hysteron::train {
namespace {

/// Reads one file and says where in it something is wrong.
class Parser {
 public:
  explicit Parser(const std::string& origin) : origin_(origin) {}

  TrainConfig read(const toml::table& root, const std::set<std::string>& others) {
    for (const std::string& other : others) others_ += other + ", ";
    for (const auto& [name, node] : root) {
      if (!others.contains(std::string(name.str()))) section(std::string(name.str()), node);
    }
    apply_noise_defaults(config_);
    return config_;
  }

 private:
  [[noreturn]] void refuse(const toml::node& node, const std::string& problem) const {
    throw_at(origin_, node, problem);
  }

  void section(const std::string& name, const toml::node& node) {
    const bool known = name == kClassesTable || std::ranges::any_of(config_keys(), [&](const ConfigKey& key) {
                         return key.name.starts_with(name + ".");
                       });
    if (!known) refuse(node, fmt::format("unknown key {}; expected {}{}", hysteron::quoted(name), others_, sections()));
    const toml::table* table = node.as_table();
    if (table == nullptr) refuse(node, fmt::format("{} is not a table; expected [{}]", hysteron::quoted(name), name));
    if (name == kClassesTable) {
      classes(*table);
      return;
    }
    for (const auto& [key, value] : *table) {
      assign_value(config_, origin_, name + "." + std::string(key.str()), value);
    }
  }

  static std::string sections() {
    std::vector<std::string> names;
    for (const ConfigKey& key : config_keys()) {
      const std::string table = fmt::format("[{}]", key.name.substr(0, key.name.find('.')));
      if (names.empty() || names.back() != table) names.push_back(table);
    }
    return fmt::format("{} or [{}]", fmt::join(names, ", "), kClassesTable);
  }

  void classes(const toml::table& table) {
    struct Entry {
      std::string label;
      const toml::node* folders;
    };
    std::vector<Entry> entries;
    for (const auto& [name, value] : table) {
      entries.push_back({std::string(name.str()), &value});
    }
    if (entries.size() < 2) refuse(table, fmt::format("[{}] has fewer than two labels", kClassesTable));
    // Labels keep the order of the file, which toml++ does not.
    std::ranges::sort(
        entries, [](const Entry& a, const Entry& b) { return a.folders->source().begin < b.folders->source().begin; });
    config_.classes.clear();
    config_.given.insert(kClassesTable);
    for (const Entry& entry : entries) config_.classes.push_back({entry.label, folders(entry.label, *entry.folders)});
  }

  std::vector<std::string> folders(const std::string& label, const toml::node& value) {
    const std::string name = fmt::format("{}.{}", kClassesTable, label);
    const toml::array* list = value.as_array();
    if (list == nullptr || list->empty()) refuse(value, name + " is not a list of folder names");
    std::vector<std::string> result;
    for (const toml::node& entry : *list) {
      if (!entry.is_string() || (*entry.as_string())->empty()) refuse(entry, name + " is not a list of folder names");
      result.push_back(**entry.as_string());
      if (!folders_.insert(result.back()).second) {
        refuse(entry, fmt::format("{} names folder {} a second time", name, hysteron::quoted(result.back())));
      }
    }
    return result;
  }

  const std::string& origin_;
  std::string others_;  // keys beside those of a configuration, for messages
  TrainConfig config_;
  std::set<std::string> folders_;
};

}  // namespace

toml::table parse_toml(std::string_view text, const std::string& origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    throw bad_input(
        fmt::format("{}, line {}: {}", hysteron::quoted(origin), error.source().begin.line, error.description()));
  }
}

TrainConfig config_from(const toml::table& root, const std::string& origin, const std::set<std::string>& others) {
  TrainConfig config = Parser(origin).read(root, others);
  try {
    check_config(config);
  } catch (const Error& error) {
    throw bad_input(fmt::format("{}: {}", hysteron::quoted(origin), error.what()));
  }
  return config;
}

TrainConfig parse_config(std::string_view text, const std::string& origin) {
  return config_from(parse_toml(text, origin), origin, {});
}

TrainConfig read_config(const std::filesystem::path& path) { return parse_config(read_file(path), path.string()); }

}  // namespace hysteron::train
