#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/reporter.h"

namespace hysteron::data {

/// Counts the finished steps of a parallel loop, reports them in order and ends the loop when the user interrupts.
class Progress {
 public:
  Progress(std::string task, std::size_t total, Reporter& reporter, const StopFlag& stop)
      : task_(std::move(task)), total_(total), reporter_(reporter), stop_(stop) {}

  /// One more step is done. Throws kInterrupted when a stop was asked for.
  void step() {
    if (stop_.requested()) throw Error(ErrorKind::kInterrupted, "interrupted: " + task_);
    const std::lock_guard lock(mutex_);
    reporter_.progress(task_, ++done_, total_, "");
  }

 private:
  std::string task_;
  std::size_t total_;
  Reporter& reporter_;
  const StopFlag& stop_;
  std::mutex mutex_;
  std::size_t done_ = 0;
};

}  // namespace hysteron::data
