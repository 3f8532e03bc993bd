// minGRU (Feng et al. 2024) and LRU (Orvieto et al. 2023): linear recurrences without thresholds.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/candidate_noise.h"
#include "train/layers.h"
#include "train/ops.h"
#include "train/recurrent_cell.h"
#include "train/scan.h"

namespace hysteron::train {
namespace {

/// Noise on what enters the recurrence, row by row of what `layer` gave.
void disturb(const PassContext& pass, std::uint32_t hash, const AffineLayer& layer, float* rows) {
  const CandidateNoise noise{pass, hash};
  for (std::size_t j = 0; j < layer.rows(); ++j) {
    noise.scale(j, rows + j * pass.columns());
    noise.add(j, layer.row_norm(pass, j), rows + j * pass.columns());
  }
}

class MinGru : public RecurrentCell {
 public:
  MinGru(ModelLayout& layout, const std::string& name, std::size_t width, std::size_t cells)
      : width_(width),
        cells_(cells),
        hash_(static_cast<std::uint32_t>(fnv1a(name))),
        update_layer_(layout, name + ".update", cells, width),
        candidate_layer_(layout, name + ".candidate", cells, width),
        output_(layout, name + ".output", width, cells),
        update_(layout.buffer(cells)),
        candidate_(layout.buffer(cells)),
        factor_(layout.buffer(cells)),
        state_(layout.buffer(cells)),
        drive_(layout.scratch(kScratchCell, cells)),
        dstate_(layout.scratch(kScratchCellMore, cells)),
        du_(layout.scratch(kScratchInput, width)) {}

  void forward(const PassContext& pass, const float* u, float* y) const override {
    const std::size_t n = pass.columns();
    update_layer_.forward(pass, u, pass.buffer(update_));
    candidate_layer_.forward(pass, u, pass.buffer(candidate_));
    disturb(pass, hash_, candidate_layer_, pass.buffer(candidate_));
    min_gru_coefficients(pass.buffer(update_), pass.buffer(candidate_), pass.buffer(factor_), pass.buffer(drive_),
                         cells_ * n);
    for (std::size_t j = 0; j < cells_; ++j) {
      scan_forward(pass.buffer(factor_) + j * n, pass.buffer(drive_) + j * n, nullptr, pass.buffer(state_) + j * n,
                   pass.frames);
    }
    output_.forward(pass, pass.buffer(state_), y);
  }

  void backward(const PassContext& pass, const float* u, const float* dy, float* du) const override {
    const std::size_t n = pass.columns();
    float* ds = pass.buffer(dstate_);
    float* da = pass.buffer(drive_);
    output_.backward(pass, pass.buffer(state_), dy, ds);
    for (std::size_t j = 0; j < cells_; ++j) {
      scan_backward(pass.buffer(factor_) + j * n, pass.buffer(state_) + j * n, nullptr, ds + j * n, da + j * n, nullptr,
                    pass.frames);
    }
    min_gru_backward(pass.buffer(update_), pass.buffer(candidate_), da, ds, da, ds, cells_ * n);
    const CandidateNoise noise{pass, hash_};
    for (std::size_t j = 0; j < cells_; ++j) noise.scale(j, ds + j * n);
    candidate_layer_.backward(pass, u, ds, du);
    update_layer_.backward(pass, u, da, pass.buffer(du_));
    add(pass.buffer(du_), du, width_ * n);
  }

  const float* states(const PassContext& pass) const override { return pass.buffer(state_); }
  float* candidates(const PassContext&) const override { return nullptr; }

 private:
  std::size_t width_, cells_;
  std::uint32_t hash_;
  AffineLayer update_layer_;
  AffineLayer candidate_layer_;
  AffineLayer output_;
  std::size_t update_, candidate_, factor_, state_, drive_, dstate_, du_;
};

/// x = lambda x' + gamma B u, y = Re(C x) + D u, with lambda = exp(-e^nu + i e^theta), gamma = sqrt(1 - |lambda|^2).
class Lru : public RecurrentCell {
 public:
  Lru(ModelLayout& layout, const std::string& name, std::size_t width, std::size_t cells)
      : width_(width),
        cells_(cells),
        hash_(static_cast<std::uint32_t>(fnv1a(name))),
        nu_(layout.parameter(name + ".nu", cells, 1, false, false, ring())),
        theta_(layout.parameter(name + ".theta", cells, 1, false, false,
                                [](Random& random) {
                                  constexpr double kMin = 1e-3;  // rad a frame
                                  return std::log(random.uniform(kMin, 2.0 * std::numbers::pi));
                                })),
        input_layer_(layout, name + ".input", 2 * cells, width, 0.0, false),
        output_(layout, name + ".output", width, 2 * cells),
        through_(layout.parameter(name + ".through", width, 1, false, false,
                                  [](Random& random) { return random.normal(); })),
        drive_(layout.buffer(2 * cells)),
        state_(layout.buffer(2 * cells)),
        scaled_(layout.scratch(kScratchCell, 2 * cells)),
        dstate_(layout.scratch(kScratchCellMore, 2 * cells)) {}

