#pragma once

#include <atomic>
#include <cstddef>
#include <string>

namespace hysteron {

/// Where libraries say what they do; they never print. Calls may come from several threads at once.
class Reporter {
 public:
  virtual ~Reporter() = default;

  /// A line the user should see once.
  virtual void info(const std::string& message) = 0;
  virtual void warning(const std::string& message) = 0;

  /// `done` of `total` steps of `task` are finished; `detail` is a few words (loss, accuracy) and may be empty.
  virtual void progress(const std::string& task, std::size_t done, std::size_t total, const std::string& detail) = 0;
};

/// Says nothing.
class SilentReporter : public Reporter {
 public:
  void info(const std::string&) override {}
  void warning(const std::string&) override {}
  void progress(const std::string&, std::size_t, std::size_t, const std::string&) override {}
};

/// Set by the program when the user interrupts; long-running functions look at it, save and throw kInterrupted.
class StopFlag {
 public:
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
};

}  // namespace hysteron
