#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/yield.h"
#include "studies/gates.h"

namespace hysteron::studies {

/// What is asked beyond the proof at the typical corner.
struct GateStudyRequest {
  bool fastest = false;
  bool margins = false;
  bool corners = false;
  double hold = 0.0;       ///< seconds; 0: none
  std::size_t dies = 0;    ///< 0: none
  std::uint64_t seed = 1;  ///< die i is the one of seed + i

  bool is_empty() const { return !fastest && !margins && !corners && hold == 0.0 && dies == 0; }
};

/// Throws a bad-input Error that names the value unless `request` is possible.
void check_gate_study(const GateStudyRequest& request);

/// The fastest spikes that still give only right levels, searched down to a tenth. NaN where the proof itself is wrong.
struct FastestSpikes {
  double period = 0.0;   ///< seconds between spikes, a spike half of it
  double rate = 0.0;     ///< hertz: spikes a second at that period
  double spacing = 0.0;  ///< seconds between the spikes of a word at the request's period; 0: all at once; NaN where
                         ///< no word has two
  double period_together = 0.0;   ///< a period and
  double rate_together = 0.0;     ///< hertz, at that period
  double spacing_together = 0.0;  ///< a spacing that work at the same time, both a tenth longer from try to try
  double energy = 0.0;            ///< joule a spike then
  std::size_t failed = 0;         ///< runs of the search that ngspice could not solve; they count as too fast
};

/// The least disturbance that turns a decision, ampere, and where.
struct MinMargin {
  double current = 0.0;  ///< infinite: none up to one unit current
  std::string node;
  std::size_t state = 0;  ///< index into analysis::plans_to_states
};

struct GateMargins {
  MinMargin line;      ///< of an input line at rest
  MinMargin decision;  ///< of the current into a gate's node
  std::size_t runs = 0;
  std::size_t failed = 0;
};

/// One corner, supply and temperature, or one die.
struct GatePoint {
  compile::CellEnvironment environment;
  unsigned seed = 0;  ///< of a die
  analysis::GateRun run;
  std::string error;  ///< why there is no run; empty: there is one

  bool right() const { return error.empty() && run.wrong == 0; }
};

/// Corners, held states or dies, and what they are together.
struct GatePoints {
  std::vector<GatePoint> points;
  std::size_t right = 0;
  std::size_t failed = 0;    ///< not simulated
  double most_static = 0.0;  ///< watt: worst of all that were simulated
  double highest_low = 0.0;  ///< ampere, likewise
  double lowest_high = 0.0;  ///< ampere, likewise; infinite where no output is to be 1
};

/// Counts `points` and finds their worst figures.
GatePoints count_points(std::vector<GatePoint> points);

/// Every state left alone.
struct GateHold {
  double seconds = 0.0;
  GatePoints states;  ///< each at the typical corner, then in ff at 1.1 of the supply and 85 degrees Celsius
};

/// Single spikes from every state, on every die.
struct GateDies {
  GatePoints dies;
  double yield = 0.0;           ///< share that are right
  analysis::Interval interval;  ///< Wilson's
};

/// What was asked, of one circuit.
struct GateStudy {
  std::optional<FastestSpikes> fastest;
  std::optional<GateMargins> margins;
  std::optional<GateHold> hold;
  std::optional<GatePoints> corners;  ///< every corner, 0.9, 1 and 1.1 of the supply, -40, 27 and 85 degrees Celsius
  std::optional<GateDies> dies;

  /// Runs of ngspice that gave no result.
  std::size_t failed() const;
};

/// Studies every circuit of `proofs`. A point that ngspice cannot solve is kept with its error. Throws kInterrupted.
std::vector<GateStudy> study_gates(const design::DesignContext& context, const std::vector<GateProof>& proofs,
                                   const GatesRequest& timing, const GateStudyRequest& request, Reporter& reporter);

/// Currents of lines and cells, ampere.
struct SpikeCurrents {
  double rest = 0.0;
  double upper = 0.0;  ///< beta_hi
  double lower = 0.0;  ///< beta_lo
  double positive = 0.0;
  double negative = 0.0;
  double on = 0.0;  ///< alpha
};

/// One circuit: what it is made of, what its proof says, and what was studied beyond that.
struct GateResult {
  std::string name;
  bool is_right = false;
  analysis::GateRun run;  ///< where levels are read after every spike
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t transistors = 0;
  std::size_t cells = 0;
  std::size_t longest_word = 0;
  std::size_t words = 0;
  std::size_t spikes = 0;
  std::vector<SpacingProof> spacings;
  std::size_t readings = 0;  ///< over all spacings
  double highest_low = 0.0;  ///< ampere, over all spacings
  double lowest_high = 0.0;  ///< likewise; infinite where no output is to be 1
  GateStudy study;
};

struct GatesResult {
  design::OperatingPoint operating_point;
  double period = 0.0;       ///< seconds
  double spike_width = 0.0;  ///< seconds
  SpikeCurrents levels;
  bool is_right = false;  ///< every circuit
  std::vector<GateResult> gates;

  std::size_t wrong() const;   ///< circuits
  std::size_t failed() const;  ///< runs of the studies that gave no result
};

/// What `proofs` and `studies` (one a proof, or none at all) say.
GatesResult summarise_gates(const design::DesignContext& context, const std::vector<GateProof>& proofs,
                            const GatesRequest& request, const std::vector<GateStudy>& studies);

}  // namespace hysteron::studies
