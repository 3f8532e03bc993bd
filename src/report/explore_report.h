#pragma once

#include <cstddef>
#include <filesystem>

#include "explore/explore.h"
#include "report/figures.h"

namespace hysteron::report {

/// `explore`: docs/explore.md.
const Table<explore::Exploration>& explore_table();

/// What `explore --slurm` wrote.
struct SlurmScript {
  std::filesystem::path file;
  std::size_t ranks = 0;
};
const Table<SlurmScript>& slurm_script_table();

}  // namespace hysteron::report
