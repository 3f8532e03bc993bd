#include "compile/compiled_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "compile/limits.h"
#include "compile/network_builder.h"

namespace hysteron::compile {
namespace {

using circuit::NetId;
using circuit::Polarity;
using circuit::Quantity;
using circuit::Role;
using circuit::Section;

std::vector<SignedSignal> build_inputs(const model::Network& network, NetworkBuilder& builder) {
  const Block block{"inputs", {Section::kInputs, 0}};
  std::vector<SignedSignal> inputs(network.inputs());
  for (std::size_t j = 0; j < inputs.size(); ++j) {
    const auto terminal = [&](const char* sign) {
      return builder.n_diode_signal({fmt::format("in{}{}", j, sign), block, Role::kInputRail, Quantity::kInput});
    };
    inputs[j].positive = terminal("p");
    inputs[j].negative = terminal("m");
    CompiledNetwork& result = builder.result();
    result.inputs.push_back({inputs[j].positive.n_rail, inputs[j].negative.n_rail});
    result.circuit.add_port(inputs[j].positive.n_rail);
    result.circuit.add_port(inputs[j].negative.n_rail);
  }
  return inputs;
}

/// The legs of one affine map: what they have in common, and the parameters they are.
struct AffinePlan {
  LegPlan leg;
  std::string prefix;  ///< of the legs' names
  model::AffineParameters parameters;
};

LegPlan weight_plan(const AffinePlan& plan, const model::Affine& affine, Eigen::Index i, Eigen::Index j) {
  LegPlan leg = plan.leg;
  leg.label.name = fmt::format("{}weight_{}_{}", plan.prefix, i, j);
  leg.label.role = Role::kLeg;
  leg.weight = affine.weight(i, j);
  leg.parameter = plan.parameters.weight(i, j);
  return leg;
}

LegPlan bias_plan(const AffinePlan& plan, const model::Affine& affine, Eigen::Index i) {
  LegPlan leg = plan.leg;
  leg.label.name = fmt::format("{}bias_{}", plan.prefix, i);
  leg.label.role = Role::kBiasLeg;
  leg.weight = affine.bias[i];
  leg.parameter = plan.parameters.bias(i);
  return leg;
}

/// Row `i` of an affine map of signed values into the node of `plan`.
void build_signed_row(const model::Affine& affine, Eigen::Index i, const AffinePlan& plan,
                      std::vector<SignedSignal>& sources, NetworkBuilder& builder) {
  for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
    builder.signed_leg(sources[j], weight_plan(plan, affine, i, j));
  }
  builder.leg(builder.bias(), bias_plan(plan, affine, i));
}

/// v_0 = W_in x + b_in, the signed node of every row and its splitter.
std::vector<SignedSignal> build_input_map(const model::Network& network, std::vector<SignedSignal>& inputs,
                                          NetworkBuilder& builder) {
  const Block block{"input", {Section::kInputMap, 0}};
  std::vector<SignedSignal> values;
  AffinePlan plan{
      {{"", block, Role::kLeg, Quantity::kValue}, 0, NodeKind::kSigned, 0.0, {}}, "", model::input_parameters()};
  for (Eigen::Index i = 0; i < network.input.weight.rows(); ++i) {
    const std::string name = fmt::format("v0_{}", i);
    plan.leg.node = builder.result().circuit.net(name);
    build_signed_row(network.input, i, plan, inputs, builder);
    values.push_back(builder.splitter(name, block));
  }
  return values;
}

/// The nodes of an affine map of values that are never negative, and the devices of their diodes.
struct Rectified {
  std::vector<Signal> signals;
  std::vector<circuit::DeviceId> diodes;
};

/// A rectifying node called `node_name` and its number for every row of `affine`, fed by `sources`.
Rectified build_rectified(const model::Affine& affine, const std::vector<Signal*>& sources,
                          const std::string& node_name, AffinePlan plan, NetworkBuilder& builder) {
  Rectified result;
  result.diodes.resize(affine.weight.rows());
  for (Eigen::Index i = 0; i < affine.weight.rows(); ++i) {
    const Label& leg = plan.leg.label;
    const Label node{fmt::format("{}_{}", node_name, i), leg.block, Role::kRail, leg.quantity};
    result.signals.push_back(builder.n_diode_signal(node, &result.diodes[i]));
    plan.leg.node = result.signals.back().n_rail;
    for (Eigen::Index j = 0; j < affine.weight.cols(); ++j) {
      builder.leg(*sources[j], weight_plan(plan, affine, i, j));
    }
    builder.leg(builder.bias(), bias_plan(plan, affine, i));
  }
  return result;
}

std::vector<Signal*> pointers(std::vector<Signal>& signals) {
  std::vector<Signal*> result;
  for (Signal& signal : signals) result.push_back(&signal);
  return result;
}

std::vector<Signal> build_cells(const model::Layer& layer, std::size_t index, Rectified& candidates,
                                NetworkBuilder& builder) {
  using model::ParameterKind;
  std::vector<Signal> states;
  std::vector<CompiledCell> cells(layer.cells());
  for (Eigen::Index j = 0; j < layer.beta_lo.size(); ++j) {
    CellPlan plan{fmt::format("h{}_{}", index, j),
                  {fmt::format("layer{}/cell{}", index, j), {Section::kLayer, index}},
                  {layer.beta_hi[j], double{layer.beta_hi[j]} - layer.beta_lo[j], layer.alpha[j]},
                  layer.initial_state[j] > 0.5F};
    plan.parameters = PerCellLeg<model::Parameter>{model::cell_parameter(ParameterKind::kBetaHi, index, j),
                                                   model::cell_parameter(ParameterKind::kDelta, index, j),
                                                   model::cell_parameter(ParameterKind::kAlpha, index, j)};
    states.push_back(builder.cell(candidates.signals[j], candidates.diodes[j], plan, cells[j]));
  }
  builder.result().cells.push_back(std::move(cells));
  return states;
}

/// v_{l+1} = relu(V h + d) + v_l with h the cells fed by relu(v_l).
std::vector<SignedSignal> build_layer(const model::Layer& layer, std::size_t index, std::vector<SignedSignal>& values,
                                      NetworkBuilder& builder) {
  const Block block{fmt::format("layer{}", index), {Section::kLayer, index}};
  const auto plan = [&](Quantity quantity, const char* prefix, const model::AffineParameters& parameters) {
    return AffinePlan{{{"", block, Role::kLeg, quantity}, 0, NodeKind::kRectified, 0.0, {}}, prefix, parameters};
  };
  std::vector<Signal*> rectified;
  for (SignedSignal& value : values) rectified.push_back(&value.positive);
  Rectified candidates =
      build_rectified(layer.candidate, rectified, fmt::format("c{}", index),
                      plan(Quantity::kCandidate, "candidate_", model::candidate_parameters(index)), builder);
  std::vector<Signal> states = build_cells(layer, index, candidates, builder);
  Rectified outputs = build_rectified(layer.output, pointers(states), fmt::format("o{}", index),
                                      plan(Quantity::kOutput, "output_", model::output_parameters(index)), builder);
  std::vector<SignedSignal> next;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = fmt::format("v{}_{}", index + 1, i);
    const NetId node = builder.result().circuit.net(name);
    const auto skip = [&](const char* from) {
      const Label label{fmt::format("skip_{}_{}", i, from), block, Role::kSkipLeg, Quantity::kValue};
      return LegPlan{label, node, NodeKind::kSigned, 1.0, {}};
    };
    builder.leg(outputs.signals[i], skip("o"));
    builder.signed_leg(values[i], skip("v"));
    next.push_back(builder.splitter(name, block));
  }
  return next;
}

void build_readout(const model::Network& network, std::vector<SignedSignal>& values, NetworkBuilder& builder) {
  const Block block{"readout", {Section::kReadout, 0}};
  AffinePlan plan{
      {{"", block, Role::kLeg, Quantity::kLogit}, 0, NodeKind::kReadout, 0.0, {}}, "", model::readout_parameters()};
  for (Eigen::Index i = 0; i < network.readout.weight.rows(); ++i) {
    const NetId node = builder.result().circuit.net(fmt::format("logit{}", i));
    builder.result().readouts.push_back(node);
    builder.result().circuit.add_port(node);
    plan.leg.node = node;
    build_signed_row(network.readout, i, plan, values, builder);
  }
}

}  // namespace

std::size_t CompiledNetwork::dropped_parameters() const {
  std::set<model::Parameter> dropped;  // one on a signed value has two legs
  for (const CompiledLeg& leg : legs) {
    if (leg.dropped && leg.value != 0.0) dropped.insert(*leg.parameter);
  }
  return dropped.size();
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
