#include "analysis/divergence.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace hysteron::analysis {
namespace {

/// What leaks into a node is of the order of some off devices; the output of a cell that is off is one of them.
constexpr double kOffDevices = 10.0;

/// A candidate that came at least this much closer to the threshold than it settled explains a switch there better
/// than an error of the threshold does.
constexpr double kNearMiss = 0.5;

/// A candidate that moved by this share of its error since kDriftFrom had not settled.
constexpr double kStillMoving = 0.5;

class ClipComparison {
 public:
  ClipComparison(const model::Network& network, const model::Trace& software, const compile::CircuitTrace& circuit,
                 const Transients& transients)
      : network_(network), software_(software), measured_(circuit.trace), transients_(transients) {
    on_.assign(software.states.size(), 0);
    double off_sum = 0.0;
    std::size_t off_count = 0;
    for (std::size_t l = 0; l < software.layers; ++l) {
      for (std::size_t t = 0; t < software.frames; ++t) {
        for (std::size_t j = 0; j < network.layers[l].cells(); ++j) {
          const bool on = is_on(measured_.state(l, t, j), l, j);
          on_[place(l, t, j)] = on ? 1 : 0;
          off_sum += on ? 0.0 : measured_.state(l, t, j);
          off_count += on ? 0 : 1;
        }
      }
    }
    if (off_count > 0) leakage_floor_ = kOffDevices * off_sum / static_cast<double>(off_count);
  }

  Divergence run(std::span<const float> features) {
    replayed_ = model::replay_candidates(network_, features, on_);
    for (const model::Layer& layer : network_.layers) result_.cells.emplace_back(layer.cells());
    for (std::size_t t = 0; t < software_.frames; ++t) {
      for (std::size_t l = 0; l < software_.layers; ++l) {
        for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) compare_bit(l, t, j);
      }
    }
    compare_frames();
    return std::move(result_);
  }

 private:
  std::size_t place(std::size_t l, std::size_t t, std::size_t j) const {
    return (l * software_.frames + t) * software_.cells + j;
  }
  bool is_on(float state, std::size_t l, std::size_t j) const {
    return model::is_on(state, network_.layers[l].alpha[static_cast<Eigen::Index>(j)]);
  }
  bool circuit_on(std::size_t l, std::size_t t, std::size_t j) const { return on_[place(l, t, j)] != 0; }
  bool software_on(std::size_t l, std::size_t t, std::size_t j) const { return is_on(software_.state(l, t, j), l, j); }
  bool starts_on(std::size_t l, std::size_t j) const {
    return network_.layers[l].initial_state[static_cast<Eigen::Index>(j)] != 0.0F;
  }
  /// What the model's cell would do with `candidate`.
  bool stepped(double candidate, bool was_on, std::size_t l, std::size_t j) const {
    const auto index = static_cast<Eigen::Index>(j);
    return model::next_state(static_cast<float>(candidate), network_.layers[l].beta_lo[index],
                             network_.layers[l].beta_hi[index], was_on);
  }

  void compare_bit(std::size_t l, std::size_t t, std::size_t j) {
    const bool on = circuit_on(l, t, j);
    if (on == software_on(l, t, j)) {
      carried_[key(l, j)].reset();
      return;
    }
    CellDivergence& cell = result_.cells[l][j];
    ++result_.bits;
    ++cell.bits;
    const bool was_on = t == 0 ? starts_on(l, j) : circuit_on(l, t - 1, j);
    const bool expected = stepped(replayed_[place(l, t, j)], was_on, l, j);
    if (expected != on) {
      add_event(l, t, j, was_on);
      count(cell, carried_.at(key(l, j)).value(), 0, 1);
      return;
    }
    // It did right by what it saw: it keeps an error of its own, or sees one from below.
    const bool software_was_on = t == 0 ? starts_on(l, j) : software_on(l, t - 1, j);
    const bool keeps = was_on != software_was_on && stepped(replayed_[place(l, t, j)], software_was_on, l, j) != on;
    std::optional<Cause>& carried = carried_[key(l, j)];
    if (keeps && carried) {
      count(cell, *carried, 0, 1);
    } else {
      carried.reset();
      ++cell.consequences;
      ++result_.consequences;
    }
  }

  std::size_t key(std::size_t l, std::size_t j) const { return l * software_.cells + j; }

  void count(CellDivergence& cell, Cause cause, std::size_t events, std::size_t bits) {
    for (auto* counts : {&cell.causes, &result_.causes}) {
      (*counts)[static_cast<std::size_t>(cause)].events += events;
      (*counts)[static_cast<std::size_t>(cause)].bits += bits;
    }
  }

