#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/parallel.h"
#include "base/reporter.h"

namespace hysteron::explore {

/// This process's place among those that share the work.
struct Rank {
  std::size_t index = 0;
  std::size_t size = 1;
  std::string job = "-";  // tells one run, or one step of an allocation, from the next
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

/// Which ranks have ended and which were found dead: a file of each in `folder`, with the job's name.
class RollCall {
 public:
  /// Forgets what an earlier run said of this rank.
  RollCall(std::filesystem::path folder, const Rank& rank, double patience, Reporter& reporter);

  /// Whether the rank has been silent for as long as it may; said once. `what`: what follows from it.
  bool is_dead(std::size_t rank, Listener& listener, const std::string& what);

  /// Says that this rank has done all it can, and waits for those before it to say so or fall silent. If all of them
  /// are dead, this rank is the first: then it waits for those behind it, too, so that each that died is said.
  /// Throws kInterrupted.
  bool is_first_when_all_have_ended(Listener& listener, const StopFlag& stop);

 private:
  std::filesystem::path file(std::size_t rank, const char* ending) const;
  bool is_of_this_job(const std::filesystem::path& file) const;
  /// True where it has ended, false where it is dead.
  bool await(std::size_t rank, Listener& listener, const StopFlag& stop);

  std::filesystem::path folder_;
  const Rank& rank_;
  double patience_;
  Reporter& reporter_;
  std::set<std::size_t> said_;
};

}  // namespace hysteron::explore
