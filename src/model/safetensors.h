#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hysteron::model {

/// One array of a safetensors file: little-endian, row-major.
struct Tensor {
  std::string dtype;               ///< as the format spells it: "F32", "I64", "BOOL", ...
  std::vector<std::size_t> shape;  ///< empty: one value
  std::string data;                ///< the bytes, shape product x bytes per value

  std::size_t count() const;  ///< number of values, the product of `shape`
};

/// A whole safetensors file in memory.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  ///< "__metadata__"
};

/// Bytes per value of `dtype`; 0 for a type the format does not have.
std::size_t dtype_size(std::string_view dtype);

/// An F32 tensor; the product of `shape` must be values.size().
Tensor float_tensor(std::vector<std::size_t> shape, std::span<const float> values);

/// The values of an F32 tensor. Throws a bad-input Error that names `origin`, `name` and the type found otherwise.
std::vector<float> float_values(const Tensor& tensor, const std::string& origin, const std::string& name);

/// Decodes a file's bytes; `origin` names it in messages. Throws a bad-input Error that says where and why when the
/// file is truncated, its header length or JSON is wrong, a key is given twice, a type is unknown, a shape and its
/// bytes differ, or the offsets overlap, leave gaps or run out of the file. Tensors may come in any order and the
/// header may be padded with spaces. Source: the safetensors format description, version 0.3 and later.
TensorFile parse_tensors(std::string_view bytes, const std::string& origin);

/// The bytes of a file: the same content always gives the same bytes. Throws a bad-input Error that names `origin` for
/// names or metadata that are not UTF-8.
std::string format_tensors(const TensorFile& file, const std::string& origin);

/// parse_tensors of a file on disk.
TensorFile read_tensors(const std::filesystem::path& path);

/// Writes the file whole or not at all.
void write_tensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace hysteron::model
