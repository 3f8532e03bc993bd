// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set by
// including this file again; the functions at the end choose one at run time.

#include "train/carry_chain.h"

#include <algorithm>
#include <array>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/carry_chain.cpp"
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)  // sizes are known here
// The order of these is Highway's.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#ifndef HYSTERON_TRAIN_BAND_LANES
#define HYSTERON_TRAIN_BAND_LANES
namespace hysteron::train {
namespace {

/// Thresholds and initial states of kBandLanes cells, cell by cell.
struct BandLanes {
  std::array<float, kBandLanes> lo;
  std::array<float, kBandLanes> hi;
  std::array<std::uint32_t, kBandLanes> initial;  // 0 or 1
};

}  // namespace
}  // namespace hysteron::train
#endif

HWY_BEFORE_NAMESPACE();
namespace hysteron::train::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kBandLanes>;
using Bits = hn::RebindToUnsigned<Floats>;
using Float = hn::Vec<Floats>;
using Bit = hn::Vec<Bits>;

HWY_INLINE std::uint64_t bits_of(hn::Mask<Floats> mask) {
  std::uint8_t bytes[8] = {};  // as many as StoreMaskBits may write
  hn::StoreMaskBits(Floats(), mask, bytes);
  std::uint16_t bits = 0;
  static_assert(kBandLanes <= 8 * sizeof bits);
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

/// Whether 64 candidates reach each of the two thresholds.
struct Words {
  std::uint64_t reach_lo = 0;
  std::uint64_t reach_hi = 0;

  /// Candidates from number `first` on go to `place` and what follows.
  HWY_INLINE void add(Float candidate, Float lo, Float hi, std::size_t place, std::size_t first = 0) {
    reach_lo |= bits_of(hn::Ge(candidate, lo)) >> first << place;
    reach_hi |= bits_of(hn::Ge(candidate, hi)) >> first << place;
  }
};

HWY_INLINE Words whole_word(const float* candidate, Float lo, Float hi) {
  const Floats d;
  Words words;
  for (std::size_t i = 0; i < kWordFrames; i += hn::Lanes(d)) words.add(hn::LoadU(d, candidate + i), lo, hi, i);
  return words;
}

/// `before`: how many candidates may be read before the first.
HWY_INLINE Words part_of_word(const float* candidate, std::size_t count, std::size_t before, Float lo, Float hi) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Words words;
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) words.add(hn::LoadU(d, candidate + i), lo, hi, i);
  if (i == count) return words;
  if (before + count >= lanes) {
    words.add(hn::LoadU(d, candidate + count - lanes), lo, hi, i, lanes - (count - i));
    return words;
  }
  float rest[kBandLanes] = {};
  std::memcpy(rest, candidate, count * sizeof(float));
  words.add(hn::LoadU(d, rest), lo, hi, 0);
  const std::uint64_t valid = (std::uint64_t{1} << count) - 1;  // thresholds of 0 are reached by what fills up
  return {words.reach_lo & valid, words.reach_hi & valid};
}

/// The states of 64 frames after the state `before`, 0 or 1.
HWY_INLINE std::uint64_t carries(const Words& words, std::uint64_t before) {
  const std::uint64_t sum = words.reach_lo + words.reach_hi + before;
  return words.reach_hi | (words.reach_lo & ~sum);
}

void carry_chain_states(const float* candidates, std::size_t rows, std::size_t frames, const CellBand* bands,
                        std::uint64_t* states) {
  const Floats d;
  const std::size_t whole = frames / kWordFrames;
  const std::size_t rest = frames % kWordFrames;
  for (std::size_t r = 0; r < rows; ++r) {
    const Float lo = hn::Set(d, bands[r].beta_lo);
    const Float hi = hn::Set(d, bands[r].beta_hi);
    const float* candidate = candidates + r * frames;
    std::uint64_t before = bands[r].initial ? 1 : 0;
    for (std::size_t w = 0; w < whole; ++w) {
      *states = carries(whole_word(candidate + w * kWordFrames, lo, hi), before);
      before = *states++ >> (kWordFrames - 1);
    }
    if (rest == 0) continue;
    const std::size_t done = whole * kWordFrames;
    *states++ = carries(part_of_word(candidate + done, rest, done, lo, hi), before);
  }
}

