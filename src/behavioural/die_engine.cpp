#include "behavioural/die_engine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <utility>

#include "base/units.h"
#include "behavioural/rails.h"

namespace hysteron::behavioural {

using circuit::DeviceId;
using circuit::NetId;
using circuit::Polarity;
using circuit::Role;
using circuit::Transistor;
using compile::CompiledCell;
using compile::CompiledLeg;

namespace {

// Below this a value says nothing about the density its devices work at, unit currents.
constexpr float kQuiet = 0.02F;

constexpr std::size_t kLevelClips = 100;
}  // namespace

std::span<const float> level_frames(const data::Features& features) {
  const std::size_t clips = std::min(features.clips, kLevelClips);
  return std::span(features.values).first(clips * features.frames * features.width);
}

/// Reads the structure of a network from its circuit, then the slopes of its paths from the densities of a nominal run.
class DieEngine::Builder {
 public:
  Builder(DieEngine& engine, const DeviceStatistics& statistics)
      : engine_(engine), network_(engine.network_), circuit_(engine.network_.circuit), statistics_(statistics) {
    for (DeviceId id = 0; id < circuit_.transistors().size(); ++id) {
      const Transistor& transistor = circuit_.transistor(id);
      if (transistor.drain == transistor.gate) {
        diodes_.emplace(transistor.gate, id);
      } else {
        drains_.emplace(transistor.drain, id);
      }
    }
    for (std::size_t i = 0; i < network_.values.size(); ++i) value_of_[network_.values[i]] = i;
  }

  void build_structure() {
    for (const compile::CompiledInput& input : network_.inputs) {
      engine_.inputs_.push_back({value_at(input.positive), value_at(input.negative)});
    }
    add_nodes();
    add_cells();
    order_steps();
    set_nominal();
    add_rails();
  }

  void build_paths(std::span<const float> features) {
    const std::vector<double> levels = engine_.typical_levels(features);
    for (const std::size_t index : network_.summing) {
      const CompiledLeg& leg = network_.legs[index];
      const double density = density_of(levels[leg.source]);
      Path path;
      add_leg(path, leg.device, network_.values[leg.source], density);
      LegNoise noise;
      for (const Link& link : path) {
        noise.white += link.white;
        noise.flicker += link.flicker;
      }
      engine_.leg_noise_.push_back(noise);
      engine_.leg_paths_.push_back(std::move(path));
    }
    std::size_t index = 0;
    for (const auto& layer : network_.cells) {
      for (const CompiledCell& cell : layer) add_paths(cell, engine_.cells_[index++]);
    }
  }

 private:
  std::size_t value_at(NetId net) const { return value_of_.at(diodes_.at(net)); }

  void add_nodes() {
    std::map<NetId, std::size_t> by_net;
    for (std::size_t i = 0; i < network_.summing.size(); ++i) {
      const auto [found, is_new] = by_net.try_emplace(network_.summing_leg(i).node, engine_.nodes_.size());
      if (is_new) engine_.nodes_.emplace_back();
      engine_.nodes_[found->second].legs.push_back(i);
    }
    for (const auto& [net, index] : by_net) {
      if (const auto diode = diodes_.find(net); diode != diodes_.end()) {
        engine_.nodes_[index].positive = value_of_.at(diode->second);
      }
    }
    for (std::size_t k = 0; k < network_.readouts.size(); ++k) {
      if (const auto found = by_net.find(network_.readouts[k]); found != by_net.end()) {
        engine_.nodes_[found->second].readout = k;
      }
    }
    for (const Transistor& transistor : circuit_.transistors()) {
      if (transistor.role != Role::kSplitter) continue;
      const auto found = by_net.find(transistor.source);
      if (found == by_net.end()) continue;  // a value without a leg stays 0
      Node& node = engine_.nodes_[found->second];
      (transistor.polarity == Polarity::kP ? node.positive : node.negative) = value_at(transistor.drain);
    }
  }

