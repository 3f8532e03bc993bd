#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/parameters.h"

// Options of commands. options.cpp alone knows the parser behind them, whose templates cost every unit that sees them
// ten seconds of compiling.

namespace CLI {
class App;
class Option;
}  // namespace CLI

/// An option that was declared; its conditions are chained. Valid as long as the Program.
class Option {
 public:
  /// `default_text`: the variable's value when the option was declared.
  Option(CLI::Option* option, std::string default_text) : option_(option), default_text_(std::move(default_text)) {}

  const Option& required(bool is_required = true) const;
  const Option& needs(const Option& other) const;
  const Option& excludes(const Option& other) const;
  /// Refuses numbers outside of it as wrong usage; --help shows it.
  const Option& range(double min, double max) const;
  /// --help shows the variable's value as the default.
  const Option& shown() const { return shows(default_text_); }
  const Option& shows(const std::string& default_text) const;
  /// Heading of --help under which it stands.
  const Option& group(const std::string& heading) const;
  /// Whether the command line has it; after parsing.
  bool is_given() const;

 private:
  friend class Command;

  CLI::Option* option_;
  std::string default_text_;
};

/// A command to which options are added. A name is "--name", "-n,--name" or, of a positional, "name". Wrong values are
/// wrong usage, except of seeds.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  /// Adds a command of this command; `example` is shown at the end of --help.
  Command add(const std::string& name, const std::string& description, const std::string& example);
  /// One of its own commands has to be named.
  void require_command();
  /// Calls `action` once the whole line was read.
  void when_called(std::function<void()> action);
  /// Calls `check` once the options of this command were read, before those that are missing are complained of.
  void when_parsed(std::function<void()> check);

  Option flag(const std::string& name, bool& value, const std::string& help);
  Option text(const std::string& name, std::string& value, const std::string& help);
  Option path(const std::string& name, std::filesystem::path& value, const std::string& help);
  /// A whole number from 0.
  Option count(const std::string& name, std::size_t& value, const std::string& help);
  Option count(const std::string& name, int& value, const std::string& help);
  /// A number, which may have an SI prefix: 1n, 2.5m, 1e-9.
  Option number(const std::string& name, double& value, const std::string& help);
  Option number(const std::string& name, std::optional<double>& value, const std::string& help);
  /// A whole number of 64 bits; --help says "Random seed of WHAT". One out of range is bad input, not bad usage: seeds
  /// often come out of files.
  Option seed(const std::string& name, std::uint64_t& value, const std::string& what);
  Option seed(const std::string& name, std::optional<std::uint64_t>& value, const std::string& what);
  /// One of `names`; another word is refused with the list of them.
  Option choice(const std::string& name, std::string& value, const std::vector<std::string>& names,
                const std::string& help);
  /// One of the keys of `choices`.
  template <typename Value>
  Option choice(const std::string& name, Value& value, const std::map<std::string, Value>& choices,
                const std::string& help) {
    std::vector<std::string> names;
    std::string chosen;
    for (const auto& [word, meaning] : choices) {
      names.push_back(word);
      if (meaning == value) chosen = word;
    }
    return choice(
        name, chosen, names, [&value, choices](const std::string& word) { value = choices.at(word); }, help);
  }

  /// Lists, separated by commas or blanks.
  Option counts(const std::string& name, std::vector<std::size_t>& values, const std::string& help);
  Option numbers(const std::string& name, std::vector<double>& values, const std::string& help);
  Option texts(const std::string& name, std::vector<std::string>& values, const std::string& help);
  /// Lists, separated by blanks, or the option again and again.
  Option paths(const std::string& name, std::vector<std::filesystem::path>& values, const std::string& help);
  Option repeated(const std::string& name, std::vector<std::string>& values, const std::string& help);

  /// A parameter that commands share: flag, range, default and help are those of its declaration.
  Option shared(const hysteron::Parameter& parameter, bool& value);
  Option shared(const hysteron::Parameter& parameter, std::string& value);
  Option shared(const hysteron::Parameter& parameter, std::filesystem::path& value);
  Option shared(const hysteron::Parameter& parameter, std::size_t& value);
  Option shared(const hysteron::Parameter& parameter, int& value);
  Option shared(const hysteron::Parameter& parameter, std::vector<std::size_t>& values);
  Option shared(const hysteron::Parameter& parameter, double& value);
  Option shared(const hysteron::Parameter& parameter, std::optional<double>& value);

  /// An option that was declared before.
  Option option(const std::string& name) const;

 private:
  using Take = std::function<void(const std::string&)>;

  Option choice(const std::string& name, const std::string& chosen, const std::vector<std::string>& names, Take take,
                const std::string& help);
  Option number(const std::string& name, const std::string& default_text, std::function<void(double)> take,
                const std::string& help);

  CLI::App* app_;
};

/// The program's whole command line.
class Program {
 public:
  Program(const std::string& name, const std::string& description, const std::string& version,
          const std::string& footer);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  Command root() { return Command(app_.get()); }
  /// Reads the line and calls the chosen command's `when_called`. Gives the exit code if there is nothing to do: of
  /// --help and --version, which are printed, and of wrong usage, which is complained of. Throws usage and bad-input
  /// Errors.
  std::optional<int> parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};
