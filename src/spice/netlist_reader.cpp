#include "spice/netlist_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace hysteron::spice {
namespace {

/// A line with its continuations joined, or a comment; lower case but for comments.
struct Statement {
  std::string text;
  std::size_t line = 0;
  bool is_comment = false;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<Statement> split_statements(const std::string& text, const std::string& origin) {
  std::vector<Statement> statements;
  std::istringstream stream(text);
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    const std::string content = trimmed(line);
    if (content.empty()) continue;
    if (content[0] == '*') {
      statements.push_back({trimmed(content.substr(1)), number, true});
    } else if (content[0] != '+') {
      statements.push_back({lower(content), number, false});
    } else if (statements.empty() || statements.back().is_comment) {
      throw bad_input(line_place(origin, number) +
                      ": a line that continues nothing; expected one to continue before it");
    } else {
      statements.back().text += " " + lower(content.substr(1));
    }
  }
  return statements;
}

/// Words between blanks; blanks around an equals sign do not count.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  bool joins = false;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    if (!words.empty() && (joins || word[0] == '=')) {
      words.back() += word;
    } else {
      words.push_back(word);
    }
    joins = words.back().back() == '=';
  }
  return words;
}

/// A subcircuit or a transistor an instance may name.
struct Master {
  std::size_t nodes = 0;
  std::vector<std::string> parameters;
};

class Parser {
 public:
  Parser(const std::string& origin, const technology::Technology& technology) : origin_(origin) {
    for (const technology::Device* device : {&technology.n, &technology.p}) {
      masters_[lower(device->subcircuit)] = {4, {"w", "l"}};
      device_names_.push_back(device->subcircuit);
    }
  }

  Netlist parse(const std::string& text) {
    for (const Statement& statement : split_statements(text, origin_)) {
      if (statement.is_comment) {
        comments_.push_back({statement.text, statement.line});
      } else {
        take(statement);
      }
    }
    if (current_) throw wrong(current_->line, fmt::format("subcircuit {} has no end", current_->name), "a line .ends");
    if (netlist_.subcircuits.empty()) throw wrong(1, "there is no subcircuit", "a line .subckt");
    return std::move(netlist_);
  }

 private:
  Error wrong(std::size_t line, const std::string& found, const std::string& expected) const {
    return bad_input(fmt::format("{}: {}; expected {}", line_place(origin_, line), found, expected));
  }

  void take(const Statement& statement) {
    const std::vector<std::string> words = words_of(statement.text);
    if (words[0] == ".subckt") {
      begin(words, statement.line);
    } else if (words[0] == ".ends") {
      end(words, statement.line);
    } else if (words[0][0] == 'x' && current_) {
      instance(words, statement.line);
    } else if (words[0][0] == 'c' && current_) {
      capacitor(words, statement.line);
    } else {
      throw wrong(statement.line, fmt::format("{} does not belong here", quoted(words[0])),
                  current_ ? "an instance (x...), a capacitor (c...) or .ends" : ".subckt");
    }
  }

