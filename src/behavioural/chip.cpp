#include "behavioural/chip.h"

#include <fmt/format.h>

#include <map>
#include <string>

namespace hysteron::behavioural {
namespace {

/// What becomes of a parameter on the chip, by its name in the mapping.
struct Change {
  double factor = 1.0;
  double added = 0.0;  // model units
};
using Changes = std::map<std::string, Change>;

void add(Changes& changes, const std::string& name, const model::Affine& errors, const model::Vector* offset) {
  for (Eigen::Index i = 0; i < errors.weight.rows(); ++i) {
    for (Eigen::Index j = 0; j < errors.weight.cols(); ++j) {
      changes[fmt::format("{}.weight[{},{}]", name, i, j)] = {1.0 + errors.weight(i, j), 0.0};
    }
    const double added = offset == nullptr ? 0.0 : (*offset)[i];
    changes[fmt::format("{}.bias[{}]", name, i)] = {1.0 + errors.bias[i], added};
  }
}

Changes changes_of(const model::DieErrors& errors) {
  Changes changes;
  add(changes, "input", errors.input, nullptr);
  for (std::size_t l = 0; l < errors.layers.size(); ++l) {
    add(changes, fmt::format("layers.{}.candidate", l), errors.layers[l].candidate, &errors.layers[l].offset);
    add(changes, fmt::format("layers.{}.output", l), errors.layers[l].output, nullptr);
  }
  add(changes, "readout", errors.readout, &errors.readout_offset);
  return changes;
}

}  // namespace

DieParameters chip_parameters(const DieEngine& engine, const model::DieErrors& errors) {
  const compile::CompiledNetwork& network = engine.network();
  const Changes changes = changes_of(errors);
  DieParameters result = engine.nominal();
  for (std::size_t i = 0; i < network.legs.size(); ++i) {
    if (network.legs[i].row == compile::CompiledLeg::kNone) continue;
    const compile::MappedInstance& row = network.mapping[network.legs[i].row];
    const Change& change = changes.at(row.parameter);
    result.gains[i] = static_cast<float>((row.value * change.factor + change.added) / row.instances);
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
