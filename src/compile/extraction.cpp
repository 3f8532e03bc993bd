#include "compile/extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/error.h"
#include "base/units.h"
#include "compile/compiled_network.h"
#include "compile/hazard_mitigations.h"
#include "model/parameter.h"
#include "spice/netlist_reader.h"

namespace hysteron::compile {
namespace {

/// All notes of parameters below the head.
std::vector<ParameterNote> collect_notes(const spice::Netlist& netlist, const std::string& origin) {
  std::vector<ParameterNote> annotations;
  const auto add = [&](const std::vector<spice::Comment>& comments) {
    for (const spice::Comment& comment : comments) {
      const auto note = parse_parameter_note(comment.text, spice::line_place(origin, comment.line));
      if (!note) continue;
      annotations.push_back(*note);
      annotations.back().line = comment.line;
    }
  };
  for (const spice::Subcircuit& subcircuit : netlist.subcircuits) {
    for (const spice::Instance& instance : subcircuit.instances) add(instance.comments);
    add(subcircuit.comments);
  }
  return annotations;
}

bool is_transistor(const ParameterNote& note) { return note.voltage > 0.0; }

/// Puts what a note says into the model. "delta" is no value of it: see beta_lo.
void set_value(model::Network& model, const ParameterNote& note, const std::string& place) {
  const auto parameter = model::parse_parameter(note.parameter);
  float* value = parameter ? model::find_value(model, *parameter) : nullptr;
  const bool is_delta = parameter && parameter->kind == model::ParameterKind::kDelta &&
                        parameter->layer < model.layers.size() &&
                        parameter->row < model.layers[parameter->layer].cells();
  if (value == nullptr && !is_delta) {
    throw bad_input(fmt::format("{}: the network has no {}; expected a parameter within the shapes in the file's head",
                                place, quoted(note.parameter)));
  }
  if (value != nullptr) *value = static_cast<float>(note.value);
}

/// The model the comments tell of.
model::Network noted_model(const spice::Netlist& netlist, const std::string& origin, const NetlistHeader& header) {
  model::Network model = header.model;
  std::size_t transistors = header.dropped.size();
  std::size_t others = 0;  // beta_lo and initial_state of every cell
  for (const ParameterNote& note : header.dropped) set_value(model, note, spice::line_place(origin, note.line));
  for (const ParameterNote& note : collect_notes(netlist, origin)) {
    set_value(model, note, spice::line_place(origin, note.line));
    ++(is_transistor(note) ? transistors : others);
  }
  if (transistors != header.instances) {
    throw bad_input(fmt::format("{}: {} comments of parameters; expected {}, the value of hysteron.instances",
                                spice::line_place(origin, 1), transistors, header.instances));
  }
  std::size_t cells = 0;
  for (const std::size_t count : header.cells) cells += count;
  if (others != 2 * cells) {
    throw bad_input(fmt::format("{}: {} comments of beta_lo and initial_state; expected {}, two for each cell",
                                spice::line_place(origin, 1), others, 2 * cells));
  }
  model::check_network(model, origin);
  return model;
}

/// Curves at a size of the netlist; refuses what they do not cover.
double gain_of(const GainCurves& curves, circuit::Polarity polarity, const spice::PlacedDevice& device, double voltage,
               const std::string& place) {
  constexpr double kSlack = 1e-6;  // sizes are written with six digits
  if (!curves.find_length(device.length)) {
    std::vector<std::string> known;
    for (const double candidate : curves.lengths) known.push_back(format_si(candidate, "m"));
    throw bad_input(fmt::format("{}: no gain curve has the length {}; expected {}, or within {:g} % of one", place,
                                format_si(device.length, "m", 6), fmt::join(known, ", "), 100.0 * kMaxTrim));
  }
  const double least = curves.widths.front();
  const double most = curves.widths.back();
  if (device.width < least * (1.0 - kSlack) || device.width > most * (1.0 + kSlack)) {
    throw bad_input(fmt::format("{}: no gain curve covers the width {}; expected {} to {}", place,
                                format_si(device.width, "m", 6), format_si(least, "m"), format_si(most, "m")));
  }
  return curves.gain_of(polarity, {std::clamp(device.width, least, most), device.length}, voltage);
}

/// The comment that names the parameter of `leg` at `device`; checks that it tells of the same value.
ParameterNote note_at(const spice::PlacedDevice& device, const CompiledLeg& leg, const std::string& origin) {
  const std::string name = model::parameter_name(*leg.parameter);
  const double value = leg.model_value();
  for (const spice::Comment* comment : device.comments) {
    const std::string place = spice::line_place(origin, comment->line);
    const auto note = parse_parameter_note(comment->text, place);
    if (!note || note->parameter != name || note->mirrored != leg.mirrored) continue;
    if (std::abs(note->value - value) > 1e-6 * std::abs(value)) {
      throw bad_input(fmt::format("{}: {} is {:.9g} here; expected {:.9g}, as elsewhere in this file", place, name,
                                  note->value, value));
    }
    if (note->instances != leg.instances) {
      throw bad_input(fmt::format("{}: {} is shared by {} legs here; expected {}, the number its value requires", place,
                                  name, note->instances, leg.instances));
    }
    return *note;
  }
  throw bad_input(fmt::format("{}: no comment maps this line to its parameter; expected '* {} = {:.9g}; vds=...'",
                              spice::line_place(origin, device.line), name, value));
}

/// Refuses a transistor that is no parameter and has another size than it was drawn with.
void check_device_size(const spice::PlacedDevice& device, const std::string& instance, const std::string& origin) {
  for (const spice::Comment* comment : device.comments) {
    const auto note = parse_size_note(comment->text, spice::line_place(origin, comment->line));
    if (!note || note->instance != instance) continue;
    const bool is_same = std::abs(note->width - device.width) <= 1e-6 * note->width &&
                         std::abs(note->length - device.length) <= 1e-6 * note->length;
    if (is_same) return;
    throw bad_input(fmt::format(
        "{}: {} has w={:.6g} l={:.6g}; expected w={:.6g} l={:.6g}: its size sets no parameter and must not change",
        spice::line_place(origin, device.line), instance, device.width, device.length, note->width, note->length));
  }
  throw bad_input(fmt::format("{}: no comment says what {} is; expected '* ROLE {}: w=... l=...'",
                              spice::line_place(origin, device.line), instance, instance));
}

/// Sums over a parameter's legs; signed values have two sets of them, of which the parameter is the mean.
struct Sum {
  double value[2] = {0.0, 0.0};  // by CompiledLeg::mirrored
  bool is_signed = false;
  bool is_there = false;
  double model = 0.0;
};

using Sums = std::map<model::Parameter, Sum>;

double extracted_value(const Sum& sum) {
  if (!sum.is_there) return 0.0;
  return sum.is_signed ? 0.5 * (sum.value[0] + sum.value[1]) : sum.value[0];
}

/// Puts the sums into the model and the list, in the order of `legs`.
void gather(const std::vector<CompiledLeg>& legs, const Sums& sums, Extraction& result) {
  std::set<model::Parameter> taken;
  for (const CompiledLeg& leg : legs) {
    if (!leg.parameter || !taken.insert(*leg.parameter).second) continue;
    const Sum& sum = sums.at(*leg.parameter);
    const double extracted = extracted_value(sum);
    result.parameters.push_back({model::parameter_name(*leg.parameter), sum.model, extracted, !sum.is_there});
    if (float* value = model::find_value(result.realised, *leg.parameter)) *value = static_cast<float>(extracted);
  }
}

/// beta_lo = beta_hi - delta, never below 0.
void derive_lower_thresholds(const Sums& sums, Extraction& result) {
  using model::ParameterKind;
  for (std::size_t l = 0; l < result.realised.layers.size(); ++l) {
    model::Layer& layer = result.realised.layers[l];
    for (Eigen::Index j = 0; j < layer.beta_lo.size(); ++j) {
      const auto extracted = [&](ParameterKind kind) {
        return extracted_value(sums.at(model::cell_parameter(kind, l, j)));
      };
      const double low = std::max(0.0, extracted(ParameterKind::kBetaHi) - extracted(ParameterKind::kDelta));
      layer.beta_lo[j] = std::min(static_cast<float>(low), layer.beta_hi[j]);
      result.parameters.push_back({model::parameter_name(model::cell_parameter(ParameterKind::kBetaLo, l, j)),
                                   double{result.model.layers[l].beta_lo[j]}, low, false, true});
    }
  }
}

}  // namespace

Extraction extract_network(const spice::Netlist& netlist, const std::string& origin, const NetlistHeader& header,
                           const technology::Technology& technology, const GainCurves& curves) {
  Extraction result;
  result.model = noted_model(netlist, origin, header);
  result.realised = header.model;
  for (std::size_t l = 0; l < result.model.layers.size(); ++l) {
    result.realised.layers[l].initial_state = result.model.layers[l].initial_state;
  }
  // What compile would build for that model is what the netlist has to be, but for sizes.
  CompiledNetwork expected = build_network(result.model, technology, curves, header.conditions);
  HazardMitigations mitigations;
  mitigations.cell_capacitance = header.cell_capacitance;
  apply_mitigations(expected, mitigations);
  const spice::Hierarchy hierarchy(expected.circuit, technology, kNetworkName,
                                   make_notes(expected, technology, curves));
  spice::check_same_structure(netlist, hierarchy.netlist(), origin);
  Sums sums;
  std::vector<bool> is_parameter(expected.circuit.transistors().size(), false);
  for (const CompiledLeg& leg : expected.legs) {
    if (!leg.parameter) continue;
    Sum& sum = sums[*leg.parameter];
    sum.model = leg.model_value();
    sum.is_signed = sum.is_signed || leg.mirrored;
    if (leg.dropped) continue;
    is_parameter[leg.device] = true;
    sum.is_there = true;
    const circuit::Transistor& transistor = expected.circuit.transistor(leg.device);
    const spice::PlacedDevice device = spice::find_device(netlist, hierarchy.device(leg.device));
    const ParameterNote note = note_at(device, leg, origin);
    const std::string place = fmt::format("{}: {}", spice::line_place(origin, device.line), note.parameter);
    const double gain = gain_of(curves, transistor.polarity, device, note.voltage, place);
    sum.value[leg.mirrored ? 1 : 0] += std::copysign(gain * note.correction, sum.model);
  }
  for (circuit::DeviceId id = 0; id < is_parameter.size(); ++id) {
    if (is_parameter[id]) continue;
    check_device_size(spice::find_device(netlist, hierarchy.device(id)), hierarchy.device(id).back(), origin);
  }
  gather(expected.legs, sums, result);
  derive_lower_thresholds(sums, result);
  return result;
}

ExtractionErrors extraction_errors(const std::vector<ExtractedParameter>& parameters) {
  ExtractionErrors errors;
  std::size_t relative_count = 0;
  for (const ExtractedParameter& parameter : parameters) {
    ++errors.parameters;
    errors.dropped += parameter.dropped && parameter.model != 0.0 ? 1 : 0;  // a zero needs no transistor
    const double difference = std::abs(parameter.extracted - parameter.model);
    errors.rms += difference * difference;
    if (difference > errors.largest) {
      errors.largest = difference;
      errors.largest_name = parameter.name;
    }
    if (parameter.dropped || parameter.derived || parameter.model == 0.0) continue;
    const double relative = difference / std::abs(parameter.model);
    ++relative_count;
    errors.rms_relative += relative * relative;
    if (relative > errors.largest_relative) {
      errors.largest_relative = relative;
      errors.largest_relative_name = parameter.name;
    }
  }
  if (errors.parameters > 0) errors.rms = std::sqrt(errors.rms / static_cast<double>(errors.parameters));
  if (relative_count > 0) errors.rms_relative = std::sqrt(errors.rms_relative / static_cast<double>(relative_count));
  return errors;
}

}  // namespace hysteron::compile
