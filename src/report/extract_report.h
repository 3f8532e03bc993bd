#pragma once

#include <filesystem>

#include "design/netlist.h"
#include "report/figures.h"

namespace hysteron::report {

/// What `extract` read back.
struct ExtractResult {
  design::ExtractResult extracted;
  std::filesystem::path output;  ///< the rebuilt model; empty: not written
};

/// `extract`: docs/netlist.md.
const Table<ExtractResult>& extract_table();

}  // namespace hysteron::report