  /// The words without '='; those with one, as settings.
  std::vector<std::string> split(const std::vector<std::string>& words, std::size_t line,
                                 std::vector<Setting>& settings) const {
    std::vector<std::string> plain;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      if (equals != std::string::npos) {
        settings.push_back(setting(words[i].substr(0, equals), words[i].substr(equals + 1), line));
      } else if (settings.empty()) {
        plain.push_back(words[i]);
      } else {
        throw wrong(line, fmt::format("unexpected {} among parameters", quoted(words[i])), "name=value");
      }
    }
    for (std::size_t i = 0; i < settings.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (settings[i].name == settings[j].name) throw wrong(line, settings[i].name + " is set twice", "one value");
      }
    }
    return plain;
  }

  Setting setting(const std::string& name, const std::string& value, std::size_t line) const {
    if (value.size() > 2 && value.front() == '{' && value.back() == '}') {
      const std::string reference = value.substr(1, value.size() - 2);
      const auto& known = current_ ? current_->parameters : std::vector<Setting>{};
      for (const Setting& parameter : known) {
        if (parameter.name == reference) return {name, parameter.value, reference};
      }
      if (!reference.empty() && std::isalpha(static_cast<unsigned char>(reference[0])) != 0) {
        throw wrong(line, fmt::format("{} is not a parameter of this subcircuit", quoted(reference)),
                    "a number, or a parameter of its .subckt line");
      }
      return setting(name, reference, line);
    }
    const double number = parse_spice_number(value, line_place(origin_, line) + ": " + name);
    if (!(number > 0.0)) throw wrong(line, fmt::format("{}={}", name, value), "a size above 0");
    return {name, number};
  }

  void begin(const std::vector<std::string>& words, std::size_t line) {
    if (current_) throw wrong(line, fmt::format("subcircuit {} has no end", current_->name), ".ends before .subckt");
    if (words.size() < 3) throw wrong(line, "a subcircuit without ports", ".subckt NAME PORT...");
    if (netlist_.subcircuits.empty()) netlist_.header = std::exchange(comments_, {});
    Subcircuit subcircuit;
    subcircuit.name = words[1];
    subcircuit.line = line;
    subcircuit.ports = split({words.begin() + 1, words.end()}, line, subcircuit.parameters);
    if (masters_.count(subcircuit.name) != 0) throw wrong(line, subcircuit.name + " is defined twice", "a new name");
    instance_names_.clear();
    current_ = std::move(subcircuit);
  }

  void end(const std::vector<std::string>& words, std::size_t line) {
    if (!current_) throw wrong(line, ".ends without .subckt", ".subckt");
    if (words.size() > 1 && words[1] != current_->name) {
      throw wrong(line, fmt::format("the end of {}", quoted(words[1])), "the end of " + current_->name);
    }
    current_->last_line = line;
    current_->comments = std::exchange(comments_, {});
    Master& master = masters_[current_->name];
    master.nodes = current_->ports.size();
    for (const Setting& parameter : current_->parameters) master.parameters.push_back(parameter.name);
    netlist_.subcircuits.push_back(std::move(*current_));
    current_.reset();
  }

  void instance(const std::vector<std::string>& words, std::size_t line) {
    Instance found;
    found.name = words[0];
    found.line = line;
    found.nodes = split(words, line, found.settings);
    if (found.nodes.empty()) throw wrong(line, found.name + " has no nodes", "nodes and a device");
    found.master = found.nodes.back();
    found.nodes.pop_back();
    const auto master = masters_.find(found.master);
    if (master == masters_.end()) {
      throw wrong(line, fmt::format("{} uses the unknown device {}", found.name, quoted(found.master)),
                  fmt::format("{} or a subcircuit defined before", fmt::join(device_names_, ", ")));
    }
    if (found.nodes.size() != master->second.nodes) {
      throw wrong(line, fmt::format("{} has {} nodes", found.name, found.nodes.size()),
                  fmt::format("{}, as {} has", master->second.nodes, found.master));
    }
    check_settings(found, master->second.parameters);
    add(std::move(found));
  }

  void capacitor(const std::vector<std::string>& words, std::size_t line) {
    if (words.size() != 4) throw wrong(line, words[0] + " is not a capacitor", "cNAME NODE NODE VALUE");
    Instance found;
    found.name = words[0];
    found.line = line;
    found.nodes = {words[1], words[2]};
    found.master = kCapacitor;
    found.settings = {setting("c", words[3], line)};
    add(std::move(found));
  }

  void add(Instance found) {
    const std::size_t line = found.line;
    if (const auto [other, is_new] = instance_names_.emplace(found.name, line); !is_new) {
      throw wrong(line, found.name + " is there already", fmt::format("one; the other is in line {}", other->second));
    }
    found.comments = std::exchange(comments_, {});
    current_->instances.push_back(std::move(found));
  }

  void check_settings(const Instance& found, const std::vector<std::string>& parameters) const {
    for (const Setting& setting : found.settings) {
      if (std::find(parameters.begin(), parameters.end(), setting.name) != parameters.end()) continue;
      const std::string expected =
          parameters.empty() ? "no parameters" : fmt::format("parameters among {}", fmt::join(parameters, ", "));
      throw wrong(found.line, fmt::format("{} has no parameter {}", found.master, quoted(setting.name)), expected);
    }
    for (const std::string& parameter : parameters) {
      const bool is_set = std::any_of(found.settings.begin(), found.settings.end(),
                                      [&](const Setting& setting) { return setting.name == parameter; });
      if (!is_set)
        throw wrong(found.line, fmt::format("{} does not set {}", found.name, parameter), parameter + "=...");
    }
  }

  const std::string& origin_;
  std::map<std::string, Master> masters_;
  std::vector<std::string> device_names_;
  Netlist netlist_;
  std::optional<Subcircuit> current_;
  std::map<std::string, std::size_t> instance_names_;
  std::vector<Comment> comments_;
};

