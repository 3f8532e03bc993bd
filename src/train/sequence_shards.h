#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "data/sequences.h"
#include "train/sequence_model.h"

namespace hysteron::train {

/// Workspaces that threads borrow for one pass.
class WorkspacePool {
 public:
  std::unique_ptr<SequenceModel::Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<SequenceModel::Workspace>();
    auto workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }

  void give(std::unique_ptr<SequenceModel::Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<SequenceModel::Workspace>> free_;
};

/// Sequences `indices` of a split, packed side by side in their order.
std::vector<SequenceShard> make_shards(const data::SequenceSource& source, data::Split split,
                                       const std::vector<std::uint64_t>& indices);

}  // namespace hysteron::train
