#include "options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/units.h"

using hysteron::Parameter;

namespace {

/// The parser alone would take -1 for the largest number there is.
CLI::Validator not_negative() {
  const auto check = [](const std::string& text) {
    return text.starts_with('-') ? "expected a whole number from 0, not " + text : std::string();
  };
  return {check, "", "not_negative"};
}

/// The whole number from 0 to 2^64 - 1 that `text` is. Throws a bad-input Error that names the option.
std::uint64_t parse_seed(const std::string& text, const std::string& name) {
  std::uint64_t seed = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (code == std::errc() && end == text.data() + text.size()) return seed;
  throw hysteron::bad_input(fmt::format("{} {}: expected a whole number from 0 to {}", name, hysteron::quoted(text),
                                        std::numeric_limits<std::uint64_t>::max()));
}

/// Refuses what `takes` does not; `expected` stands in --help and in the complaint. What is no number is left to the
/// option's own conversion.
void restrict_to(CLI::Option& option, std::function<bool(double)> takes, const std::string& expected) {
  option.type_name(option.get_type_name() + " in [" + expected + "]");
  option.check(CLI::Validator(
      [accepts = std::move(takes), expected](const std::string& text) -> std::string {
        double value = 0.0;
        try {
          value = hysteron::parse_si(text, "");
        } catch (const hysteron::Error&) {
          return "";
        }
        return accepts(value) ? "" : fmt::format("{}; expected {}", text, expected);
      },
      ""));
}

void restrict_to(CLI::Option& option, const Parameter& parameter) {
  const std::string expected = hysteron::range_text(parameter);
  if (expected.empty()) return;
  restrict_to(
      option, [&parameter](double value) { return parameter.takes(value); }, expected);
}

/// "--unit-current" of `unit_current`, with the short forms that some have.
std::string flag_of(const Parameter& parameter) {
  std::string flag = "--" + std::string(parameter.name);
  std::ranges::replace(flag, '_', '-');
  if (&parameter == &hysteron::parameters::kJobs) return "-j," + flag;
  if (&parameter == &hysteron::parameters::kClips) return flag + ",--clip";
  return flag;
}

/// The help, with the default where that is words.
std::string help_of(const Parameter& parameter) {
  std::string help(parameter.help);
  if (!parameter.default_value.empty() && !parameter.has_number()) {
    help += fmt::format(" (default: {})", parameter.default_value);
  }
  return help;
}

std::string seed_help(const std::string& what) {
  return fmt::format("{} of {}", hysteron::parameters::kSeed.help, what);
}

template <typename Value>
std::string list_text(const std::vector<Value>& values) {
  return fmt::format("[{}]", fmt::join(values, ","));
}

/// The command that was called without one of its own commands, or null.
const CLI::App* without_command(const CLI::App& app) {
  if (app.get_require_subcommand_min() == 0) return nullptr;
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? &app : without_command(*chosen.front());
}

/// CLI11 says of an unknown word only that a command is missing.
void name_unknown_command(const CLI::App& app) {
  const CLI::App* at = without_command(app);
  const std::vector<std::string> words = app.remaining(true);
  if (at == nullptr || words.empty()) return;
  std::vector<std::string> names;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  throw hysteron::Error(
      hysteron::ErrorKind::kUsage,
      fmt::format("{} is not a command; expected one of {}", hysteron::quoted(words.front()), fmt::join(names, ", ")));
}

}  // namespace

const Option& Option::required(bool is_required) const {
  option_->required(is_required);
  return *this;
}

const Option& Option::needs(const Option& other) const {
  option_->needs(other.option_);
  return *this;
}

const Option& Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}

const Option& Option::range(double min, double max) const {
  const auto text = [](double value) {
    return value == static_cast<double>(static_cast<long long>(value)) ? fmt::format("{:.0f}", value)
                                                                       : fmt::format("{:g}", value);
  };
  restrict_to(
      *option_, [min, max](double value) { return value >= min && value <= max; },
      fmt::format("{} to {}", text(min), text(max)));
  return *this;
}

const Option& Option::shows(const std::string& default_text) const {
  option_->default_str(default_text);
  return *this;
}

const Option& Option::group(const std::string& heading) const {
  option_->group(heading);
  return *this;
}

bool Option::is_given() const { return option_->count() > 0; }

Command Command::add(const std::string& name, const std::string& description, const std::string& example) {
  CLI::App* command = app_->add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return Command(command);
}

void Command::require_command() { app_->require_subcommand(1); }

void Command::when_called(std::function<void()> action) { app_->callback(std::move(action)); }

void Command::when_parsed(std::function<void()> check) { app_->parse_complete_callback(std::move(check)); }

Option Command::flag(const std::string& name, bool& value, const std::string& help) {
  return {app_->add_flag(name, value, help), ""};
}

Option Command::text(const std::string& name, std::string& value, const std::string& help) {
  return {app_->add_option(name, value, help), value};
}

Option Command::path(const std::string& name, std::filesystem::path& value, const std::string& help) {
  return {app_->add_option(name, value, help)->type_name("PATH"), value.string()};
}

