#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/store.h"
#include "studies/quadrant_study.h"

namespace hysteron::studies {

/// The finished runs of a study, in one file, so that a study that was interrupted goes on.
class StoredQuadrantRuns {
 public:
  /// Reads what is there; stores nothing where `path` is empty. Throws a bad-input Error where the file cannot be read.
  explicit StoredQuadrantRuns(const std::filesystem::path& path);

  /// `key`: all that decides the run.
  std::optional<QuadrantRun> find(const std::string& key) const;

  /// Throws a bad-input Error where the file cannot be written.
  void add(const std::string& key, const QuadrantRun& run);

  /// Of a study that is finished.
  void remove() const;

 private:
  std::optional<Store> store_;
  std::map<std::string, QuadrantRun> runs_;
};

}  // namespace hysteron::studies