  void add_event(std::size_t l, std::size_t t, std::size_t j, bool was_on) {
    const model::Layer& layer = network_.layers[l];
    const std::size_t at = place(l, t, j);
    const auto index = static_cast<Eigen::Index>(j);
    CellEvent event;
    event.layer = l;
    event.frame = t;
    event.time = static_cast<double>(t) * network_.frame_seconds;
    event.cell = j;
    event.is_on = circuit_on(l, t, j);
    event.candidate = replayed_[at];
    event.measured = measured_.candidates[at];
    event.lowest = transients_.candidate_low[at];
    event.highest = transients_.candidate_high[at];
    event.threshold = was_on ? layer.beta_lo[index] : layer.beta_hi[index];
    event.cause = cause_of(event, was_on);
    count(result_.cells[l][j], event.cause, 1, 0);
    carried_[key(l, j)] = event.cause;
    if (!result_.first) result_.first = event;
    result_.events.push_back(event);
  }

  Cause cause_of(const CellEvent& event, bool was_on) const {
    const double threshold = event.threshold;
    if (threshold <= leakage_floor_ || std::max(event.candidate, event.measured) <= leakage_floor_) {
      return Cause::kLeakage;
    }
    const std::size_t at = place(event.layer, event.frame, event.cell);
    const double error = event.measured - event.candidate;
    if ((event.measured >= threshold) == event.is_on) {
      const double drift = transients_.candidate_drift[at];
      const bool approaches = drift * error < 0.0 && std::abs(drift) >= kStillMoving * std::abs(error);
      return approaches ? Cause::kSettling : Cause::kSizing;
    }
    if (event.is_on == was_on) {  // it should have switched
      const bool late = is_on(transients_.end_states[at], event.layer, event.cell) != event.is_on;
      return late ? Cause::kSettling : Cause::kThreshold;
    }
    const double nearest = event.is_on ? threshold - event.highest : event.lowest - threshold;
    const double settled = std::abs(event.measured - threshold);
    return nearest <= kNearMiss * settled ? Cause::kHazard : Cause::kThreshold;
  }

  void compare_frames() {
    const auto expected = model::frame_decisions(software_.logits, software_.outputs);
    const auto found = model::frame_decisions(measured_.logits, measured_.outputs);
    for (std::size_t t = 0; t < expected.size(); ++t) {
      if (expected[t] == found[t]) continue;
      result_.frames.push_back(t);
      ++result_.wrong_frames;
      bool all_right = true;
      for (std::size_t l = 0; l < software_.layers; ++l) {
        for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) {
          all_right = all_right && circuit_on(l, t, j) == software_on(l, t, j);
        }
      }
      result_.wrong_frames_right_bits += all_right ? 1 : 0;
    }
  }

  const model::Network& network_;
  const model::Trace& software_;
  const model::Trace& measured_;
  const Transients& transients_;
  std::vector<char> on_;         // [layers, frames, cells] of the circuit
  std::vector<float> replayed_;  // [layers, frames, cells]
  std::vector<std::optional<Cause>> carried_ =
      std::vector<std::optional<Cause>>(software_.layers * software_.cells);  // cause of the error a cell keeps
  double leakage_floor_ = 0.0;                                                // unit currents
  Divergence result_;
};

void add(std::array<CauseCount, kCauses>& total, const std::array<CauseCount, kCauses>& part) {
  for (std::size_t c = 0; c < kCauses; ++c) {
    total[c].events += part[c].events;
    total[c].bits += part[c].bits;
  }
}

}  // namespace

std::string_view cause_name(Cause cause) {
  switch (cause) {
    case Cause::kSizing:
      return "sizing";
    case Cause::kThreshold:
      return "threshold";
    case Cause::kHazard:
      return "hazard";
    case Cause::kSettling:
      return "settling";
    case Cause::kLeakage:
      return "leakage";
  }
  return "unknown";
}

Divergence find_divergence(const model::Network& network, std::span<const float> features, const model::Trace& software,
                           const compile::CircuitTrace& circuit, const Transients& transients) {
  return ClipComparison(network, software, circuit, transients).run(features);
}

void add_counts(Divergence& total, const Divergence& part) {
  if (total.cells.empty()) {
    for (const auto& layer : part.cells) total.cells.emplace_back(layer.size());
  }
  assert(total.cells.size() == part.cells.size());
  for (std::size_t l = 0; l < part.cells.size(); ++l) {
    for (std::size_t j = 0; j < part.cells[l].size(); ++j) {
      total.cells[l][j].bits += part.cells[l][j].bits;
      total.cells[l][j].consequences += part.cells[l][j].consequences;
      add(total.cells[l][j].causes, part.cells[l][j].causes);
    }
  }
  add(total.causes, part.causes);
  total.bits += part.bits;
  total.consequences += part.consequences;
  total.wrong_frames += part.wrong_frames;
  total.wrong_frames_right_bits += part.wrong_frames_right_bits;
}

}  // namespace hysteron::analysis
