#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "base/error.h"

namespace hysteron {
namespace {

std::string system_reason(int code) { return std::generic_category().message(code); }

Error file_error(const std::filesystem::path& path, const char* what, int code) {
  return bad_input(fmt::format("{}: {}: {}", quoted(path.string()), what, system_reason(code)));
}

void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw file_error(path, "cannot write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(descriptor) != 0 && errno != EINVAL) throw file_error(path, "cannot write", errno);
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) throw file_error(path, "cannot read", EISDIR);
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw file_error(path, "cannot open", errno != 0 ? errno : ENOENT);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) throw file_error(path, "cannot read", errno != 0 ? errno : EIO);
  return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code code;
  // Renaming over a device or a folder would destroy it.
  if (std::filesystem::exists(path, code) && !std::filesystem::is_regular_file(path, code)) {
    throw file_error(path, "cannot replace anything but a regular file", EEXIST);
  }
  std::string temporary = path.string() + ".XXXXXX";
  const int descriptor = ::mkstemp(temporary.data());
  if (descriptor < 0) throw file_error(path, "cannot create", errno);
  try {
    write_all(descriptor, bytes, path);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor, 0666 & ~mask) != 0) throw file_error(path, "cannot write", errno);
  } catch (...) {
    ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(descriptor);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw file_error(path, "cannot rename to", reason);
  }
}

void check_writable(const std::filesystem::path& path, std::string_view what) {
  const std::filesystem::path whole = std::filesystem::absolute(path);
  const std::filesystem::path folder = whole.parent_path();
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw bad_input(fmt::format("{}: cannot write {}: the folder {} does not exist", what, quoted(path.string()),
                                quoted(folder.string())));
  }
  const bool taken = std::filesystem::exists(whole, ignored) && !std::filesystem::is_regular_file(whole, ignored);
  if (taken || whole.filename().empty()) {
    throw bad_input(fmt::format("{} is {}, which is a folder or device; expected a file", what, quoted(path.string())));
  }
}

void make_directories(const std::filesystem::path& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) throw file_error(path, "cannot create the folder", code.value());
}

TemporaryDirectory::TemporaryDirectory(std::string_view purpose) {
  std::error_code code;
  std::filesystem::path base = std::filesystem::temp_directory_path(code);
  if (code) base = "/tmp";
  std::string name = (base / fmt::format("hysteron-{}-XXXXXX", purpose)).string();
  if (::mkdtemp(name.data()) == nullptr) throw file_error(name, "cannot create the folder", errno);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path cache_directory() {
  std::filesystem::path base;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/') {
    base = xdg;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    base = std::filesystem::path(home) / ".cache";
  } else {
    base = std::filesystem::temp_directory_path();
  }
  base /= "hysteron";
  make_directories(base);
  return base;
}

}  // namespace hysteron
