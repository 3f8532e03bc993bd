#include "compile/netlist_notes.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parameters.h"
#include "base/units.h"
#include "model/parameter.h"
#include "spice/netlist_reader.h"

namespace hysteron::compile {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr double kWidest = 10000;  // of any side of a network a head may speak of
const std::string kKey = "hysteron.";

std::string device_size(const circuit::Transistor& transistor) {
  return fmt::format("w={:.6g} l={:.6g}", transistor.width, transistor.length);
}

/// What the circuit makes of the leg's transistor over what the curves say of its size; 1 where that is all there is.
double correction_of(const CompiledLeg& leg, const circuit::Transistor& transistor, const GainCurves& curves) {
  const double curve = curves.gain_of(transistor.polarity, {transistor.width, transistor.length}, leg.voltage);
  const double correction = std::abs(leg.made()) / curve;
  if (!std::isfinite(correction) || correction <= 0.0 || std::abs(correction - 1.0) < 1e-9) return 1.0;
  return correction;
}

json vector_json(const model::Vector& vector) { return std::vector<float>(vector.begin(), vector.end()); }

/// Of parameters; a weight of 0 has no leg, and a netlist says nothing of it.
bool is_noted(const CompiledLeg& leg) { return leg.parameter && (!leg.dropped || leg.value != 0.0); }

std::vector<std::string> header_lines(const CompiledNetwork& network, const technology::Technology& technology) {
  const model::Network& model = network.model;
  std::vector<std::string> lines = {fmt::format(
      "Network for {}: {} V, unit current {}. Ports: supplies, unit current, inputs (+ and - of each), logits.",
      technology.name, network.supply, format_si(network.conditions.unit_current, "A"))};
  json cells = json::array();
  for (const auto& layer : network.cells) cells.push_back(layer.size());
  const auto add = [&](const char* key, const json& value) {
    lines.push_back(fmt::format("{}{} = {}", kKey, key, value.dump(-1, ' ', true)));
  };
  add("format", kFormat);
  add("technology", technology.name);
  add("supply_v", network.supply);
  add("unit_current_a", network.conditions.unit_current);
  add("temperature_c", network.conditions.temperature);
  add("frame_seconds", network.frame_seconds);
  add("inputs", model.inputs());
  add("width", model.width());
  add("cells", cells);
  add("labels", model.labels);
  if (!model.classes.empty()) add("classes", json::parse(model.classes));
  if (model.feature_mean.size() > 0) add("feature_mean", vector_json(model.feature_mean));
  if (model.feature_deviation.size() > 0) add("feature_deviation", vector_json(model.feature_deviation));
  if (!network.circuit.capacitors().empty()) {
    add("cell_capacitance_f", network.circuit.capacitors().front().capacitance);
  }
  add("instances", std::count_if(network.legs.begin(), network.legs.end(), is_noted));
  return lines;
}

/// The shortest text that reads back as the same value, if that is a float; else nine digits.
std::string value_text(double value) {
  const auto single = static_cast<float>(value);
  return double{single} == value ? fmt::format("{}", single) : fmt::format("{:.9g}", value);
}

ParameterNote note_of(const CompiledLeg& leg) {
  ParameterNote note;
  note.parameter = model::parameter_name(*leg.parameter);
  note.value = leg.model_value();
  note.voltage = leg.voltage;
  note.instances = leg.instances;
  note.mirrored = leg.mirrored;
  note.dropped = leg.dropped;
  return note;
}

// What a note may say of a leg; compile writes nothing near these.
constexpr double kHighestVoltage = 6.0;  // volt across it
constexpr double kLargestCorrection = 10.0;
constexpr double kMaxLegs = 1e6;

double note_number(const std::string& text, const std::string& place) { return spice::parse_spice_number(text, place); }

double note_within(const std::string& text, const std::string& place, double least, double most) {
  const double value = note_number(text, place);
  if (value >= least && value <= most) return value;
  throw bad_input(fmt::format("{} is {}; expected {:g} to {:g}", place, text, least, most));
}

/// Reads a "name=value" part of a note.
void read_attribute(const std::string& part, const std::string& place, ParameterNote& note) {
  const std::size_t equals = part.find('=');
  const std::string name = part.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
  const std::string where = place + ": " + name;
  if (part == "dropped") {
    note.dropped = true;
  } else if (part == "part=minus") {
    note.mirrored = true;
  } else if (name == "vds") {
    note.voltage = note_within(value, where, 0.0, kHighestVoltage);
  } else if (name == "correction") {
    note.correction = note_within(value, where, 1.0 / kLargestCorrection, kLargestCorrection);
  } else if (name == "legs") {
    note.instances = static_cast<int>(note_within(value, where, 1.0, kMaxLegs));
  } else {
    throw bad_input(
        fmt::format("{}: {} is not a parameter note; expected vds=, correction=, legs=, part=minus or dropped", place,
                    quoted(part)));
  }
}

bool is_parameter_name(const std::string& name) {
  return !name.empty() && name.back() == ']' && name.find('[') != std::string::npos &&
         (name.starts_with("input.") || name.starts_with("layers.") || name.starts_with("readout."));
}

/// The keys of a header, each with its line.
class HeaderKeys {
 public:
  HeaderKeys(const std::vector<spice::Comment>& header, const std::string& origin) : origin_(origin) {
    for (const spice::Comment& comment : header) {
      if (!comment.text.starts_with(kKey)) continue;
      const std::size_t equals = comment.text.find(" = ");
      const json value = equals == std::string::npos ? json(json::value_t::discarded)
                                                     : json::parse(comment.text.substr(equals + 3), nullptr, false);
      if (value.is_discarded()) {
        throw bad_input(fmt::format("{}: {} is not a key; expected hysteron.NAME = JSON",
                                    spice::line_place(origin, comment.line), quoted(comment.text)));
      }
      keys_[comment.text.substr(kKey.size(), equals - kKey.size())] = {value, comment.line};
    }
  }

