#include "behavioural/chip.h"

#include "model/parameter.h"

namespace hysteron::behavioural {
namespace {

/// What becomes of a weight or bias on the chip.
struct Change {
  double factor = 1.0;
  double added = 0.0;  // model units
};

/// The errors of the map that `parameter` is of, and what is added to that map's rows; null: nothing.
struct MapErrors {
  const model::Affine& relative;
  const model::Vector* offset = nullptr;
};

MapErrors errors_of(const model::DieErrors& errors, const model::Parameter& parameter) {
  using model::ParameterKind;
  switch (parameter.kind) {
    case ParameterKind::kCandidateWeight:
    case ParameterKind::kCandidateBias:
      return {errors.layers[parameter.layer].candidate, &errors.layers[parameter.layer].offset};
    case ParameterKind::kOutputWeight:
    case ParameterKind::kOutputBias:
      return {errors.layers[parameter.layer].output};
    case ParameterKind::kReadoutWeight:
    case ParameterKind::kReadoutBias:
      return {errors.readout, &errors.readout_offset};
    default:
      return {errors.input};
  }
}

Change change_of(const model::DieErrors& errors, const model::Parameter& parameter) {
  const MapErrors map = errors_of(errors, parameter);
  const auto row = static_cast<Eigen::Index>(parameter.row);
  if (model::is_matrix(parameter.kind)) {
    return {1.0 + map.relative.weight(row, static_cast<Eigen::Index>(parameter.column)), 0.0};
  }
  return {1.0 + map.relative.bias[row], map.offset == nullptr ? 0.0 : double{(*map.offset)[row]}};
}

}  // namespace

DieParameters chip_parameters(const DieEngine& engine, const model::DieErrors& errors) {
  const compile::CompiledNetwork& network = engine.network();
  DieParameters result = engine.nominal();
  for (std::size_t i = 0; i < network.summing.size(); ++i) {
    const compile::CompiledLeg& leg = network.summing_leg(i);
    if (!leg.parameter) continue;
    const Change change = change_of(errors, *leg.parameter);
    result.gains[i] = static_cast<float>(leg.share_of(leg.value * change.factor + change.added));
  }
  const model::Network chip = model::on_die(network.model, errors);
  std::size_t index = 0;
  for (const model::Layer& layer : chip.layers) {
    for (Eigen::Index j = 0; j < layer.beta_hi.size(); ++j, ++index) {
      DieParameters::Cell& cell = result.cells[index];
      cell.rise = layer.beta_hi[j];
      cell.fall = layer.beta_lo[j];
      cell.high = layer.alpha[j];
    }
  }
  return result;
}

}  // namespace hysteron::behavioural
