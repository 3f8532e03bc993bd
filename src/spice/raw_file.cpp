#include "spice/raw_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::spice {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Reads one plot after the other from the bytes of a raw file.
class Reader {
 public:
  Reader(std::span<const char> bytes, const std::string& source)
      : bytes_(bytes.data(), bytes.size()), source_(source) {}

  RawFile read() {
    RawFile file;
    while (!at_end()) file.plots.push_back(read_plot());
    if (file.plots.empty()) fail("is empty");
    return file;
  }

 private:
  struct Header {
    std::string name;
    bool is_complex = false;
    bool is_padded = true;
    std::optional<std::size_t> variables;
    std::optional<std::size_t> points;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw simulator_error(fmt::format("raw file {}: {}", hysteron::quoted(source_), what));
  }

  bool at_end() const { return trimmed(bytes_.substr(at_)).find_first_not_of('\n') == std::string_view::npos; }

  std::string_view next_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail(fmt::format("cut short in a header, at byte {}", bytes_.size()));
    const std::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  std::size_t count_of(std::string_view field, std::string_view value) const {
    std::size_t count = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (code != std::errc() || end != value.data() + value.size()) {
      fail(fmt::format("'{}' is {}, expected a count", field, hysteron::quoted(std::string(value))));
    }
    return count;
  }

  void read_flags(std::string_view value, Header& header) const {
    for (const char separator : {' ', ','}) {
      if (value.find(separator) == std::string_view::npos) continue;
      read_flags(trimmed(value.substr(0, value.find(separator))), header);
      read_flags(trimmed(value.substr(value.find(separator) + 1)), header);
      return;
    }
    if (value == "complex") header.is_complex = true;
    if (value == "unpadded") header.is_padded = false;
    static const std::set<std::string_view> kKnown = {"real", "complex", "padded", "unpadded", ""};
    if (!kKnown.contains(value)) fail(fmt::format("unknown flag {}", hysteron::quoted(std::string(value))));
  }

  // Up to and including the line "Variables:".
  Header read_header() {
    Header header;
    while (true) {
      const std::string_view line = next_line();
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos) {
        if (trimmed(line).empty()) continue;
        fail(fmt::format("header line {} has no ':'", hysteron::quoted(std::string(line.substr(0, 60)))));
      }
      const std::string field = lower(trimmed(line.substr(0, colon)));
      const std::string_view value = trimmed(line.substr(colon + 1));
      if (field == "plotname") header.name = value;
      if (field == "flags") read_flags(lower(value), header);
      if (field == "no. variables") header.variables = count_of(field, value);
      if (field == "no. points") header.points = count_of(field, value);
      if (field == "variables") return header;
      if (field == "values" || field == "binary") fail("the data begin before the list of variables");
    }
  }

  std::vector<Variable> read_variables(std::size_t count) {
    std::vector<Variable> variables;
    std::set<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::string> words;  // index, name, type and perhaps "dims=..."
      const std::string_view line = next_line();
      for (std::size_t at = line.find_first_not_of(" \t\r"); at != std::string_view::npos;) {
        const std::size_t end = line.find_first_of(" \t\r", at);
        words.emplace_back(line.substr(at, end - at));
        at = end == std::string_view::npos ? end : line.find_first_not_of(" \t\r", end);
      }
      if (words.size() < 3 || count_of("variable index", words[0]) != i) {
        fail(fmt::format("expected variable {} of {}, found {}", i, count,
                         hysteron::quoted(std::string(line.substr(0, 60)))));
      }
      if (!names.insert(lower(words[1])).second) fail(fmt::format("signal {} comes twice", hysteron::quoted(words[1])));
      variables.push_back({lower(words[1]), lower(words[2])});
    }
    return variables;
  }

  Plot read_plot() {
    const Header header = read_header();
    if (!header.variables || !header.points) fail("a header without 'No. Variables' or 'No. Points'");
    if (*header.variables == 0) fail("a plot without variables");
    if (*header.variables > bytes_.size()) fail(fmt::format("{} variables in a shorter file", *header.variables));
    if (*header.points == 0) fail(fmt::format("'{}' has 0 points: the run did not finish", header.name));
    Plot plot;
    plot.name = header.name;
    plot.is_complex = header.is_complex;
    plot.variables = read_variables(*header.variables);
    const std::string_view kind = trimmed(next_line());
    if (kind != "Binary:")
      fail(fmt::format("expected 'Binary:', found {}", hysteron::quoted(std::string(kind.substr(0, 60)))));
    read_data(header, plot);
    return plot;
  }

  // Point by point. An unpadded plot keeps one value per point of what does not depend on the sweep; ngspice 39 never
  // writes one with shorter columns, so both are read the same way.
  void read_data(const Header& header, Plot& plot) {
    const std::size_t points = *header.points;
    const std::size_t columns = plot.variables.size();
    const std::size_t width = columns * (header.is_complex ? 2 : 1) * sizeof(double);
    const std::size_t left = bytes_.size() - at_;
    if (left / width < points) {
      fail(fmt::format("'{}' is cut short: {} points of {} bytes expected, {} bytes found", plot.name, points, width,
                       left));
    }
    plot.columns.assign(columns, std::vector<double>(points));
    if (header.is_complex) plot.imaginary = plot.columns;
    const char* at = bytes_.data() + at_;
    const auto take = [&at] {
      double value = 0.0;
      std::memcpy(&value, at, sizeof value);
      at += sizeof value;
      return value;
    };
    for (std::size_t point = 0; point < points; ++point) {
      for (std::size_t column = 0; column < columns; ++column) {
        plot.columns[column][point] = take();
        if (header.is_complex) plot.imaginary[column][point] = take();
      }
    }
    at_ += points * width;
  }

  std::string_view bytes_;
  const std::string& source_;
  std::size_t at_ = 0;
};

