#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hysteron {

int hardware_jobs() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

struct ThreadPool::Shared {
  std::mutex mutex;
  std::condition_variable begin;
  std::condition_variable done;
  const std::function<void(std::size_t)>* body = nullptr;  // the loop under way
  std::size_t count = 0;
  std::atomic<std::size_t> next{0};
  std::size_t generation = 0;  // of the loop under way
  int busy = 0;                // workers still inside it
  bool closing = false;
  std::exception_ptr error;
  std::vector<std::thread> workers;

  void take_indices() {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        (*body)(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(count);
      }
    }
  }

  void work() {
    std::size_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      begin.wait(lock, [&] { return closing || generation != seen; });
      if (closing) return;
      seen = generation;
      lock.unlock();
      take_indices();
      lock.lock();
      if (--busy == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int jobs) : shared_(std::make_unique<Shared>()) {
  const int threads = jobs > 0 ? jobs : hardware_jobs();
  for (int i = 1; i < threads; ++i) shared_->workers.emplace_back([shared = shared_.get()] { shared->work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
  }
  shared_->begin.notify_all();
  for (std::thread& worker : shared_->workers) worker.join();
}

int ThreadPool::jobs() const { return static_cast<int>(shared_->workers.size()) + 1; }

void ThreadPool::run(std::size_t count, const std::function<void(std::size_t)>& body) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->body = &body;
    shared_->count = count;
    shared_->next.store(0);
    shared_->error = nullptr;
    shared_->busy = static_cast<int>(shared_->workers.size());
    ++shared_->generation;
  }
  shared_->begin.notify_all();
  shared_->take_indices();
  std::unique_lock lock(shared_->mutex);
  shared_->done.wait(lock, [&] { return shared_->busy == 0; });
  if (shared_->error) std::rethrow_exception(shared_->error);
}

}  // namespace hysteron
