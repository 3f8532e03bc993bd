#include "analysis/conformance.h"

#include <cassert>
#include <cmath>

#include "analysis/agreement.h"
#include "analysis/yield.h"

namespace hysteron::analysis {
namespace {

double ratio(double errors, double squares) { return squares > 0.0 ? std::sqrt(errors / squares) : 0.0; }

}  // namespace

void ConformanceCounter::add(const model::Trace& reference, const model::Trace& other) {
  assert(reference.frames == other.frames && reference.outputs == other.outputs);
  const auto expected = model::frame_decisions(reference.logits, reference.outputs);
  const auto found = model::frame_decisions(other.logits, other.outputs);
  ++clips_;
  frames_ += expected.size();
  for (std::size_t t = 0; t < expected.size(); ++t) {
    same_frames_ += expected[t] == found[t] ? 1 : 0;
    bool alike = true;  // all bits of the layers below
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      const model::Layer& layer = network_.layers[l];
      bool layer_alike = true;
      for (std::size_t j = 0; j < layer.cells(); ++j) {
        const float alpha = layer.alpha[static_cast<Eigen::Index>(j)];
        const bool same = model::is_on(reference.state(l, t, j), alpha) == model::is_on(other.state(l, t, j), alpha);
        ++bits_;
        same_bits_ += same ? 1 : 0;
        layer_alike = layer_alike && same;
        const double current = reference.candidate(l, t, j);
        if (!alike || current <= kRelativeFloor) continue;
        const double error = other.candidate(l, t, j) - current;
        candidate_errors_ += error * error;
        candidate_squares_ += current * current;
      }
      alike = alike && layer_alike;
    }
    if (!alike) continue;
    for (std::size_t k = 0; k < reference.outputs; ++k) {
      const double current = reference.logits[t * reference.outputs + k];
      const double error = other.logits[t * reference.outputs + k] - current;
      logit_errors_ += error * error;
      logit_squares_ += current * current;
    }
  }
  same_decisions_ += model::majority(model::vote_shares(expected, reference.outputs)) ==
                             model::majority(model::vote_shares(found, reference.outputs))
                         ? 1
                         : 0;
}

Conformance ConformanceCounter::total() const {
  Conformance result;
  result.clips = clips_;
  result.same_decisions = share_of(same_decisions_, clips_);
  result.same_frames = share_of(same_frames_, frames_);
  result.same_bits = share_of(same_bits_, bits_);
  result.candidate_relative_rms = ratio(candidate_errors_, candidate_squares_);
  result.logit_relative_rms = ratio(logit_errors_, logit_squares_);
  return result;
}

}  // namespace hysteron::analysis
