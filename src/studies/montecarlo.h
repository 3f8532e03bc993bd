#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/conformance.h"
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
  std::vector<DieClip> clips;             ///< as MonteCarlo::references
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

struct MonteCarlo {
  std::vector<ClipReference> references;
  std::vector<DieResult> dies;
  std::optional<analysis::Conformance> conformance;  ///< of kBoth
  std::vector<DifferingPair> differing;              ///< of kBoth
  LostPairs lost;                                    ///< of kBoth
  std::optional<Trimming> trimming;                  ///< `dies` are trimmed
  bool device_noise = false;                         ///< as requested
  double seconds = 0.0;                              ///< for the dies, without compiling and measuring
};

/// Runs the design on the dies of `request` and compares decisions with those of the given model, frames and bits with
/// the design's reference. A pair that ngspice cannot solve is counted and named, also where it is every one. The
/// features also say at which currents devices work. Throws kInterrupted with what is kept after the stop flag was
/// raised.
MonteCarlo run_montecarlo(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter);

/// Share of the pairs of die and clip that decide as software does; pairs that failed do not count.
double decision_yield(const MonteCarlo& result);

/// All of it as montecarlo.json holds it: docs/robustness.md has the fields.
nlohmann::json montecarlo_json(const MonteCarlo& result, const model::Network& network);

}  // namespace hysteron::studies
