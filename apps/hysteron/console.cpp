#include "console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace {

constexpr int kBarWidth = 24;
constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr auto kLineInterval = std::chrono::seconds(30);  // between lines of progress where there is no terminal

std::string duration(double seconds) {
  const auto whole = std::lround(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

ConsoleReporter::ConsoleReporter() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ConsoleReporter::~ConsoleReporter() { clear_bar(); }

void ConsoleReporter::clear_bar() {
  if (terminal_ && !task_.empty()) fmt::print(stderr, "\r\x1b[K");
}

void ConsoleReporter::info(const std::string& message) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  fmt::print(stderr, "{}\n", message);
}

void ConsoleReporter::warning(const std::string& message) {
  const std::lock_guard lock(mutex_);
  clear_bar();
  fmt::print(stderr, "{}{}\n", terminal_ ? "\x1b[33mwarning:\x1b[0m " : "warning: ", message);
}

void ConsoleReporter::progress(const std::string& task, std::size_t done, std::size_t total,
                               const std::string& detail) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (task != task_) {
    task_ = task;
    begin_ = now;
    drawn_ = terminal_ ? Clock::time_point() : now;
    if (!terminal_ && task != announced_) fmt::print(stderr, "{} ...\n", task);
    announced_ = task;
  }
  const bool finished = done >= total;
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
  const double elapsed = std::chrono::duration<double>(now - begin_).count();
  const std::string left = share > 0.0 ? duration(elapsed * (1.0 - share) / share) + " left" : "";
  if (terminal_ && (finished || now - drawn_ >= kRedrawInterval)) {
    drawn_ = now;
    const int filled = static_cast<int>(share * kBarWidth);
    fmt::print(stderr, "\r\x1b[K{} [{:=<{}}{: <{}}] {}/{} {} {}", task, "", filled, "", kBarWidth - filled, done, total,
               detail, finished ? duration(elapsed) : left);
    std::fflush(stderr);
  } else if (!terminal_ && !finished && now - drawn_ >= kLineInterval) {
    drawn_ = now;
    fmt::print(stderr, "{}: {}/{} {} {}\n", task, done, total, detail, left);
  }
  if (finished) {
    if (terminal_) fmt::print(stderr, "\n");
    task_.clear();
  }
}