  void add_cells() {
    engine_.first_cell_.push_back(0);
    for (const auto& layer : network_.cells) {
      for (const CompiledCell& from : layer) {
        Cell cell;
        cell.candidate = value_of_.at(from.candidate_diode);
        cell.state = value_of_.at(from.m[3]);
        cell.starts_on = from.starts_on;
        const double unit = network_.conditions.unit_current;
        const auto measured = [&](std::size_t index) {
          const CompiledLeg& leg = network_.legs[index];
          return static_cast<float>(leg.nominal_current * (1.0 + leg.sizing_error) / unit);
        };
        cell.rise = measured(from.legs.threshold);
        cell.width = measured(from.legs.width);
        cell.high = measured(from.legs.gain);
        cell.fall = cell.rise - cell.width;
        double capacitance = 0.0;
        for (const circuit::Capacitor& capacitor : circuit_.capacitors()) {
          if (capacitor.net == from.v0) capacitance += capacitor.capacitance;
        }
        const double frame = unit * network_.frame_seconds;  // coulomb
        cell.set_charge = static_cast<float>(statistics_.charges.set.of(capacitance) / frame);
        cell.reset_charge = static_cast<float>(statistics_.charges.reset.of(capacitance) / frame);
        engine_.cells_.push_back(std::move(cell));
      }
      engine_.first_cell_.push_back(engine_.cells_.size());
    }
  }

