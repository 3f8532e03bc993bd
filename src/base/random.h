#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace hysteron {

/// A stream of random numbers (xoshiro256**, Blackman and Vigna 2018), the same on every machine and at any thread
/// count. Independent streams are derived by name, never by drawing: Random(7).child("die/17") does not depend on what
/// the parent has drawn.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// The stream called `path` below this one.
  Random child(std::string_view path) const;
  Random child(std::string_view path, std::uint64_t index) const;

  std::uint64_t bits();                      ///< 64 random bits
  double uniform();                          ///< in [0, 1)
  double uniform(double low, double high);   ///< in [low, high)
  double normal();                           ///< mean 0, deviation 1
  std::uint64_t below(std::uint64_t bound);  ///< in [0, bound), bound > 0, without bias

  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t key_;       // identity of the stream; children are derived from it
  std::uint64_t state_[4];  // xoshiro256** state
};

/// 64-bit FNV-1a hash of `bytes`, for cache keys and stable splits.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t basis = 0xcbf29ce484222325ULL);

}  // namespace hysteron
