#include "data/measured.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/safetensors.h"

namespace hysteron::data {
namespace {

constexpr double kStepSlack = 1e-9;  // relative, for times that were rounded when written
constexpr double kJitter = 0.1;      // of the usual step, that steps of an even record differ by
constexpr double kEven = 0.9;        // share of the steps of an even record that do
constexpr double kHole = 5.0;        // usual steps that are no gap in it

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0;;) {
    const std::size_t end = line.find(',', begin);
    fields.push_back(trimmed(line.substr(begin, end == std::string_view::npos ? end : end - begin)));
    if (end == std::string_view::npos) return fields;
    begin = end + 1;
  }
}

/// A unit with its SI prefix: "nA" is 1e-9 and 'A'. Factor 0 where it is none.
struct Unit {
  double factor = 0.0;
  char letter = ' ';
};

Unit parse_unit(std::string_view text) {
  static constexpr std::pair<char, double> kPrefixes[] = {{'a', 1e-18}, {'f', 1e-15}, {'p', 1e-12}, {'n', 1e-9},
                                                          {'u', 1e-6},  {'m', 1e-3},  {'k', 1e3}};
  for (const std::string_view micro :
       {"\xC2\xB5", "\xCE\xBC"}) {  // the sign and the Greek letter, as spreadsheets write them
    if (text.starts_with(micro) && text.size() == micro.size() + 1)
      return parse_unit("u" + std::string(text.substr(2)));
  }
  if (text.empty() || text.size() > 2) return {};
  const char letter = text.back();
  if (letter != 'A' && letter != 'V' && letter != 's') return {};
  if (text.size() == 1) return {1.0, letter};
  for (const auto& [prefix, factor] : kPrefixes) {
    if (prefix == text.front()) return {factor, letter};
  }
  return {};
}

struct Column {
  std::string name;
  Unit unit;
};

class CsvReader {
 public:
  CsvReader(std::string origin, std::string_view text, double longest_step)
      : origin_(std::move(origin)), text_(text), longest_step_(longest_step) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  MeasuredRecord read() {
    std::string_view line;
    if (!next(line)) refuse("there is no header; expected `time (s),NAME (UNIT),...`");
    read_header(line);
    std::vector<std::vector<double>> values(columns_.size());
    while (next(line)) read_line(line, values);
    if (values.front().size() < 2) refuse(fmt::format("{} samples; expected at least two", values.front().size()));
    refuse_holes(values.front());
    MeasuredRecord record;
    record.origin = origin_;
    const auto time = std::make_shared<const std::vector<double>>(std::move(values.front()));
    for (std::size_t c = 1; c < columns_.size(); ++c) {
      record.signals.push_back({columns_[c].name, fmt::format("column {}", c + 1), columns_[c].unit.letter == 'V', time,
                                std::move(values[c])});
    }
    return record;
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw bad_input(fmt::format("{}, line {}: {}", quoted(origin_), std::max<std::size_t>(line_, 1), problem));
  }

  /// The next line that is neither empty nor a remark.
  bool next(std::string_view& line) {
    while (at_ < text_.size()) {
      const std::size_t end = text_.find('\n', at_);
      line = trimmed(text_.substr(at_, end == std::string_view::npos ? end : end - at_));
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
      ++line_;
      if (!line.empty() && line.front() != '#') return true;
    }
    return false;
  }

  void read_header(std::string_view line) {
    std::set<std::string> seen;
    if (line.find(',') == std::string_view::npos && line.find(';') != std::string_view::npos) {
      refuse("columns are separated by semicolons; expected commas, and decimal points in numbers");
    }
    for (const std::string_view field : split(line)) {
      const std::size_t number = columns_.size() + 1;
      const std::size_t open = field.rfind('(');
      const bool has_unit = open != std::string_view::npos && field.ends_with(')');
      const std::string name(trimmed(field.substr(0, has_unit ? open : field.size())));
      if (!has_unit) {
        refuse(fmt::format("column {} ({}) has no unit; expected one in brackets, as in `layers.0.state[1] (nA)`",
                           number, quoted(name)));
      }
      const std::string_view text = trimmed(field.substr(open + 1, field.size() - open - 2));
      const Unit unit = parse_unit(text);
      const bool is_time = number == 1;
      if (unit.factor == 0.0 || (unit.letter == 's') != is_time) {
        refuse(fmt::format(
            "column {} ({}) has the unit {}; expected {}", number, quoted(name), quoted(std::string(text)),
            is_time ? "seconds: s, ms, us or ns" : "ampere or volt with an SI prefix from a to k, or none"));
      }
      if (is_time && name != "time") refuse(fmt::format("column 1 is {}; expected `time`", quoted(name)));
      if (!seen.insert(name).second) refuse(fmt::format("column {}: {} occurs twice", number, quoted(name)));
      columns_.push_back({name, unit});
    }
    if (columns_.size() < 2) refuse("there is no column beside time; expected one a signal");
  }

