#include "base/parameters.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/units.h"

namespace hysteron {
namespace {

constexpr double kSmallestPlain = 1e-3;  // below it a quantity is written with a prefix

std::string type_text(Parameter::Type type) {
  switch (type) {
    case Parameter::Type::kNumber:
      return "number";
    case Parameter::Type::kCount:
      return "whole number";
    case Parameter::Type::kCounts:
      return "whole numbers";
    case Parameter::Type::kSeed:
      return "whole number";
    case Parameter::Type::kText:
      return "text";
    case Parameter::Type::kPath:
      return "path";
    case Parameter::Type::kFlag:
      return "";
  }
  return "";
}

bool is_whole(Parameter::Type type) { return type != Parameter::Type::kNumber; }

}  // namespace

std::string number_text(const Parameter& parameter, double value) {
  if (is_whole(parameter.type)) return fmt::format("{:.0f}", value);
  if (parameter.unit.empty() || value == 0.0 || std::abs(value) >= kSmallestPlain) return fmt::format("{:g}", value);
  std::string text = format_si(value, "", 6);
  std::erase(text, ' ');
  return text;
}

std::string range_text(const Parameter& parameter) {
  const bool is_number = parameter.type <= Parameter::Type::kSeed;
  if (!is_number || parameter.type == Parameter::Type::kSeed) return "";
  const std::string least = number_text(parameter, parameter.min);
  if (std::isinf(parameter.max)) return parameter.min == 0.0 ? "" : "at least " + least;
  return fmt::format("{}{} to {}{}{}", parameter.is_zero_taken ? "0 or " : "", least,
                     number_text(parameter, parameter.max), parameter.unit.empty() ? "" : " ", parameter.unit);
}

void check(const Parameter& parameter, double value) {
  if (parameter.takes(value)) return;
  throw bad_input(
      fmt::format("{}: {}; expected {}", parameter.name, number_text(parameter, value), range_text(parameter)));
}

std::string parameter_table() {
  std::string table = "| parameter | type | range | default | what it is |\n|---|---|---|---|---|\n";
  for (const Parameter* parameter : parameters::all()) {
    table += fmt::format("| `{}` | {} | {} | {} | {} |\n", parameter->name, type_text(parameter->type),
                         range_text(*parameter), parameter->default_value, parameter->help);
  }
  return table;
}

namespace parameters {

std::span<const Parameter* const> all() {
  static constexpr std::array kAll = {&kTechnology, &kPdkRoot,   &kUnitCurrent, &kSupply,        &kCorner,
                                      &kFrameTime,  &kDropBelow, &kInputRamp,   &kInputPedestal, &kCellCapacitance,
                                      &kInput,      &kClips,     &kCenter,      &kCalibrateOn,   &kDies,
                                      &kSeed,       &kJobs,      &kTimeLimit,   &kPatience,      &kJson};
  return kAll;
}

}  // namespace parameters

}  // namespace hysteron