Option Command::count(const std::string& name, std::size_t& value, const std::string& help) {
  return {app_->add_option(name, value, help)->check(not_negative()), std::to_string(value)};
}

Option Command::count(const std::string& name, int& value, const std::string& help) {
  return {app_->add_option(name, value, help)->check(not_negative())->type_name("UINT"), std::to_string(value)};
}

Option Command::number(const std::string& name, double& value, const std::string& help) {
  return number(
      name, fmt::format("{:g}", value), [&value](double given) { value = given; }, help);
}

Option Command::number(const std::string& name, std::optional<double>& value, const std::string& help) {
  return number(
      name, "", [&value](double given) { value = given; }, help);
}

Option Command::number(const std::string& name, const std::string& default_text, std::function<void(double)> take,
                       const std::string& help) {
  const auto parse = [name, use = std::move(take)](const std::string& text) { use(hysteron::parse_si(text, name)); };
  return {app_->add_option_function<std::string>(name, parse, help)->type_name("FLOAT"), default_text};
}

Option Command::seed(const std::string& name, std::uint64_t& value, const std::string& what) {
  const auto take = [&value, name](const std::string& text) { value = parse_seed(text, name); };
  CLI::Option* option = app_->add_option_function<std::string>(name, take, seed_help(what));
  option->type_name("UINT")->default_str(std::to_string(value));
  return {option, std::to_string(value)};
}

Option Command::seed(const std::string& name, std::optional<std::uint64_t>& value, const std::string& what) {
  const auto take = [&value, name](const std::string& text) { value = parse_seed(text, name); };
  return {app_->add_option_function<std::string>(name, take, seed_help(what))->type_name("UINT"), ""};
}

Option Command::choice(const std::string& name, std::string& value, const std::vector<std::string>& names,
                       const std::string& help) {
  return choice(
      name, value, names, [&value](const std::string& word) { value = word; }, help);
}

Option Command::choice(const std::string& name, const std::string& chosen, const std::vector<std::string>& names,
                       Take take, const std::string& help) {
  CLI::Option* option = app_->add_option_function<std::string>(name, take, help);
  option->check(CLI::IsMember(names))->type_name("");
  return {option, chosen};
}

Option Command::counts(const std::string& name, std::vector<std::size_t>& values, const std::string& help) {
  return {app_->add_option(name, values, help)->delimiter(',')->check(not_negative()), list_text(values)};
}

Option Command::numbers(const std::string& name, std::vector<double>& values, const std::string& help) {
  const auto take = [&values, name](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) values.push_back(hysteron::parse_si(text, name));
  };
  CLI::Option* option = app_->add_option_function<std::vector<std::string>>(name, take, help);
  return {option->delimiter(',')->type_name("FLOAT"), list_text(values)};
}

Option Command::texts(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  return {app_->add_option(name, values, help)->delimiter(','), list_text(values)};
}

Option Command::paths(const std::string& name, std::vector<std::filesystem::path>& values, const std::string& help) {
  return {app_->add_option(name, values, help)->type_name("PATH"), ""};
}

Option Command::repeated(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  return {app_->add_option(name, values, help)->take_all(), ""};
}

Option Command::shared(const Parameter& parameter, bool& value) {
  return flag(flag_of(parameter), value, help_of(parameter));
}

Option Command::shared(const Parameter& parameter, std::string& value) {
  return text(flag_of(parameter), value, help_of(parameter));
}

Option Command::shared(const Parameter& parameter, std::filesystem::path& value) {
  return path(flag_of(parameter), value, help_of(parameter));
}

Option Command::shared(const Parameter& parameter, std::size_t& value) {
  Option option = count(flag_of(parameter), value, help_of(parameter));
  restrict_to(*option.option_, parameter);
  return option;
}

Option Command::shared(const Parameter& parameter, int& value) {
  Option option = count(flag_of(parameter), value, help_of(parameter));
  restrict_to(*option.option_, parameter);
  return option;
}

Option Command::shared(const Parameter& parameter, std::vector<std::size_t>& values) {
  return counts(flag_of(parameter), values, help_of(parameter));
}

Option Command::shared(const Parameter& parameter, double& value) {
  const std::string text = hysteron::number_text(parameter, value);
  Option option = number(
      flag_of(parameter), text, [&value](double given) { value = given; }, help_of(parameter));
  restrict_to(*option.option_, parameter);
  if (parameter.has_number()) option.shown();
  return option;
}

Option Command::shared(const Parameter& parameter, std::optional<double>& value) {
  Option option = number(flag_of(parameter), value, help_of(parameter));
  restrict_to(*option.option_, parameter);
  return option;
}

Option Command::option(const std::string& name) const { return {app_->get_option(name), ""}; }

Program::Program(const std::string& name, const std::string& description, const std::string& version,
                 const std::string& footer)
    : app_(std::make_unique<CLI::App>(description)) {
  app_->name(name);
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->footer(footer);
}

Program::~Program() = default;

std::optional<int> Program::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) name_unknown_command(*app_);
    if (app_->exit(error) != 0) return static_cast<int>(hysteron::ErrorKind::kUsage);
    return 0;
  }
  return std::nullopt;
}
