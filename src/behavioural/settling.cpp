// Rails that follow their values late, and the estimate of settling times: DieEngine::settling_time.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "behavioural/die_engine.h"
#include "behavioural/rails.h"

namespace hysteron::behavioural {
namespace {

using circuit::NetId;
using circuit::Transistor;

constexpr double kTimeConstants = 2.0 * std::numbers::ln10;  // until 1 % is left
constexpr float kSettled = 30.0F;  // time constants after which nothing is left, from the leakage up

}  // namespace

void settle_rail(float* values, std::size_t frames, float frame_constants, float leakage) {
  constexpr auto kRead = static_cast<float>(compile::kReadAt);
  values[0] = std::max(values[0], leakage);
  float last = values[0];    // when it last was on
  float off = kRead - 1.0F;  // frames since then
  for (std::size_t t = 1; t < frames; ++t) {
    if (values[t] <= leakage) {
      off += 1.0F;
      values[t] = std::max(leakage, last / (1.0F + frame_constants * off * last));
      continue;
    }
    const float constants = kRead * frame_constants * values[t];
    if (constants < kSettled && values[t - 1] > 0.0F) {
      values[t] /= 1.0F + (values[t] / values[t - 1] - 1.0F) * std::exp(-constants);
    }
    last = values[t];
    off = kRead - 1.0F;
  }
}

/// Mean frames that a cell takes to switch, over the frames in which it does; 0 where it never does.
double DieEngine::switching_frames(const Cell& cell, const Scratch& scratch, std::size_t frames) {
  const float* candidate = scratch.values.data() + cell.candidate * frames;
  const float* state = scratch.values.data() + cell.state * frames;
  double sum = 0.0;
  std::size_t count = 0;
  bool was_on = cell.starts_on;
  for (std::size_t t = 0; t < frames; ++t) {
    const bool on = model::is_on(state[t], cell.high);
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
  const auto seconds_of = [&](NetId net, std::size_t value) {
    return kTimeConstants * rails.time_constant(net, levels[value], network_.values[value]);
  };
  const auto own_rail = [&](std::size_t value) { return seconds_of(diode(value).gate, value); };
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
      const std::size_t value = network_.summing_leg(leg).source;
      const NetId gate = network_.circuit.transistor(network_.summing_leg(leg).device).gate;
      double seconds = settled[value];
      if (value != kBias && gate != diode(value).gate) {
        seconds += seconds_of(gate, value);
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
