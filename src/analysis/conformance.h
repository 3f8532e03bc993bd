#pragma once

#include <cstddef>

#include "model/inference.h"
#include "model/network.h"

namespace hysteron::analysis {

/// How well an engine does what another does on the same die.
struct Conformance {
  std::size_t clips = 0;
  double same_decisions = 0.0;  ///< share of clips with the same majority vote
  double same_frames = 0.0;     ///< share of frames with the same argmax
  double same_bits = 0.0;       ///< share of state bits
  /// RMS difference over RMS current of candidates above 0.05 in the reference, in frames in which all bits of the
  /// layers below are the same: of what the legs did, not of what a wrong bit below made of it.
  double candidate_relative_rms = 0.0;
  double logit_relative_rms = 0.0;  ///< likewise of logits, in frames in which all bits are the same
};

/// Adds up pairs of traces of circuits of one network.
class ConformanceCounter {
 public:
  explicit ConformanceCounter(const model::Network& network) : network_(network) {}

  void add(const model::Trace& reference, const model::Trace& other);
  Conformance total() const;

 private:
  const model::Network& network_;
  std::size_t clips_ = 0, same_decisions_ = 0;
  std::size_t frames_ = 0, same_frames_ = 0;
  std::size_t bits_ = 0, same_bits_ = 0;
  double candidate_errors_ = 0.0, candidate_squares_ = 0.0;
  double logit_errors_ = 0.0, logit_squares_ = 0.0;
};

}  // namespace hysteron::analysis
