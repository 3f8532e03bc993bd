#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace hysteron {

/// Number of hardware threads, at least 1.
int hardware_jobs();

/// A fixed set of worker threads for repeated short parallel loops.
class ThreadPool {
 public:
  /// `jobs` threads take part in every loop, the caller among them; 0 means hardware_jobs().
  explicit ThreadPool(int jobs = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int jobs() const;

  /// Calls body(i) once for every i in [0, count), in any order, on all threads; returns when all are done. The first
  /// exception is rethrown here, and indices not yet begun are then skipped. Not to be nested on one pool.
  void run(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace hysteron