std::string line_text(const Instance& instance) {
  return fmt::format("{} {} {}", instance.name, fmt::join(instance.nodes, " "), instance.master);
}

const Subcircuit* subcircuit_named(const Netlist& netlist, const std::string& name) {
  for (const Subcircuit& subcircuit : netlist.subcircuits) {
    if (subcircuit.name == name) return &subcircuit;
  }
  return nullptr;
}

void check_instance(const Instance& found, const Instance& expected, const std::string& origin) {
  const std::string place = line_place(origin, found.line) + ": " + found.name;
  if (found.master != lower(expected.master)) {
    throw bad_input(fmt::format("{} is a {}; expected {}", place, found.master, expected.master));
  }
  for (std::size_t i = 0; i < expected.nodes.size(); ++i) {
    if (found.nodes[i] == expected.nodes[i]) continue;
    throw bad_input(fmt::format("{} has net {} at its terminal {}; expected {} (the whole line: {})", place,
                                quoted(found.nodes[i]), i + 1, expected.nodes[i], line_text(expected)));
  }
  for (const Setting& target : expected.settings) {
    for (const Setting& setting : found.settings) {
      if (setting.name == target.name && setting.reference != target.reference) {
        throw bad_input(fmt::format("{}: {} is {}; expected {}", place, setting.name,
                                    setting.reference.empty() ? "a number" : "{" + setting.reference + "}",
                                    target.reference.empty() ? "a number" : "{" + target.reference + "}"));
      }
      if (setting.name == target.name && found.master == kCapacitor &&
          std::abs(setting.value - target.value) > 1e-3 * target.value) {
        throw bad_input(
            fmt::format("{} is {:.6g}; expected {:.6g}, as in the head", place, setting.value, target.value));
      }
    }
  }
}

void check_subcircuit(const Subcircuit& found, const Subcircuit& expected, const std::string& origin) {
  const auto names = [](const std::vector<Setting>& settings) {
    std::vector<std::string> result;
    for (const Setting& setting : settings) result.push_back(setting.name);
    return result;
  };
  if (found.ports != expected.ports || names(found.parameters) != names(expected.parameters)) {
    throw bad_input(fmt::format("{}: subcircuit {} has ports or parameters of another; expected {} {}",
                                line_place(origin, found.line), found.name, fmt::join(expected.ports, " "),
                                fmt::join(names(expected.parameters), " ")));
  }
  std::map<std::string, const Instance*> there;
  for (const Instance& instance : found.instances) there[instance.name] = &instance;
  std::size_t line = found.line;
  for (const Instance& target : expected.instances) {
    const auto instance = there.find(target.name);
    if (instance == there.end()) {
      throw bad_input(fmt::format("{}: instance {} of {} is missing after this line; expected {}",
                                  line_place(origin, line), target.name, found.name, line_text(target)));
    }
    line = instance->second->line;
    check_instance(*instance->second, target, origin);
    there.erase(instance);
  }
  if (there.empty()) return;
  const Instance& extra = *there.begin()->second;
  throw bad_input(fmt::format("{}: {} is not an instance of the network; expected only those of its parameters",
                              line_place(origin, extra.line), extra.name));
}

}  // namespace

