#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

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
  double spacing = 0.0;  ///< seconds between the spikes of a word at the request's period; 0: all at once; NaN where
                         ///< no word has two
  double period_together = 0.0;   ///< a period and
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

/// Every state left alone.
struct GateHold {
  double seconds = 0.0;
  std::vector<GatePoint>
      states;  ///< each at the typical corner, then in ff at 1.1 of the supply and 85 degrees Celsius
};

/// What was asked, of one circuit.
struct GateStudy {
  std::optional<FastestSpikes> fastest;
  std::optional<GateMargins> margins;
  std::optional<GateHold> hold;
  std::vector<GatePoint> corners;  ///< every corner, 0.9, 1 and 1.1 of the supply, -40, 27 and 85 degrees Celsius
  std::vector<GatePoint> dies;     ///< single spikes from every state
};

/// Studies every circuit of `proofs`. A point that ngspice cannot solve is kept with its error. Throws kInterrupted.
std::vector<GateStudy> study_gates(const design::DesignContext& context, const std::vector<GateProof>& proofs,
                                   const GatesRequest& timing, const GateStudyRequest& request, Reporter& reporter);

/// Runs of ngspice that gave no result, of all studies.
std::size_t failed_runs(const std::vector<GateStudy>& studies);

/// Adds what was asked to the circuits of gates_json; docs/gates.md has the fields.
void add_study(nlohmann::ordered_json& json, const std::vector<GateStudy>& studies);

}  // namespace hysteron::studies
