#include "data/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "hysteron/base/error.h"

namespace hysteron::data {
namespace {

constexpr std::uint32_t kUnsignedBytes = 0x0800;  // magic number without its lowest byte, the rank

struct CloseGzip {
  void operator()(gzFile file) const { gzclose(file); }
};

/// A file that zlib decompresses where it is gzipped and passes through where it is not.
class GzipFile {
 public:
  explicit GzipFile(const std::filesystem::path& path) : name_(quoted(path.string())) {
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw bad_input(fmt::format("{}: cannot be opened: {}", name_, reason(Z_ERRNO, "")));
  }

  const std::string& name() const { return name_; }

  /// Appends up to `count` bytes to `bytes`; fewer only at the end of the file.
  void read(std::size_t count, std::vector<std::uint8_t>& bytes) {
    constexpr std::size_t kChunk = 1 << 20;  // memory grows with the file, not with what its header claims
    while (count > 0) {
      const std::size_t at = bytes.size();
      const std::size_t wanted = std::min(count, kChunk);
      bytes.resize(at + wanted);
      errno = 0;
      const int got = gzread(file_.get(), bytes.data() + at, static_cast<unsigned>(wanted));
      int code = Z_OK;
      const char* text = gzerror(file_.get(), &code);
      // A gzip file that ends early gives what it has and reports Z_BUF_ERROR.
      if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        throw bad_input(
            fmt::format("{}: cannot be read: {}; expected an idx file, gzipped or not", name_, reason(code, text)));
      }
      bytes.resize(at + static_cast<std::size_t>(got));
      if (static_cast<std::size_t>(got) < wanted) return;
      count -= wanted;
    }
  }

 private:
  static std::string reason(int code, const char* text) { return code == Z_ERRNO ? std::strerror(errno) : text; }

  std::string name_;
  std::unique_ptr<gzFile_s, CloseGzip> file_;
};

std::uint32_t load_big_endian(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | bytes[i];
  return value;
}

/// The sizes that follow the magic number.
std::vector<std::size_t> read_shape(GzipFile& file, std::size_t rank) {
  const std::size_t length = 4 * (rank + 1);
  std::vector<std::uint8_t> header;
  file.read(length, header);
  const auto expected = static_cast<std::uint32_t>(kUnsignedBytes + rank);
  if (header.size() >= 4 && load_big_endian(header.data()) != expected) {
    throw bad_input(fmt::format("{}: byte 0: the magic number is 0x{:08x}; expected 0x{:08x} (unsigned bytes, rank {})",
                                file.name(), load_big_endian(header.data()), expected, rank));
  }
  if (header.size() < length) {
    throw bad_input(fmt::format("{}: byte {}: the file is truncated inside its header; expected {} bytes of header",
                                file.name(), header.size(), length));
  }
  std::vector<std::size_t> shape;
  for (std::size_t i = 1; i <= rank; ++i) shape.push_back(load_big_endian(header.data() + 4 * i));
  return shape;
}

}  // namespace

IdxBytes read_idx(const std::filesystem::path& path, std::size_t rank) {
  GzipFile file(path);
  IdxBytes result;
  result.shape = read_shape(file, rank);
  const std::string shape = fmt::format("[{}]", fmt::join(result.shape, ", "));
  std::size_t count = 1;
  bool overflow = false;
  for (const std::size_t size : result.shape) overflow = overflow || __builtin_mul_overflow(count, size, &count);
  if (overflow) throw bad_input(fmt::format("{}: byte 4: the shape {} is too large", file.name(), shape));
  file.read(count, result.values);
  const std::size_t header = 4 * (rank + 1);
  if (result.values.size() < count) {
    throw bad_input(
        fmt::format("{}: byte {}: the file is truncated: the shape {} needs {} bytes of data and {} are "
                    "there",
                    file.name(), header + result.values.size(), shape, count, result.values.size()));
  }
  std::vector<std::uint8_t> more;
  file.read(1, more);
  if (!more.empty()) {
    throw bad_input(fmt::format("{}: byte {}: there are bytes after the data; the shape {} needs {} bytes", file.name(),
                                header + count, shape, count));
  }
  return result;
}

}  // namespace hysteron::data
