#include "behavioural/power_model.h"

#include <algorithm>
#include <cassert>

#include "model/inference.h"

namespace hysteron::behavioural {
namespace {

using Values = model::Matrix;  // [frames, values]
using Flags = Eigen::Array<bool, 1, Eigen::Dynamic>;

/// A signed value as its two unipolar parts.
struct Parts {
  Values positive;
  Values negative;

  explicit Parts(const Values& v) : positive(v.cwiseMax(0.0F)), negative((-v).cwiseMax(0.0F)) {}
};

double sum(const Values& values) { return values.cast<double>().sum(); }

/// Sum over frames of the columns of `values` for which a rail is there.
double sum_where(const Values& values, const Flags& is_there) {
  double result = 0.0;
  for (Eigen::Index j = 0; j < values.cols(); ++j) {
    if (is_there[j]) result += values.col(j).cast<double>().sum();
  }
  return result;
}

/// Sources, by column, that some weight above (sign +1) or below (sign -1) zero reads.
Flags has_sign(const model::Matrix& weight, float sign) { return (weight.array() * sign > 0.0F).colwise().any(); }

/// Currents of the legs that push: weights of the sign of `sign` times the values.
double push(const model::Matrix& weight, float sign, const Values& values) {
  const Eigen::VectorXd per_source = (weight * sign).cwiseMax(0.0F).colwise().sum().cast<double>().transpose();
  return (values.cast<double>() * per_source).sum();
}

double push_biases(const model::Vector& bias, Eigen::Index frames) {
  return bias.cwiseMax(0.0F).cast<double>().sum() * static_cast<double>(frames);
}

Values affine(const model::Affine& map, const Values& x) {
  return (x * map.weight.transpose()).rowwise() + map.bias.transpose();
}

/// Bits that a layer's cells held, [frames, cells of the widest layer]; empty: the cells follow the model.
struct Bits {
  std::span<const char> on;
  std::size_t stride = 0;
};

/// States of the cells, alpha or 0, and what the cells draw.
Values run_cells(const model::Layer& layer, const Values& candidates, const Bits& bits, double& drawn) {
  Values states(candidates.rows(), candidates.cols());
  for (Eigen::Index j = 0; j < candidates.cols(); ++j) {
    const float width = layer.beta_hi[j] - layer.beta_lo[j];
    bool on = layer.initial_state[j] > 0.5F;
    for (Eigen::Index t = 0; t < candidates.rows(); ++t) {
      const float candidate = candidates(t, j);
      on = bits.on.empty() ? model::next_state(candidate, layer.beta_lo[j], layer.beta_hi[j], on)
                           : bits.on[static_cast<std::size_t>(t) * bits.stride + static_cast<std::size_t>(j)] != 0;
      states(t, j) = on ? layer.alpha[j] : 0.0F;
      // M1 and M9 give what M2 takes, or all they have while V0 is low; M4 and M7 conduct while the cell is on.
      drawn += std::min(candidate + (on ? width : 0.0F), layer.beta_hi[j]) + (on ? layer.alpha[j] + width : 0.0F);
    }
  }
  return states;
}

}  // namespace

PowerSplit model_power(const model::Network& network, std::span<const float> features,
                       const technology::Technology& technology, double supply, double unit_current,
                       std::span<const char> on) {
  const auto width = static_cast<Eigen::Index>(network.inputs());
  const Eigen::Index frames = static_cast<Eigen::Index>(features.size()) / width;
  assert(frames > 0 && static_cast<std::size_t>(frames * width) == features.size());
  const auto ratio = [](const technology::Geometry& size) { return size.width / size.length; };
  const double share = ratio(technology.rail_diode) / ratio(technology.reference);
  PowerSplit split;  // in unit currents times frames until the end

  const Values x = Eigen::Map<const Values>(features.data(), frames, width);
  const Parts inputs(x);
  split.inputs = sum(inputs.positive) + sum(inputs.negative);
  split.input_rails = share * (sum_where(inputs.positive, has_sign(network.input.weight, 1.0F)) +
                               sum_where(inputs.negative, has_sign(network.input.weight, -1.0F)));
  split.other_legs = push(network.input.weight, 1.0F, inputs.positive) +
                     push(network.input.weight, -1.0F, inputs.negative) + push_biases(network.input.bias, frames);
  split.reference = (1.0 + share) * static_cast<double>(frames);

  Bits bits;
  for (const model::Layer& layer : network.layers) bits.stride = std::max(bits.stride, layer.cells());
  const std::size_t layer_bits = static_cast<std::size_t>(frames) * bits.stride;
  assert(on.empty() || on.size() == network.layers.size() * layer_bits);
  Values v = affine(network.input, x);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const model::Layer& layer = network.layers[l];
    if (!on.empty()) bits.on = on.subspan(l * layer_bits, layer_bits);
    const Parts parts(v);
    const Values candidates = affine(layer.candidate, parts.positive).cwiseMax(0.0F);
    const Values states = run_cells(layer, candidates, bits, split.cells);
    const Values outputs = affine(layer.output, states).cwiseMax(0.0F);
    split.square_legs += push(layer.candidate.weight, 1.0F, parts.positive) + push(layer.output.weight, 1.0F, states);
    // The skip path pushes outputs and positive parts, so both have a P rail; it pulls negative parts by an N rail.
    split.other_legs += sum(outputs) + sum(parts.positive) + push_biases(layer.candidate.bias, frames) +
                        push_biases(layer.output.bias, frames);
    split.rails += share * (sum(parts.positive) + sum(parts.negative) + sum(candidates) + sum(outputs) +
                            sum_where(states, has_sign(layer.output.weight, -1.0F))) +
                   sum(parts.negative);
    v += outputs;
  }
  const Parts parts(v);
  split.other_legs += push(network.readout.weight, 1.0F, parts.positive) +
                      push(network.readout.weight, -1.0F, parts.negative) + push_biases(network.readout.bias, frames);
  split.rails += share * (sum_where(parts.positive, has_sign(network.readout.weight, 1.0F)) +
                          sum_where(parts.negative, has_sign(network.readout.weight, 1.0F))) +
                 sum(parts.negative);

  const double scale = supply * unit_current / static_cast<double>(frames);
  for (double* part : {&split.inputs, &split.input_rails, &split.rails, &split.square_legs, &split.other_legs,
                       &split.reference, &split.cells}) {
    *part *= scale;
  }
  return split;
}

}  // namespace hysteron::behavioural
