#include "data/npy.h"

#include <fmt/format.h>

#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/bytes.h"

namespace hysteron::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;  // of the data in a file that is written
constexpr std::string_view kExpected = "expected little-endian float32 ('<f4') in C order";

/// What the header of an .npy file says.
struct Header {
  std::optional<std::string> type;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::size_t>> shape;
};

/// Reads the header's text, a Python dictionary with exactly the keys descr, fortran_order and shape. Source: NumPy
/// enhancement proposal 1.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        header.type = type();
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
      } else if (key == "shape") {
        header.shape = shape();
      } else {
        throw malformed(fmt::format("unknown key {}", quoted(key)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (!text_.empty()) throw malformed("unexpected text after its dictionary");
    return header;
  }

 private:
  Error malformed(const std::string& why) const {
    return bad_input(fmt::format("{}: the .npy header is malformed: {}", name_, why));
  }

  void skip_space() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front())) != 0) text_.remove_prefix(1);
  }

  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) {
      throw malformed(fmt::format("expected '{}' at {}", c, quoted(std::string(text_.substr(0, 16)))));
    }
  }

  std::string string() {
    skip_space();
    const char quote = text_.empty() ? '\0' : text_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) throw malformed("expected a quoted string");
    std::string result(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return result;
  }

  std::string type() {
    skip_space();
    if (!text_.empty() && text_.front() == '[') {
      throw bad_input(fmt::format("{}: the data have a structured type; {}", name_, kExpected));
    }
    return string();
  }

  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(0, word.size()) != word) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    throw malformed("fortran_order is neither True nor False");
  }

  std::vector<std::size_t> shape() {
    std::vector<std::size_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::size_t size = 0;
      const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (code == std::errc::result_out_of_range) {
        throw bad_input(fmt::format("{}: a size in the shape is too large", name_));
      }
      if (code != std::errc()) throw malformed("shape is not a tuple of sizes");
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view text_;  // what is still to be read
  std::string name_;
};

/// Splits the file into header and data.
Header read_header(std::string_view bytes, const std::string& name, std::string_view& data) {
  constexpr std::size_t kVersionAt = kMagic.size();
  constexpr std::size_t kLengthAt = kVersionAt + 2;
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    throw bad_input(fmt::format("{}: the file is not a NumPy .npy file: it does not begin with \\x93NUMPY", name));
  }
  const auto truncated = [&] { return bad_input(fmt::format("{}: the file ends inside its .npy header", name)); };
  if (bytes.size() < kLengthAt) throw truncated();
  const int version = static_cast<unsigned char>(bytes[kVersionAt]);
  if (version < 1 || version > 3) {
    throw bad_input(fmt::format("{}: .npy version {} is unknown; expected 1, 2 or 3", name, version));
  }
  const std::size_t text_at = kLengthAt + (version == 1 ? 2 : 4);
  if (bytes.size() < text_at) throw truncated();
  const std::size_t length = version == 1 ? load_little_endian<std::uint16_t>(bytes.data() + kLengthAt)
                                          : load_little_endian<std::uint32_t>(bytes.data() + kLengthAt);
  if (bytes.size() - text_at < length) throw truncated();
  data = bytes.substr(text_at + length);
  return HeaderParser(bytes.substr(text_at, length), name).parse();
}

void check_type(const Header& header, const std::string& name) {
  if (!header.type || !header.fortran_order || !header.shape) {
    throw bad_input(fmt::format("{}: the .npy header lacks descr, fortran_order or shape", name));
  }
  const std::string& type = *header.type;
  if (type == ">f4") throw bad_input(fmt::format("{}: the data are big-endian ('>f4'); {}", name, kExpected));
  if (type != "<f4") throw bad_input(fmt::format("{}: the data are of type {}; {}", name, quoted(type), kExpected));
  if (*header.fortran_order) throw bad_input(fmt::format("{}: the data are in Fortran order; {}", name, kExpected));
}

std::string shape_text(const std::vector<std::size_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// Number of values of `shape`, which must be [N, T, n] or [T, n] and fit into `available` bytes exactly.
std::size_t checked_count(const std::vector<std::size_t>& shape, std::size_t available, const std::string& name) {
  const std::string text = shape_text(shape);
  if (shape.size() != 2 && shape.size() != 3) {
    throw bad_input(
        fmt::format("{}: the shape is {}; expected [clips, frames, features] or [frames, features]", name, text));
  }
  std::size_t bytes = sizeof(float);
  bool overflow = false;
  for (const std::size_t size : shape) {
    if (size == 0) throw bad_input(fmt::format("{}: the shape {} has a size of zero", name, text));
    overflow = overflow || __builtin_mul_overflow(bytes, size, &bytes);
  }
  if (overflow) throw bad_input(fmt::format("{}: the shape {} is too large", name, text));
  if (bytes != available) {
    throw bad_input(fmt::format("{}: {}: the shape {} needs {} bytes of data and {} are there", name,
                                bytes > available ? "the file is truncated" : "unexpected bytes after the data", text,
                                bytes, available));
  }
  return bytes / sizeof(float);
}

void check_finite(const Features& features, const std::string& name) {
  for (std::size_t i = 0; i < features.values.size(); ++i) {
    if (std::isfinite(features.values[i])) continue;
    const std::size_t row = i / features.width;
    throw bad_input(fmt::format("{}: clip {}, frame {}, feature {} is {}; expected finite values", name,
                                row / features.frames, row % features.frames, i % features.width, features.values[i]));
  }
}

}  // namespace

Features read_npy(const std::filesystem::path& path) {
  const std::string name = quoted(path.string());
  const std::string bytes = read_file(path);
  if (bytes.empty()) throw bad_input(fmt::format("{}: the file is empty; expected NumPy .npy", name));
  std::string_view data;
  const Header header = read_header(bytes, name, data);
  check_type(header, name);
  const std::vector<std::size_t>& shape = *header.shape;
  const std::size_t count = checked_count(shape, data.size(), name);
  Features features;
  features.clips = shape.size() == 3 ? shape[0] : 1;
  features.frames = shape[shape.size() - 2];
  features.width = shape.back();
  features.values.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    features.values[i] = std::bit_cast<float>(load_little_endian<std::uint32_t>(data.data() + i * sizeof(float)));
  }
  check_finite(features, name);
  return features;
}

void write_npy(const std::filesystem::path& path, const Features& features) {
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, {}), }}", features.clips,
                                 features.frames, features.width);
  const std::size_t before_text = kMagic.size() + 4;
  const std::size_t unpadded = before_text + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  std::string bytes(kMagic);
  bytes += '\1';
  bytes += '\0';
  append_little_endian<std::uint16_t>(bytes, static_cast<std::uint16_t>(text.size()));
  bytes += text;
  bytes.reserve(bytes.size() + features.values.size() * sizeof(float));
  for (const float value : features.values) append_little_endian(bytes, std::bit_cast<std::uint32_t>(value));
  write_file(path, bytes);
}

}  // namespace hysteron::data
