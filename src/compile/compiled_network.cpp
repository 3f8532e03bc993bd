#include "compile/compiled_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include "compile/limits.h"
#include "compile/network_builder.h"

namespace hysteron::compile {
namespace {

using circuit::NetId;
using circuit::Polarity;
using circuit::Role;

std::string indexed(const std::string& name, Eigen::Index i) { return fmt::format("{}[{}]", name, i); }

std::string indexed(const std::string& name, Eigen::Index i, Eigen::Index j) {
  return fmt::format("{}[{},{}]", name, i, j);
}

std::vector<SignedSignal> build_inputs(const model::Network& network, NetworkBuilder& builder) {
  std::vector<SignedSignal> inputs(network.inputs());
  for (std::size_t j = 0; j < inputs.size(); ++j) {
    inputs[j].positive = builder.n_diode_signal(fmt::format("in{}p", j), "inputs", Role::kInputRail);
    inputs[j].negative = builder.n_diode_signal(fmt::format("in{}m", j), "inputs", Role::kInputRail);
    CompiledNetwork& result = builder.result();
    result.inputs.push_back({inputs[j].positive.n_rail, inputs[j].negative.n_rail});
    result.circuit.add_port(inputs[j].positive.n_rail);
    result.circuit.add_port(inputs[j].negative.n_rail);
  }
  return inputs;
}

/// v_0 = W_in x + b_in, the signed node of every row and its splitter.
std::vector<SignedSignal> build_input_map(const model::Network& network, std::vector<SignedSignal>& inputs,
                                          NetworkBuilder& builder) {
  std::vector<SignedSignal> values;
  const model::Affine& input = network.input;
  for (Eigen::Index i = 0; i < input.weight.rows(); ++i) {
    const std::string name = fmt::format("v0_{}", i);
    const NetId node = builder.result().circuit.net(name);
    for (Eigen::Index j = 0; j < input.weight.cols(); ++j) {
      builder.signed_leg(inputs[j], node, NodeKind::kSigned, input.weight(i, j), fmt::format("weight_{}_{}", i, j),
                         "input", Role::kLeg, indexed("input.weight", i, j));
    }
    builder.leg(builder.bias(), node, NodeKind::kSigned, input.bias[i], fmt::format("bias_{}", i), "input",
                Role::kBiasLeg, indexed("input.bias", i));
    values.push_back(builder.splitter(name, "input"));
  }
  return values;
}

/// A rectifying node for every row of `affine`, fed by `sources`; `diodes` gets the diodes' devices.
std::vector<Signal> build_rectified(const model::Affine& affine, std::vector<Signal*> sources, const std::string& block,
                                    const std::string& node_name, const std::string& leg_name,
                                    const std::string& parameter, NetworkBuilder& builder,
                                    std::vector<circuit::DeviceId>& diodes) {
  std::vector<Signal> results;
  diodes.resize(affine.weight.rows());
  for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
    results.push_back(builder.n_diode_signal(fmt::format("{}_{}", node_name, i), block, Role::kRail, &diodes[i]));
    const NetId node = results.back().n_rail;
    for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
      builder.leg(*sources[j], node, NodeKind::kRectified, affine.weight(i, j),
                  fmt::format("{}_weight_{}_{}", leg_name, i, j), block, Role::kLeg,
                  indexed(parameter + ".weight", i, j));
    }
    builder.leg(builder.bias(), node, NodeKind::kRectified, affine.bias[i], fmt::format("{}_bias_{}", leg_name, i),
                block, Role::kBiasLeg, indexed(parameter + ".bias", i));
  }
  return results;
}

std::vector<Signal*> pointers(std::vector<Signal>& signals) {
  std::vector<Signal*> result;
  for (Signal& signal : signals) result.push_back(&signal);
  return result;
}

std::vector<Signal> build_cells(const model::Layer& layer, std::size_t index, std::vector<Signal>& candidates,
                                const std::vector<circuit::DeviceId>& diodes, NetworkBuilder& builder) {
  const std::string prefix = fmt::format("layers.{}", index);
  std::vector<Signal> states;
  std::vector<CompiledCell> cells(layer.cells());
  for (Eigen::Index j = 0; j < layer.beta_lo.size(); ++j) {
    const NetworkBuilder::CellParameters parameters = {indexed(prefix + ".beta_hi", j), indexed(prefix + ".delta", j),
                                                       indexed(prefix + ".alpha", j)};
    states.push_back(builder.cell(candidates[j], diodes[j], fmt::format("h{}_{}", index, j),
                                  fmt::format("layer{}/cell{}", index, j), layer.beta_hi[j],
                                  double{layer.beta_hi[j]} - layer.beta_lo[j], layer.alpha[j],
                                  layer.initial_state[j] > 0.5F, parameters, cells[j]));
  }
  builder.result().cells.push_back(std::move(cells));
  return states;
}