  bool has(const std::string& key) const { return keys_.count(key) != 0; }

  const json& at(const std::string& key) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) {
      throw bad_input(
          fmt::format("{}: its head has no line '* hysteron.{} = ...'; expected a netlist of `hysteron "
                      "compile`",
                      spice::line_place(origin_, 1), key));
    }
    return found->second.value;
  }

  Error wrong(const std::string& key, const std::string& expected) const {
    return bad_input(fmt::format("{}: hysteron.{} is {}; expected {}", spice::line_place(origin_, keys_.at(key).line),
                                 key, at(key).dump(), expected));
  }

  double number(const std::string& key, double low, double high) const {
    const json& value = at(key);
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      throw wrong(key, fmt::format("a number from {:.6g} to {:.6g}", low, high));
    }
    return value.get<double>();
  }

  double number(const std::string& key, const Parameter& parameter) const {
    const json& value = at(key);
    if (!value.is_number() || !parameter.takes(value.get<double>())) throw wrong(key, range_text(parameter));
    return value.get<double>();
  }

  std::size_t count(const std::string& key, double most) const {
    if (!at(key).is_number_unsigned()) throw wrong(key, "a whole number");
    return static_cast<std::size_t>(number(key, 1.0, most));
  }

  std::string text(const std::string& key) const {
    if (!at(key).is_string()) throw wrong(key, "a text");
    return at(key).get<std::string>();
  }

  /// A list of what T is.
  template <typename T>
  std::vector<T> list(const std::string& key, const std::string& expected) const {
    try {
      auto values = at(key).get<std::vector<T>>();
      if (!values.empty()) return values;
    } catch (const json::exception&) {
    }
    throw wrong(key, expected);
  }

 private:
  struct Key {
    json value;
    std::size_t line = 0;
  };
  const std::string& origin_;
  std::map<std::string, Key> keys_;
};

model::Affine zero_affine(std::size_t rows, std::size_t columns) {
  return {model::Matrix::Zero(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)),
          model::Vector::Zero(static_cast<Eigen::Index>(rows))};
}

/// The model with every value 0.
model::Network empty_model(const HeaderKeys& keys, const std::vector<std::size_t>& cells) {
  model::Network model;
  const std::size_t width = keys.count("width", kWidest);
  model.labels = keys.list<std::string>("labels", "a list of names");
  model.input = zero_affine(width, keys.count("inputs", kWidest));
  model.readout = zero_affine(model.labels.size(), width);
  for (const std::size_t count : cells) {
    const model::Vector zeros = model::Vector::Zero(static_cast<Eigen::Index>(count));
    model.layers.push_back({zero_affine(count, width), zeros, zeros, zeros, zeros, zero_affine(width, count)});
  }
  model.frame_seconds = keys.number("frame_seconds", 1e-9, 1e6);
  if (keys.has("classes")) model.classes = keys.at("classes").dump();
  const auto statistics = [&](const char* key) {
    const auto values = keys.list<float>(key, "a list of numbers");
    return model::Vector(Eigen::Map<const model::Vector>(values.data(), static_cast<Eigen::Index>(values.size())));
  };
  if (keys.has("feature_mean")) model.feature_mean = statistics("feature_mean");
  if (keys.has("feature_deviation")) model.feature_deviation = statistics("feature_deviation");
  return model;
}

}  // namespace

std::string format_parameter_note(const ParameterNote& note) {
  std::string text = fmt::format("{} = {}", note.parameter, value_text(note.value));
  if (note.voltage > 0.0) text += fmt::format("; vds={:.9g}", note.voltage);
  if (note.mirrored) text += "; part=minus";
  if (note.instances > 1) text += fmt::format("; legs={}", note.instances);
  if (note.correction != 1.0) text += fmt::format("; correction={:.9g}", note.correction);
  if (note.dropped) text += "; dropped";
  return text;
}

