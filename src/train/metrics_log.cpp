#include "train/metrics_log.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "hysteron/base/error.h"

namespace hysteron::train {

MetricsLog::MetricsLog(const std::string& path, std::optional<std::uint64_t> keep) {
  if (path.empty()) return;
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  if (keep && !none && size > *keep) std::filesystem::resize_file(path, *keep, none);
  stream_.open(path, keep ? std::ios::app : std::ios::trunc);
  if (!stream_) throw bad_input(fmt::format("training.metrics: cannot write {}", hysteron::quoted(path)));
}

void MetricsLog::line(const nlohmann::ordered_json& figures) {
  if (stream_.is_open()) stream_ << figures.dump() << '\n';
}

std::uint64_t MetricsLog::bytes() {
  if (!stream_.is_open()) return 0;
  stream_.flush();
  return static_cast<std::uint64_t>(stream_.tellp());
}

}  // namespace hysteron::train
