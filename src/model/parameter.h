#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "model/network.h"

namespace hysteron::model {

/// The tensors of a network, and the cells' width delta = beta_hi - beta_lo, which a circuit has in place of beta_lo.
enum class ParameterKind {
  kInputWeight,
  kInputBias,
  kCandidateWeight,
  kCandidateBias,
  kBetaLo,
  kBetaHi,
  kDelta,
  kAlpha,
  kInitialState,
  kOutputWeight,
  kOutputBias,
  kReadoutWeight,
  kReadoutBias
};

/// The kind as the model file has it, within its layer where it is of one: "input.weight", "candidate.bias", "beta_hi".
std::string_view kind_name(ParameterKind kind);

/// Whether layers have parameters of this kind, and whether these are matrices.
bool is_in_layer(ParameterKind kind);
bool is_matrix(ParameterKind kind);

/// One number of a network.
struct Parameter {
  ParameterKind kind = ParameterKind::kInputWeight;
  std::size_t layer = 0;   ///< 0 outside of layers
  std::size_t row = 0;     ///< the index of a vector's element
  std::size_t column = 0;  ///< 0 in vectors

  auto operator<=>(const Parameter&) const = default;
};

/// The model file's name with indices: "layers.0.candidate.weight[1,2]", "readout.bias[3]".
std::string parameter_name(const Parameter& parameter);

/// The parameter of that name; nothing where no network could have one of it.
std::optional<Parameter> parse_parameter(std::string_view name);

/// Where `network` has the parameter; null if it is beyond its shapes, and for kDelta, which is no number of its own.
float* find_value(Network& network, const Parameter& parameter);

/// The parameters of one affine map.
struct AffineParameters {
  ParameterKind weights = ParameterKind::kInputWeight;
  ParameterKind biases = ParameterKind::kInputBias;
  std::size_t layer = 0;

  /// Indices as Eigen has them, none negative.
  Parameter weight(Eigen::Index row, Eigen::Index column) const {
    return {weights, layer, static_cast<std::size_t>(row), static_cast<std::size_t>(column)};
  }
  Parameter bias(Eigen::Index row) const { return {biases, layer, static_cast<std::size_t>(row), 0}; }
};
AffineParameters input_parameters();
AffineParameters candidate_parameters(std::size_t layer);
AffineParameters output_parameters(std::size_t layer);
AffineParameters readout_parameters();

/// A parameter of cell `cell` of a layer.
inline Parameter cell_parameter(ParameterKind kind, std::size_t layer, Eigen::Index cell) {
  return {kind, layer, static_cast<std::size_t>(cell), 0};
}

}  // namespace hysteron::model
