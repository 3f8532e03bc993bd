#include "model/parameter.h"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <charconv>

namespace hysteron::model {
namespace {

struct KindName {
  ParameterKind kind;
  std::string_view name;
};

constexpr std::array kKinds = {
    KindName{ParameterKind::kInputWeight, "input.weight"},
    KindName{ParameterKind::kInputBias, "input.bias"},
    KindName{ParameterKind::kCandidateWeight, "candidate.weight"},
    KindName{ParameterKind::kCandidateBias, "candidate.bias"},
    KindName{ParameterKind::kBetaLo, "beta_lo"},
    KindName{ParameterKind::kBetaHi, "beta_hi"},
    KindName{ParameterKind::kDelta, "delta"},
    KindName{ParameterKind::kAlpha, "alpha"},
    KindName{ParameterKind::kInitialState, "initial_state"},
    KindName{ParameterKind::kOutputWeight, "output.weight"},
    KindName{ParameterKind::kOutputBias, "output.bias"},
    KindName{ParameterKind::kReadoutWeight, "readout.weight"},
    KindName{ParameterKind::kReadoutBias, "readout.bias"},
};

constexpr std::string_view kLayers = "layers.";

std::optional<std::size_t> read_number(std::string_view text) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// The kind whose tensor is called `name` in a layer or outside of all.
std::optional<ParameterKind> find_kind(std::string_view name, bool in_layer) {
  for (const KindName& known : kKinds) {
    if (known.name == name && is_in_layer(known.kind) == in_layer) return known.kind;
  }
  return {};
}

float* element(Matrix& matrix, const Parameter& at) {
  const bool is_there =
      at.row < static_cast<std::size_t>(matrix.rows()) && at.column < static_cast<std::size_t>(matrix.cols());
  return is_there ? &matrix(static_cast<Eigen::Index>(at.row), static_cast<Eigen::Index>(at.column)) : nullptr;
}

float* element(Vector& vector, const Parameter& at) {
  return at.row < static_cast<std::size_t>(vector.size()) ? &vector[static_cast<Eigen::Index>(at.row)] : nullptr;
}

float* find_in_layer(Layer& layer, const Parameter& at) {
  switch (at.kind) {
    case ParameterKind::kCandidateWeight:
      return element(layer.candidate.weight, at);
    case ParameterKind::kCandidateBias:
      return element(layer.candidate.bias, at);
    case ParameterKind::kBetaLo:
      return element(layer.beta_lo, at);
    case ParameterKind::kBetaHi:
      return element(layer.beta_hi, at);
    case ParameterKind::kAlpha:
      return element(layer.alpha, at);
    case ParameterKind::kInitialState:
      return element(layer.initial_state, at);
    case ParameterKind::kOutputWeight:
      return element(layer.output.weight, at);
    case ParameterKind::kOutputBias:
      return element(layer.output.bias, at);
    default:
      return nullptr;
  }
}

}  // namespace

std::string_view kind_name(ParameterKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  assert(index < kKinds.size() && kKinds[index].kind == kind);
  return kKinds[index].name;
}

bool is_in_layer(ParameterKind kind) {
  return kind != ParameterKind::kInputWeight && kind != ParameterKind::kInputBias &&
         kind != ParameterKind::kReadoutWeight && kind != ParameterKind::kReadoutBias;
}

bool is_matrix(ParameterKind kind) {
  return kind == ParameterKind::kInputWeight || kind == ParameterKind::kCandidateWeight ||
         kind == ParameterKind::kOutputWeight || kind == ParameterKind::kReadoutWeight;
}

std::string parameter_name(const Parameter& parameter) {
  std::string name;
  if (is_in_layer(parameter.kind)) name = fmt::format("{}{}.", kLayers, parameter.layer);
  name += kind_name(parameter.kind);
  return is_matrix(parameter.kind) ? fmt::format("{}[{},{}]", name, parameter.row, parameter.column)
                                   : fmt::format("{}[{}]", name, parameter.row);
}

std::optional<Parameter> parse_parameter(std::string_view name) {
  const std::size_t open = name.find('[');
  if (open == std::string_view::npos || name.back() != ']') return {};
  std::string_view tensor = name.substr(0, open);
  const std::string_view indices = name.substr(open + 1, name.size() - open - 2);
  Parameter parameter;
  const bool in_layer = tensor.starts_with(kLayers);
  if (in_layer) {
    tensor.remove_prefix(kLayers.size());
    const std::size_t dot = tensor.find('.');
    if (dot == std::string_view::npos) return {};
    const auto layer = read_number(tensor.substr(0, dot));
    if (!layer) return {};
    parameter.layer = *layer;
    tensor.remove_prefix(dot + 1);
  }
  const auto kind = find_kind(tensor, in_layer);
  if (!kind) return {};
  parameter.kind = *kind;
  const std::size_t comma = indices.find(',');
  if ((comma != std::string_view::npos) != is_matrix(*kind)) return {};
  const auto row = read_number(indices.substr(0, comma));
  const auto column = is_matrix(*kind) ? read_number(indices.substr(comma + 1)) : std::optional<std::size_t>(0);
  if (!row || !column) return {};
  parameter.row = *row;
  parameter.column = *column;
  return parameter;
}

float* find_value(Network& network, const Parameter& parameter) {
  switch (parameter.kind) {
    case ParameterKind::kInputWeight:
      return element(network.input.weight, parameter);
    case ParameterKind::kInputBias:
      return element(network.input.bias, parameter);
    case ParameterKind::kReadoutWeight:
      return element(network.readout.weight, parameter);
    case ParameterKind::kReadoutBias:
      return element(network.readout.bias, parameter);
    default:
      return parameter.layer < network.layers.size() ? find_in_layer(network.layers[parameter.layer], parameter)
                                                     : nullptr;
  }
}

AffineParameters input_parameters() { return {ParameterKind::kInputWeight, ParameterKind::kInputBias, 0}; }

AffineParameters candidate_parameters(std::size_t layer) {
  return {ParameterKind::kCandidateWeight, ParameterKind::kCandidateBias, layer};
}

AffineParameters output_parameters(std::size_t layer) {
  return {ParameterKind::kOutputWeight, ParameterKind::kOutputBias, layer};
}

AffineParameters readout_parameters() { return {ParameterKind::kReadoutWeight, ParameterKind::kReadoutBias, 0}; }

}  // namespace hysteron::model
