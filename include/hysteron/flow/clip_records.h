#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "hysteron/analysis/transients.h"
#include "hysteron/base/error.h"
#include "hysteron/base/reporter.h"
#include "hysteron/compile/clip_bench.h"
#include "hysteron/data/features.h"
#include "hysteron/flow/circuit.h"

namespace hysteron::flow {

/// Where simulated clips are kept. Empty paths: nowhere.
struct ClipFiles {
  /// A folder with a file a clip. A clip whose file was made by the same netlist, features, conditions, technology and
  /// simulator is read from there and not simulated again.
  std::filesystem::path records;
  /// A folder for a file of waveforms a clip or, where it ends in ".safetensors", the file of the only clip.
  std::filesystem::path waveforms;
  double tolerance = 1e-3;  ///< of waveforms: unit currents, and volt
};

/// Throws a usage Error if `files` cannot take `clips` clips.
void check_clip_files(const ClipFiles& files, std::size_t clips);

/// What the circuit did with one clip.
struct ClipRecord {
  compile::CircuitTrace circuit;
  analysis::Transients transients;
};

/// One clip of many: a record or why there is none.
struct ClipOutcome {
  std::optional<ClipRecord> record;
  std::optional<Error> error;
  bool was_kept = false;  ///< read from ClipFiles::records
};

/// Simulates the clips `clips` of `features`, in parallel, but for those that `files` has; every clip is kept as soon
/// as it is done. Clips that fail are warned of and leave the others. Throws the first clip's Error only if every clip
/// failed, kInterrupted (with what is kept) after the stop flag was raised, and bad-input Errors where files cannot be
/// written.
std::vector<ClipOutcome> simulate_records(const Workshop& workshop, const compile::CompiledNetwork& network,
                                          const data::Features& features, const std::vector<std::size_t>& clips,
                                          const SimulationConditions& conditions, const ClipFiles& files,
                                          Reporter& reporter);

/// The bench of one clip under `conditions`.
sim::Testbench clip_bench(const compile::CompiledNetwork& network, const data::Features& features, std::size_t clip,
                          const SimulationConditions& conditions);

}  // namespace hysteron::flow
