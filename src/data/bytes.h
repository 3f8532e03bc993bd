#pragma once

#include <cstddef>
#include <string>

namespace hysteron::data {

/// The unsigned integer whose sizeof(T) bytes, lowest first, begin at `bytes`.
template <typename T>
T load_little_endian(const char* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
  }
  return value;
}

template <typename T>
void append_little_endian(std::string& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
}

}  // namespace hysteron::data
