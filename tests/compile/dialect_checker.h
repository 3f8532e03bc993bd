#pragma once

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Strict readers of what Spectre and Xyce take, written from their manuals and not from the writers: anything that is
// not known to be right is reported. They check words, order, node counts, references and numbers, not electronics.

namespace hysteron::compile {

/// Problems found, empty if there is none.
using Problems = std::vector<std::string>;

class DialectChecker {
 public:
  virtual ~DialectChecker() = default;

  /// Transistors of the technology that instances may name.
  explicit DialectChecker(const std::vector<std::string>& devices) {
    for (const std::string& device : devices) masters_[device] = {4, {"w", "l"}};
    masters_["capacitor"] = {2, {"c"}};
  }

  /// Reads a netlist; what it defines is known to a bench read afterwards.
  Problems read(const std::string& text) {
    problems_.clear();
    statements_ = 0;
    for (const std::string& statement : join_lines(text)) {
      current_ = statement;
      take(statement);
      ++statements_;
    }
    if (!subcircuit_.empty()) report("no end of " + subcircuit_);
    finish();
    return problems_;
  }

  std::size_t transistors() const { return transistors_; }

 protected:
  struct Master {
    std::size_t nodes = 0;
    std::set<std::string> parameters;
  };

  virtual std::vector<std::string> join_lines(const std::string& text) = 0;
  virtual void take(const std::string& statement) = 0;
  virtual void finish() {}

  void report(const std::string& problem) { problems_.push_back(problem + " in: " + current_); }

  static std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> result;
    for (std::string word; stream >> word;) result.push_back(word);
    return result;
  }

  static bool is_number(const std::string& text) {
    static const std::regex kNumber("[+-]?[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?");
    return std::regex_match(text, kNumber);
  }

  static bool is_name(const std::string& text) {
    static const std::regex kName("[a-z_][a-z0-9_]*");
    return std::regex_match(text, kName);
  }

  void check_name(const std::string& text) {
    if (!is_name(text)) report("'" + text + "' is no name");
  }

  void check_node(const std::string& text) {
    if (text != "0") check_name(text);
  }

  void begin(const std::string& name, const std::vector<std::string>& ports) {
    if (!subcircuit_.empty()) report("a subcircuit within another");
    check_name(name);
    if (masters_.count(name) != 0) report("defined twice: " + name);
    if (std::set<std::string>(ports.begin(), ports.end()).size() != ports.size()) report("a port twice");
    for (const std::string& port : ports) check_name(port);
    subcircuit_ = name;
    definition_ = {ports.size(), {}};
    instances_.clear();
  }

  void parameter(const std::string& name, const std::string& value) {
    check_name(name);
    if (!is_number(value)) report("default of " + name);
    if (!definition_.parameters.insert(name).second) report("parameter twice: " + name);
  }

  void end(const std::string& name) {
    if (name != subcircuit_ || name.empty()) report("end of '" + name + "' in '" + subcircuit_ + "'");
    masters_[subcircuit_] = definition_;
    subcircuit_.clear();
    instances_.clear();
  }

  void instance(const std::string& name, const std::vector<std::string>& nodes, const std::string& master,
                const std::map<std::string, std::string>& settings, bool values_are_references_or_numbers) {
    check_name(name);
    if (!instances_.insert(name).second) report("instance twice: " + name);
    for (const std::string& node : nodes) check_node(node);
    const auto found = masters_.find(master);
    if (found == masters_.end()) return report("unknown master '" + master + "'");
    if (nodes.size() != found->second.nodes) report("node count");
    std::set<std::string> names;
    for (const auto& [parameter, value] : settings) names.insert(parameter);
    if (names != found->second.parameters) report("parameters");
    if (!values_are_references_or_numbers) report("value");
    if (found->second.parameters == std::set<std::string>{"w", "l"}) ++transistors_;
  }

  bool is_value(const std::string& text) const { return is_number(text) || definition_.parameters.count(text) != 0; }

  /// Times ascend and every time has a value.
  void check_wave(const std::vector<std::string>& numbers) {
    if (numbers.size() < 2 || numbers.size() % 2 != 0) report("points of a wave");
    double before = -1.0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!is_number(numbers[i])) return report("'" + numbers[i] + "' in a wave");
      const double value = std::stod(numbers[i]);
      if (i % 2 == 0 && !(value > before)) report("times of a wave");
      if (i % 2 == 0) before = value;
    }
  }

  std::map<std::string, Master> masters_;
  Master definition_;
  std::string subcircuit_;  // that is open
  std::set<std::string> instances_;
  std::size_t statements_ = 0;

 private:
  Problems problems_;
  std::string current_;
  std::size_t transistors_ = 0;
};

class SpectreChecker : public DialectChecker {
 public:
  using DialectChecker::DialectChecker;

