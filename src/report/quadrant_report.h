#pragma once

#include <filesystem>
#include <optional>

#include "report/figures.h"
#include "studies/quadrant_study.h"

namespace hysteron::report {

/// `study quadrant`: its file, or what is printed of it.
struct QuadrantResult {
  studies::QuadrantStudy study;
  std::optional<std::filesystem::path> output;  ///< the file; absent in the file itself, which has every run instead
};

/// docs/tasks.md explains every field.
const Table<QuadrantResult>& quadrant_table();

}  // namespace hysteron::report
