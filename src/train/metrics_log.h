#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace hysteron::train {

/// JSON lines with the figures of training; does nothing where `path` is empty.
class MetricsLog {
 public:
  /// Begins the file anew, or, where a run goes on, behind the first `keep` bytes of what is there. Throws a bad-input
  /// Error where it cannot be written.
  MetricsLog(const std::string& path, std::optional<std::uint64_t> keep);

  /// Writes one line through to the file. Throws a bad-input Error that names training.metrics where it cannot.
  void line(const nlohmann::ordered_json& figures);

  /// Bytes of the file so far; 0 where it is no file.
  std::uint64_t bytes();

 private:
  std::string path_;
  std::ofstream stream_;
};

}  // namespace hysteron::train
