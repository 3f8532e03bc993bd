#include "train/metrics_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"

namespace hysteron::train {

namespace {

Error log_error(const std::string& path, const char* problem) {
  return bad_input(fmt::format("training.metrics: {} {}: {}", problem, hysteron::quoted(path),
                               std::generic_category().message(errno != 0 ? errno : EIO)));
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, std::optional<std::uint64_t> keep) : path_(path) {
  if (path.empty()) return;
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  if (keep && !none && size > *keep) std::filesystem::resize_file(path, *keep, none);
  errno = 0;
  stream_.open(path, keep ? std::ios::app : std::ios::trunc);
  if (!stream_) throw log_error(path, "cannot open");
}

void MetricsLog::line(const nlohmann::ordered_json& figures) {
  if (!stream_.is_open()) return;
  errno = 0;
  stream_ << figures.dump() << '\n' << std::flush;
  if (!stream_) throw log_error(path_, "cannot write");
}

std::uint64_t MetricsLog::bytes() {
  if (!stream_.is_open()) return 0;
  const std::streamoff place = stream_.tellp();
  return place < 0 ? 0 : static_cast<std::uint64_t>(place);  // a pipe has no place
}

}  // namespace hysteron::train
