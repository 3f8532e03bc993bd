#pragma once

#include <filesystem>
#include <optional>

#include "report/figures.h"
#include "studies/cell_study.h"

namespace hysteron::report {

/// `study cell`: its file, or what is printed of it.
struct CellStudyResult {
  studies::CellStudy study;
  std::optional<std::filesystem::path> output;  ///< the file; absent in the file itself, which has every point instead
};

/// docs/cell.md explains every field.
const Table<CellStudyResult>& cell_study_table();

}  // namespace hysteron::report
