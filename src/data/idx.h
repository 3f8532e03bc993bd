#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace hysteron::data {

/// Unsigned bytes of an idx file, row-major.
struct IdxBytes {
  std::vector<std::size_t> shape;
  std::vector<std::uint8_t> values;
};

/// Reads an idx file of unsigned bytes and the given rank, gzipped or not. Throws a bad-input Error that names the
/// file, the place, what was found and what was expected: cannot be read, damaged gzip data, another magic number,
/// truncated or with bytes after the data. Source: LeCun, Cortes and Burges, "The MNIST database" (idx format).
IdxBytes read_idx(const std::filesystem::path& path, std::size_t rank);

}  // namespace hysteron::data
