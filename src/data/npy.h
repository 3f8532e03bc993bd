#pragma once

#include <filesystem>

#include "data/features.h"

namespace hysteron::data {

/// Reads a NumPy file of little-endian float32 in C order and shape [N, T, n] or [T, n] (one clip). Throws a bad-input
/// Error that names the file and what is wrong: not .npy, another type, byte order, Fortran order, another rank, a
/// size of zero or too large, data that is too short or too long, a value that is not finite (with its place).
Features read_npy(const std::filesystem::path& path);

/// Writes shape [N, T, n]; the file appears whole or not at all.
void write_npy(const std::filesystem::path& path, const Features& features);

}  // namespace hysteron::data