/// v_{l+1} = relu(V h + d) + v_l with h the cells fed by relu(v_l).
std::vector<SignedSignal> build_layer(const model::Layer& layer, std::size_t index, std::vector<SignedSignal>& values,
                                      NetworkBuilder& builder) {
  const std::string block = fmt::format("layer{}", index);
  const std::string prefix = fmt::format("layers.{}", index);
  std::vector<Signal*> rectified;
  for (SignedSignal& value : values) rectified.push_back(&value.positive);
  std::vector<circuit::DeviceId> diodes;
  std::vector<Signal> candidates = build_rectified(layer.candidate, rectified, block, fmt::format("c{}", index),
                                                   "candidate", prefix + ".candidate", builder, diodes);
  std::vector<Signal> states = build_cells(layer, index, candidates, diodes, builder);
  std::vector<circuit::DeviceId> unused;
  std::vector<Signal> outputs = build_rectified(layer.output, pointers(states), block, fmt::format("o{}", index),
                                                "output", prefix + ".output", builder, unused);
  std::vector<SignedSignal> next;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = fmt::format("v{}_{}", index + 1, i);
    const NetId node = builder.result().circuit.net(name);
    builder.leg(outputs[i], node, NodeKind::kSigned, 1.0, fmt::format("skip_{}_o", i), block, Role::kSkipLeg, "");
    builder.signed_leg(values[i], node, NodeKind::kSigned, 1.0, fmt::format("skip_{}_v", i), block, Role::kSkipLeg, "");
    next.push_back(builder.splitter(name, block));
  }
  return next;
}

void build_readout(const model::Network& network, std::vector<SignedSignal>& values, NetworkBuilder& builder) {
  const model::Affine& readout = network.readout;
  for (Eigen::Index i = 0; i < readout.weight.rows(); ++i) {
    const NetId node = builder.result().circuit.net(fmt::format("logit{}", i));
    builder.result().readouts.push_back(node);
    builder.result().circuit.add_port(node);
    for (Eigen::Index j = 0; j < readout.weight.cols(); ++j) {
      builder.signed_leg(values[j], node, NodeKind::kReadout, readout.weight(i, j), fmt::format("weight_{}_{}", i, j),
                         "readout", Role::kLeg, indexed("readout.weight", i, j));
    }
    builder.leg(builder.bias(), node, NodeKind::kReadout, readout.bias[i], fmt::format("bias_{}", i), "readout",
                Role::kBiasLeg, indexed("readout.bias", i));
  }
}

}  // namespace

std::size_t CompiledNetwork::dropped_parameters() const {
  std::set<std::string_view> names;  // a parameter on a signed value has two rows
  for (const MappedInstance& row : mapping) {
    if (row.dropped && row.value != 0.0) names.insert(row.parameter);
  }
  return names.size();
}

DriftLimit DriftLimit::still(const technology::Technology& technology, double target) {
  return {std::isinf(technology.leg_drift) ? technology.leg_drift : 0.0, target};
}

LegSize size_device(const GainCurves& curves, const technology::Technology& technology, Polarity polarity, double gain,
                    double voltage, const DriftLimit& limit) {
  LegSize size;
  const technology::Device& device = polarity == Polarity::kN ? technology.n : technology.p;
  const auto snapped = [&](double width) {
    const double drawn = std::round(width / technology.size_grid) * technology.size_grid;
    return std::clamp(drawn, device.minimum_width, device.maximum_width);
  };
  const auto width_at = [&](std::size_t length) { return curves.width_for(polarity, length, gain, voltage); };
  std::size_t length = curves.lengths.size() - 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < curves.lengths.size(); ++i) {
    const double width = width_at(i);
    if (width < technology.narrowest_leg) continue;
    const double moved = gain * std::abs(curves.drift(polarity, i, width) - limit.target);
    if (moved >= least) continue;
    least = moved;
    length = i;
    if (moved <= limit.tolerance) break;
  }
  size.geometry = {snapped(width_at(length)), curves.lengths[length]};
  size.gain = curves.gain(polarity, length, size.geometry.width, voltage);
  return size;
}

LegSize size_leg(const GainCurves& curves, const technology::Technology& technology, Polarity polarity, double gain,
                 double voltage, const DriftLimit& limit) {
  const int instances = std::max(1, static_cast<int>(std::ceil(gain / kLargestLeg)));
  LegSize size = size_device(curves, technology, polarity, gain / instances, voltage, limit);
  size.instances = instances;
  return size;
}

CompiledNetwork build_network(const model::Network& network, const technology::Technology& technology,
                              const GainCurves& curves, const Conditions& conditions) {
  NetworkBuilder builder(technology, curves, conditions);
  std::vector<SignedSignal> inputs = build_inputs(network, builder);
  std::vector<SignedSignal> values = build_input_map(network, inputs, builder);
  for (std::size_t l = 0; l < network.layers.size(); ++l) values = build_layer(network.layers[l], l, values, builder);
  build_readout(network, values, builder);
  builder.result().frame_seconds = network.frame_seconds;
  builder.result().model = network;
  return std::move(builder.result());
}

}  // namespace hysteron::compile
