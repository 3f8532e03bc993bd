#include "model/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::model {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensor bytes are used as they are in the file");

constexpr std::size_t kLengthBytes = 8;                // of the header, before it
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the limit of the format's reference implementation
constexpr std::size_t kAlignment = 8;                  // of the first tensor byte
constexpr const char* kMetadataKey = "__metadata__";

constexpr std::array<std::pair<std::string_view, std::size_t>, 15> kTypes{{{"BOOL", 1},
                                                                           {"U8", 1},
                                                                           {"I8", 1},
                                                                           {"F8_E5M2", 1},
                                                                           {"F8_E4M3", 1},
                                                                           {"I16", 2},
                                                                           {"U16", 2},
                                                                           {"F16", 2},
                                                                           {"BF16", 2},
                                                                           {"I32", 4},
                                                                           {"U32", 4},
                                                                           {"F32", 4},
                                                                           {"F64", 8},
                                                                           {"I64", 8},
                                                                           {"U64", 8}}};

Error file_error(const std::string& origin, const std::string& message) {
  return bad_input(fmt::format("{}: {}", hysteron::quoted(origin), message));
}

/// Parses the header and refuses keys that are given twice, which nlohmann::json would merge silently.
Json parse_header(std::string_view text, const std::string& origin) {
  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty()) {
      const auto name = parsed.get<std::string>();
      if (!keys.back().insert(name).second && duplicate.empty()) duplicate = name;
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, watch);
  } catch (const Json::exception& error) {
    throw file_error(origin, fmt::format("the header is not valid JSON: {}", hysteron::quoted(error.what())));
  }
  if (!duplicate.empty())
    throw file_error(origin, fmt::format("the header has the key {} twice", hysteron::quoted(duplicate)));
  if (!header.is_object()) {
    throw file_error(origin, fmt::format("the header is a JSON {}; expected an object", header.type_name()));
  }
  return header;
}

std::map<std::string, std::string> parse_metadata(const Json& metadata, const std::string& origin) {
  if (!metadata.is_object()) {
    throw file_error(origin, fmt::format("{} is a JSON {}; expected an object", kMetadataKey, metadata.type_name()));
  }
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : metadata.items()) {
    if (!value.is_string()) {
      throw file_error(
          origin, fmt::format("metadata {} is a JSON {}; expected a string", hysteron::quoted(key), value.type_name()));
    }
    result[key] = value.get<std::string>();
  }
  return result;
}

std::size_t parse_size(const Json& value, const std::string& origin, const std::string& name, const char* what) {
  if (!value.is_number_unsigned()) {
    throw file_error(origin,
                     fmt::format("tensor {}: {} holds {}; expected whole numbers from 0", hysteron::quoted(name), what,
                                 hysteron::quoted(value.dump(-1, ' ', false, Json::error_handler_t::replace))));
  }
  return value.get<std::size_t>();
}

const Json& member(const Json& entry, const char* key, const std::string& origin, const std::string& name) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw file_error(origin, fmt::format("tensor {} has no {}", hysteron::quoted(name), key));
  return *found;
}

struct Place {
  std::size_t begin;
  std::size_t end;
  const std::string* name;
};

/// Type, shape and place of one tensor; its bytes are not looked at yet.
Place parse_entry(const Json& entry, const std::string& origin, const std::string& name, Tensor& tensor) {
  if (!entry.is_object()) {
    throw file_error(origin, fmt::format("tensor {} is described by a JSON {}; expected an object",
                                         hysteron::quoted(name), entry.type_name()));
  }
  const Json& dtype = member(entry, "dtype", origin, name);
  tensor.dtype = dtype.is_string() ? dtype.get<std::string>() : dtype.dump();
  const std::size_t value_bytes = dtype_size(tensor.dtype);
  if (value_bytes == 0) {
    throw file_error(origin,
                     fmt::format("tensor {}: unknown type {}", hysteron::quoted(name), hysteron::quoted(tensor.dtype)));
  }
  const Json& shape = member(entry, "shape", origin, name);
  const Json& offsets = member(entry, "data_offsets", origin, name);
  if (!shape.is_array())
    throw file_error(origin, fmt::format("tensor {}: shape is not a list", hysteron::quoted(name)));
  if (!offsets.is_array() || offsets.size() != 2) {
    throw file_error(origin,
                     fmt::format("tensor {}: data_offsets is not a list of two numbers", hysteron::quoted(name)));
  }
  std::size_t bytes = value_bytes;
  for (const Json& extent : shape) {
    tensor.shape.push_back(parse_size(extent, origin, name, "shape"));
    if (__builtin_mul_overflow(bytes, tensor.shape.back(), &bytes)) {
      throw file_error(origin, fmt::format("tensor {}: shape overflows 64 bits", hysteron::quoted(name)));
    }
  }
  const Place place{parse_size(offsets[0], origin, name, "data_offsets"),
                    parse_size(offsets[1], origin, name, "data_offsets"), &name};
  if (place.begin > place.end || place.end - place.begin != bytes) {
    throw file_error(origin, fmt::format("tensor {}: data_offsets [{}, {}] do not span the {} bytes of its shape",
                                         hysteron::quoted(name), place.begin, place.end, bytes));
  }
  return place;
}

