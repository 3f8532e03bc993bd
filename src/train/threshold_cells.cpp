// FQ-BMRU, BMRU and CMRU: cells whose state moves where a candidate crosses a threshold.

#include <array>
#include <cmath>
#include <cstdint>

#include "train/candidate_noise.h"
#include "train/layers.h"
#include "train/ops.h"
#include "train/recurrent_cell.h"
#include "train/scan.h"

namespace hysteron::train {
namespace {

float sign_of(float x) { return x < 0.0f ? -1.0f : 1.0f; }

/// y[j][n] = factor(j) x[j][n]
template <typename Factor>
void scale_rows(const float* x, float* y, std::size_t rows, std::size_t n, Factor factor) {
  for (std::size_t j = 0; j < rows; ++j) {
    const float value = factor(j);
    for (std::size_t k = 0; k < n; ++k) y[j * n + k] = value * x[j * n + k];
  }
}

class FqBmru : public RecurrentCell {
 public:
  FqBmru(ModelLayout& layout, const std::string& name, std::size_t width, std::size_t cells)
      : cells_(cells),
        hash_(static_cast<std::uint32_t>(fnv1a(name))),
        project_(layout, name + ".candidate", cells, width),
        lower_(layout.parameter(name + ".lower", cells, 1, false, true, half_normal())),
        width_(layout.parameter(name + ".width", cells, 1, false, true, half_normal())),
        gain_(layout.parameter(name + ".gain", cells, 1, false, true,
                               [cells](Random& random) {
                                 const double bound = std::sqrt(6.0 / static_cast<double>(cells));
                                 return std::abs(random.uniform(-bound, bound));
                               })),
        output_(layout, name + ".output", width, cells),
        candidate_(layout.buffer(cells)),
        factor_(layout.buffer(cells)),
        state_(layout.buffer(cells)),
        level_(layout.buffer(cells)),
        drive_(layout.scratch(kScratchCell, cells)),
        dstate_(layout.scratch(kScratchCellMore, cells)) {}

  void forward(const PassContext& pass, const float* u, float* y) const override {
    const std::size_t n = pass.columns();
    float* candidate = pass.buffer(candidate_);
    float* state = pass.buffer(state_);
    const CandidateNoise noise{pass, hash_};
    project_.forward(pass, u, candidate);
    for (std::size_t j = 0; j < cells_; ++j) {
      noise.scale(j, candidate + j * n);
      noise.add(j, band_of(pass, j).hi, candidate + j * n);
    }
    rectify(candidate, candidate, cells_ * n);
    for (std::size_t j = 0; j < cells_; ++j) {
      const Band band = band_of(pass, j);
      float* a = pass.buffer(factor_) + j * n;
      float* b = pass.buffer(drive_) + j * n;
      fq_coefficients(candidate + j * n, band.lo, band.hi, pass.epsilon, a, b, n);
      scan_forward(a, b, nullptr, state + j * n, pass.frames);
    }
    const float* gain = pass.parameters + gain_;
    scale_rows(state, pass.buffer(level_), cells_, n, [&](std::size_t j) { return std::abs(gain[j]); });
    output_.forward(pass, pass.buffer(level_), y);
  }

  void backward(const PassContext& pass, const float* u, const float* dy, float* du) const override {
    const std::size_t n = pass.columns();
    const float* candidate = pass.buffer(candidate_);
    const float* state = pass.buffer(state_);
    float* ds = pass.buffer(dstate_);
    output_.backward(pass, pass.buffer(level_), dy, ds);
    for (std::size_t j = 0; j < cells_; ++j) {
      const float gain = pass.parameters[gain_ + j];
      pass.gradient[gain_ + j] += sign_of(gain) * static_cast<float>(dot(ds + j * n, state + j * n, n));
    }
    scale_rows(ds, ds, cells_, n, [&](std::size_t j) { return std::abs(pass.parameters[gain_ + j]); });
    const CandidateNoise noise{pass, hash_};
    for (std::size_t j = 0; j < cells_; ++j) {
      backward_cell(pass, j, candidate + j * n, state + j * n, ds + j * n);
      noise.scale(j, ds + j * n);
    }
    project_.backward(pass, u, ds, du);
  }

  const float* states(const PassContext& pass) const override { return pass.buffer(state_); }
  float* candidates(const PassContext& pass) const override { return pass.buffer(candidate_); }

 private:
  struct Band {
    float lo, hi;
  };

  static Initialiser half_normal() {
    return [](Random& random) { return 0.5 * std::abs(random.normal()); };
  }

  Band band_of(const PassContext& pass, std::size_t j) const {
    const float lo = std::abs(pass.parameters[lower_ + j]);
    return {lo, lo + std::abs(pass.parameters[width_ + j])};
  }

  void backward_cell(const PassContext& pass, std::size_t j, const float* candidate, const float* state,
                     float* ds) const {
    const std::size_t n = pass.columns();
    const Band band = band_of(pass, j);
    float* da = pass.buffer(drive_) + j * n;
    scan_backward(pass.buffer(factor_) + j * n, state, nullptr, ds, da, nullptr, pass.frames);
    const ThresholdGradient d = fq_backward(candidate, band.lo, band.hi, pass.epsilon, da, ds, ds, n);
    pass.gradient[lower_ + j] += sign_of(pass.parameters[lower_ + j]) * static_cast<float>(d.lo + d.hi);
    pass.gradient[width_ + j] += sign_of(pass.parameters[width_ + j]) * static_cast<float>(d.hi);
  }

