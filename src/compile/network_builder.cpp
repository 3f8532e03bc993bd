#include "compile/network_builder.h"

#include <fmt/format.h>

#include <cmath>

namespace hysteron::compile {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::NetId;
using circuit::Polarity;
using circuit::Quantity;
using circuit::Role;
using technology::Geometry;

namespace {

// V0 switches where M3 and M6 begin to conduct, a little above a diode voltage; calibration removes what this guess
// leaves.
constexpr double kSwitchAboveDiode = 0.05;

const Block kBiasBlock{"bias", {circuit::Section::kBias, 0}};

Label named(Label label, const std::string& name) {
  label.name = name;
  return label;
}

NetId supply_of(Polarity polarity) { return polarity == Polarity::kN ? Circuit::kGround : Circuit::kSupply; }

}  // namespace

double voltage_across(const OperatingVoltages& operating, double supply, Polarity polarity, NodeKind kind) {
  double node = 0.0;
  switch (kind) {
    case NodeKind::kRectified:
      node = operating.n_diode;
      break;
    case NodeKind::kSigned:
      node = polarity == Polarity::kN ? operating.cascode_n : operating.cascode_p;
      break;
    case NodeKind::kReadout:
      node = 0.5 * supply;
      break;
    case NodeKind::kPDiode:
      node = operating.p_diode;
      break;
    case NodeKind::kCell:
      node = operating.n_diode + kSwitchAboveDiode;
      break;
    case NodeKind::kTail:
      node = operating.cell_tail;
      break;
  }
  return polarity == Polarity::kN ? node : supply - node;
}

namespace {

/// Moves the length of `size` to where the predicted gain is `gain`, where that is a small step.
void trim_length(LegSize& size, double gain, const GainCurves& curves, const technology::Technology& technology,
                 double voltage) {
  if (!(std::abs(size.gain - gain) <= kMaxTrim * gain)) return;
  LegSize trimmed = size;
  for (int step = 0; step < 2; ++step) {  // current goes only about as 1/L
    const double wanted = trimmed.geometry.length * trimmed.gain / gain;
    trimmed.geometry.length = std::round(wanted / technology.size_grid) * technology.size_grid;
    const double length = trimmed.geometry.length;
    if (length < technology.n.minimum_length || length > technology.n.maximum_length) return;
    if (!curves.find_length(length)) return;
    trimmed.gain = curves.gain_of(Polarity::kN, trimmed.geometry, voltage);
    if (std::abs(trimmed.gain - gain) < std::abs(size.gain - gain)) size = trimmed;
  }
}

}  // namespace

double cell_leg_voltage(const GainCurves& curves, double supply, CellLeg leg) {
  const NodeKind kind = leg == CellLeg::kThreshold ? NodeKind::kCell : NodeKind::kTail;
  return voltage_across(curves.operating, supply, Polarity::kN, kind);
}

LegSize cell_leg_size(const GainCurves& curves, const technology::Technology& technology, double supply, CellLeg leg,
                      double gain) {
  const double voltage = cell_leg_voltage(curves, supply, leg);
  LegSize size = size_device(curves, technology, Polarity::kN, gain, voltage, DriftLimit::still(technology));
  trim_length(size, gain, curves, technology, voltage);
  return size;
}

NetworkBuilder::NetworkBuilder(const technology::Technology& technology, const GainCurves& curves,
                               const Conditions& conditions, bool signed_nodes)
    : technology_(technology), curves_(curves), min_(technology, curves, conditions) {
  result_.conditions = conditions;
  result_.supply = supply_of(technology, conditions);
  build_bias();
  if (signed_nodes) build_splitter_bias();
}

void NetworkBuilder::build_bias() {
  bias_ = n_diode_signal({"unit", kBiasBlock, Role::kBiasRail, Quantity::kUnit});
  result_.reference = bias_.n_rail;
  result_.circuit.add_port(bias_.n_rail);
  result_.reset = result_.circuit.net("reset");
  result_.circuit.add_port(result_.reset);
}

void NetworkBuilder::build_splitter_bias() {
  // Gate voltages of all splitters: a replica of the pair, stacked on a diode, carries the idle current.
  splitter_n_gate_ = result_.circuit.net("split_n");
  splitter_p_gate_ = result_.circuit.net("split_p");
  splitter_middle_ = result_.circuit.net("split_m");
  const auto label = [](const char* name) { return Label{name, kBiasBlock, Role::kBiasRail, Quantity::kNone}; };
  add(label("split_bias"), Polarity::kP, {splitter_n_gate_, p_rail(bias_), Circuit::kSupply},
      technology_.splitter_bias);
  add(label("split_n"), Polarity::kN, {splitter_n_gate_, splitter_n_gate_, splitter_middle_}, technology_.splitter);
  add(label("split_p"), Polarity::kP, {splitter_p_gate_, splitter_p_gate_, splitter_middle_}, technology_.splitter);
  add(label("split_low"), Polarity::kN, {splitter_p_gate_, splitter_p_gate_, Circuit::kGround}, technology_.reference);
}

DeviceId NetworkBuilder::add(const Label& label, Polarity polarity, const Terminals& terminals, Geometry geometry) {
  return result_.circuit.add({label.name, label.block.path, polarity, label.role, terminals.drain, terminals.gate,
                              terminals.source, geometry.width, geometry.length, label.block.place, label.quantity});
}

std::size_t NetworkBuilder::add_value(DeviceId diode) {
  result_.values.push_back(diode);
  return result_.values.size() - 1;
}

Signal NetworkBuilder::n_diode_signal(const Label& label, DeviceId* diode) {
  Signal signal{label, result_.circuit.net(label.name), Signal::kNone, 0};
  const DeviceId id = add(named(label, label.name + "_d"), Polarity::kN,
                          {signal.n_rail, signal.n_rail, Circuit::kGround}, technology_.reference);
  signal.value = add_value(id);
  if (diode != nullptr) *diode = id;
  return signal;
}

void NetworkBuilder::add_copied_rail(const Signal& signal, Polarity polarity, NetId gate, NetId rail) {
  const bool copy_is_n = polarity == Polarity::kN;
  const Polarity diode = copy_is_n ? Polarity::kP : Polarity::kN;
  const NodeKind kind = copy_is_n ? NodeKind::kPDiode : NodeKind::kRectified;
  const std::string name = signal.label.name + (copy_is_n ? "_p" : "_n");
  const double across_diode = voltage_across(curves_.operating, result_.supply, diode, kind);
  const double share = curves_.gain_of(diode, technology_.rail_diode, across_diode);
  const double across_copy = voltage_across(curves_.operating, result_.supply, polarity, kind);
  // The copy drifts as its diode does, so that the legs behind both do not.
  const double diode_drift =
      curves_.drift(diode, curves_.length_index(technology_.rail_diode.length), technology_.rail_diode.width);
  const LegSize size =
      size_leg(curves_, technology_, polarity, share, across_copy, DriftLimit::still(technology_, diode_drift));
  add(named(signal.label, name + "c"), polarity, {rail, gate, supply_of(polarity)}, size.geometry);
  add(named(signal.label, name + "d"), diode, {rail, rail, supply_of(diode)}, technology_.rail_diode);
}

NetId NetworkBuilder::p_rail(Signal& signal) {
  if (signal.p_rail == Signal::kNone) {
    signal.p_rail = result_.circuit.net(signal.label.name + "_pr");
    add_copied_rail(signal, Polarity::kN, signal.n_rail, signal.p_rail);
  }
  return signal.p_rail;
}

NetId NetworkBuilder::n_rail(Signal& signal) {
  if (signal.n_rail == Signal::kNone) {
    signal.n_rail = result_.circuit.net(signal.label.name + "_nr");
    add_copied_rail(signal, Polarity::kP, signal.p_rail, signal.n_rail);
  }
  return signal.n_rail;
}

SignedSignal NetworkBuilder::splitter(const std::string& name, const Block& block) {
  const NetId node = result_.circuit.net(name);
  const auto label = [&](const char* suffix, Role role) { return Label{name + suffix, block, role, Quantity::kValue}; };
  SignedSignal result;
  result.positive = n_diode_signal(label("p", Role::kRail));
  result.negative = {label("m", Role::kRail), Signal::kNone, result_.circuit.net(name + "m"), 0};
  const NetId minus = result.negative.p_rail;
  result.negative.value =
      add_value(add(label("m_d", Role::kRail), Polarity::kP, {minus, minus, Circuit::kSupply}, technology_.reference));
  add(label("_sp", Role::kSplitter), Polarity::kP, {result.positive.n_rail, splitter_p_gate_, node},
      technology_.splitter);
  add(label("_sn", Role::kSplitter), Polarity::kN, {minus, splitter_n_gate_, node}, technology_.splitter);
  return result;
}

NetId NetworkBuilder::cascode(NetId node, Polarity polarity, const Label& leg) {
  NetId& drain = cascodes_.try_emplace({node, polarity}, Signal::kNone).first->second;
  if (drain != Signal::kNone) return drain;
  const bool pushes = polarity == Polarity::kP;
  const std::string name = result_.circuit.net_name(node) + (pushes ? "_kp" : "_kn");
  drain = result_.circuit.net(name);
  // Gates that are there already, a gate-source voltage away from where legs are well saturated.
  add({name, leg.block, Role::kCascode, leg.quantity}, polarity,
      {node, pushes ? bias_.n_rail : splitter_middle_, drain}, technology_.splitter);
  return drain;
}

void NetworkBuilder::leg(Signal& source, const LegPlan& plan) {
  const Polarity polarity = plan.weight > 0.0 ? Polarity::kP : Polarity::kN;
  const double least = min_.leg(plan.kind, polarity, plan.label.role == Role::kBiasLeg);
  add_legs(source, plan, realised_weight(plan.weight, least), false);
}

void NetworkBuilder::add_legs(Signal& source, const LegPlan& plan, double made, bool mirrored) {
  const Polarity polarity = plan.weight > 0.0 ? Polarity::kP : Polarity::kN;
  const bool is_still = plan.label.role == Role::kBiasLeg;
  CompiledLeg leg;
  leg.parameter = plan.parameter;
  leg.value = plan.weight;
  leg.mirrored = mirrored;
  leg.node = plan.node;
  leg.voltage = voltage_across(curves_.operating, result_.supply, polarity, plan.kind);
  if (made == 0.0) {
    leg.dropped = true;
    leg.sizing_error = plan.weight == 0.0 ? 0.0 : -1.0;
    if (leg.parameter) result_.legs.push_back(leg);
    return;
  }
  const LegSize size = size_leg(curves_, technology_, polarity, std::abs(made), leg.voltage,
                                is_still ? DriftLimit::still(technology_) : DriftLimit::moving(technology_));
  const NetId gate = polarity == Polarity::kP ? p_rail(source) : n_rail(source);
  const NetId drain = plan.kind == NodeKind::kSigned ? cascode(plan.node, polarity, plan.label) : plan.node;
  leg.instances = size.instances;
  leg.source = source.value;
  leg.weight = leg.share_of(made);
  leg.nominal_current = std::abs(plan.weight) * result_.conditions.unit_current / size.instances;
  leg.sizing_error = size.gain * size.instances / std::abs(plan.weight) - 1.0;
  for (int i = 0; i < size.instances; ++i) {
    const std::string name = size.instances == 1 ? plan.label.name : fmt::format("{}_{}", plan.label.name, i);
    leg.device = add(named(plan.label, name), polarity, {drain, gate, supply_of(polarity)}, size.geometry);
    result_.summing.push_back(result_.legs.size());
    result_.legs.push_back(leg);
  }
}

void NetworkBuilder::signed_leg(SignedSignal& source, const LegPlan& plan) {
  const double made = realised_weight(plan.weight, min_.pair(plan.kind));
  LegPlan part = plan;
  part.label.name = plan.label.name + "_p";
  add_legs(source.positive, part, made, false);
  part.label.name = plan.label.name + "_m";
  part.weight = -plan.weight;
  add_legs(source.negative, part, -made, true);
}

DeviceId NetworkBuilder::add_cell_leg(CellLeg leg, const std::string& name, NetId drain, const CellPlan& plan,
                                      CompiledCell& compiled) {
  const double value = leg == CellLeg::kThreshold ? plan.gains.threshold
                       : leg == CellLeg::kWidth   ? plan.gains.width
                                                  : plan.gains.output;
  const LegSize size = cell_leg_size(curves_, technology_, result_.supply, leg, value);
  CompiledLeg made;
  if (plan.parameters) made.parameter = (*plan.parameters)[leg];
  made.value = made.weight = value;
  made.node = drain;
  made.device = add({name, plan.block, Role::kCell, Quantity::kNone}, Polarity::kN,
                    {drain, n_rail(bias_), Circuit::kGround}, size.geometry);
  made.voltage = cell_leg_voltage(curves_, result_.supply, leg);
  made.nominal_current = value * result_.conditions.unit_current;
  made.sizing_error = value > 0.0 ? size.gain / value - 1.0 : 0.0;
  compiled.legs[leg] = result_.legs.size();
  result_.legs.push_back(made);
  return made.device;
}

/// While `reset` is high one transistor holds V0 at ground, or at the supply in a cell that starts on.
void NetworkBuilder::build_reset(const Block& block, NetId v0, bool starts_on) {
  const Geometry size = technology_.cell_switch;
  const auto label = [](const char* name, const Block& where) {
    return Label{name, where, Role::kReset, Quantity::kNone};
  };
  if (!starts_on) {
    add(label("mr", block), Polarity::kN, {v0, result_.reset, Circuit::kGround}, size);
    return;
  }
  if (preset_rail_ == Signal::kNone) {
    preset_rail_ = result_.circuit.net("preset");
    add(label("preset_n", kBiasBlock), Polarity::kN, {preset_rail_, result_.reset, Circuit::kGround}, size);
    add(label("preset_p", kBiasBlock), Polarity::kP, {preset_rail_, result_.reset, Circuit::kSupply}, size);
  }
  add(label("mr", block), Polarity::kP, {v0, preset_rail_, Circuit::kCellSupply}, size);
}

Signal NetworkBuilder::cell(Signal& candidate, DeviceId candidate_diode, const CellPlan& plan, CompiledCell& compiled) {
  const NetId v0 = result_.circuit.net(plan.name + "_v0");
  const NetId output = result_.circuit.net(plan.name + "_out");
  const NetId feedback = result_.circuit.net(plan.name + "_fb");
  const NetId output_tail = result_.circuit.net(plan.name + "_ot");
  const NetId feedback_tail = result_.circuit.net(plan.name + "_ft");
  const double p_voltage = voltage_across(curves_.operating, result_.supply, Polarity::kP, NodeKind::kCell);
  const Geometry copy =
      size_leg(curves_, technology_, Polarity::kP, 1.0, p_voltage, DriftLimit::moving(technology_)).geometry;
  const auto label = [&](const char* name, Quantity quantity) {
    return Label{name, plan.block, Role::kCell, quantity};
  };
  const auto p = [&](const Label& what, NetId drain, NetId gate, Geometry geometry) {
    return add(what, Polarity::kP, {drain, gate, Circuit::kCellSupply}, geometry);
  };
  const auto n_switch = [&](const Label& what, NetId drain, NetId source) {
    return add(what, Polarity::kN, {drain, v0, source}, technology_.cell_switch);
  };
  compiled.v0 = v0;
  compiled.candidate_diode = candidate_diode;
  compiled.m[0] = p(label("m1", Quantity::kCandidate), v0, p_rail(candidate), copy);
  compiled.m[1] = add_cell_leg(CellLeg::kThreshold, "m2", v0, plan, compiled);
  compiled.m[2] = n_switch(label("m3", Quantity::kNone), output, output_tail);
  compiled.m[3] = p(label("m4", Quantity::kState), output, output, technology_.reference);
  compiled.m[4] = add_cell_leg(CellLeg::kGain, "m5", output_tail, plan, compiled);
  compiled.m[5] = n_switch(label("m6", Quantity::kNone), feedback, feedback_tail);
  compiled.m[6] = p(label("m7", Quantity::kNone), feedback, feedback, technology_.reference);
  compiled.m[7] = add_cell_leg(CellLeg::kWidth, "m8", feedback_tail, plan, compiled);
  compiled.m[8] = p(label("m9", Quantity::kNone), v0, feedback, copy);
  build_reset(plan.block, v0, plan.starts_on);
  const double unit = result_.conditions.unit_current;
  compiled.rise = plan.gains.threshold * unit;
  compiled.fall = (plan.gains.threshold - plan.gains.width) * unit;
  compiled.high = plan.gains.output * unit;
  compiled.starts_on = plan.starts_on;
  const Label state{plan.name + "_out", plan.block, Role::kRail, Quantity::kState};
  return {state, Signal::kNone, output, add_value(compiled.m[3])};
}

Signal NetworkBuilder::decision(const std::string& name, const Block& block, NetId v0, double gain) {
  const NetId output = result_.circuit.net(name + "_out");
  const NetId tail = result_.circuit.net(name + "_ot");
  const LegSize limit = cell_leg_size(curves_, technology_, result_.supply, CellLeg::kGain, gain);
  const auto label = [&](const char* id) { return Label{id, block, Role::kDecision, Quantity::kNone}; };
  add(label("m3"), Polarity::kN, {output, v0, tail}, technology_.cell_switch);
  const DeviceId diode = add(label("m4"), Polarity::kP, {output, output, Circuit::kSupply}, technology_.reference);
  add(label("m5"), Polarity::kN, {tail, n_rail(bias_), Circuit::kGround}, limit.geometry);
  return {{name + "_out", block, Role::kRail, Quantity::kNone}, Signal::kNone, output, add_value(diode)};
}

}  // namespace hysteron::compile
