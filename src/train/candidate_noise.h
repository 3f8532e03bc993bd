#pragma once

#include <cstddef>
#include <cstdint>

#include "train/layout.h"
#include "train/noise.h"
#include "train/ops.h"

namespace hysteron::train {

/// Noise on the candidates of cell `cell` of the layer with hash `layer`: c (1 + multiplicative n) + additive * scale *
/// n', scale being the cell's threshold or, of cells without one, the candidate's root mean square for independent
/// inputs of unit variance.
struct CandidateNoise {
  const PassContext& pass;
  std::uint32_t layer;

  std::uint32_t key(NoiseUse use, std::size_t cell) const { return noise_key(pass.seed ^ layer, use, 0, cell); }
  void scale(std::size_t cell, float* row) const {
    if (pass.multiplicative_noise <= 0.0f) return;
    scale_by_noise(pass.multiplicative_noise, key(NoiseUse::kScale, cell), 0, row, pass.columns());
  }
  void add(std::size_t cell, float scale, float* row) const {
    if (pass.additive_noise <= 0.0f) return;
    add_noise(pass.additive_noise * scale, key(NoiseUse::kCandidate, cell), 0, row, pass.columns());
  }
};

}  // namespace hysteron::train
