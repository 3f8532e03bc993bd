#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "analysis/transients.h"
#include "base/error.h"
#include "base/reporter.h"
#include "compile/clip_bench.h"
#include "data/features.h"
#include "design/design.h"

namespace hysteron::studies {

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
  bool was_stored = false;  ///< read from ClipFiles::records
};

/// Simulates the clips of `design`, in parallel, but for those that `files` has; every clip is kept as soon
/// as it is done. Clips that fail are warned of and leave the others. Throws the first clip's Error only if every clip
/// failed, kInterrupted (with what is kept) after the stop flag was raised, and bad-input Errors where files cannot be
/// written.
std::vector<ClipOutcome> simulate_records(const design::Design& design, const ClipFiles& files, Reporter& reporter);

/// The bench of one clip under the design's conditions.
sim::Testbench clip_bench(const design::Design& design, std::size_t clip);

}  // namespace hysteron::studies
