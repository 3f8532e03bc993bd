#pragma once

#include <cstddef>
#include <vector>

#include "compile/clip_bench.h"
#include "model/inference.h"
#include "model/network.h"

namespace hysteron::analysis {

/// RMS errors of one cell's state current over the bits that agree, of its own alpha.
struct CellStateError {
  std::size_t layer = 0;
  std::size_t cell = 0;
  double alpha = 0.0;            ///< model units
  std::size_t bits = 0;          ///< that agree
  std::size_t on_bits = 0;       ///< of them, on
  double relative_rms = 0.0;     ///< over all of them
  double on_relative_rms = 0.0;  ///< over those that are on: what an off bit adds is leakage alone, nearly nothing
};

/// The same figures over the cells that software turns both on and off: one that never switches agrees for nothing.
struct SwitchingCells {
  std::size_t cells = 0;        ///< that switch
  std::size_t all = 0;          ///< cells of the network
  double state_mismatch = 0.0;  ///< share of their bits that differ; NaN where none switches
  double state_relative_rms =
      0.0;  ///< of (state - software's) / the cell's alpha over their bits that agree; NaN likewise
};

/// Errors of states over bits that agree, against the errors of the candidates behind them: protocol B of
/// docs/noise.md.
struct NetworkSuppression {
  double state_relative_rms = 0.0;  ///< of (state - software's) / the cell's alpha
  double ratio = 0.0;               ///< candidate_relative_rms over it; NaN where either has no figure
  std::size_t bits = 0;             ///< cells times frames it is taken over
};

/// How well circuits agree with software over a set of clips; shares from 0 to 1, errors in unit currents.
struct Agreement {
  std::size_t clips = 0;
  double decision_agreement = 0.0;      ///< share of clips with the same majority vote
  double frame_agreement = 0.0;         ///< share of frames with the same argmax of the logits
  double state_mismatch = 0.0;          ///< share of state bits that differ
  double candidate_rms = 0.0;           ///< root mean square error of candidates
  double candidate_max = 0.0;           ///< largest error of a candidate
  double candidate_relative_rms = 0.0;  ///< RMS error over RMS value, where the software's candidate exceeds 0.05
  double state_rms = 0.0;               ///< RMS error of state currents over agreeing bits
  double state_max = 0.0;
  double state_worst_relative_rms = 0.0;    ///< largest CellStateError::on_relative_rms; NaN where no on bit agreed
  std::vector<CellStateError> state_cells;  ///< of every cell with an alpha, worst first
  SwitchingCells switching;
  NetworkSuppression suppression;     ///< over all bits that agree
  NetworkSuppression on_suppression;  ///< over those that are on: others hardly have an error
  double logit_rms = 0.0;
  double centering_frame_change = 0.0;  ///< share of frames that centering changed in software; not counted here
  compile::Power power;                 ///< mean over clips, watt
};

/// One clip's part.
struct ClipAgreement {
  std::size_t software_decision = 0;
  std::size_t circuit_decision = 0;
  double frame_agreement = 0.0;
  double state_mismatch = 0.0;
};

/// Below this a candidate's relative error says more of leakage than of sizing.
inline constexpr double kRelativeFloor = 0.05;

/// Adds up clips one by one.
class AgreementCounter {
 public:
  explicit AgreementCounter(const model::Network& network);

  ClipAgreement add(const model::Trace& software, const compile::CircuitTrace& circuit);
  Agreement total() const;

 private:
  struct Sum {
    double squares = 0.0;
    double largest = 0.0;
    std::size_t count = 0;

    void add(double error);
    double rms() const;
  };

  /// Of one cell's state, over agreeing bits.
  struct CellSums {
    Sum all;
    Sum on;
    std::size_t frames = 0;
    std::size_t software_on = 0;
  };

  void add_candidate(float candidate, float measured);
  bool add_state(float state, float measured, float alpha, CellSums& cell);
  std::vector<CellStateError> state_cells() const;
  SwitchingCells switching() const;

  const model::Network& network_;
  std::vector<std::vector<CellSums>> cells_;  // [layers][m]
  std::size_t clips_ = 0;
  std::size_t same_decisions_ = 0;
  std::size_t frames_ = 0;
  std::size_t same_frames_ = 0;
  std::size_t bits_ = 0;
  std::size_t wrong_bits_ = 0;
  Sum candidate_;
  Sum relative_error_;
  Sum relative_value_;
  Sum state_;
  Sum relative_state_;     // over alpha
  Sum relative_on_state_;  // of bits that are on
  Sum logit_;
  compile::Power power_;
};

}  // namespace hysteron::analysis
