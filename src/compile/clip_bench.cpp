#include "compile/clip_bench.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace hysteron::compile {
namespace {

using sim::Probe;

constexpr double kSamePlace = 1e-6;  // of a frame: two breakpoints that are nearer are one

/// The positive (sign +1) or negative (sign -1) part of input `j` over time, in ampere.
sim::PiecewiseLinear input_current(const CompiledNetwork& network, std::span<const float> features, std::size_t j,
                                   double sign) {
  const std::size_t width = network.inputs.size();
  const std::size_t frames = features.size() / width;
  const double ramp = std::min(network.input_ramp, network.frame_seconds);
  sim::PiecewiseLinear points;
  for (std::size_t t = 0; t < frames; ++t) {
    const double value =
        (std::max(0.0, sign * features[t * width + j]) + network.input_pedestal) * network.conditions.unit_current;
    const double begin = static_cast<double>(t) * network.frame_seconds;
    // A value that stays needs no breakpoint.
    if (t > 0 && points.back().value == value) continue;
    // A ramp as long as the frame ends where the next one begins.
    if (t > 0 && points.back().time < begin - kSamePlace * network.frame_seconds)
      points.push_back({begin, points.back().value});
    points.push_back({t > 0 ? begin + ramp : 0.0, value});
  }
  return points;
}

std::size_t widest_layer(const CompiledNetwork& network) {
  std::size_t cells = 0;
  for (const auto& layer : network.cells) cells = std::max(cells, layer.size());
  return cells;
}

}  // namespace

ClipProbes::ClipProbes(const CompiledNetwork& network) : first_cell_{0}, outputs_(network.readouts.size()) {
  for (const auto& layer : network.cells) first_cell_.push_back(first_cell_.back() + layer.size());
}

sim::Testbench make_clip_bench(const CompiledNetwork& network, std::span<const float> features) {
  assert(!network.inputs.empty() && features.size() % network.inputs.size() == 0);
  using circuit::Circuit;
  sim::Testbench bench;
  bench.circuit = &network.circuit;
  bench.supply = network.supply;
  bench.temperature = network.conditions.temperature;
  const std::size_t frames = features.size() / network.inputs.size();
  bench.stop_time = static_cast<double>(frames) * network.frame_seconds;
  bench.maximum_step = network.frame_seconds / 4.0;
  bench.current_sources.push_back({Circuit::kSupply, network.reference, {{0.0, network.conditions.unit_current}}});
  for (std::size_t j = 0; j < network.inputs.size(); ++j) {
    const CompiledInput& input = network.inputs[j];
    bench.current_sources.push_back({Circuit::kSupply, input.positive, input_current(network, features, j, 1.0)});
    bench.current_sources.push_back({Circuit::kSupply, input.negative, input_current(network, features, j, -1.0)});
  }
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) {
      bench.probes.push_back({Probe::Kind::kDrainCurrent, cell.candidate_diode});
      bench.probes.push_back({Probe::Kind::kDrainCurrent, cell.m[3]});
    }
  }
  for (std::size_t k = 0; k < network.readouts.size(); ++k) {
    bench.voltage_sources.push_back({network.readouts[k], {{0.0, 0.5 * network.supply}}});
    bench.probes.push_back({Probe::Kind::kSourceCurrent, k});
  }
  const double released = kResetShare * network.frame_seconds;
  bench.voltage_sources.push_back(
      {network.reset, {{0.0, network.supply}, {released, network.supply}, {released + kDefaultInputRamp, 0.0}}});
  bench.probes.push_back({Probe::Kind::kSupplyCurrent, Circuit::kSupply});
  bench.probes.push_back({Probe::Kind::kSupplyCurrent, Circuit::kCellSupply});
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) bench.probes.push_back({Probe::Kind::kVoltage, cell.v0});
  }
  return bench;
}

CircuitTrace read_clip(const CompiledNetwork& network, const sim::Testbench& bench, const sim::Waveforms& waveforms) {
  const double unit = network.conditions.unit_current;
  const ClipProbes probes(network);
  CircuitTrace result;
  model::Trace& trace = result.trace;
  trace.frames = static_cast<std::size_t>(std::lround(bench.stop_time / network.frame_seconds));
  trace.layers = network.cells.size();
  trace.cells = widest_layer(network);
  trace.outputs = network.readouts.size();
  trace.logits.assign(trace.frames * trace.outputs, 0.0F);
  trace.states.assign(trace.layers * trace.frames * trace.cells, 0.0F);
  trace.candidates = trace.states;
  for (std::size_t t = 0; t < trace.frames; ++t) {
    const double when = (static_cast<double>(t) + kReadAt) * network.frame_seconds;
    for (std::size_t l = 0; l < trace.layers; ++l) {
      for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
        const std::size_t index = (l * trace.frames + t) * trace.cells + j;
        trace.candidates[index] = static_cast<float>(std::abs(waveforms.at(probes.candidate(l, j), when)) / unit);
        trace.states[index] = static_cast<float>(std::abs(waveforms.at(probes.state(l, j), when)) / unit);
      }
    }
    // The source that holds a readout absorbs the logit's current.
    for (std::size_t k = 0; k < trace.outputs; ++k) {
      trace.logits[t * trace.outputs + k] = static_cast<float>(-waveforms.at(probes.logit(k), when) / unit);
    }
  }
  result.power.feedforward = bench.supply * waveforms.mean(probes.supply(), 0.0, bench.stop_time);
  result.power.cells = bench.supply * waveforms.mean(probes.cell_supply(), 0.0, bench.stop_time);
  result.power.total = result.power.feedforward + result.power.cells;
  result.seconds = waveforms.seconds;
  return result;
}

}  // namespace hysteron::compile
