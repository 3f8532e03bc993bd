#include "analysis/hazards.h"

#include <algorithm>

namespace hysteron::analysis {

std::vector<Glitch> find_glitches(const model::Network& network, const model::Trace& software,
                                  const compile::CircuitTrace& circuit, const Transients& transients) {
  std::vector<Glitch> glitches;
  for (std::size_t t = 0; t < software.frames; ++t) {
    const std::size_t before = t == 0 ? 0 : t - 1;  // `reset` holds no candidate: the first frame has its own alone
    for (std::size_t l = 0; l < software.layers; ++l) {
      const model::Layer& layer = network.layers[l];
      for (std::size_t j = 0; j < layer.cells(); ++j) {
        const auto index = static_cast<Eigen::Index>(j);
        const std::size_t at = (l * software.frames + t) * software.cells + j;
        const float settled[] = {software.candidate(l, before, j), software.candidate(l, t, j),
                                 circuit.trace.candidate(l, before, j), circuit.trace.candidate(l, t, j)};
        const float alpha = layer.alpha[index];
        const bool was_on =
            t == 0 ? layer.initial_state[index] != 0.0F : model::is_on(circuit.trace.state(l, before, j), alpha);
        const bool is_on = model::is_on(circuit.trace.state(l, t, j), alpha);
        for (const bool is_upper : {false, true}) {
          const float threshold = is_upper ? layer.beta_hi[index] : layer.beta_lo[index];
          const float seconds = is_upper ? transients.seconds_above[at] : transients.seconds_below[at];
          const auto on_this_side = [&](float value) { return (value < threshold) == is_upper; };
          if (seconds <= 0.0F || !std::all_of(std::begin(settled), std::end(settled), on_this_side)) continue;
          const double time = static_cast<double>(t) * network.frame_seconds;
          Glitch glitch{l, t, time, j, is_upper, 0.0, seconds, was_on != is_upper, false};
          glitch.size = is_upper ? transients.candidate_high[at] - threshold : threshold - transients.candidate_low[at];
          glitch.flipped = glitch.is_armed && is_on != was_on;
          glitches.push_back(glitch);
        }
      }
    }
  }
  return glitches;
}

GlitchCount count_glitches(const std::vector<Glitch>& glitches) {
  GlitchCount count;
  for (const Glitch& glitch : glitches) {
    ++count.all;
    if (!glitch.is_armed) continue;
    ++count.armed;
    count.flips += glitch.flipped ? 1 : 0;
    count.largest = std::max(count.largest, glitch.size);
    if (!glitch.flipped) count.longest_harmless = std::max(count.longest_harmless, glitch.seconds);
  }
  return count;
}

std::vector<float> switch_overdrives(const model::Network& network, const model::Trace& software) {
  std::vector<float> overdrives;
  for (std::size_t l = 0; l < software.layers; ++l) {
    const model::Layer& layer = network.layers[l];
    for (std::size_t j = 0; j < layer.cells(); ++j) {
      const auto index = static_cast<Eigen::Index>(j);
      bool on = layer.initial_state[index] != 0.0F;
      for (std::size_t t = 0; t < software.frames; ++t) {
        const float candidate = software.candidate(l, t, j);
        const bool next = model::next_state(candidate, layer.beta_lo[index], layer.beta_hi[index], on);
        if (next != on)
          overdrives.push_back(next ? candidate - layer.beta_hi[index] : layer.beta_lo[index] - candidate);
        on = next;
      }
    }
  }
  return overdrives;
}

SettlingSummary summarise_settling(std::vector<float> seconds, double read) {
  const auto all = static_cast<double>(seconds.size());
  std::erase(seconds, 0.0F);
  if (seconds.empty()) return {};
  std::sort(seconds.begin(), seconds.end());
  const std::size_t last = seconds.size() - 1;
  const auto late = std::count_if(seconds.begin(), seconds.end(), [read](float time) { return time > read; });
  return {seconds[last / 2], seconds[last * 99 / 100], seconds[last], static_cast<double>(late) / all};
}

}  // namespace hysteron::analysis
