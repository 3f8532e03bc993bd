#pragma once

#include <filesystem>
#include <optional>

#include "base/store.h"
#include "behavioural/accumulation.h"

namespace hysteron::studies {

/// What one kind of memory did under one noise, in a file of its own, so that a study that was interrupted goes on.
class StoredAccumulation {
 public:
  /// Stores nothing where `folder` is empty.
  StoredAccumulation(const std::filesystem::path& folder, behavioural::Memory memory,
                     const behavioural::AccumulationRequest& request);

  /// Nothing where the run is not there or stale. Throws a bad-input Error where it cannot be read.
  std::optional<behavioural::Accumulation> read() const;

  /// Throws a bad-input Error where the file cannot be written.
  void write(const behavioural::Accumulation& run) const;

 private:
  behavioural::Memory memory_;
  std::optional<Store> store_;
};

}  // namespace hysteron::studies
