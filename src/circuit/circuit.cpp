#include "circuit/circuit.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

namespace hysteron::circuit {
namespace {

bool is_identifier(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kInputRail:
      return "input_rail";
    case Role::kBiasRail:
      return "bias_rail";
    case Role::kRail:
      return "rail";
    case Role::kSplitter:
      return "splitter";
    case Role::kCascode:
      return "cascode";
    case Role::kLeg:
      return "leg";
    case Role::kBiasLeg:
      return "bias_leg";
    case Role::kSkipLeg:
      return "skip_leg";
    case Role::kCell:
      return "cell";
    case Role::kReset:
      return "reset";
    case Role::kDecision:
      return "decision";
  }
  return "unknown";
}

std::string place_name(const Place& place) {
  switch (place.section) {
    case Section::kNone:
      return "other";
    case Section::kBias:
      return "bias";
    case Section::kInputs:
      return "inputs";
    case Section::kInputMap:
      return "input";
    case Section::kLayer:
      return "layer" + std::to_string(place.layer);
    case Section::kReadout:
      return "readout";
  }
  return "other";
}

std::string joined_name(std::string_view block, std::string_view name) {
  std::string result(block);
  std::replace(result.begin(), result.end(), '/', '_');
  if (!result.empty()) result += '_';
  return result.append(name);
}

Circuit::Circuit() {
  net("0");
  net("vdd");
  net("vddc");
}

NetId Circuit::net(const std::string& name) {
  const auto found = net_by_name_.find(name);
  if (found != net_by_name_.end()) return found->second;
  if (!is_identifier(name)) throw std::logic_error("net name '" + name + "' is not an identifier");
  net_names_.push_back(name);
  net_by_name_.emplace(name, net_names_.size() - 1);
  return net_names_.size() - 1;
}

DeviceId Circuit::add(Transistor transistor) {
  assert(std::max({transistor.drain, transistor.gate, transistor.source}) < net_names_.size());
  const std::string name = joined_name(transistor.block, transistor.name);
  if (!is_identifier(name)) throw std::logic_error("device name '" + name + "' is not an identifier");
  if (!device_by_name_.emplace(name, transistors_.size()).second) {
    throw std::logic_error("device '" + name + "' exists already");
  }
  transistors_.push_back(std::move(transistor));
  return transistors_.size() - 1;
}

void Circuit::add(Capacitor capacitor) {
  assert(capacitor.net < net_names_.size() && capacitor.capacitance > 0.0);
  const std::string name = joined_name(capacitor.block, capacitor.name);
  if (!is_identifier(name)) throw std::logic_error("capacitor name '" + name + "' is not an identifier");
  const auto is_same = [&](const Capacitor& other) { return joined_name(other.block, other.name) == name; };
  if (std::any_of(capacitors_.begin(), capacitors_.end(), is_same)) {
    throw std::logic_error("capacitor '" + name + "' exists already");
  }
  capacitors_.push_back(std::move(capacitor));
}

void Circuit::move_source(DeviceId id, NetId source) {
  assert(source < net_names_.size());
  transistors_[id].source = source;
}

void Circuit::resize(DeviceId id, double width, double length) {
  transistors_[id].width = width;
  transistors_[id].length = length;
}

std::string Circuit::full_name(DeviceId id) const { return joined_name(transistors_[id].block, transistors_[id].name); }

}  // namespace hysteron::circuit
