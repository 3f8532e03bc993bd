#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "data/features.h"
#include "design/design.h"
#include "model/die_file.h"
#include "model/inference.h"
#include "model/network.h"
#include "studies/clip_records.h"

namespace hysteron::studies {

/// One forward pass over a set of clips.
struct RunResult {
  std::vector<model::Trace> traces;        ///< one a clip
  std::vector<std::size_t> decisions;      ///< label index per clip
  std::vector<std::vector<double>> votes;  ///< share per label per clip
  std::vector<std::size_t> clips;          ///< their indices
  std::vector<std::string> labels;
  std::string engine;                ///< "software", "behavioural" or "spice"
  std::optional<std::uint64_t> die;  ///< seed of the die, if one was sampled
  std::string die_file;              ///< of the measured chip, if it was one; whoever read the file says so
};

/// Runs the clips `clips` of `features` in the discrete-time model, on all cores.
RunResult run_software(const model::Network& network, const data::Features& features,
                       const std::vector<std::size_t>& clips, int jobs);

/// A copy of the circuit other than the one that was drawn; neither: that one.
struct DieChoice {
  std::optional<std::uint64_t> seed;       ///< the die that Monte Carlo draws by it with the same engine
  std::optional<model::DieErrors> errors;  ///< a measured chip; not in ngspice
};

/// Runs every clip of `design` in ngspice; the first clip that fails ends it with its Error. `files` as of verify.
RunResult run_spice(design::Design design, const DieChoice& die, const ClipFiles& files, Reporter& reporter);

/// Runs every clip in the behavioural engine, on all cores. Device densities are those of behavioural::level_frames.
RunResult run_behavioural(const design::Design& design, const DieChoice& die, Reporter& reporter);

/// Writes logits [N,T,k], states and candidates [N,L,T,m], in model units, as safetensors.
void write_run(const RunResult& result, const std::filesystem::path& path);

}  // namespace hysteron::studies
