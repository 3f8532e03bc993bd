#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "model/network.h"

namespace hysteron::model {

/// Everything one clip does in the discrete-time model, row-major, in model units. `cells` is the widest layer's m;
/// narrower layers leave the rest of their rows at 0.
struct Trace {
  std::size_t frames = 0;
  std::size_t layers = 0;
  std::size_t cells = 0;
  std::size_t outputs = 0;
  std::vector<float> logits;      ///< [frames, outputs]
  std::vector<float> states;      ///< [layers, frames, cells], 0 or alpha
  std::vector<float> candidates;  ///< [layers, frames, cells], after the rectifier

  float state(std::size_t layer, std::size_t frame, std::size_t cell) const {
    return states[(layer * frames + frame) * cells + cell];
  }
  float candidate(std::size_t layer, std::size_t frame, std::size_t cell) const {
    return candidates[(layer * frames + frame) * cells + cell];
  }
};

/// The FQ-BMRU step at its edges (design.md section 2): a candidate at or above beta_hi sets, one below beta_lo resets,
/// anything between holds. Returns whether the cell is on afterwards.
inline bool next_state(float candidate, float beta_lo, float beta_hi, bool on) {
  return candidate >= beta_hi || (on && candidate >= beta_lo);
}

/// Whether a cell whose output is `state` is on: above half of `alpha`, what it gives when on, in the same unit.
inline bool is_on(float state, float alpha) { return state > 0.5F * alpha; }

/// Runs `network` over one clip of features [frames, inputs]: the slow, clear form every engine is compared with. Sums
/// are made in double precision and rounded once per value, so a candidate that is its bias alone is exactly that bias.
/// Throws a bad-input Error when the features are no whole number of frames or not finite.
Trace run_clip(const Network& network, std::span<const float> features);

/// What noise makes of the candidate of a cell in a frame, before the rectifier.
using CandidateNoise = std::function<double(std::size_t layer, std::size_t cell, std::size_t frame, double candidate)>;

/// run_clip with noise on every candidate.
Trace run_clip(const Network& network, std::span<const float> features, const CandidateNoise& noise);

/// Candidates [layers, frames, cells] the model would have if its cells were on where `on` (of the same shape, 0 or 1)
/// says so, whatever those cells would do themselves: what a circuit's cells ought to see, given what they did.
std::vector<float> replay_candidates(const Network& network, std::span<const float> features, std::span<const char> on);

/// argmax of each frame's logits [frames, outputs]; the lowest index wins a tie.
std::vector<std::size_t> frame_decisions(std::span<const float> logits, std::size_t outputs);

/// Frames that voted for each label.
std::vector<std::size_t> count_votes(const std::vector<std::size_t>& frame_decisions, std::size_t outputs);

/// Votes of the label with the most less those of the next; all of them where there is one label.
std::size_t votes_ahead(const std::vector<std::size_t>& frame_decisions, std::size_t outputs);

/// Share of the frames each label won.
std::vector<double> vote_shares(const std::vector<std::size_t>& frame_decisions, std::size_t outputs);

/// The label with the most votes; the lowest index wins a tie.
std::size_t majority(const std::vector<double>& votes);

}  // namespace hysteron::model
