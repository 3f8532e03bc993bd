// The estimate of settling times: DieEngine::settling_time.

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "hysteron/behavioural/die_engine.h"

namespace hysteron::behavioural {
namespace {

using circuit::NetId;
using circuit::Transistor;

constexpr double kTimeConstants = 2.0 * std::numbers::ln10;  // until 1 % is left

/// What hangs on the nets of a circuit, and the diodes that hold them.
class Rails {
 public:
  Rails(const compile::CompiledNetwork& network, const DeviceStatistics& statistics)
      : unit_current_(network.conditions.unit_current), statistics_(statistics) {
    for (const Transistor& transistor : network.circuit.transistors()) {
      capacitances_[transistor.gate] += kGateCapacitance * transistor.width * transistor.length;
      if (transistor.drain == transistor.gate) diodes_.emplace(transistor.gate, &transistor);
    }
    for (const circuit::Capacitor& capacitor : network.circuit.capacitors()) {
      capacitances_[capacitor.net] += capacitor.capacitance;
    }
  }

  /// Seconds of the rail at `net` while the diode of its value carries `level` unit currents in a device of
  /// `value_ratio`, width over length; a copied rail's diode carries its share of it.
  double seconds(NetId net, double level, double value_ratio) const {
    const Transistor& diode = *diodes_.at(net);
    const double ratio = diode.width / diode.length;
    const double current = level * unit_current_ * ratio / value_ratio;
    return kTimeConstants * capacitances_.at(net) / (statistics_.of(diode.polarity).slope(current / ratio) * current);
  }

 private:
  double unit_current_;
  const DeviceStatistics& statistics_;
  std::map<NetId, double> capacitances_;
  std::map<NetId, const Transistor*> diodes_;
};

}  // namespace

/// Mean frames that a cell takes to switch, over the frames in which it does; 0 where it never does.
double DieEngine::switching_frames(const Cell& cell, const Scratch& scratch, std::size_t frames) {
  const float* candidate = scratch.values.data() + cell.candidate * frames;
  const float* state = scratch.values.data() + cell.state * frames;
  double sum = 0.0;
  std::size_t count = 0;
  bool was_on = cell.starts_on;
  for (std::size_t t = 0; t < frames; ++t) {
    const bool on = state[t] > 0.5F * cell.high;
    const double beyond = on ? candidate[t] - cell.rise : cell.fall - candidate[t];
    if (on != was_on && beyond > 0.0) {
      sum += std::min(1.0, (on ? cell.set_charge : cell.reset_charge) / beyond);
      ++count;
    }
    was_on = on;
  }
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

double DieEngine::settling_time(const DeviceStatistics& statistics, std::span<const float> features) const {
  const Rails rails(network_, statistics);
  const std::vector<double> levels = typical_levels(features);
  Scratch scratch;
  model::Trace trace;
  run(nominal_, features, scratch, trace);
  const auto diode = [&](std::size_t value) -> const Transistor& {
    return network_.circuit.transistor(network_.values[value]);
  };
  const auto own_rail = [&](std::size_t value) {
    return rails.seconds(diode(value).gate, levels[value], diode(value).width / diode(value).length);
  };
  std::vector<double> settled(levels.size(), 0.0);  // seconds; the unit current always is
  for (const auto& terminals : inputs_) {
    for (const std::size_t value : terminals) settled[value] = own_rail(value);
  }
  double last = 0.0;
  for (const Step& step : steps_) {
    if (step.is_cell) {
      const Cell& cell = cells_[step.index];
      settled[cell.state] = settled[cell.candidate] + own_rail(cell.state) +
                            switching_frames(cell, scratch, trace.frames) * network_.frame_seconds;
      continue;
    }
    const Node& node = nodes_[step.index];
    double sources = 0.0;
    for (const std::size_t leg : node.legs) {
      const std::size_t value = network_.legs[leg].value;
      const NetId gate = network_.circuit.transistor(network_.legs[leg].device).gate;
      double seconds = settled[value];
      if (value != kBias && gate != diode(value).gate) {
        seconds += rails.seconds(gate, levels[value], diode(value).width / diode(value).length);
      }
      sources = std::max(sources, seconds);
    }
    for (const std::size_t value : {node.positive, node.negative}) {
      if (value != kNone) settled[value] = sources + own_rail(value);
    }
    if (node.readout != kNone) last = std::max(last, sources);
  }
  return last;
}

}  // namespace hysteron::behavioural
