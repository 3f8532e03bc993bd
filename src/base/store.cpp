#include "base/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

namespace hysteron {
namespace {

constexpr std::string_view kFoot = "\n}\n";

Error unreadable(const std::filesystem::path& path, int reason) {
  return bad_input(fmt::format("{}: cannot read: {}", quoted(path.string()), std::generic_category().message(reason)));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

std::optional<std::string> read_if_present(const std::filesystem::path& path) {
  // One call opens and tells: another process may remove a file that was there a moment ago.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0 && errno == ENOENT) return std::nullopt;
  struct stat about {};
  if (file.number() < 0 || ::fstat(file.number(), &about) != 0) throw unreadable(path, errno);
  if (S_ISDIR(about.st_mode)) throw unreadable(path, EISDIR);
  std::string bytes;
  std::array<char, 1 << 16> block{};
  while (true) {
    const ssize_t count = ::read(file.number(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw unreadable(path, errno);
    if (count == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
}

std::string key_hash(std::string_view key) {
  // Two streams of 64 bits: a record that is taken for another would be a wrong result without a sign of it.
  const std::uint64_t first = fnv1a(key);
  return fmt::format("{:016x}{:016x}", first, fnv1a(key, first ^ 0x9e3779b97f4a7c15ULL));
}

Store::Store(std::filesystem::path path, std::string_view kind, std::string_view key)
    : path_(std::move(path)), stamp_(fmt::format("hysteron-store {} {} {}", kStoreVersion, kind, key_hash(key))) {}

std::string Store::head(std::string_view record) const {
  return fmt::format("{{\"store\": \"{}\", \"hash\": \"{}\", \"record\":\n", stamp_, key_hash(record));
}

Stored<std::string> Store::read() const {
  const std::optional<std::string> bytes = read_bytes();
  if (!bytes) return {};
  const std::string_view all = *bytes;
  const std::size_t begin = all.find('\n') + 1;  // 0 where there is no line
  if (!all.ends_with(kFoot) || all.size() < begin + kFoot.size()) return {StoreState::kStale, {}};
  const std::string_view record = all.substr(begin, all.size() - begin - kFoot.size());
  if (all.substr(0, begin) != head(record)) return {StoreState::kStale, {}};
  return {StoreState::kFound, std::string(record)};
}

void Store::write(std::string_view record) const {
  std::string bytes = head(record);
  bytes += record;
  bytes += kFoot;
  write_bytes(bytes);
}

void Store::write_bytes(std::string_view bytes) const {
  if (path_.has_parent_path()) make_directories(path_.parent_path());
  write_file(path_, bytes);
}

}  // namespace hysteron
