#include "technology/description.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/parameters.h"

namespace hysteron::technology {
namespace {

constexpr std::size_t kLongestShown = 80;  // characters of a value in a message

/// Reads one table, remembers which keys were asked for and refuses the rest.
class Table {
 public:
  Table(const toml::table& table, std::string name, const std::string& origin)
      : table_(table), name_(std::move(name)), origin_(origin) {}

  Error wrong(const std::string& key, const std::string& expected) const {
    return bad_input(fmt::format("{}: key {}{}{}: expected {}", origin_, name_.empty() ? "" : name_ + ".", key,
                                 value_text(key), expected));
  }

  Table table(const std::string& key) {
    const toml::table* found = find(key).as_table();
    if (found == nullptr) throw wrong(key, "a table");
    return {*found, key, origin_};
  }

  bool has(const std::string& key) const { return table_.contains(key); }

  std::string text(const std::string& key) {
    const auto value = find(key).value<std::string>();
    // Names end up in netlists: nothing but file and identifier characters may pass.
    static constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-/";
    if (!value || value->empty() || value->find_first_not_of(kAllowed) != std::string::npos) {
      throw wrong(key, "a string of letters, digits and _ . + - /");
    }
    return *value;
  }

  double number(const std::string& key, double low, double high) {
    const auto value = find(key).value<double>();
    if (!value || !(*value >= low && *value <= high)) throw wrong(key, fmt::format("a number in [{}, {}]", low, high));
    return *value;
  }

  std::vector<double> numbers(const std::string& key, double low, double high, std::size_t count = 0) {
    const std::string expected =
        fmt::format("{} numbers in [{}, {}]", count == 0 ? "some" : std::to_string(count), low, high);
    std::vector<double> result;
    const toml::array* array = find(key).as_array();
    if (array == nullptr || array->empty() || (count != 0 && array->size() != count)) throw wrong(key, expected);
    for (const toml::node& node : *array) {
      const auto value = node.value<double>();
      if (!value || !(*value >= low && *value <= high)) throw wrong(key, expected);
      result.push_back(*value);
    }
    return result;
  }

  std::vector<std::string> texts(const std::string& key) {
    std::vector<std::string> result;
    const toml::array* array = find(key).as_array();
    if (array == nullptr || array->empty()) throw wrong(key, "a list of texts");
    for (const toml::node& node : *array) {
      const auto value = node.value<std::string>();
      if (!value || value->empty() || value->find_first_of("'\"\n\\") != std::string::npos) {
        throw wrong(key, "a list of strings without quotes");
      }
      result.push_back(*value);
    }
    return result;
  }

  std::map<std::string, std::string> text_map(const std::string& key) {
    Table inner = table(key);
    std::map<std::string, std::string> result;
    for (const auto& [name, node] : inner.table_) result[std::string(name.str())] = inner.text(std::string(name.str()));
    if (result.empty()) throw wrong(key, "at least one entry");
    return result;
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, node] : table_) {
      if (asked_.count(std::string(key.str())) == 0) {
        throw bad_input(fmt::format("{}: line {}: unknown key {}{}", origin_, node.source().begin.line,
                                    name_.empty() ? "" : name_ + ".", std::string(key.str())));
      }
    }
  }

 private:
  /// " is 1e-6", or nothing where `key` is missing or a table.
  std::string value_text(const std::string& key) const {
    const auto found = table_[key];
    if (!found || found.is_table()) return {};
    if (const auto number = found.value<double>()) return fmt::format(" is {:g}", *number);
    std::ostringstream text;
    text << found;
    std::string shown = text.str();
    if (shown.size() > kLongestShown) shown = shown.substr(0, kLongestShown) + "...";
    return " is " + shown;
  }

  toml::node_view<const toml::node> find(const std::string& key) {
    asked_.insert(key);
    const auto found = table_[key];
    if (!found) throw wrong(key, "a value, but it is missing");
    return found;
  }

  const toml::table& table_;
  std::string name_;
  const std::string& origin_;
  std::set<std::string> asked_;
};

constexpr double kSmallest = 1e-8;  // metre
constexpr double kLargest = 1e-3;   // metre
// Neighbouring leg lengths, at least: a leg trimmed in length must not be taken for one of the next.
constexpr double kLengthStep = 1.1;

Device read_device(Table table) {
  Device device;
  device.subcircuit = table.text("subcircuit");
  device.inner = table.text("inner");
  const std::size_t last = device.inner.rfind('.') + 1;  // npos + 1 is 0
  if (last == device.inner.size() || (device.inner[last] != 'm' && device.inner[last] != 'M')) {
    throw table.wrong("inner", "the name of a MOS instance, which begins with m");
  }
  const std::vector<double> width = table.numbers("width", kSmallest, kLargest, 2);
  const std::vector<double> length = table.numbers("length", kSmallest, kLargest, 2);
  if (width[0] >= width[1]) throw table.wrong("width", "[least, most]");
  if (length[0] >= length[1]) throw table.wrong("length", "[least, most]");
  device.minimum_width = width[0];
  device.maximum_width = width[1];
  device.minimum_length = length[0];
  device.maximum_length = length[1];
  table.refuse_unknown_keys();
  return device;
}

void check_realisable(const Geometry& geometry, const Technology& technology, const Table& table, const char* key) {
  for (const Device* device : {&technology.n, &technology.p}) {
    const double slack = 1e-12;
    if (geometry.width < device->minimum_width - slack || geometry.width > device->maximum_width + slack ||
        geometry.length < device->minimum_length - slack || geometry.length > device->maximum_length + slack) {
      throw table.wrong(key, fmt::format("a width and length within the limits of {}", device->subcircuit));
    }
  }
}

