#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hysteron/base/reporter.h"
#include "hysteron/data/features.h"
#include "hysteron/flow/circuit.h"
#include "hysteron/model/inference.h"
#include "hysteron/model/network.h"

namespace hysteron::flow {

/// One forward pass over a set of clips.
struct RunResult {
  std::vector<model::Trace> traces;        ///< one a clip
  std::vector<std::size_t> decisions;      ///< label index per clip
  std::vector<std::vector<double>> votes;  ///< share per label per clip
};

/// Runs every clip of `features` in the discrete-time model, on all cores.
RunResult run_software(const model::Network& network, const data::Features& features, int jobs);

/// Compiles `network` and runs every clip in ngspice; the first clip that fails ends it with its Error.
RunResult run_spice(const CircuitOptions& options, const model::Network& network, const data::Features& features,
                    Reporter& reporter, const StopFlag& stop);

/// Compiles `network` and runs every clip in the behavioural engine, on all cores: the circuit as drawn or, with `die`,
/// the die of that seed, which is the one that Monte Carlo draws by it. Device densities are those of the first clip.
RunResult run_behavioural(const CircuitOptions& options, const model::Network& network, const data::Features& features,
                          std::optional<std::uint64_t> die, Reporter& reporter, const StopFlag& stop);

/// Writes logits [N,T,k], states and candidates [N,L,T,m], in model units, as safetensors.
void write_run(const RunResult& result, const std::filesystem::path& path);

}  // namespace hysteron::flow