/// Words of 32 frames grow in the lanes: every frame shifts them down and puts its state on top.
void lane_states(const float* candidates, std::size_t frames, const BandLanes& bands, std::uint64_t* states) {
  const Floats d;
  const Bits b;
  constexpr std::size_t kHalf = kWordFrames / 2;
  const std::size_t words = state_words(frames);
  const Bit top = hn::Set(b, std::uint32_t{1} << (kHalf - 1));
  for (std::size_t lane = 0; lane < kBandLanes; lane += hn::Lanes(d)) {
    const Float lo = hn::LoadU(d, bands.lo.data() + lane);
    const Float hi = hn::LoadU(d, bands.hi.data() + lane);
    auto state = hn::RebindMask(d, hn::Ne(hn::LoadU(b, bands.initial.data() + lane), hn::Zero(b)));
    for (std::size_t begin = 0; begin < frames; begin += kHalf) {
      const std::size_t end = std::min(frames, begin + kHalf);
      Bit word = hn::Zero(b);
      for (std::size_t t = begin; t < end; ++t) {
        const Float c = hn::LoadU(d, candidates + t * kBandLanes + lane);
        state = hn::Or(hn::Ge(c, hi), hn::And(state, hn::Ge(c, lo)));
        word = hn::Or(hn::ShiftRight<1>(word), hn::IfThenElseZero(hn::RebindMask(b, state), top));
      }
      for (std::size_t t = end; t < begin + kHalf; ++t) word = hn::ShiftRight<1>(word);
      alignas(64) std::uint32_t halves[kBandLanes];
      hn::StoreU(word, b, halves);
      for (std::size_t j = 0; j < hn::Lanes(d); ++j) {
        states[(lane + j) * words + begin / kWordFrames] |= std::uint64_t{halves[j]} << (begin % kWordFrames);
      }
    }
  }
}

}  // namespace
}  // namespace hysteron::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hysteron::train {

HWY_EXPORT(carry_chain_states);
HWY_EXPORT(lane_states);

void carry_chain_states(const float* candidates, std::size_t rows, std::size_t frames, const CellBand* bands,
                        std::uint64_t* states) {
  HWY_DYNAMIC_DISPATCH(carry_chain_states)(candidates, rows, frames, bands, states);
}

void scalar_states(const float* candidates, std::size_t rows, std::size_t frames, const CellBand* bands,
                   std::uint64_t* states) {
  for (std::size_t r = 0; r < rows; ++r) {
    bool on = bands[r].initial;
    for (std::size_t begin = 0; begin < frames; begin += kWordFrames) {
      std::uint64_t word = 0;
      for (std::size_t t = begin; t < std::min(frames, begin + kWordFrames); ++t) {
        const float c = candidates[r * frames + t];
        on = c >= bands[r].beta_hi || (on && c >= bands[r].beta_lo);
        word |= std::uint64_t{on} << (t - begin);
      }
      *states++ = word;
    }
  }
}

void states_over_cells(const float* candidates, std::size_t frames, const CellBand* bands, std::uint64_t* states) {
  BandLanes lanes{};
  for (std::size_t j = 0; j < kBandLanes; ++j) {
    lanes.lo[j] = bands[j].beta_lo;
    lanes.hi[j] = bands[j].beta_hi;
    lanes.initial[j] = bands[j].initial ? 1 : 0;
  }
  const std::size_t words = state_words(frames);
  std::fill_n(states, kBandLanes * words, 0);
  HWY_DYNAMIC_DISPATCH(lane_states)(candidates, frames, lanes, states);
}

}  // namespace hysteron::train
#endif  // HWY_ONCE