/// Tensors must tile the data exactly: no byte twice, none unused.
void check_places(std::vector<Place> places, std::size_t available, const std::string& origin) {
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::size_t position = 0;
  for (const Place& place : places) {
    if (place.end > available) {
      throw file_error(origin,
                       fmt::format("tensor {}: data_offsets [{}, {}] run past the {} bytes of data; the file is "
                                   "truncated or its offsets are wrong",
                                   hysteron::quoted(*place.name), place.begin, place.end, available));
    }
    if (place.begin != position) {
      throw file_error(
          origin, fmt::format("tensor {}: data_offsets begin at {}, expected {}: {}", hysteron::quoted(*place.name),
                              place.begin, position, place.begin < position ? "tensors overlap" : "there is a gap"));
    }
    position = place.end;
  }
  if (position != available) {
    throw file_error(origin, fmt::format("{} bytes after the last tensor; expected none", available - position));
  }
}

std::string_view header_text(std::string_view bytes, const std::string& origin) {
  if (bytes.size() < kLengthBytes) {
    throw file_error(origin, fmt::format("{} bytes are too few for a safetensors file", bytes.size()));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kLongestHeader || length > bytes.size() - kLengthBytes) {
    throw file_error(
        origin,
        fmt::format("the header claims {} bytes of the {} in the file, which is truncated or not a safetensors file",
                    length, bytes.size()));
  }
  const std::string_view text = bytes.substr(kLengthBytes, static_cast<std::size_t>(length));
  if (text.empty() || text.front() != '{') throw file_error(origin, "the header does not begin with '{'");
  return text;
}

}  // namespace

std::size_t Tensor::count() const {
  std::size_t result = 1;
  for (const std::size_t extent : shape) result *= extent;
  return result;
}

std::size_t dtype_size(std::string_view dtype) {
  for (const auto& [name, size] : kTypes) {
    if (name == dtype) return size;
  }
  return 0;
}

Tensor float_tensor(std::vector<std::size_t> shape, std::span<const float> values) {
  Tensor tensor{"F32", std::move(shape),
                std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes())};
  if (tensor.count() != values.size()) throw std::logic_error("float_tensor: shape and values differ");
  return tensor;
}

std::vector<float> float_values(const Tensor& tensor, const std::string& origin, const std::string& name) {
  if (tensor.dtype != "F32") {
    throw file_error(origin, fmt::format("tensor {} has type {}; expected F32", hysteron::quoted(name), tensor.dtype));
  }
  std::vector<float> values(tensor.data.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(float));
  return values;
}

TensorFile parse_tensors(std::string_view bytes, const std::string& origin) {
  const std::string_view text = header_text(bytes, origin);
  const std::string_view data = bytes.substr(kLengthBytes + text.size());
  const Json header = parse_header(text, origin);
  TensorFile file;
  std::vector<Place> places;
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadataKey) {
      file.metadata = parse_metadata(entry, origin);
    } else {
      const auto added = file.tensors.try_emplace(name).first;
      places.push_back(parse_entry(entry, origin, added->first, added->second));
    }
  }
  check_places(places, data.size(), origin);
  for (const Place& place : places) {
    file.tensors[*place.name].data = std::string(data.substr(place.begin, place.end - place.begin));
  }
  return file;
}

std::string format_tensors(const TensorFile& file, const std::string& origin) {
  // Widest values first, so that every tensor is aligned to its own values; names break ties.
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : file.tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return dtype_size(a->second.dtype) > dtype_size(b->second.dtype);
  });
  Json header = Json::object();
  if (!file.metadata.empty()) header[kMetadataKey] = file.metadata;
  std::string data;
  for (const auto* entry : order) {
    const Tensor& tensor = entry->second;
    header[entry->first] = {{"dtype", tensor.dtype},
                            {"shape", tensor.shape},
                            {"data_offsets", {data.size(), data.size() + tensor.data.size()}}};
    data += tensor.data;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    throw file_error(origin, "a tensor name or metadata text is not valid UTF-8, which safetensors files require");
  }
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  return bytes + text + data;
}

TensorFile read_tensors(const std::filesystem::path& path) { return parse_tensors(read_file(path), path.string()); }

void write_tensors(const std::filesystem::path& path, const TensorFile& file) {
  write_file(path, format_tensors(file, path.string()));
}

}  // namespace hysteron::model
