#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace hysteron {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014): turns a key into well-mixed state words.
std::uint64_t splitmix(std::uint64_t& x) {
  x += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t basis) {
  std::uint64_t hash = basis;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

Random::Random(std::uint64_t seed) : key_(seed) {
  std::uint64_t x = seed;
  for (std::uint64_t& word : state_) word = splitmix(x);
}

Random Random::child(std::string_view path) const {
  std::uint64_t x = key_;
  return Random(fnv1a(path, splitmix(x)));
}

Random Random::child(std::string_view path, std::uint64_t index) const {
  std::uint64_t x = child(path).key_ + index * 0xd1342543de82ef95ULL;
  return Random(splitmix(x));
}

std::uint64_t Random::bits() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

double Random::uniform(double low, double high) { return low + (high - low) * uniform(); }

double Random::normal() {
  // Box-Muller, one value a pair: no hidden second value to carry between calls.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t Random::below(std::uint64_t bound) {
  const std::uint64_t limit = (~bound + 1) % bound;  // 2^64 mod bound: values below it would bias the result
  std::uint64_t value = bits();
  while (value < limit) value = bits();
  return value % bound;
}

}  // namespace hysteron
