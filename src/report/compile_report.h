#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "design/netlist.h"
#include "report/figures.h"

namespace hysteron::report {

/// What `compile` did.
struct CompileResult {
  design::CircuitSummary summary;
  std::filesystem::path output;
  std::vector<std::string> files;  ///< in `output`
};

/// summary.json: docs/compiler.md.
const Table<design::CircuitSummary>& summary_table();

/// `compile`: the summary and what was written.
const Table<CompileResult>& compile_table();

}  // namespace hysteron::report
