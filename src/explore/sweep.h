#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "explore/sweep_grid.h"
#include "train/evaluate.h"

namespace hysteron::explore {

struct SweepRequest {
  std::filesystem::path file;     ///< see train::read_sweep
  std::filesystem::path program;  ///< the hysteron program, started for each point
  std::size_t jobs = 0;           ///< trainings at a time; 0: one a core
  double patience = 60.0;  ///< seconds without a sign of life after which rank 0 makes another rank's points itself
};

/// What became of a point.
struct SweepEntry {
  explore::SweepPoint point;
  std::filesystem::path folder;
  bool done = false;
  std::string problem;                    ///< why it is not done
  std::map<std::string, double> figures;  ///< numbers of `train --json`, if done
};

/// What figures come to over the points that differ in seeds alone.
struct SweepRow {
  std::vector<std::pair<std::string, std::string>> values;  ///< of the keys that are no seeds
  std::size_t runs = 0;
  std::map<std::string, train::Spread> figures;  ///< of `train --json`; empty without a run
};

struct SweepResult {
  std::vector<SweepEntry> entries;
  std::vector<SweepRow> rows;
  std::size_t skipped = 0;  ///< were done before
  std::size_t failed = 0;   ///< have a problem
  bool reports = true;      ///< false in all ranks of an MPI job but the first
};

/// Trains every point of a grid, each in a process of its own and a folder of its own below the sweep's: config.toml,
/// model.safetensors, metrics.jsonl, result.json, log.txt. Points that have a result of the same configuration are
/// skipped; one that was interrupted goes on from its checkpoint; one that fails or is killed is reported and does not
/// hold up the others. Under mpirun (OMPI_COMM_WORLD_RANK and _SIZE) or srun (SLURM_PROCID, SLURM_NTASKS) rank r trains
/// the points i with i mod size = r, and rank 0 waits for the others' results, says for which, and makes itself what a
/// rank leaves that is silent for `patience`. Throws kInterrupted when `stop` is set;
/// trainings under way are then ended.
SweepResult run_sweep(const SweepRequest& request, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::explore
