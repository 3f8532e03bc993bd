#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/conformance.h"
#include "analysis/margin_fit.h"
#include "analysis/yield.h"
#include "base/error.h"
#include "behavioural/trimming.h"
#include "data/features.h"
#include "design/design.h"

namespace hysteron::studies {

/// Who makes and runs the dies.
enum class DieSimulator {
  kBehavioural,  ///< drawn from measured statistics, run by behavioural::DieEngine
  kSpice,        ///< drawn and run by ngspice with the technology's own mismatch
  kBoth          ///< drawn by ngspice and run by both
};

/// "behavioural", "spice" or "both".
std::string simulator_name(DieSimulator simulator);

/// Trims of bias legs after fabrication; `features` are the clips that the bench plays to find their codes.
struct TrimRequest {
  std::size_t legs = 0;  ///< at most; 0: no die is trimmed
  behavioural::TrimDac dac;
  data::Features features;
};

/// Clips of `features` for the bench to find codes with: `count` of them, or all, evenly spread. Throws a bad-input
/// Error that names `origin` where one of them is a clip of `tested`, which trimming must not see.
data::Features pick_trim_clips(const data::Features& features, std::size_t count, const data::Features& tested,
                               const std::string& origin);

struct MonteCarloRequest {
  std::size_t dies = 1;
  std::uint64_t seed = 1;  ///< die i is the one of seed + i, whatever else is run
  DieSimulator simulator = DieSimulator::kBehavioural;
  TrimRequest trim;              ///< of kBehavioural alone
  bool device_noise = false;     ///< of kBehavioural alone: thermal and flicker noise in every frame
  std::filesystem::path folder;  ///< keeps what dies did, so that the same request goes on from there; empty: none
};

/// Largest seed of a die: ngspice takes a signed integer.
inline constexpr std::uint64_t kLargestDieSeed = 2147483647;

/// Throws a bad-input Error that names `option` unless each of `dies` dies, one at least, has a seed from 1 to
/// kLargestDieSeed; `seed` is the first one's.
void check_die_seeds(const std::string& parameter, std::uint64_t seed, std::size_t dies);

/// Throws a bad-input Error unless there are dies and every one has a seed from 1 to kLargestDieSeed, and every code of
/// a trim leaves current; a usage Error where dies of ngspice are to be trimmed.
void check_dies(const MonteCarloRequest& request);

/// What software does with a clip.
struct ClipReference {
  std::size_t clip = 0;
  std::size_t decision = 0;  ///< of the model as given
  std::size_t margin = 0;    ///< votes that the winner is ahead of the next label, of the model as given
  std::size_t frames = 0;
};

/// One clip on one die, compared with the model as compiled; `failed` pairs have no figures.
struct DieClip {
  bool failed = false;
  std::string error;
  std::uint32_t decision = 0;
  std::uint32_t wrong_frames = 0;
  std::uint32_t wrong_bits = 0;
  double power = 0.0;  ///< watt, of ngspice; 0 elsewhere
};

struct DieResult {
  std::uint64_t seed = 0;
  std::vector<DieClip> clips;             ///< as DieRuns::references
  std::vector<std::uint32_t> wrong_bits;  ///< of every cell, layer by layer, over all clips
  std::vector<int> codes;                 ///< of Trimming::legs
};

/// What was trimmed, and what the same dies did before.
struct Trimming {
  behavioural::TrimDac dac;
  std::vector<behavioural::TrimLeg> legs;
  std::vector<DieResult> before;
  std::size_t clips = 0;  ///< that the bench plays, once for every layer with trims
  double clip_seconds = 0.0;
};

/// A pair on which both engines decide otherwise: frames that voted for each label.
struct DifferingPair {
  std::uint64_t seed = 0;
  ClipReference reference;
  std::vector<std::size_t> spice_votes;
  std::vector<std::size_t> behavioural_votes;
};

/// Pairs that do not decide as software does, of those that both engines ran.
struct LostPairs {
  std::size_t spice = 0;
  std::size_t behavioural = 0;
  std::size_t both = 0;
};

/// What every die did with every clip.
struct DieRuns {
  std::vector<ClipReference> references;
  std::vector<DieResult> dies;
  std::optional<analysis::Conformance> conformance;  ///< of kBoth
  std::vector<DifferingPair> differing;              ///< of kBoth
  LostPairs lost;                                    ///< of kBoth
  std::optional<Trimming> trimming;                  ///< `dies` are trimmed
  double seconds = 0.0;                              ///< for the dies, without compiling and measuring
};

/// Votes that a clip's decision is ahead of the next label with, from which on the clip is clear.
inline constexpr std::size_t kClearMargin = 5;

/// A share and its 95 % interval, Wilson's: every pair of die and clip taken as a draw of its own. NaN and no interval
/// where there is nothing to take it of.
struct ShareEstimate {
  double value = 0.0;
  std::optional<analysis::Interval> ci95;
};

/// What some dies come to over all clips; pairs that failed do not count.
struct DieFigures {
  ShareEstimate decision_yield;                 ///< share of the pairs that decide as software does
  std::optional<analysis::Interval> resampled;  ///< 95 %, what another draw of dies and clips would make of it; none
                                                ///< below two dies or clips
  ShareEstimate clear_yield;                    ///< the same two of the clear clips
  std::optional<analysis::Interval> clear_resampled;
  double frame_agreement = 0.0;  ///< share of frames; NaN without a pair
  double state_mismatch = 0.0;   ///< share of state bits; NaN without a pair
};

/// One clip over all dies.
struct ClipYield {
  ClipReference reference;
  std::string software;  ///< label of its decision
  std::size_t dies = 0;  ///< with a result
  ShareEstimate decision_yield;
  double frame_agreement = 0.0;  ///< NaN without a die
};

/// One die over all clips.
struct DieYield {
  std::uint64_t seed = 0;
  std::size_t clips = 0;  ///< with a result
  ShareEstimate decision_yield;
  std::optional<double> power;            ///< watt, mean over clips; of ngspice
  std::optional<std::vector<int>> codes;  ///< of TrimFigures::legs, of trimmed dies
};

struct CellMismatch {
  std::size_t layer = 0;
  std::size_t cell = 0;
  double state_mismatch = 0.0;  ///< share of its bits over all dies and clips; NaN without a pair
};

/// The law of flips over margins (analysis::MarginFit).
struct MarginLaw {
  analysis::MarginFit fit;
  double margin_of_1_percent = 0.0;  ///< at which one pair of a hundred flips
};

/// A pair of die and clip without a result.
struct FailedPair {
  std::uint64_t seed = 0;
  std::size_t clip = 0;
  std::string error;
};

/// What trimming takes and what it was worth.
struct TrimFigures {
  std::vector<behavioural::TrimLeg> legs;
  behavioural::TrimDac dac;
  std::size_t clips_played = 0;
  double seconds_played = 0.0;        ///< of clips, to every die
  std::size_t extra_transistors = 0;  ///< of the DACs
  std::size_t storage_bits = 0;       ///< of a die
  double codes_at_an_end = 0.0;       ///< share of the codes that are the lowest or the highest
  DieFigures before;                  ///< of the same dies without trims
};

/// The behavioural engine against ngspice, on the dies that ngspice drew.
struct EngineComparison {
  analysis::Conformance conformance;
  LostPairs lost;
  std::vector<DifferingPair> differing;  ///< by seed and clip
};

struct MonteCarlo {
  design::PreparedModel prepared;
  design::OperatingPoint operating_point;
  std::uint64_t seed = 0;  ///< of the first die
  DieSimulator simulator = DieSimulator::kBehavioural;
  bool device_noise = false;
  std::size_t close_clips = 0;  ///< below kClearMargin
  DieFigures figures;
  std::vector<ClipYield> per_clip;
  std::vector<DieYield> per_die;
  std::vector<CellMismatch> cells;  ///< worst first
  MarginLaw margins;
  std::optional<TrimFigures> trim;             ///< where dies were trimmed
  std::optional<EngineComparison> comparison;  ///< of kBoth, where any pair has a result
  std::vector<FailedPair> failed;
  double seconds = 0.0;  ///< for the dies, without compiling and measuring
};

/// Runs the design on the dies of `request` and compares decisions with those of the given model, frames and bits with
/// the design's reference. A pair that ngspice cannot solve is counted and named, also where it is every one. The
/// features also say at which currents devices work. Throws kInterrupted with what is kept after the stop flag was
/// raised.
DieRuns run_dies(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter);

/// run_dies and every figure that follows.
MonteCarlo run_montecarlo(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter);

/// The figures of `runs`, whose cells and labels are those of `network`; the model, the conditions and the request are
/// left out.
MonteCarlo die_statistics(const DieRuns& runs, const model::Network& network);

/// Share of the pairs of die and clip that decide as software does; pairs that failed do not count.
double decision_yield(const DieRuns& runs);

}  // namespace hysteron::studies