  void read_line(std::string_view line, std::vector<std::vector<double>>& values) {
    const auto fields = split(line);
    if (fields.size() != columns_.size()) {
      refuse(fmt::format("{} fields; expected the header's {}{}", fields.size(), columns_.size(),
                         at_ == text_.size() ? " (the file may be truncated)" : ""));
    }
    for (std::size_t c = 0; c < fields.size(); ++c) {
      double value = 0.0;
      const std::string_view digits = fields[c].starts_with('+') ? fields[c].substr(1) : fields[c];
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
        refuse(fmt::format("column {} ({}) is {}; expected a finite number", c + 1, quoted(columns_[c].name),
                           quoted(std::string(fields[c]))));
      }
      values[c].push_back(value * columns_[c].unit.factor);
    }
    lines_.push_back(line_);
    const std::vector<double>& time = values.front();
    if (time.size() < 2) return;
    const double step = time.back() - time[time.size() - 2];
    if (!(step > 0.0))
      refuse(fmt::format("time goes from {:.9g} s to {:.9g} s; expected increasing times", time[time.size() - 2],
                         time.back()));
    if (step > longest_step_ * (1.0 + kStepSlack)) {
      refuse(fmt::format("a gap of {:.6g} s since the previous sample; expected at most a frame, {:.6g} s", step,
                         longest_step_));
    }
  }

  /// Samples that are missing from a record that is even otherwise: a long step between two that are not.
  void refuse_holes(const std::vector<double>& time) {
    std::vector<double> steps(time.size() - 1);
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = time[i + 1] - time[i];
    std::vector<double> sorted = steps;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const double usual = *middle;
    const auto even = std::count_if(steps.begin(), steps.end(),
                                    [&](double step) { return std::abs(step - usual) <= kJitter * usual; });
    if (static_cast<double>(even) < kEven * static_cast<double>(steps.size())) return;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const double beside = std::max(i > 0 ? steps[i - 1] : 0.0, i + 1 < steps.size() ? steps[i + 1] : 0.0);
      if (steps[i] <= kHole * std::max(usual, beside)) continue;
      line_ = lines_[i + 1];
      refuse(
          fmt::format("a gap of {:.6g} s since the previous sample in a record with a sample every {:.6g} s; expected "
                      "at most {:g} times that",
                      steps[i], usual, kHole));
    }
  }

  std::string origin_;
  std::string_view text_;
  double longest_step_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::vector<Column> columns_;
  std::vector<std::size_t> lines_;  // of every sample
};

MeasuredSignal read_curve(const std::string& origin, const std::string& name, const model::Tensor& tensor,
                          bool is_voltage) {
  const auto refuse = [&](const std::string& problem) {
    return bad_input(fmt::format("{}: tensor {}: {}", quoted(origin), quoted(name), problem));
  };
  if (tensor.dtype != "F64" || tensor.shape.size() != 2 || tensor.shape[0] != 2 || tensor.shape[1] < 2) {
    throw refuse("expected F64 [2, points], times and values, with at least two points");
  }
  const std::size_t points = tensor.shape[1];
  std::vector<double> time(points);
  std::vector<double> values(points);
  std::memcpy(time.data(), tensor.data.data(), points * sizeof(double));
  std::memcpy(values.data(), tensor.data.data() + points * sizeof(double), points * sizeof(double));
  for (std::size_t i = 0; i < points; ++i) {
    if (!std::isfinite(time[i]) || !std::isfinite(values[i])) throw refuse(fmt::format("point {} is not finite", i));
    if (i > 0 && time[i] < time[i - 1]) throw refuse(fmt::format("time goes back at point {}", i));
  }
  return {name, "tensor", is_voltage, std::make_shared<const std::vector<double>>(std::move(time)), std::move(values)};
}

MeasuredRecord read_curves(const std::filesystem::path& path) {
  const std::string origin = path.string();
  const model::TensorFile file = model::read_tensors(path);
  const auto found = file.metadata.find("hysteron.signals");
  if (found == file.metadata.end())
    throw bad_input(
        fmt::format("{}: metadata hysteron.signals is missing; expected the units of all signals, as written by "
                    "`verify --waveforms`",
                    quoted(origin)));
  const auto units = nlohmann::json::parse(found->second, nullptr, false);
  MeasuredRecord record;
  record.origin = origin;
  for (const auto& [name, tensor] : file.tensors) {
    const bool known =
        units.is_object() && units.contains(name) && units[name].is_object() && units[name].contains("unit");
    const auto unit = known ? units[name]["unit"] : nlohmann::json();
    if (unit != "A" && unit != "V")
      throw bad_input(
          fmt::format("{}: tensor {} has no unit A or V in metadata hysteron.signals", quoted(origin), quoted(name)));
    record.signals.push_back(read_curve(origin, name, tensor, unit == "V"));
  }
  if (record.signals.empty()) throw bad_input(fmt::format("{}: there is no signal", quoted(origin)));
  if (const auto unit = file.metadata.find("hysteron.unit_current_a"); unit != file.metadata.end()) {
    const std::string& text = unit->second;
    double value = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value > 0.0)) {
      throw bad_input(
          fmt::format("{}: metadata hysteron.unit_current_a is {}; expected ampere", quoted(origin), quoted(text)));
    }
    record.unit_current = value;
  }
  return record;
}

}  // namespace

MeasuredRecord read_measured(const std::filesystem::path& path, double longest_step) {
  if (path.extension() == ".safetensors") return read_curves(path);
  const std::string text = read_file(path);
  return CsvReader(path.string(), text, longest_step).read();
}

}  // namespace hysteron::data
