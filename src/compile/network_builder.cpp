#include "compile/network_builder.h"

#include <fmt/format.h>

#include <cmath>

namespace hysteron::compile {

using circuit::Circuit;
using circuit::DeviceId;
using circuit::NetId;
using circuit::Polarity;
using circuit::Role;
using technology::Geometry;

namespace {

// V0 switches where M3 and M6 begin to conduct, a little above a diode voltage; calibration removes what this guess
// leaves.
constexpr double kSwitchAboveDiode = 0.05;

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

double cell_leg_voltage(const GainCurves& curves, double supply, std::size_t which) {
  const NodeKind kind = which == 0 ? NodeKind::kCell : NodeKind::kTail;
  return voltage_across(curves.operating, supply, Polarity::kN, kind);
}

LegSize cell_leg_size(const GainCurves& curves, const technology::Technology& technology, double supply,
                      std::size_t which, double gain) {
  const double voltage = cell_leg_voltage(curves, supply, which);
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
  bias_ = n_diode_signal("unit", "bias", Role::kBiasRail);
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
  add("split_bias", "bias", Polarity::kP, Role::kBiasRail, splitter_n_gate_, p_rail(bias_), Circuit::kSupply,
      technology_.splitter_bias);
  add("split_n", "bias", Polarity::kN, Role::kBiasRail, splitter_n_gate_, splitter_n_gate_, splitter_middle_,
      technology_.splitter);
  add("split_p", "bias", Polarity::kP, Role::kBiasRail, splitter_p_gate_, splitter_p_gate_, splitter_middle_,
      technology_.splitter);
  add("split_low", "bias", Polarity::kN, Role::kBiasRail, splitter_p_gate_, splitter_p_gate_, Circuit::kGround,
      technology_.reference);
}

DeviceId NetworkBuilder::add(const std::string& name, const std::string& block, Polarity polarity, Role role,
                             NetId drain, NetId gate, NetId source, Geometry geometry) {
  return result_.circuit.add({name, block, polarity, role, drain, gate, source, geometry.width, geometry.length});
}

std::size_t NetworkBuilder::add_value(DeviceId diode) {
  result_.values.push_back(diode);
  return result_.values.size() - 1;
}

Signal NetworkBuilder::n_diode_signal(const std::string& name, const std::string& block, Role role, DeviceId* diode) {
  Signal signal{name, block, role, result_.circuit.net(name), Signal::kNone, 0};
  const DeviceId id = add(name + "_d", block, Polarity::kN, role, signal.n_rail, signal.n_rail, Circuit::kGround,
                          technology_.reference);
  signal.value = add_value(id);
  if (diode != nullptr) *diode = id;
  return signal;
}

void NetworkBuilder::add_copied_rail(const Signal& signal, Polarity polarity, NetId gate, NetId rail) {
  const bool copy_is_n = polarity == Polarity::kN;
  const Polarity diode = copy_is_n ? Polarity::kP : Polarity::kN;
  const NodeKind kind = copy_is_n ? NodeKind::kPDiode : NodeKind::kRectified;
  const std::string suffix = copy_is_n ? "_p" : "_n";
  const double across_diode = voltage_across(curves_.operating, result_.supply, diode, kind);
  const double share = curves_.gain_of(diode, technology_.rail_diode, across_diode);
  const double across_copy = voltage_across(curves_.operating, result_.supply, polarity, kind);
  // The copy drifts as its diode does, so that the legs behind both do not.
  const double diode_drift =
      curves_.drift(diode, curves_.length_index(technology_.rail_diode.length), technology_.rail_diode.width);
  const LegSize size =
      size_leg(curves_, technology_, polarity, share, across_copy, DriftLimit::still(technology_, diode_drift));
  add(signal.name + suffix + "c", signal.block, polarity, signal.role, rail, gate, supply_of(polarity), size.geometry);
  add(signal.name + suffix + "d", signal.block, diode, signal.role, rail, rail, supply_of(diode),
      technology_.rail_diode);
}

NetId NetworkBuilder::p_rail(Signal& signal) {
  if (signal.p_rail == Signal::kNone) {
    signal.p_rail = result_.circuit.net(signal.name + "_pr");
    add_copied_rail(signal, Polarity::kN, signal.n_rail, signal.p_rail);
  }
  return signal.p_rail;
}

NetId NetworkBuilder::n_rail(Signal& signal) {
  if (signal.n_rail == Signal::kNone) {
    signal.n_rail = result_.circuit.net(signal.name + "_nr");
    add_copied_rail(signal, Polarity::kP, signal.p_rail, signal.n_rail);
  }
  return signal.n_rail;
}

SignedSignal NetworkBuilder::splitter(const std::string& name, const std::string& block) {
  const NetId node = result_.circuit.net(name);
  SignedSignal result;
  result.positive = n_diode_signal(name + "p", block, Role::kRail);
  result.negative = {name + "m", block, Role::kRail, Signal::kNone, result_.circuit.net(name + "m"), 0};
  result.negative.value = add_value(add(name + "m_d", block, Polarity::kP, Role::kRail, result.negative.p_rail,
                                        result.negative.p_rail, Circuit::kSupply, technology_.reference));
  add(name + "_sp", block, Polarity::kP, Role::kSplitter, result.positive.n_rail, splitter_p_gate_, node,
      technology_.splitter);
  add(name + "_sn", block, Polarity::kN, Role::kSplitter, result.negative.p_rail, splitter_n_gate_, node,
      technology_.splitter);
  return result;
}

NetId NetworkBuilder::cascode(NetId node, Polarity polarity, const std::string& block) {
  NetId& drain = cascodes_.try_emplace({node, polarity}, Signal::kNone).first->second;
  if (drain != Signal::kNone) return drain;
  const bool pushes = polarity == Polarity::kP;
  const std::string name = result_.circuit.net_name(node) + (pushes ? "_kp" : "_kn");
  drain = result_.circuit.net(name);
  // Gates that are there already, a gate-source voltage away from where legs are well saturated.
  add(name, block, polarity, Role::kCascode, node, pushes ? bias_.n_rail : splitter_middle_, drain,
      technology_.splitter);
  return drain;
}

void NetworkBuilder::leg(Signal& source, NetId target, NodeKind kind, double weight, const std::string& name,
                         const std::string& block, Role role, const std::string& parameter) {
  const Polarity polarity = weight > 0.0 ? Polarity::kP : Polarity::kN;
  const double made = realised_weight(weight, min_.leg(kind, polarity, role == Role::kBiasLeg));
  add_legs(source, target, kind, weight, made, name, block, role, parameter);
}

void NetworkBuilder::add_legs(Signal& source, NetId target, NodeKind kind, double weight, double made,
                              const std::string& name, const std::string& block, Role role,
                              const std::string& parameter) {
  const Polarity polarity = weight > 0.0 ? Polarity::kP : Polarity::kN;
  const double voltage = voltage_across(curves_.operating, result_.supply, polarity, kind);
  const DriftLimit limit = role == Role::kBiasLeg ? DriftLimit::still(technology_) : DriftLimit::moving(technology_);
  if (made == 0.0) {
    const double error = weight == 0.0 ? 0.0 : -1.0;
    if (!parameter.empty()) result_.mapping.push_back({parameter, weight, true, 0, 0.0, error, voltage});
    return;
  }
  const LegSize size = size_leg(curves_, technology_, polarity, std::abs(made), voltage, limit);
  const NetId gate = polarity == Polarity::kP ? p_rail(source) : n_rail(source);
  const NetId drain = kind == NodeKind::kSigned ? cascode(target, polarity, block) : target;
  for (int i = 0; i < size.instances; ++i) {
    const std::string instance = size.instances == 1 ? name : fmt::format("{}_{}", name, i);
    const DeviceId device = add(instance, block, polarity, role, drain, gate, supply_of(polarity), size.geometry);
    const std::size_t row = parameter.empty() ? CompiledLeg::kNone : result_.mapping.size();
    result_.legs.push_back({device, target, source.value, made / size.instances, voltage, row});
    if (parameter.empty()) continue;
    const double current = std::abs(weight) * result_.conditions.unit_current / size.instances;
    const double error = size.gain * size.instances / std::abs(weight) - 1.0;
    result_.mapping.push_back({parameter, weight, false, device, current, error, voltage, false, size.instances});
  }
}

void NetworkBuilder::signed_leg(SignedSignal& source, NetId target, NodeKind kind, double weight,
                                const std::string& name, const std::string& block, Role role,
                                const std::string& parameter) {
  const double made = realised_weight(weight, min_.pair(kind));
  add_legs(source.positive, target, kind, weight, made, name + "_p", block, role, parameter);
  const std::size_t first = result_.mapping.size();
  add_legs(source.negative, target, kind, -weight, -made, name + "_m", block, role, parameter);
  for (std::size_t i = first; i < result_.mapping.size(); ++i) result_.mapping[i].mirrored = true;
}

DeviceId NetworkBuilder::add_cell_leg(const std::string& name, const std::string& block, NetId drain, std::size_t which,
                                      double value, const std::string& parameter, std::size_t& row) {
  const LegSize size = cell_leg_size(curves_, technology_, result_.supply, which, value);
  const DeviceId device =
      add(name, block, Polarity::kN, Role::kCell, drain, n_rail(bias_), Circuit::kGround, size.geometry);
  row = result_.mapping.size();
  const double error = value > 0.0 ? size.gain / value - 1.0 : 0.0;
  result_.mapping.push_back({parameter, value, false, device, value * result_.conditions.unit_current, error,
                             cell_leg_voltage(curves_, result_.supply, which)});
  return device;
}

/// While `reset` is high one transistor holds V0 at ground, or at the supply in a cell that starts on.
void NetworkBuilder::build_reset(const std::string& block, NetId v0, bool starts_on) {
  const Geometry size = technology_.cell_switch;
  if (!starts_on) {
    add("mr", block, Polarity::kN, Role::kReset, v0, result_.reset, Circuit::kGround, size);
    return;
  }
  if (preset_rail_ == Signal::kNone) {
    preset_rail_ = result_.circuit.net("preset");
    add("preset_n", "bias", Polarity::kN, Role::kReset, preset_rail_, result_.reset, Circuit::kGround, size);
    add("preset_p", "bias", Polarity::kP, Role::kReset, preset_rail_, result_.reset, Circuit::kSupply, size);
  }
  add("mr", block, Polarity::kP, Role::kReset, v0, preset_rail_, Circuit::kCellSupply, size);
}

Signal NetworkBuilder::cell(Signal& candidate, DeviceId candidate_diode, const std::string& name,
                            const std::string& block, double threshold, double width, double gain, bool starts_on,
                            const CellParameters& parameters, CompiledCell& compiled) {
  const NetId v0 = result_.circuit.net(name + "_v0");
  const NetId output = result_.circuit.net(name + "_out");
  const NetId feedback = result_.circuit.net(name + "_fb");
  const NetId output_tail = result_.circuit.net(name + "_ot");
  const NetId feedback_tail = result_.circuit.net(name + "_ft");
  const double p_voltage = voltage_across(curves_.operating, result_.supply, Polarity::kP, NodeKind::kCell);
  const Geometry copy =
      size_leg(curves_, technology_, Polarity::kP, 1.0, p_voltage, DriftLimit::moving(technology_)).geometry;
  const auto p = [&](const char* id, NetId drain, NetId gate, Geometry geometry) {
    return add(id, block, Polarity::kP, Role::kCell, drain, gate, Circuit::kCellSupply, geometry);
  };
  const auto n_switch = [&](const char* id, NetId drain, NetId source) {
    return add(id, block, Polarity::kN, Role::kCell, drain, v0, source, technology_.cell_switch);
  };
  compiled.v0 = v0;
  compiled.candidate_diode = candidate_diode;
  compiled.m[0] = p("m1", v0, p_rail(candidate), copy);
  compiled.m[1] = add_cell_leg("m2", block, v0, 0, threshold, parameters.beta_hi, compiled.mapping[0]);
  compiled.m[2] = n_switch("m3", output, output_tail);
  compiled.m[3] = p("m4", output, output, technology_.reference);
  compiled.m[4] = add_cell_leg("m5", block, output_tail, 2, gain, parameters.alpha, compiled.mapping[2]);
  compiled.m[5] = n_switch("m6", feedback, feedback_tail);
  compiled.m[6] = p("m7", feedback, feedback, technology_.reference);
  compiled.m[7] = add_cell_leg("m8", block, feedback_tail, 1, width, parameters.delta, compiled.mapping[1]);
  compiled.m[8] = p("m9", v0, feedback, copy);
  build_reset(block, v0, starts_on);
  const double unit = result_.conditions.unit_current;
  compiled.rise = threshold * unit;
  compiled.fall = (threshold - width) * unit;
  compiled.high = gain * unit;
  compiled.starts_on = starts_on;
  return {name + "_out", block, Role::kRail, Signal::kNone, output, add_value(compiled.m[3])};
}

Signal NetworkBuilder::decision(const std::string& name, const std::string& block, NetId v0, double gain) {
  const NetId output = result_.circuit.net(name + "_out");
  const NetId tail = result_.circuit.net(name + "_ot");
  const LegSize limit = cell_leg_size(curves_, technology_, result_.supply, 2, gain);
  add("m3", block, Polarity::kN, Role::kDecision, output, v0, tail, technology_.cell_switch);
  const DeviceId diode =
      add("m4", block, Polarity::kP, Role::kDecision, output, output, Circuit::kSupply, technology_.reference);
  add("m5", block, Polarity::kN, Role::kDecision, tail, n_rail(bias_), Circuit::kGround, limit.geometry);
  return {name + "_out", block, Role::kRail, Signal::kNone, output, add_value(diode)};
}

}  // namespace hysteron::compile
