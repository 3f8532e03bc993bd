#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/store.h"
#include "studies/montecarlo.h"

namespace hysteron::studies {

/// What the behavioural engine did with dies, in a folder: a file for every block of dies that follow each other, as
/// soon as the block is done, so that a command that was interrupted goes on from there.
class StoredDies {
 public:
  /// Stores nothing where `folder` is empty; makes the folder else. `key`: of all that decides what a die does, but for
  /// its seed; a file of another key is stale. Throws a bad-input Error where the folder cannot be made.
  StoredDies(std::filesystem::path folder, std::string key);

  /// Fills dies of these seeds, and `before`, the same dies untrimmed or none, whose vectors have their sizes. False,
  /// with everything as it was, where the block is not there or stale. Throws a bad-input Error where it cannot be
  /// read.
  bool read(std::span<DieResult> dies, std::span<DieResult> before) const;

  /// Throws a bad-input Error where the file cannot be written.
  void write(std::span<const DieResult> dies, std::span<const DieResult> before) const;

 private:
  std::filesystem::path folder_;
  std::string key_;

  Store store_of(std::span<const DieResult> dies) const;
};

}  // namespace hysteron::studies
