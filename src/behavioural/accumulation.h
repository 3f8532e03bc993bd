#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/reporter.h"

namespace hysteron::behavioural {

/// What keeps a value from one frame to the next.
enum class Memory {
  kFqBmru,  ///< a bistable cell
  kLeaky,   ///< h = a h' + (1 - a) u
  kLru      ///< x = lambda x' + sqrt(1 - |lambda|^2) u, complex
};

inline constexpr Memory kMemories[] = {Memory::kFqBmru, Memory::kLeaky, Memory::kLru};

/// "fq_bmru", "leaky" or "lru".
const char* name_of(Memory memory);

/// One value written in the first frame and kept, in a chain of layers of one memory each, all made of mirrors whose
/// currents are off by a Gaussian factor of deviation `noise` in every frame anew.
struct AccumulationRequest {
  double noise = 0.01;        ///< relative deviation of every mirror's current in a frame
  std::size_t frames = 1000;  ///< after the one that writes
  std::size_t layers = 8;
  std::size_t chains = 1000;  ///< independent chains, each with a value and noise of its own
  double decay = 0.999;       ///< a and |lambda|
  std::uint64_t seed = 1;
};

/// How far the chains are off the same chains without noise.
struct Accumulation {
  Memory memory = Memory::kFqBmru;
  std::vector<std::size_t> frames;  ///< those that are read, round_numbers(request.frames)
  std::vector<double> errors;  ///< [layers][frames read], RMS over the RMS without noise; bits that differ left out.
                               ///< NaN where nothing is left: every bit that was on is lost
  std::vector<double> all_errors;  ///< likewise, with the bits that differ: each is off by all of alpha
  std::vector<double> wrong_bits;  ///< [layers][frames read], share; 0 for memories without bits

  double error(std::size_t layer, std::size_t place) const { return errors[layer * frames.size() + place]; }
};

/// 1, 2, 5, 10, 20 ... and `last`.
std::vector<std::size_t> round_numbers(std::size_t last);

/// Runs every chain with and without noise. Chain i depends on (seed, i) only; the bit of every second one is on, the
/// first one's too. Memory grows with layers and the frames read, not with frames or chains.
///
/// FQ-BMRU: beta_hi 1, width 0.5, alpha 1. The first layer's candidate is 1.5 or 0 in the first frame and 0.75, in the
/// middle of the band, from then on; that of every other is 1.5 times the state below in the first frame and 0.7 + 0.1
/// times it from then on, in the band whatever is held below: every layer is set once and then holds. Every term of a
/// candidate, threshold leg, width leg and output leg are mirrors. Leaky and LRU: the value, uniform in [0.5, 1],
/// enters in the first frame and nothing after it; lambda has an angle of its own in every chain; every product is a
/// mirror, and so is what a layer hands to the next. Throws kInterrupted soon after `stop` was raised.
Accumulation accumulate_noise(Memory memory, const AccumulationRequest& request, ThreadPool& pool,
                              const StopFlag& stop);

}  // namespace hysteron::behavioural
