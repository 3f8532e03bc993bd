#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hysteron/analysis/agreement.h"
#include "hysteron/analysis/divergence.h"
#include "hysteron/analysis/hazards.h"
#include "hysteron/flow/clip_records.h"

namespace hysteron::flow {

/// One clip of a verification; `failed` clips have no figures.
struct VerifiedClip {
  std::size_t clip = 0;
  bool failed = false;
  std::string error;  ///< why it failed
  analysis::ClipAgreement agreement;
  analysis::Divergence divergence;
  std::vector<analysis::Glitch> glitches;
  double spice_seconds = 0.0;
};

/// Settling times of the kinds of values that are read.
struct SettlingReport {
  analysis::SettlingSummary candidates;
  analysis::SettlingSummary states;
  analysis::SettlingSummary logits;
};

struct Verification {
  analysis::Agreement agreement;
  analysis::Divergence divergence;  ///< counts over all clips
  SettlingReport settling;
  std::vector<VerifiedClip> clips;
  std::size_t failed = 0;
  std::size_t reused = 0;         ///< clips that were read from ClipFiles::records
  double software_seconds = 0.0;  ///< for all clips
  double spice_seconds = 0.0;     ///< sum over clips, kept ones too
};

/// Compares `network` with its circuit `compiled` on `clips` of `features`. Errors as simulate_records.
Verification verify(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
                    const data::Features& features, const std::vector<std::size_t>& clips,
                    const SimulationConditions& conditions, Reporter& reporter, const ClipFiles& files = {});

/// All of it as verify.json holds it: docs/verification.md has the fields.
nlohmann::json verification_json(const Verification& verification, const model::Network& network);

}  // namespace hysteron::flow