  /// Every node after the values its legs read, every cell after its candidate.
  void order_steps() {
    std::vector<char> known(network_.values.size(), 0);
    std::vector<char> is_made(network_.values.size(), 0);
    for (const Node& node : engine_.nodes_) {
      for (const std::size_t value : {node.positive, node.negative}) {
        if (value != kNone) is_made[value] = 1;
      }
    }
    for (const Cell& cell : engine_.cells_) is_made[cell.state] = 1;
    for (std::size_t i = 0; i < known.size(); ++i) known[i] = is_made[i] == 0 ? 1 : 0;
    std::vector<char> node_done(engine_.nodes_.size(), 0);
    std::vector<char> cell_done(engine_.cells_.size(), 0);
    const auto is_ready = [&](const Node& node) {
      return std::all_of(node.legs.begin(), node.legs.end(),
                         [&](std::size_t leg) { return known[network_.summing_leg(leg).source] != 0; });
    };
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < engine_.nodes_.size(); ++i) {
        if (node_done[i] != 0 || !is_ready(engine_.nodes_[i])) continue;
        engine_.steps_.push_back({false, i});
        node_done[i] = 1;
        moved = true;
        for (const std::size_t value : {engine_.nodes_[i].positive, engine_.nodes_[i].negative}) {
          if (value != kNone) known[value] = 1;
        }
      }
      for (std::size_t i = 0; i < engine_.cells_.size(); ++i) {
        if (cell_done[i] != 0 || known[engine_.cells_[i].candidate] == 0) continue;
        engine_.steps_.push_back({true, i});
        cell_done[i] = 1;
        moved = true;
        known[engine_.cells_[i].state] = 1;
      }
    }
    assert(engine_.steps_.size() == engine_.nodes_.size() + engine_.cells_.size());
  }

  void add_rails() {
    const Rails rails(network_, statistics_);
    const auto rail = [&](std::size_t index, NetId net, DeviceId value) {
      const double leakage = statistics_.of(circuit_.transistor(diodes_.at(net)).polarity).leakage;
      return Rail{index, static_cast<float>(network_.frame_seconds / rails.time_constant(net, 1.0, value)),
                  static_cast<float>(leakage / network_.conditions.unit_current)};
    };
    engine_.rails_ = network_.values.size();
    engine_.copies_.resize(engine_.rails_);
    for (std::size_t i = 0; i < network_.values.size(); ++i) {
      engine_.own_rails_.push_back(rail(i, circuit_.transistor(network_.values[i]).gate, network_.values[i]));
    }
    std::map<NetId, std::size_t> copied;
    for (const std::size_t index : network_.summing) {
      const CompiledLeg& leg = network_.legs[index];
      const NetId gate = circuit_.transistor(leg.device).gate;
      const DeviceId value = network_.values[leg.source];
      if (leg.source == kBias || gate == circuit_.transistor(value).gate) {
        engine_.leg_rails_.push_back(leg.source);
        continue;
      }
      const auto [found, is_new] = copied.try_emplace(gate, engine_.rails_);
      if (is_new) engine_.copies_[leg.source].push_back(rail(engine_.rails_++, gate, value));
      engine_.leg_rails_.push_back(found->second);
    }
  }

  void set_nominal() {
    for (const std::size_t leg : network_.summing) {
      engine_.nominal_.gains.push_back(static_cast<float>(network_.legs[leg].made()));
    }
    for (const Cell& cell : engine_.cells_) {
      engine_.nominal_.cells.push_back({cell.rise, cell.fall, cell.high, cell.set_charge, cell.reset_charge});
    }
  }

  double density_of(double level) const {
    const DeviceId reference = network_.values[kBias];
    const Transistor& diode = circuit_.transistor(reference);
    return level * network_.conditions.unit_current * diode.length / diode.width;
  }

  void add(Path& path, DeviceId device, double sign, double density) const {
    const Polarity polarity = circuit_.transistor(device).polarity;
    const double direction = polarity == Polarity::kN ? -1.0 : 1.0;
    const PolarityStatistics& statistics = statistics_.of(polarity);
    const Transistor& transistor = circuit_.transistor(device);
    const Transistor& reference = circuit_.transistor(network_.values[kBias]);
    const double ratio = transistor.width / transistor.length * reference.length / reference.width;
    const FrameNoise noise = statistics.frame_noise(density, transistor.width * transistor.length,
                                                    ratio * network_.conditions.unit_current * network_.frame_seconds,
                                                    network_.frame_seconds);
    path.push_back({device, static_cast<float>(sign), static_cast<float>(sign * direction * statistics.slope(density)),
                    static_cast<float>(noise.white), static_cast<float>(noise.flicker)});
  }

  /// From the current of `value_diode` to that of `leg`, over a copied rail where the leg's gate is on one.
  void add_leg(Path& path, DeviceId leg, DeviceId value_diode, double density) const {
    add(path, leg, 1.0, density);
    const NetId gate = circuit_.transistor(leg).gate;
    const DeviceId diode = diodes_.at(gate);
    add(path, diode, -1.0, density);
    if (diode == value_diode) return;
    const auto [begin, end] = drains_.equal_range(gate);
    for (auto it = begin; it != end; ++it) {
      if (diodes_.at(circuit_.transistor(it->second).gate) != value_diode) continue;
      add(path, it->second, 1.0, density);
      add(path, value_diode, -1.0, density);
      return;
    }
    assert(false && "a rail that no value feeds");
  }

  void add_paths(const CompiledCell& from, Cell& cell) const {
    const DeviceId bias = network_.values[kBias];
    const double unit = density_of(1.0);
    add_leg(cell.threshold, from.m[1], bias, unit);
    add_leg(cell.copy_at_rise, from.m[0], from.candidate_diode, density_of(std::max(cell.rise, kQuiet)));
    add_leg(cell.copy_at_fall, from.m[0], from.candidate_diode, density_of(std::max(cell.fall, kQuiet)));
    const double width = std::max(cell.width, kQuiet);
    add_leg(cell.feedback, from.m[7], bias, unit);
    Path copy;
    add_leg(copy, from.m[8], from.m[6], density_of(width));
    const double feedback = (variance(cell.feedback, 1.0) + variance(copy, width)) * cell.width * cell.width;
    cell.feedback.insert(cell.feedback.end(), copy.begin(), copy.end());
    add_leg(cell.output, from.m[4], bias, unit);
    const double threshold = variance(cell.threshold, 1.0) * cell.rise * cell.rise;
    const double rise = std::max(cell.rise, kQuiet);
    const double fall = std::max(cell.fall, kQuiet);
    cell.rise_noise = static_cast<float>(std::sqrt(threshold + variance(cell.copy_at_rise, rise) * rise * rise));
    cell.fall_noise =
        static_cast<float>(std::sqrt(threshold + feedback + variance(cell.copy_at_fall, fall) * fall * fall));
    cell.high_noise = static_cast<float>(std::sqrt(variance(cell.output, 1.0)));
  }

  DieEngine& engine_;
  const compile::CompiledNetwork& network_;
  const circuit::Circuit& circuit_;
  const DeviceStatistics& statistics_;
  std::map<NetId, DeviceId> diodes_;       // by the net of drain and gate
  std::multimap<NetId, DeviceId> drains_;  // of all other devices
  std::map<DeviceId, std::size_t> value_of_;
};

