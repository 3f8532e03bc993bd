#pragma once

#include <cstddef>
#include <cstdint>

namespace hysteron::train {

/// One FQ-BMRU cell with a complete reset (design.md section 2, epsilon = 0): a candidate at or above beta_hi sets, one
/// below beta_lo resets, anything between holds.
struct CellBand {
  float beta_lo = 0.0f;
  float beta_hi = 0.0f;  ///< >= beta_lo
  bool initial = false;  ///< on before the first frame
};

inline constexpr std::size_t kWordFrames = 64;  ///< frames in a word of states; the first is the lowest bit
inline constexpr std::size_t kBandLanes = 16;   ///< cells side by side in states_over_cells

/// Words that hold the states of `frames` frames; bits past the last frame are 0.
constexpr std::size_t state_words(std::size_t frames) { return (frames + kWordFrames - 1) / kWordFrames; }

/// states[r] [state_words(frames)] of the cells bands[r] with candidates[r] [frames], `rows` of each, by carry chain.
///
/// With g = [c >= beta_hi] and q = [c >= beta_lo] as words over time, s_t = g_t | (q_t & s_{t-1}) is the carry out of
/// bit t in the sum q + g + s_{-1}: both operands 1 generates a carry, one of them passes it on, none stops it. Where
/// q_t = 1 and g_t = 0 the bit of the sum is the inverse of the carry that came in and went out, so
/// s = g | (q & ~(q + g + s_{-1})), 64 frames in one addition.
void carry_chain_states(const float* candidates, std::size_t rows, std::size_t frames, const CellBand* bands,
                        std::uint64_t* states);

/// The same frame by frame: the reference.
void scalar_states(const float* candidates, std::size_t rows, std::size_t frames, const CellBand* bands,
                   std::uint64_t* states);

/// The same frame by frame for kBandLanes cells side by side: candidates [frames][kBandLanes], states
/// [kBandLanes][state_words(frames)].
void states_over_cells(const float* candidates, std::size_t frames, const CellBand* bands, std::uint64_t* states);

}  // namespace hysteron::train