  std::size_t cells_;
  std::uint32_t hash_;
  AffineLayer project_;
  std::size_t lower_, width_, gain_;
  AffineLayer output_;
  std::size_t candidate_, factor_, state_, level_, drive_, dstate_;
};

class Bmru : public RecurrentCell {
 public:
  Bmru(ModelLayout& layout, const std::string& name, std::size_t width, std::size_t cells, float carry)
      : cells_(cells),
        carry_(carry),
        key_(static_cast<std::uint32_t>(fnv1a(name))),
        candidate_layer_(layout, name + ".candidate", cells, width),
        threshold_layer_(layout, name + ".threshold", cells, width, 1.0, false),
        gain_(layout.parameter(name + ".gain", cells, 1, false, false, constant(1.0))),
        output_(layout, name + ".output", width, cells),
        candidate_(layout.buffer(cells)),
        threshold_(layout.buffer(cells)),
        factor_(layout.buffer(cells)),
        state_(layout.buffer(cells)),
        level_(layout.buffer(cells)),
        drive_(layout.scratch(kScratchCell, cells)),
        dstate_(layout.scratch(kScratchCellMore, cells)),
        du_(layout.scratch(kScratchInput, width)),
        width_(width) {}

  void forward(const PassContext& pass, const float* u, float* y) const override {
    const std::size_t n = pass.columns();
    candidate_layer_.forward(pass, u, pass.buffer(candidate_));
    threshold_layer_.forward(pass, u, pass.buffer(threshold_));
    const CandidateNoise noise{pass, key_};
    for (std::size_t j = 0; j < cells_; ++j) {
      float* candidate = pass.buffer(candidate_) + j * n;
      noise.scale(j, candidate);
      noise.add(j, mean_threshold(pass, j), candidate);
    }
    bmru_coefficients(pass.buffer(candidate_), pass.buffer(threshold_), carry_, pass.buffer(factor_),
                      pass.buffer(drive_), cells_ * n);
    for (std::size_t j = 0; j < cells_; ++j) {
      const auto start = start_states(pass, j);
      scan_forward(pass.buffer(factor_) + j * n, pass.buffer(drive_) + j * n, start.data(), pass.buffer(state_) + j * n,
                   pass.frames);
    }
    const float* gain = pass.parameters + gain_;
    scale_rows(pass.buffer(state_), pass.buffer(level_), cells_, n, [&](std::size_t j) { return gain[j]; });
    output_.forward(pass, pass.buffer(level_), y);
  }

  void backward(const PassContext& pass, const float* u, const float* dy, float* du) const override {
    const std::size_t n = pass.columns();
    float* ds = pass.buffer(dstate_);
    float* da = pass.buffer(drive_);
    output_.backward(pass, pass.buffer(level_), dy, ds);
    for (std::size_t j = 0; j < cells_; ++j) {
      pass.gradient[gain_ + j] += static_cast<float>(dot(ds + j * n, pass.buffer(state_) + j * n, n));
    }
    scale_rows(ds, ds, cells_, n, [&](std::size_t j) { return pass.parameters[gain_ + j]; });
    for (std::size_t j = 0; j < cells_; ++j) {
      const auto start = start_states(pass, j);
      scan_backward(pass.buffer(factor_) + j * n, pass.buffer(state_) + j * n, start.data(), ds + j * n, da + j * n,
                    nullptr, pass.frames);
    }
    bmru_backward(pass.buffer(candidate_), pass.buffer(threshold_), carry_, da, ds, ds, da, cells_ * n);
    const CandidateNoise noise{pass, key_};
    for (std::size_t j = 0; j < cells_; ++j) noise.scale(j, ds + j * n);
    candidate_layer_.backward(pass, u, ds, du);
    threshold_layer_.backward(pass, u, da, pass.buffer(du_));
    add(pass.buffer(du_), du, width_ * n);
  }

  const float* states(const PassContext& pass) const override { return pass.buffer(state_); }
  float* candidates(const PassContext& pass) const override { return pass.buffer(candidate_); }

 private:
  /// Of the cell's thresholds in this pass; they depend on the input.
  float mean_threshold(const PassContext& pass, std::size_t j) const {
    const float* threshold = pass.buffer(threshold_) + j * pass.columns();
    double sum = 0.0;
    for (std::size_t k = 0; k < pass.columns(); ++k) sum += std::abs(threshold[k]);
    return static_cast<float>(sum / static_cast<double>(pass.columns()));
  }

  /// Random +-1, as the source of the cell has it.
  std::array<float, kLanes> start_states(const PassContext& pass, std::size_t j) const {
    std::array<float, kLanes> start{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) start[lane] = random_sign(pass.seed, key_, j, lane);
    return start;
  }

  std::size_t cells_;
  float carry_;
  std::uint32_t key_;
  AffineLayer candidate_layer_;
  AffineLayer threshold_layer_;
  std::size_t gain_;
  AffineLayer output_;
  std::size_t candidate_, threshold_, factor_, state_, level_, drive_, dstate_, du_, width_;
};

}  // namespace

std::unique_ptr<RecurrentCell> make_fq_bmru(ModelLayout& layout, const std::string& name, std::size_t width,
                                            std::size_t cells) {
  return std::make_unique<FqBmru>(layout, name, width, cells);
}

std::unique_ptr<RecurrentCell> make_bmru(ModelLayout& layout, const std::string& name, std::size_t width,
                                         std::size_t cells, float carry) {
  return std::make_unique<Bmru>(layout, name, width, cells, carry);
}

}  // namespace hysteron::train
