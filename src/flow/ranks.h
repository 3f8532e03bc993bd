#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace hysteron::flow {

/// This process's place among those that share the work.
struct Rank {
  std::size_t index = 0;
  std::size_t size = 1;
  std::string job;  // tells one run, or one step of an allocation, from the next
};

/// From the variables of mpirun or srun; alone without them. Throws a usage Error where they contradict each other.
Rank find_rank();

/// Counts up in a file of its own below `folder` while it lives; nothing where there is one rank.
class Heartbeat {
 public:
  Heartbeat(const std::filesystem::path& folder, const Rank& rank);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void beat(const std::string& job);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool over_ = false;
  std::thread thread_;
};

/// Listens for the heartbeats of other ranks. What counts is whether a file changes by this process's own clock: clocks
/// of several machines differ.
class Listener {
 public:
  explicit Listener(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Seconds since the rank was last heard, or first asked for.
  double silence(std::size_t rank);

 private:
  struct Heard {
    std::string beat;
    std::chrono::steady_clock::time_point at;
  };

  std::filesystem::path folder_;
  std::map<std::size_t, Heard> heard_;
};

}  // namespace hysteron::flow