std::optional<ParameterNote> parse_parameter_note(const std::string& text, const std::string& place) {
  const std::size_t equals = text.find(" = ");
  if (equals == std::string::npos || !is_parameter_name(text.substr(0, equals))) return {};
  ParameterNote note;
  note.parameter = text.substr(0, equals);
  std::size_t end = text.find("; ", equals);
  note.value = note_number(text.substr(equals + 3, end - equals - 3), place + ": " + note.parameter);
  while (end != std::string::npos) {
    const std::size_t begin = end + 2;
    end = text.find("; ", begin);
    read_attribute(text.substr(begin, end - begin), place, note);
  }
  return note;
}

std::optional<SizeNote> parse_size_note(const std::string& text, const std::string& place) {
  const std::size_t blank = text.find(' ');
  const std::size_t colon = text.find(": w=");
  const std::size_t length = text.find(" l=");
  if (blank == std::string::npos || colon == std::string::npos || length == std::string::npos || blank > colon)
    return {};
  SizeNote note;
  note.instance = text.substr(blank + 1, colon - blank - 1);
  note.width = note_number(text.substr(colon + 4, length - colon - 4), place + ": w");
  note.length = note_number(text.substr(length + 3), place + ": l");
  return note;
}

spice::Annotations make_notes(const CompiledNetwork& network, const technology::Technology& technology,
                              const GainCurves& curves) {
  spice::Annotations annotations;
  annotations.header = header_lines(network, technology);
  const circuit::Circuit& circuit = network.circuit;
  for (circuit::DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    const circuit::Transistor& transistor = circuit.transistor(id);
    annotations.devices[id].comment =
        fmt::format("{} x{}: {}", circuit::role_name(transistor.role), transistor.name, device_size(transistor));
  }
  for (const CompiledLeg& leg : network.legs) {
    if (!is_noted(leg)) continue;
    ParameterNote note = note_of(leg);
    if (leg.dropped) {
      annotations.header.push_back(format_parameter_note(note));
      continue;
    }
    const circuit::Transistor& transistor = circuit.transistor(leg.device);
    note.correction = correction_of(leg, transistor, curves);
    annotations.devices[leg.device].comment = format_parameter_note(note);
    if (transistor.role == circuit::Role::kCell) {
      annotations.devices[leg.device].size_name = model::kind_name(leg.parameter->kind);
    }
  }
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    const model::Layer& layer = network.model.layers[l];
    for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
      const auto i = static_cast<Eigen::Index>(j);
      const std::string& block = circuit.transistor(network.cells[l][j].m[0]).block;
      const auto note = [&](model::ParameterKind kind, float value) {
        return fmt::format("{} = {}", model::parameter_name(model::cell_parameter(kind, l, i)), value);
      };
      annotations.blocks[block] = {note(model::ParameterKind::kBetaLo, layer.beta_lo[i]),
                                   note(model::ParameterKind::kInitialState, layer.initial_state[i])};
    }
  }
  return annotations;
}

NetlistHeader parse_header(const std::vector<spice::Comment>& header, const std::string& origin) {
  const HeaderKeys keys(header, origin);
  if (keys.number("format", 0, 1e9) != kFormat) throw keys.wrong("format", std::to_string(kFormat));
  NetlistHeader result;
  result.technology = keys.text("technology");
  result.conditions.supply = keys.number("supply_v", parameters::kSupply);
  result.conditions.unit_current = keys.number("unit_current_a", parameters::kUnitCurrent);
  result.conditions.temperature = keys.number("temperature_c", -273.0, 300.0);
  if (keys.has("cell_capacitance_f"))
    result.cell_capacitance = keys.number("cell_capacitance_f", parameters::kCellCapacitance);
  result.instances = keys.count("instances", 1e9);
  for (const double count : keys.list<double>("cells", "a list of whole numbers")) {
    if (!(count >= 1.0 && count <= kWidest && count == std::floor(count))) {
      throw keys.wrong("cells", "a list of whole numbers");
    }
    result.cells.push_back(static_cast<std::size_t>(count));
  }
  result.model = empty_model(keys, result.cells);
  for (const spice::Comment& comment : header) {
    const std::string place = spice::line_place(origin, comment.line);
    auto note = parse_parameter_note(comment.text, place);
    if (!note) continue;
    note->line = comment.line;
    if (!note->dropped) {
      throw bad_input(fmt::format("{}: {} is in the head; expected the comment before its instance, or dropped", place,
                                  note->parameter));
    }
    result.dropped.push_back(*note);
  }
  return result;
}

}  // namespace hysteron::compile
