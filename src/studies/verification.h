#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/agreement.h"
#include "analysis/divergence.h"
#include "analysis/hazards.h"
#include "design/design.h"
#include "studies/clip_records.h"

namespace hysteron::studies {

/// One clip of a verification; `failed` clips have no figures.
struct VerifiedClip {
  std::size_t clip = 0;
  bool failed = false;
  std::string error;     ///< why it failed
  std::string software;  ///< label of its decision
  std::string circuit;   ///< likewise
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
  design::PreparedModel prepared;
  analysis::Agreement agreement;
  analysis::Divergence divergence;  ///< counts over all clips
  SettlingReport settling;
  std::vector<VerifiedClip> clips;
  analysis::GlitchCount glitches;  ///< over all clips
  std::size_t failed = 0;
  std::size_t reused = 0;         ///< clips that were read from ClipFiles::records
  double software_seconds = 0.0;  ///< for all clips
  double spice_seconds = 0.0;     ///< sum over clips, kept ones too
};

/// Compares the design's reference with its circuit on the design's clips. Of a centered model decisions are compared
/// with those of the model as given, and Agreement::centering_frame_change is the share of frames that centering
/// changed. Errors as simulate_records.
Verification verify(const design::Design& design, const ClipFiles& files, Reporter& reporter);

/// Of a design whose model was centered: makes the decisions those against the model as given, and fills in
/// Agreement::centering_frame_change over the clips that did not fail.
void compare_with_given(const design::Design& design, Verification& verification);

}  // namespace hysteron::studies