  void forward(const PassContext& pass, const float* u, float* y) const override {
    const std::size_t n = pass.columns();
    float* drive = pass.buffer(drive_);
    float* scaled = pass.buffer(scaled_);
    float* state = pass.buffer(state_);
    input_layer_.forward(pass, u, drive);
    disturb(pass, hash_, input_layer_, drive);
    std::fill_n(scaled, 2 * cells_ * n, 0.0f);
    for (std::size_t j = 0; j < cells_; ++j) {
      const Pole pole = pole_of(pass, j);
      const std::size_t re = j * n;
      const std::size_t im = (cells_ + j) * n;
      add_scaled(pole.gamma, drive + re, scaled + re, n);
      add_scaled(pole.gamma, drive + im, scaled + im, n);
      complex_scan_forward(pole.re, pole.im, scaled + re, scaled + im, state + re, state + im, pass.frames);
    }
    output_.forward(pass, state, y);
    for (std::size_t i = 0; i < width_; ++i) add_scaled(pass.parameters[through_ + i], u + i * n, y + i * n, n);
  }

  void backward(const PassContext& pass, const float* u, const float* dy, float* du) const override {
    const std::size_t n = pass.columns();
    float* dx = pass.buffer(dstate_);
    output_.backward(pass, pass.buffer(state_), dy, dx);
    for (std::size_t j = 0; j < cells_; ++j) backward_cell(pass, j, dx);
    const CandidateNoise noise{pass, hash_};
    for (std::size_t j = 0; j < 2 * cells_; ++j) noise.scale(j, dx + j * n);
    input_layer_.backward(pass, u, dx, du);
    for (std::size_t i = 0; i < width_; ++i) {
      pass.gradient[through_ + i] += static_cast<float>(dot(dy + i * n, u + i * n, n));
      add_scaled(pass.parameters[through_ + i], dy + i * n, du + i * n, n);
    }
  }

  const float* states(const PassContext& pass) const override { return pass.buffer(state_); }
  float* candidates(const PassContext&) const override { return nullptr; }

 private:
  struct Pole {
    float re, im, gamma;
    double decay, angle, size;  // e^nu, e^theta, |lambda|
  };

  /// nu such that |lambda|^2 is uniform between the squares of 0.9 and 0.999.
  static Initialiser ring() {
    return [](Random& random) {
      constexpr double kLow = 0.9;
      constexpr double kHigh = 0.999;
      return std::log(-0.5 * std::log(random.uniform(kLow * kLow, kHigh * kHigh)));
    };
  }

  Pole pole_of(const PassContext& pass, std::size_t j) const {
    Pole pole{};
    pole.decay = std::exp(static_cast<double>(pass.parameters[nu_ + j]));
    pole.angle = std::exp(static_cast<double>(pass.parameters[theta_ + j]));
    pole.size = std::exp(-pole.decay);
    pole.re = static_cast<float>(pole.size * std::cos(pole.angle));
    pole.im = static_cast<float>(pole.size * std::sin(pole.angle));
    pole.gamma = static_cast<float>(std::sqrt(1.0 - pole.size * pole.size));
    return pole;
  }

  /// dx: in, the gradient of the states; out, the one of B u.
  void backward_cell(const PassContext& pass, std::size_t j, float* dx) const {
    const std::size_t n = pass.columns();
    const Pole pole = pole_of(pass, j);
    const std::size_t re = j * n;
    const std::size_t im = (cells_ + j) * n;
    const ComplexGradient d = complex_scan_backward(pole.re, pole.im, pass.buffer(state_) + re,
                                                    pass.buffer(state_) + im, dx + re, dx + im, pass.frames);
    const double dgamma = dot(dx + re, pass.buffer(drive_) + re, n) + dot(dx + im, pass.buffer(drive_) + im, n);
    // d lambda / d nu = -e^nu lambda, d lambda / d theta = i e^theta lambda, d gamma / d nu = |lambda|^2 e^nu / gamma
    const double along = d.re * pole.re + d.im * pole.im;
    const double across = d.im * pole.re - d.re * pole.im;
    const double floor = std::max(static_cast<double>(pole.gamma), 1e-6);
    pass.gradient[nu_ + j] += static_cast<float>(pole.decay * (dgamma * pole.size * pole.size / floor - along));
    pass.gradient[theta_ + j] += static_cast<float>(pole.angle * across);
    for (const std::size_t row : {re, im}) {
      for (std::size_t k = 0; k < n; ++k) dx[row + k] *= pole.gamma;
    }
  }

  std::size_t width_, cells_;
  std::uint32_t hash_;
  std::size_t nu_, theta_;
  AffineLayer input_layer_;
  AffineLayer output_;
  std::size_t through_, drive_, state_, scaled_, dstate_;
};

}  // namespace

std::unique_ptr<RecurrentCell> make_min_gru(ModelLayout& layout, const std::string& name, std::size_t width,
                                            std::size_t cells) {
  return std::make_unique<MinGru>(layout, name, width, cells);
}

std::unique_ptr<RecurrentCell> make_lru(ModelLayout& layout, const std::string& name, std::size_t width,
                                        std::size_t cells) {
  return std::make_unique<Lru>(layout, name, width, cells);
}

}  // namespace hysteron::train
