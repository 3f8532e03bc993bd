#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "studies/hazard_advice.h"
#include "studies/verification.h"

namespace hysteron::studies {

/// What to find out about a circuit between its reading points.
struct HazardRequest {
  bool search_rate = false;     ///< also look for the highest frame rate
  double min_agreement = 0.99;  ///< frame agreement that must hold, or what is reached at the circuit's own frame
                                ///< time if neither that nor a longer one reaches it
  bool try_advice = false;      ///< also run the clips with the first of the mitigations that are offered
};

/// Settling of one kind of rail: currents of its diodes, over frames, rails and clips.
struct RailSettling {
  std::string kind;  ///< "candidate, N rail"
  std::size_t rails = 0;
  analysis::SettlingSummary seconds;
  std::string slowest;  ///< instance name of the diode with the worst time
};

/// Settling of one rail, over frames and clips.
struct DiodeSettling {
  std::string name;  ///< instance name of its diode
  std::string kind;  ///< that of RailSettling
  analysis::SettlingSummary seconds;
};

/// What one mitigation did.
struct MitigationTrial {
  Mitigation mitigation;
  analysis::GlitchCount counts;
  analysis::Divergence divergence;  ///< counts
  analysis::Agreement agreement;
  std::size_t failed = 0;  ///< clips that could not be simulated
};

/// Agreement at one frame time.
struct RatePoint {
  double frame_seconds = 0.0;
  double frame_agreement = 0.0;
  double state_mismatch = 0.0;
  bool same_decisions = false;  ///< as in software
  bool holds = false;
  std::size_t failed = 0;  ///< clips that could not be simulated
};

struct HazardStudy {
  std::vector<RailSettling> rails;                                 ///< slowest kind first
  std::vector<DiodeSettling> diodes;                               ///< slowest first
  std::vector<std::pair<std::size_t, analysis::Glitch>> glitches;  ///< clip and armed glitch, largest first
  analysis::GlitchCount counts;
  analysis::Divergence divergence;  ///< counts
  analysis::Agreement agreement;
  HazardAdvice advice;
  std::optional<MitigationTrial> trial;
  std::vector<RatePoint> rates;     ///< in the order they were tried; empty without a search
  std::vector<std::size_t> failed;  ///< clips that could not be simulated, ascending; nothing above counts them
  double fastest_frame = 0.0;       ///< shortest frame time at which agreement held, seconds; 0: not looked for
  double highest_rate = 0.0;        ///< 1 / fastest_frame, hertz; 0 likewise
  double target_agreement = 0.0;    ///< frame agreement that had to hold in the search
};

/// Simulates the clips once with every rail's diode watched and, if asked, again with a mitigation, and with other
/// frame times: shorter and shorter ones, or longer ones first where the circuit's own is too short. Clips that fail
/// are warned of and left out; throws the first one's Error only if all fail. A frame time at which a clip fails does
/// not hold.
HazardStudy study_hazards(const design::Design& design, const HazardRequest& request, Reporter& reporter);

}  // namespace hysteron::studies