std::optional<std::size_t> find_signal(const Plot& plot, std::string_view signal) {
  const std::string name = lower(signal);
  // ngspice wraps device parameters, `.save @m1[id]` becomes i(@m1[id]); either form finds it.
  const bool is_parameter = name.starts_with('@');
  for (std::size_t i = 0; i < plot.variables.size(); ++i) {
    const std::string& candidate = plot.variables[i].name;
    if (candidate == name) return i;
    if (is_parameter && candidate.size() == name.size() + 3 && candidate.ends_with(')') &&
        std::string_view(candidate).substr(1, name.size() + 1) == "(" + name) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

bool Plot::has(std::string_view signal) const { return find_signal(*this, signal).has_value(); }

std::size_t Plot::index_of(std::string_view signal) const {
  if (const auto index = find_signal(*this, signal)) return *index;
  std::string known;
  for (std::size_t i = 0; i < std::min<std::size_t>(variables.size(), 12); ++i) known += " " + variables[i].name;
  if (variables.size() > 12) known += fmt::format(" and {} more", variables.size() - 12);
  throw simulator_error(
      fmt::format("no signal {} in '{}', which holds{}", hysteron::quoted(std::string(signal)), name, known));
}

std::vector<std::complex<double>> Plot::complex_column(std::string_view signal) const {
  const std::size_t index = index_of(signal);
  std::vector<std::complex<double>> result(points());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = {columns[index][i], is_complex ? imaginary[index][i] : 0.0};
  }
  return result;
}

double Plot::last(std::string_view signal) const { return columns[index_of(signal)].back(); }

const Plot& RawFile::plot(std::string_view name) const {
  const std::string target = lower(name);
  std::string known;
  for (const Plot& candidate : plots) {
    if (lower(candidate.name).find(target) != std::string::npos) return candidate;
    known += (known.empty() ? "" : ", ") + candidate.name;
  }
  throw simulator_error(
      fmt::format("no plot {} in the raw file, which holds: {}", hysteron::quoted(std::string(name)), known));
}

bool RawFile::has_plot(std::string_view name) const {
  const std::string target = lower(name);
  return std::any_of(plots.begin(), plots.end(),
                     [&](const Plot& candidate) { return lower(candidate.name).find(target) != std::string::npos; });
}

RawFile parse_raw(std::span<const char> bytes, const std::string& source) { return Reader(bytes, source).read(); }

RawFile read_raw_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return parse_raw(bytes, path.filename().string());
}

}  // namespace hysteron::spice
