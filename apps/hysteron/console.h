#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "base/reporter.h"

/// Messages and progress bars on stderr; bars and colour only where stderr is a terminal.
class ConsoleReporter : public hysteron::Reporter {
 public:
  ConsoleReporter();
  ~ConsoleReporter() override;

  void info(const std::string& message) override;
  void warning(const std::string& message) override;
  void progress(const std::string& task, std::size_t done, std::size_t total, const std::string& detail) override;

 private:
  using Clock = std::chrono::steady_clock;

  void clear_bar();

  std::mutex mutex_;
  bool terminal_;
  std::string task_;         // of the bar on screen; empty: none
  std::string announced_;    // the last task that began; one that begins again and again is a line only once
  Clock::time_point begin_;  // of that task
  Clock::time_point drawn_;
};
