#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hysteron {

/// What some editors put before a UTF-8 text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// The whole file as bytes. Throws a bad-input Error that names the file and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes `bytes` to a temporary name beside `path`, flushes it to disk, then renames: the file appears whole or not at
/// all. Throws a bad-input Error (full disk, no such folder, no permission) and leaves nothing behind.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Throws the bad-input Error that `write_file` would meet where `path` is no file or its folder does not exist: for
/// commands that compute for long before they write. `what` names the path to its user.
void check_writable(const std::filesystem::path& path, std::string_view what);

/// Creates `path` and its parents. Throws a bad-input Error where that is impossible.
void make_directories(const std::filesystem::path& path);

/// A folder of its own below the system's temporary folder, removed with everything in it at the end of its life.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(std::string_view purpose);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// $XDG_CACHE_HOME/hysteron, else ~/.cache/hysteron, else a folder below the temporary one; created if missing.
std::filesystem::path cache_directory();

}  // namespace hysteron