DieEngine::DieEngine(const compile::CompiledNetwork& network, const DeviceStatistics& statistics,
                     std::span<const float> features)
    : network_(network) {
  Builder builder(*this, statistics);
  builder.build_structure();
  builder.build_paths(features);
}

std::vector<double> DieEngine::typical_levels(std::span<const float> features) const {
  std::vector<double> levels(network_.values.size(), 1.0);
  if (features.empty()) return levels;
  Scratch scratch;
  model::Trace trace;
  run(nominal_, features, scratch, trace);
  for (std::size_t v = 0; v < levels.size(); ++v) {
    double squares = 0.0;
    std::size_t count = 0;
    for (std::size_t t = 0; t < trace.frames; ++t) {
      const double value = scratch.values[v * trace.frames + t];
      if (value < kQuiet) continue;
      squares += value * value;
      ++count;
    }
    if (count > 0) levels[v] = std::sqrt(squares / static_cast<double>(count));
  }
  return levels;
}

double DieEngine::factor(const Path& path, const Die& die) {
  double exponent = 0.0;
  double mobility = 1.0;
  for (const Link& link : path) {
    exponent += link.slope * die[link.device].threshold;
    mobility *= link.sign > 0.0F ? die[link.device].mobility : 1.0 / die[link.device].mobility;
  }
  return std::exp(exponent) * mobility;
}

double DieEngine::variance(const Path& path, double level) {
  double sum = 0.0;
  for (const Link& link : path) sum += link.white / level + link.flicker;
  return sum;
}

DieParameters DieEngine::on_die(const Die& die) const {
  assert(die.size() == network_.circuit.transistors().size());
  DieParameters result;
  result.gains.reserve(leg_paths_.size());
  for (std::size_t i = 0; i < leg_paths_.size(); ++i) {
    result.gains.push_back(static_cast<float>(nominal_.gains[i] * factor(leg_paths_[i], die)));
  }
  for (const Cell& cell : cells_) {
    const double threshold = cell.rise * factor(cell.threshold, die);
    const double feedback = cell.width * factor(cell.feedback, die);
    result.cells.push_back({static_cast<float>(threshold / factor(cell.copy_at_rise, die)),
                            static_cast<float>((threshold - feedback) / factor(cell.copy_at_fall, die)),
                            static_cast<float>(cell.high * factor(cell.output, die)), cell.set_charge,
                            cell.reset_charge});
  }
  return result;
}

void DieEngine::run_node(const Node& node, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                         model::Trace& trace, Random* noise) const {
  float* sum = scratch.sum.data();
  std::fill_n(sum, frames, 0.0F);
  for (const std::size_t leg : node.legs) {
    const float gain = parameters.gains[leg];
    const float* value = scratch.values.data() + leg_rails_[leg] * frames;
    for (std::size_t t = 0; t < frames; ++t) sum[t] += gain * value[t];
  }
  if (noise != nullptr) add_noise(node, parameters, frames, scratch, *noise);
  if (node.positive != kNone) {
    float* to = scratch.values.data() + node.positive * frames;
    for (std::size_t t = 0; t < frames; ++t) to[t] = std::max(sum[t], 0.0F);
    settle(node.positive, frames, scratch);
  }
  if (node.negative != kNone) {
    float* to = scratch.values.data() + node.negative * frames;
    for (std::size_t t = 0; t < frames; ++t) to[t] = std::max(-sum[t], 0.0F);
    settle(node.negative, frames, scratch);
  }
  if (node.readout != kNone) {
    for (std::size_t t = 0; t < frames; ++t) trace.logits[t * trace.outputs + node.readout] = sum[t];
  }
}

void DieEngine::add_noise(const Node& node, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                          Random& noise) const {
  scratch.variance.assign(frames, 0.0F);
  float* variance = scratch.variance.data();
  for (const std::size_t leg : node.legs) {
    const float squared = parameters.gains[leg] * parameters.gains[leg];
    const float white = squared * leg_noise_[leg].white;
    const float flicker = squared * leg_noise_[leg].flicker;
    const float* value = scratch.values.data() + leg_rails_[leg] * frames;
    for (std::size_t t = 0; t < frames; ++t) variance[t] += value[t] * (white + flicker * value[t]);
  }
  for (std::size_t t = 0; t < frames; ++t) {
    scratch.sum[t] += std::sqrt(variance[t]) * static_cast<float>(noise.normal());
  }
}

