#include "compile/power_bench.h"

#include <fmt/format.h>

#include <algorithm>

namespace hysteron::compile {
namespace {

using circuit::Circuit;
using circuit::Role;
using circuit::Transistor;
using sim::Probe;

constexpr const char* kWellsBlock = "wells";
constexpr double kSettledShare = 0.1;  // of a frame, at its end

PowerPart leg_part(circuit::Quantity quantity) {
  if (quantity == circuit::Quantity::kCandidate) return PowerPart::kCandidateLegs;
  return quantity == circuit::Quantity::kOutput ? PowerPart::kOutputLegs : PowerPart::kLegs;
}

PowerPart part_of(const Transistor& device) {
  if (device.source == Circuit::kCellSupply) return PowerPart::kCells;
  switch (device.role) {
    case Role::kInputRail:
      return PowerPart::kInputRails;
    case Role::kBiasRail:
    case Role::kReset:
      return PowerPart::kReference;
    case Role::kLeg:
      return leg_part(device.quantity);
    case Role::kBiasLeg:
      return PowerPart::kBiases;
    case Role::kSkipLeg:
      return PowerPart::kSkipLegs;
    default:
      return PowerPart::kRails;
  }
}

}  // namespace

std::string_view power_part_name(PowerPart part) {
  switch (part) {
    case PowerPart::kInputs:
      return "inputs";
    case PowerPart::kInputRails:
      return "input_rails";
    case PowerPart::kRails:
      return "rails";
    case PowerPart::kCandidateLegs:
      return "candidate_legs";
    case PowerPart::kOutputLegs:
      return "output_legs";
    case PowerPart::kLegs:
      return "legs";
    case PowerPart::kBiases:
      return "biases";
    case PowerPart::kSkipLegs:
      return "skip_legs";
    case PowerPart::kReference:
      return "reference";
    case PowerPart::kCells:
      return "cells";
    case PowerPart::kWells:
      return "wells";
  }
  return "unknown";
}

PowerBench::PowerBench(const CompiledNetwork& network, std::span<const float> features)
    : network_(&network),
      circuit_(std::make_unique<Circuit>(network.circuit)),
      bench_(make_clip_bench(network, features)) {
  bench_.circuit = circuit_.get();
  for (sim::CurrentSource& source : bench_.current_sources) {
    if (source.from != Circuit::kSupply) continue;
    source.from =
        source.to == network.reference ? meter("bias", PowerPart::kReference) : meter("inputs", PowerPart::kInputs);
  }
  for (circuit::DeviceId id = 0; id < network.circuit.transistors().size(); ++id) {
    const Transistor& device = network.circuit.transistor(id);
    if (device.source != Circuit::kSupply && device.source != Circuit::kCellSupply) continue;
    circuit_->move_source(id, meter(circuit::place_name(device.place), part_of(device)));
  }
  for (const circuit::NetId net : nets_) {
    bench_.probes.push_back({Probe::Kind::kSourceCurrent, bench_.voltage_sources.size()});
    bench_.voltage_sources.push_back({net, {{0.0, bench_.supply}}});
  }
}

circuit::NetId PowerBench::meter(const std::string& block, PowerPart part) {
  const Meter target{block, part};
  const auto found = std::find(meters_.begin(), meters_.end(), target);
  if (found != meters_.end()) return nets_[static_cast<std::size_t>(found - meters_.begin())];
  meters_.push_back(target);
  nets_.push_back(circuit_->net(fmt::format("supply_{}_{}", block, power_part_name(part))));
  return nets_.back();
}

PowerProfile PowerBench::read(const sim::Waveforms& waveforms) const {
  PowerProfile result;
  result.circuit = read_clip(*network_, bench_, waveforms);
  const auto add = [&](const std::string& block, PowerPart part, std::size_t probe) {
    BlockPower power{block, part, bench_.supply * waveforms.mean(probe, 0.0, bench_.stop_time), 0.0, {}};
    const std::size_t frames = result.circuit.trace.frames;
    for (std::size_t t = 0; t < frames; ++t) {
      const double begin = static_cast<double>(t) * network_->frame_seconds;
      const double end = begin + network_->frame_seconds;
      power.over_time.push_back(bench_.supply * waveforms.mean(probe, begin, end));
      const double last = waveforms.mean(probe, end - kSettledShare * network_->frame_seconds, end);
      power.settled += bench_.supply * last / static_cast<double>(frames);
    }
    result.blocks.push_back(std::move(power));
  };
  const std::size_t first = bench_.probes.size() - meters_.size();
  for (std::size_t i = 0; i < meters_.size(); ++i) add(meters_[i].first, meters_[i].second, first + i);
  add(kWellsBlock, PowerPart::kWells, ClipProbes(*network_).supply());
  Power& power = result.circuit.power;
  power = {};
  for (const BlockPower& block : result.blocks) {
    (block.part == PowerPart::kCells ? power.cells : power.feedforward) += block.mean;
  }
  power.total = power.cells + power.feedforward;
  return result;
}

}  // namespace hysteron::compile