 private:
  std::vector<std::string> join_lines(const std::string& text) override {
    std::vector<std::string> statements;
    std::istringstream stream(text);
    bool continues = false;
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with("//")) continue;
      const bool goes_on = line.ends_with("\\");
      if (goes_on) line.pop_back();
      if (continues) {
        statements.back() += line;
      } else if (!line.empty()) {
        statements.push_back(line);
      }
      continues = goes_on;
    }
    return statements;
  }

  void take(const std::string& statement) override {
    static const std::regex kBlock("subckt (\\w+) +\\(([^()]*)\\)");
    static const std::regex kEnd("ends (\\w+)");
    static const std::regex kSource(
        "(\\w+) \\((\\w+) (\\w+)\\) [vi]source type=(dc dc=(\\S+)|pwl wave=\\[ ([^\\[\\]]+)\\])");
    static const std::regex kInstance("(\\w+) +\\(([^()]*)\\) +(\\w+)((?: +\\w+=[\\w.+-]+)*)");
    static const std::regex kOther(
        "global 0|include \"[\\w.]+\"( section=\\w+)?|\\w+ options( \\w+=[\\w.+-]+)+|ic [\\w.]+=[\\w.+-]+|"
        "save( +[\\w.]+(:p)?)+|\\w+ tran( \\w+=[\\w.+-]+)+");
    static const std::set<std::string> kReserved = {
        "ac",      "dc",     "else",   "end",     "ends",      "export",     "for",     "global",     "ic",   "if",
        "include", "info",   "inline", "library", "local",     "model",      "nodeset", "parameters", "plot", "print",
        "real",    "return", "save",   "section", "simulator", "statistics", "subckt",  "tran"};
    std::smatch match;
    if (statements_ == 0) {
      if (statement != "simulator lang=spectre") report("the language must come first");
    } else if (std::regex_match(statement, match, kBlock)) {
      begin(match[1], words(match[2]));
      can_take_parameters_ = true;
      return;
    } else if (statement.starts_with("parameters ")) {
      if (!can_take_parameters_) report("parameters must follow subckt");
      for (const auto& [name, value] : settings(statement.substr(11))) parameter(name, value);
    } else if (std::regex_match(statement, match, kEnd)) {
      end(match[1]);
    } else if (std::regex_match(statement, match, kSource)) {
      check_name(match[1]);
      check_node(match[2]);
      check_node(match[3]);
      if (match[5].matched && !is_number(match[5])) report("value");
      if (match[6].matched) check_wave(words(match[6]));
    } else if (std::regex_match(statement, match, kInstance)) {
      const auto found = settings(match[4]);
      bool are_values = true;
      for (const auto& [name, value] : found) are_values = are_values && is_value(value);
      instance(match[1], words(match[2]), match[3], found, are_values);
      if (kReserved.count(match[1]) != 0) report("reserved word");
    } else if (!std::regex_match(statement, kOther) || !subcircuit_.empty()) {
      report("not understood");
    }
    can_take_parameters_ = false;
  }

  std::map<std::string, std::string> settings(const std::string& text) {
    std::map<std::string, std::string> result;
    for (const std::string& word : words(text)) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        report("'" + word + "' sets nothing");
      } else {
        result[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    return result;
  }

  bool can_take_parameters_ = false;
};

class XyceChecker : public DialectChecker {
 public:
  using DialectChecker::DialectChecker;

 private:
  std::vector<std::string> join_lines(const std::string& text) override {
    std::vector<std::string> statements;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      if (line.empty() || line[0] == '*') continue;
      if (line[0] == '+' && !statements.empty()) {
        statements.back() += line.substr(1);
      } else {
        statements.push_back(line);
      }
    }
    return statements;
  }

  void take(const std::string& statement) override {
    static const std::regex kOther(
        "\\.lib \"[\\w.]+\" \\w+|\\.include \"[\\w.]+\"|\\.options (device|timeint)( \\w+=[\\w.+-]+)+|"
        "\\.ic v\\([\\w:]+\\)=[\\d.e+-]+|\\.tran( [\\d.e+-]+){4}|\\.print tran format=csv file=[\\w.]+( "
        "[vi]\\([\\w:]+\\))+|"
        "\\.end");
    static const std::regex kSource("([vi]\\w+) (\\w+) (\\w+) (dc (\\S+)|pwl\\( ([^()]+)\\))");
    std::smatch match;
    const std::vector<std::string> all = words(statement);
    std::vector<std::string> plain;
    std::map<std::string, std::string> settings;
    bool are_values = true;
    if (ended_) report("after the end");
    if (statement.starts_with(".subckt ") || statement[0] == 'x') {
      const bool is_definition = statement[0] == '.';
      split(all, plain, settings);
      if (is_definition) {
        begin(plain.at(1), {plain.begin() + 2, plain.end()});
        for (const auto& [name, value] : settings) parameter(name, value);
        return;
      }
      for (const auto& [name, value] : settings) are_values = are_values && is_braced_or_number(value);
      instance(plain.front(), {plain.begin() + 1, plain.end() - 1}, plain.back(), settings, are_values);
    } else if (statement[0] == 'c' && all.size() == 4) {
      instance(all[0], {all[1], all[2]}, "capacitor", {{"c", all[3]}}, is_number(all[3]));
    } else if (all.front() == ".ends" && all.size() == 2) {
      end(all[1]);
    } else if (std::regex_match(statement, match, kSource)) {
      check_node(match[2]);
      check_node(match[3]);
      if (match[5].matched && !is_number(match[5])) report("value");
      if (match[6].matched) check_wave(words(match[6]));
    } else if (!std::regex_match(statement, kOther) || !subcircuit_.empty()) {
      report("not understood");
    }
    ended_ = statement == ".end";
  }

  bool is_braced_or_number(const std::string& value) const {
    if (value.size() > 2 && value.front() == '{' && value.back() == '}') {
      return definition_.parameters.count(value.substr(1, value.size() - 2)) != 0;
    }
    return is_number(value);
  }

  void split(const std::vector<std::string>& all, std::vector<std::string>& plain,
             std::map<std::string, std::string>& settings) {
    bool are_parameters = false;
    for (const std::string& word : all) {
      const std::size_t equals = word.find('=');
      if (word == "PARAMS:") {
        if (are_parameters) report("PARAMS: twice");
        are_parameters = true;
      } else if (are_parameters != (equals != std::string::npos)) {
        report("'" + word + "' in the wrong part");
      } else if (are_parameters) {
        settings[word.substr(0, equals)] = word.substr(equals + 1);
      } else {
        plain.push_back(word);
      }
    }
  }

  bool ended_ = false;
};

}  // namespace hysteron::compile
