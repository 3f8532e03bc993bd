#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

namespace hysteron::cli {

/// A child of `parent` that is alive and that `fits`, which there is sooner or later; 0 if not in time.
inline pid_t child_of(
    pid_t parent, const std::function<bool(const std::filesystem::path&)>& fits = [](const auto&) { return true; }) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream stat(entry.path() / "stat");
      long pid = 0;
      long of = 0;
      std::string name;
      std::string state;
      if (stat >> pid >> name >> state >> of && of == parent && state != "Z" && fits(entry.path())) {
        return static_cast<pid_t>(pid);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 0;
}

}  // namespace hysteron::cli