/// A coarser grid has no multiple that is a device's least width or length, nor any near it.
void check_grid(const Technology& technology, const Table& table) {
  for (const Device* device : {&technology.n, &technology.p}) {
    const double least = std::min(device->minimum_width, device->minimum_length);
    if (technology.size_grid > least) {
      throw table.wrong("grid",
                        fmt::format("at most {:g} m, the minimum width or length of {}", least, device->subcircuit));
    }
  }
}

void read_geometry(Table table, Technology& technology) {
  const auto geometry = [&](const char* key) {
    const std::vector<double> pair = table.numbers(key, kSmallest, kLargest, 2);
    const Geometry result{pair[0], pair[1]};
    check_realisable(result, technology, table, key);
    return result;
  };
  technology.size_grid = table.number("grid", 1e-10, 1e-6);
  check_grid(technology, table);
  technology.reference = geometry("reference");
  technology.rail_diode = geometry("rail_diode");
  technology.cell_switch = geometry("cell_switch");
  technology.splitter = geometry("splitter");
  technology.splitter_bias = geometry("splitter_bias");
  technology.leg_lengths = table.numbers("leg_lengths", kSmallest, kLargest);
  technology.narrowest_leg = table.number("narrowest_leg", kSmallest, kLargest);
  technology.min_weight = table.number("least_weight", 0.0, 1.0);
  if (table.has("leg_drift")) technology.leg_drift = table.number("leg_drift", 1e-6, 1.0);
  const auto is_close = [](double shorter, double longer) { return longer < kLengthStep * shorter; };
  if (std::adjacent_find(technology.leg_lengths.begin(), technology.leg_lengths.end(), is_close) !=
          technology.leg_lengths.end() ||
      std::abs(technology.leg_lengths.front() - technology.reference.length) > 1e-12) {
    throw table.wrong("leg_lengths",
                      "ascending lengths, each a tenth longer than the one before, the reference device's first");
  }
  if (std::none_of(technology.leg_lengths.begin(), technology.leg_lengths.end(),
                   [&](double length) { return std::abs(length - technology.rail_diode.length) <= 1e-12; })) {
    throw table.wrong("rail_diode", "one of leg_lengths");
  }
  for (const double length : technology.leg_lengths) {
    check_realisable({technology.narrowest_leg, length}, technology, table, "leg_lengths");
  }
  const std::vector<double> overhead = table.numbers("area_overhead", 0.0, kLargest, 2);
  technology.area_overhead_width = overhead[0];
  technology.area_overhead_length = overhead[1];
  if (table.has("capacitor_density")) technology.capacitor_density = table.number("capacitor_density", 1e-5, 1.0);
  table.refuse_unknown_keys();
}

void read_models_table(Table table, Description& description) {
  Models& models = description.technology.models;
  description.files = table.texts("files");
  for (const std::string& file : description.files) {
    if (file.find('/') != std::string::npos) throw table.wrong("files", "plain file names");
  }
  if (table.has("folders")) description.folders = table.texts("folders");
  if (table.has("include")) models.include = table.texts("include");
  models.library = table.text("library");
  const auto is_file = [&](const std::string& name) {
    return std::find(description.files.begin(), description.files.end(), name) != description.files.end();
  };
  if (!is_file(models.library)) throw table.wrong("library", "one of models.files");
  if (!std::all_of(models.include.begin(), models.include.end(), is_file)) {
    throw table.wrong("include", "names that are in models.files");
  }
  models.sections = table.text_map("corners");
  description.technology.typical_corner = table.text("typical");
  if (models.sections.count(description.technology.typical_corner) == 0) {
    throw table.wrong("typical", "the name of a corner");
  }
  table.refuse_unknown_keys();
}

void read_mismatch(Table table, Technology& technology) {
  technology.mismatch_parameter = table.text("parameter");
  if (technology.parameters.count(technology.mismatch_parameter) == 0) {
    throw table.wrong("parameter", "one of the names in [parameters]");
  }
  if (table.has("section")) technology.models.mismatch_section = table.text("section");
  table.refuse_unknown_keys();
}

toml::table parse_toml(const std::string& text, const std::string& origin) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw bad_input(fmt::format("{}: line {}: {}", origin, error.source().begin.line, error.description()));
  }
}

}  // namespace

Description parse_description(const std::string& text, const std::string& origin) {
  const toml::table root = parse_toml(text, origin);
  Table table(root, "", origin);
  Description description;
  Technology& technology = description.technology;
  technology.name = table.text("name");
  technology.supply = table.number("supply", parameters::kSupply.min, parameters::kSupply.max);
  const std::vector<double> temperature = table.numbers("temperature", -200.0, 300.0, 2);
  if (temperature[0] >= temperature[1]) throw table.wrong("temperature", "[lowest, highest]");
  technology.temperature_low = temperature[0];
  technology.temperature_high = temperature[1];
  read_models_table(table.table("models"), description);
  technology.parameters = table.text_map("parameters");
  read_mismatch(table.table("mismatch"), technology);
  technology.n = read_device(table.table("nfet"));
  technology.p = read_device(table.table("pfet"));
  read_geometry(table.table("geometry"), technology);
  table.refuse_unknown_keys();
  return description;
}

}  // namespace hysteron::technology
