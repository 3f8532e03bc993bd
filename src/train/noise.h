#pragma once

#include <cstddef>
#include <cstdint>

// Random numbers that depend on a key and a counter only, so that a mask can be made again in the backward pass, in any
// order and on any thread. The vector form of the same functions is in kernels.cpp.

namespace hysteron::train {

/// What a stream of noise in the network is for.
enum class NoiseUse : std::uint32_t { kDropout = 0, kCandidate = 1, kFeature = 2, kScale = 3 };

/// 32 mixed bits (the integer hash "lowbias32", C. Wellons 2018, bias 0.17 of an ideal mixer's).
inline std::uint32_t mix_bits(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

/// The key of row `row` of layer `layer` in the pass with seed `seed`.
inline std::uint32_t noise_key(std::uint32_t seed, NoiseUse use, std::size_t layer, std::size_t row) {
  const std::uint32_t place =
      mix_bits(static_cast<std::uint32_t>(use) * 0x9e3779b9U + static_cast<std::uint32_t>(layer));
  return mix_bits(mix_bits(seed ^ place) + static_cast<std::uint32_t>(row) * 0x85ebca6bU);
}

/// Random bits number `counter` of a stream.
inline std::uint32_t noise_bits(std::uint32_t key, std::uint32_t counter) {
  return mix_bits(key + counter * 0x9e3779b9U);
}

/// Numbers below this many 24-bit units are dropped.
inline std::uint32_t dropout_limit(float share) { return static_cast<std::uint32_t>(share * 0x1p24f); }

/// False with probability `share`.
inline bool dropout_keeps(std::uint32_t key, std::uint32_t counter, float share) {
  return (noise_bits(key, counter) >> 8) >= dropout_limit(share);
}

/// The start state, +-1, of cell `cell` of the layer with hash `layer` for the sequence in lane `lane`.
inline float random_sign(std::uint32_t seed, std::uint32_t layer, std::size_t cell, std::size_t lane) {
  const std::uint32_t key = mix_bits(mix_bits(seed ^ layer) + static_cast<std::uint32_t>(cell));
  return (noise_bits(key, static_cast<std::uint32_t>(lane)) & 1U) != 0 ? 1.0f : -1.0f;
}

inline constexpr float kByteSumMean = 510.0f;              // of the sum of four random bytes
inline constexpr float kByteSumDeviation = 147.80054127f;  // sqrt(4 (256^2 - 1) / 12)

/// Nearly Gaussian, mean 0 and deviation 1, within +-3.45: the standardised sum of four random bytes.
inline float noise_normal(std::uint32_t key, std::uint32_t counter) {
  const std::uint32_t bits = noise_bits(key, counter);
  const std::uint32_t sum = (bits & 0xffU) + ((bits >> 8) & 0xffU) + ((bits >> 16) & 0xffU) + (bits >> 24);
  return (static_cast<float>(sum) - kByteSumMean) * (1.0f / kByteSumDeviation);
}

}  // namespace hysteron::train