std::string line_place(const std::string& origin, std::size_t line) { return fmt::format("{}: line {}", origin, line); }

double parse_spice_number(const std::string& text, const std::string& place) {
  struct Scale {
    std::string_view name;
    double factor;
  };
  static constexpr std::array<Scale, 11> kScales{{{"", 1.0},
                                                  {"f", 1e-15},
                                                  {"p", 1e-12},
                                                  {"n", 1e-9},
                                                  {"u", 1e-6},
                                                  {"m", 1e-3},
                                                  {"k", 1e3},
                                                  {"meg", 1e6},
                                                  {"g", 1e9},
                                                  {"t", 1e12},
                                                  {"a", 1e-18}}};
  const bool has_form = !text.empty() && text.find_first_not_of("0123456789.+-efpnumkgta") == std::string::npos &&
                        std::isalpha(static_cast<unsigned char>(text[0])) == 0;
  char* end = nullptr;
  const double number = has_form ? std::strtod(text.c_str(), &end) : std::nan("");
  if (has_form && end != text.c_str() && std::isfinite(number)) {
    for (const Scale& scale : kScales) {
      if (scale.name == end) return number * scale.factor;
    }
  }
  throw bad_input(fmt::format("{}: {} is not a number; expected one like 5e-06 or 5u", place, quoted(text)));
}

std::vector<Comment> netlist_header(const std::string& text, const std::string& origin) {
  std::vector<Comment> header;
  for (const Statement& statement : split_statements(text, origin)) {
    if (!statement.is_comment) break;
    header.push_back({statement.text, statement.line});
  }
  return header;
}

Netlist parse_netlist(const std::string& text, const std::string& origin, const technology::Technology& technology) {
  return Parser(origin, technology).parse(text);
}

void check_same_structure(const Netlist& found, const Netlist& expected, const std::string& origin) {
  std::size_t line = 1;
  for (const Subcircuit& target : expected.subcircuits) {
    const Subcircuit* subcircuit = subcircuit_named(found, target.name);
    if (subcircuit == nullptr) {
      throw bad_input(fmt::format("{}: subcircuit {} is missing after this line; expected .subckt {} {}",
                                  line_place(origin, line), target.name, target.name, fmt::join(target.ports, " ")));
    }
    check_subcircuit(*subcircuit, target, origin);
    line = subcircuit->last_line;
  }
  for (const Subcircuit& subcircuit : found.subcircuits) {
    if (subcircuit_named(expected, subcircuit.name) != nullptr) continue;
    throw bad_input(
        fmt::format("{}: subcircuit {} does not belong to the network; expected only those of its layers and cells",
                    line_place(origin, subcircuit.line), subcircuit.name));
  }
}

PlacedDevice find_device(const Netlist& netlist, const Path& path) {
  const Subcircuit* subcircuit = &netlist.subcircuits.back();
  const Instance* around = nullptr;
  const Instance* instance = nullptr;
  for (const std::string& name : path) {
    if (instance != nullptr) subcircuit = subcircuit_named(netlist, instance->master);
    around = instance;
    instance = &*std::find_if(subcircuit->instances.begin(), subcircuit->instances.end(),
                              [&](const Instance& candidate) { return candidate.name == name; });
  }
  assert(instance != nullptr);  // a path has at least the transistor's own name
  PlacedDevice device;
  device.line = instance->line;
  for (const Comment& comment : instance->comments) device.comments.push_back(&comment);
  for (const Setting& setting : instance->settings) {
    double value = setting.value;
    if (!setting.reference.empty() && around != nullptr) {
      device.line = around->line;
      for (const Setting& outer : around->settings) {
        if (outer.name == setting.reference) value = outer.value;
      }
    }
    (setting.name == "w" ? device.width : device.length) = value;
  }
  if (device.line != instance->line) {
    device.comments.clear();
    for (const Comment& comment : around->comments) device.comments.push_back(&comment);
  }
  return device;
}

}  // namespace hysteron::spice
