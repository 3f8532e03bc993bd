#include "analysis/agreement.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "analysis/yield.h"

namespace hysteron::analysis {

void AgreementCounter::Sum::add(double error) {
  squares += error * error;
  largest = std::max(largest, std::abs(error));
  ++count;
}

double AgreementCounter::Sum::rms() const { return count == 0 ? 0.0 : std::sqrt(squares / static_cast<double>(count)); }

AgreementCounter::AgreementCounter(const model::Network& network) : network_(network) {
  for (const model::Layer& layer : network.layers) cells_.emplace_back(layer.cells());
}

void AgreementCounter::add_candidate(float candidate, float measured) {
  const double error = double{measured} - candidate;
  candidate_.add(error);
  if (candidate <= kRelativeFloor) return;
  relative_error_.add(error);
  relative_value_.add(candidate);
}

/// Whether the bit agrees.
bool AgreementCounter::add_state(float state, float measured, float alpha, CellSums& cell) {
  const bool is_on = model::is_on(state, alpha);
  ++cell.frames;
  cell.software_on += is_on ? 1 : 0;
  if (is_on != model::is_on(measured, alpha)) return false;
  const double error = double{measured} - state;
  state_.add(error);
  cell.all.add(error);
  if (is_on) cell.on.add(error);
  if (alpha > 0.0F) {
    relative_state_.add(error / alpha);
    if (is_on) relative_on_state_.add(error / alpha);
  }
  return true;
}

ClipAgreement AgreementCounter::add(const model::Trace& software, const compile::CircuitTrace& circuit) {
  const model::Trace& measured = circuit.trace;
  assert(software.frames == measured.frames && software.outputs == measured.outputs);
  std::size_t wrong_bits = 0;
  std::size_t bits = 0;
  for (std::size_t l = 0; l < network_.layers.size(); ++l) {
    for (std::size_t t = 0; t < software.frames; ++t) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) {
        add_candidate(software.candidate(l, t, j), measured.candidate(l, t, j));
        const float alpha = network_.layers[l].alpha[static_cast<Eigen::Index>(j)];
        const bool agrees = add_state(software.state(l, t, j), measured.state(l, t, j), alpha, cells_[l][j]);
        wrong_bits += agrees ? 0 : 1;
        ++bits;
      }
    }
  }
  for (std::size_t i = 0; i < software.logits.size(); ++i) logit_.add(double{measured.logits[i]} - software.logits[i]);

  const auto expected = model::frame_decisions(software.logits, software.outputs);
  const auto found = model::frame_decisions(measured.logits, measured.outputs);
  std::size_t same = 0;
  for (std::size_t t = 0; t < expected.size(); ++t) same += expected[t] == found[t] ? 1 : 0;
  ClipAgreement clip;
  clip.software_decision = model::majority(model::vote_shares(expected, software.outputs));
  clip.circuit_decision = model::majority(model::vote_shares(found, measured.outputs));
  clip.frame_agreement = share_of(same, expected.size());
  clip.state_mismatch = share_of(wrong_bits, bits);

  ++clips_;
  same_decisions_ += clip.software_decision == clip.circuit_decision ? 1 : 0;
  frames_ += expected.size();
  same_frames_ += same;
  bits_ += bits;
  wrong_bits_ += wrong_bits;
  power_.total += circuit.power.total;
  power_.cells += circuit.power.cells;
  power_.feedforward += circuit.power.feedforward;
  return clip;
}

std::vector<CellStateError> AgreementCounter::state_cells() const {
  std::vector<CellStateError> result;
  for (std::size_t l = 0; l < cells_.size(); ++l) {
    for (std::size_t j = 0; j < cells_[l].size(); ++j) {
      const CellSums& cell = cells_[l][j];
      const double alpha = network_.layers[l].alpha[static_cast<Eigen::Index>(j)];
      if (alpha <= 0.0) continue;
      result.push_back({l, j, alpha, cell.all.count, cell.on.count, cell.all.rms() / alpha, cell.on.rms() / alpha});
    }
  }
  std::stable_sort(result.begin(), result.end(), [](const CellStateError& a, const CellStateError& b) {
    if ((a.on_bits > 0) != (b.on_bits > 0)) return a.on_bits > 0;
    return a.on_relative_rms > b.on_relative_rms;
  });
  return result;
}

SwitchingCells AgreementCounter::switching() const {
  SwitchingCells result;
  std::size_t bits = 0;
  std::size_t agreeing = 0;
  double squares = 0.0;
  for (std::size_t l = 0; l < cells_.size(); ++l) {
    for (std::size_t j = 0; j < cells_[l].size(); ++j) {
      const CellSums& cell = cells_[l][j];
      ++result.all;
      if (cell.software_on == 0 || cell.software_on == cell.frames) continue;
      ++result.cells;
      bits += cell.frames;
      agreeing += cell.all.count;
      const double alpha = network_.layers[l].alpha[static_cast<Eigen::Index>(j)];
      squares += cell.all.squares / (alpha * alpha);
    }
  }
  const double none = std::numeric_limits<double>::quiet_NaN();
  result.state_mismatch = bits > 0 ? share_of(bits - agreeing, bits) : none;
  result.state_relative_rms = agreeing > 0 ? std::sqrt(squares / static_cast<double>(agreeing)) : none;
  return result;
}

Agreement AgreementCounter::total() const {
  Agreement result;
  result.clips = clips_;
  result.decision_agreement = share_of(same_decisions_, clips_);
  result.frame_agreement = share_of(same_frames_, frames_);
  result.state_mismatch = share_of(wrong_bits_, bits_);
  result.candidate_rms = candidate_.rms();
  result.candidate_max = candidate_.largest;
  result.candidate_relative_rms = relative_value_.rms() > 0.0 ? relative_error_.rms() / relative_value_.rms() : 0.0;
  result.state_rms = state_.rms();
  result.state_max = state_.largest;
  result.state_cells = state_cells();
  const bool any_on = !result.state_cells.empty() && result.state_cells.front().on_bits > 0;
  result.state_worst_relative_rms =
      any_on ? result.state_cells.front().on_relative_rms : std::numeric_limits<double>::quiet_NaN();
  result.switching = switching();
  const auto suppression = [&](const Sum& states) {
    const bool has_ratio = states.rms() > 0.0 && relative_value_.count > 0;
    return NetworkSuppression{
        states.rms(),
        has_ratio ? result.candidate_relative_rms / states.rms() : std::numeric_limits<double>::quiet_NaN(),
        states.count};
  };
  result.suppression = suppression(relative_state_);
  result.on_suppression = suppression(relative_on_state_);
  result.logit_rms = logit_.rms();
  const double clips = std::max<double>(1.0, static_cast<double>(clips_));
  result.power = {power_.total / clips, power_.cells / clips, power_.feedforward / clips};
  return result;
}

}  // namespace hysteron::analysis