void DieEngine::run_cell(std::size_t index, const DieParameters& parameters, std::size_t frames, Scratch& scratch,
                         Random* noise) const {
  const Cell& cell = cells_[index];
  const DieParameters::Cell& die = parameters.cells[index];
  const float* candidate = scratch.values.data() + cell.candidate * frames;
  float* state = scratch.values.data() + cell.state * frames;
  CellWalk walk(cell.starts_on, compile::kResetShare);
  if (noise == nullptr) {
    for (std::size_t t = 0; t < frames; ++t) state[t] = walk.step(candidate[t], die) ? die.high : 0.0F;
  } else {
    for (std::size_t t = 0; t < frames; ++t) {
      const float threshold = walk.is_on() ? cell.fall_noise : cell.rise_noise;
      const bool on = walk.step(candidate[t] + threshold * static_cast<float>(noise->normal()), die);
      state[t] = on ? die.high * (1.0F + cell.high_noise * static_cast<float>(noise->normal())) : 0.0F;
    }
  }
  settle(cell.state, frames, scratch);
}

void DieEngine::settle(std::size_t value, std::size_t frames, Scratch& scratch) const {
  const auto settled = [&](const Rail& rail, float* values) {
    settle_rail(values, frames, rail.frame_constants, rail.leakage);
  };
  float* own = scratch.values.data() + value * frames;
  settled(own_rails_[value], own);
  for (const Rail& copy : copies_[value]) {
    float* to = scratch.values.data() + copy.index * frames;
    std::copy_n(own, frames, to);
    settled(copy, to);
  }
}

void DieEngine::run(const DieParameters& parameters, std::span<const float> features, Scratch& scratch,
                    model::Trace& trace, Random* noise) const {
  const std::size_t width = inputs_.size();
  const std::size_t frames = features.size() / width;
  trace.frames = frames;
  trace.layers = network_.cells.size();
  trace.outputs = network_.readouts.size();
  trace.cells = 0;
  for (const auto& layer : network_.cells) trace.cells = std::max(trace.cells, layer.size());
  trace.logits.assign(frames * trace.outputs, 0.0F);
  trace.states.assign(trace.layers * frames * trace.cells, 0.0F);
  trace.candidates.assign(trace.states.size(), 0.0F);
  scratch.sum.resize(frames);
  scratch.values.assign(rails_ * frames, 0.0F);
  std::fill_n(scratch.values.begin() + static_cast<std::ptrdiff_t>(kBias * frames), frames, 1.0F);
  for (std::size_t j = 0; j < width; ++j) {
    float* positive = scratch.values.data() + inputs_[j][0] * frames;
    float* negative = scratch.values.data() + inputs_[j][1] * frames;
    for (std::size_t t = 0; t < frames; ++t) {
      positive[t] = std::max(features[t * width + j], 0.0F);
      negative[t] = std::max(-features[t * width + j], 0.0F);
    }
    for (const std::size_t value : inputs_[j]) settle(value, frames, scratch);
  }
  for (const Step& step : steps_) {
    if (step.is_cell) {
      run_cell(step.index, parameters, frames, scratch, noise);
    } else {
      run_node(nodes_[step.index], parameters, frames, scratch, trace, noise);
    }
  }
  for (std::size_t l = 0; l < trace.layers; ++l) {
    for (std::size_t j = first_cell_[l]; j < first_cell_[l + 1]; ++j) {
      const float* candidate = scratch.values.data() + cells_[j].candidate * frames;
      const float* state = scratch.values.data() + cells_[j].state * frames;
      for (std::size_t t = 0; t < frames; ++t) {
        const std::size_t place = (l * frames + t) * trace.cells + j - first_cell_[l];
        trace.candidates[place] = candidate[t];
        trace.states[place] = state[t];
      }
    }
  }
}

}  // namespace hysteron::behavioural
