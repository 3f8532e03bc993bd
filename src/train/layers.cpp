#include "train/layers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/ops.h"

namespace hysteron::train {

AffineLayer::AffineLayer(ModelLayout& layout, const std::string& name, std::size_t rows, std::size_t columns,
                         double bias, bool random_bias)
    : weight_(layout.parameter(name + ".weight", rows, columns, true, false, uniform_fan_in(columns))),
      bias_(layout.parameter(name + ".bias", rows, 1, false, false,
                             random_bias ? uniform_fan_in(columns) : constant(bias))),
      rows_(rows),
      columns_(columns),
      scratch_(layout.scratch(kScratchWeights, (rows * columns + kLanes - 1) / kLanes)) {}

float AffineLayer::row_norm(const PassContext& pass, std::size_t row) const {
  const float* weights = pass.parameters + weight_ + row * columns_;
  double squares = std::pow(static_cast<double>(pass.parameters[bias_ + row]), 2);
  for (std::size_t i = 0; i < columns_; ++i) squares += std::pow(static_cast<double>(weights[i]), 2);
  return static_cast<float>(std::sqrt(squares));
}

void AffineLayer::forward(const PassContext& pass, const float* x, float* y) const {
  forward(pass, x, y, pass.columns());
}

void AffineLayer::forward(const PassContext& pass, const float* x, float* y, std::size_t columns) const {
  affine_forward(pass.parameters + weight_, pass.parameters + bias_, x, y, rows_, columns_, columns);
}

void AffineLayer::backward(const PassContext& pass, const float* x, const float* dy, float* dx) const {
  backward(pass, x, dy, dx, pass.columns());
}

void AffineLayer::backward(const PassContext& pass, const float* x, const float* dy, float* dx,
                           std::size_t columns) const {
  affine_gradient(dy, x, pass.gradient + weight_, pass.gradient + bias_, rows_, columns_, columns);
  if (dx == nullptr) return;
  affine_backward(pass.parameters + weight_, dy, dx, pass.buffer(scratch_), rows_, columns_, columns);
}

LayerNorm::LayerNorm(ModelLayout& layout, const std::string& name, std::size_t rows)
    : gain_(layout.parameter(name + ".gain", rows, 1, false, false, constant(1.0))),
      bias_(layout.parameter(name + ".bias", rows, 1, false, false, constant(0.0))),
      rows_(rows),
      normalised_(layout.buffer(rows)),
      inverse_(layout.buffer(1)) {}

void LayerNorm::forward(const PassContext& pass, const float* x, float* y) const {
  layer_norm_forward(x, pass.parameters + gain_, pass.parameters + bias_, y, pass.buffer(normalised_),
                     pass.buffer(inverse_), rows_, pass.columns());
}

void LayerNorm::backward(const PassContext& pass, const float* dy, float* dx) const {
  layer_norm_backward(dy, pass.parameters + gain_, pass.buffer(normalised_), pass.buffer(inverse_), dx,
                      pass.gradient + gain_, pass.gradient + bias_, rows_, pass.columns());
}

CausalConvolution::CausalConvolution(ModelLayout& layout, const std::string& name, std::size_t rows)
    : weight_(layout.parameter(name + ".weight", rows, kTaps, true, false, uniform_fan_in(kTaps))),
      bias_(layout.parameter(name + ".bias", rows, 1, false, false, constant(0.0))),
      rows_(rows) {}

void CausalConvolution::forward(const PassContext& pass, const float* x, float* y) const {
  const std::size_t n = pass.columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    std::fill_n(y + i * n, n, pass.parameters[bias_ + i]);
    for (std::size_t k = 0; k < std::min(kTaps, pass.frames); ++k) {
      add_scaled(pass.parameters[weight_ + i * kTaps + k], x + i * n, y + i * n + k * kLanes, n - k * kLanes);
    }
  }
}

void CausalConvolution::backward(const PassContext& pass, const float* x, const float* dy, float* dx) const {
  const std::size_t n = pass.columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    std::fill_n(dx + i * n, n, 0.0f);
    pass.gradient[bias_ + i] += static_cast<float>(sum(dy + i * n, n));
    for (std::size_t k = 0; k < std::min(kTaps, pass.frames); ++k) {
      const std::size_t reach = n - k * kLanes;
      const float* later = dy + i * n + k * kLanes;
      pass.gradient[weight_ + i * kTaps + k] += static_cast<float>(dot(later, x + i * n, reach));
      add_scaled(pass.parameters[weight_ + i * kTaps + k], later, dx + i * n, reach);
    }
  }
}

PositionEncoding::PositionEncoding(ModelLayout& layout, const std::string& name, std::size_t rows)
    : frequency_(0), phase_(0), rows_(rows) {
  if (rows == 0) return;
  constexpr double kLongest = 10000.0;  // frames, over 2 pi
  const std::size_t count = (rows + 1) / 2;
  const auto pairs = static_cast<double>(count);
  std::size_t row = 0;
  frequency_ = layout.parameter(name + ".frequency", rows, 1, false, false, [pairs, rows, row](Random&) mutable {
    const std::size_t number = row / 2;
    const auto pair = static_cast<double>(number);
    row = (row + 1) % rows;
    return std::pow(kLongest, -pair / pairs);
  });
  phase_ = layout.parameter(name + ".phase", rows, 1, false, false, [rows, row](Random&) mutable {
    const double phase = row % 2 == 0 ? 0.0 : 0.5 * std::numbers::pi;
    row = (row + 1) % rows;
    return phase;
  });
}

void PositionEncoding::forward(const PassContext& pass, float* y) const {
  const std::size_t n = pass.columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    for (std::size_t t = 0; t < pass.frames; ++t) {
      const float angle = pass.parameters[frequency_ + i] * static_cast<float>(t) + pass.parameters[phase_ + i];
      std::fill_n(y + i * n + t * kLanes, kLanes, std::sin(angle));
    }
  }
}

void PositionEncoding::backward(const PassContext& pass, const float* dy) const {
  const std::size_t n = pass.columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    double frequency = 0.0;
    double phase = 0.0;
    for (std::size_t t = 0; t < pass.frames; ++t) {
      const float angle = pass.parameters[frequency_ + i] * static_cast<float>(t) + pass.parameters[phase_ + i];
      const double slope = std::cos(angle) * sum(dy + i * n + t * kLanes, kLanes);
      phase += slope;
      frequency += slope * static_cast<double>(t);
    }
    pass.gradient[frequency_ + i] += static_cast<float>(frequency);
    pass.gradient[phase_ + i] += static_cast<float>(phase);
  }
}

Mlp::Mlp(ModelLayout& layout, const std::string& name, std::size_t width, MlpKind kind)
    : width_(width),
      hidden_rows_(kExpansion * width),
      up_(layout, name + ".up", hidden_rows_, width),
      down_(layout, name + ".down", width, hidden_rows_),
      value_(layout.buffer(hidden_rows_)),
      open_(value_),
      hidden_(value_),
      scratch_(layout.scratch(kScratchCell, hidden_rows_)),
      more_(layout.scratch(kScratchCellMore, hidden_rows_)),
      dx_(layout.scratch(kScratchInput, width)) {
  if (kind == MlpKind::kRelu) return;
  gate_.emplace(layout, name + ".gate", hidden_rows_, width);
  open_ = layout.buffer(hidden_rows_);
  hidden_ = layout.buffer(hidden_rows_);
}

void Mlp::forward(const PassContext& pass, const float* x, float* y) const {
  const std::size_t n = hidden_rows_ * pass.columns();
  up_.forward(pass, x, pass.buffer(value_));
  if (gate_) {
    gate_->forward(pass, x, pass.buffer(open_));
    gate_forward(pass.buffer(open_), pass.buffer(value_), pass.buffer(hidden_), n);
  } else {
    rectify(pass.buffer(value_), pass.buffer(value_), n);
  }
  down_.forward(pass, pass.buffer(hidden_), y);
}

void Mlp::backward(const PassContext& pass, const float* x, const float* dy, float* dx) const {
  const std::size_t n = hidden_rows_ * pass.columns();
  float* dhidden = pass.buffer(scratch_);
  down_.backward(pass, pass.buffer(hidden_), dy, dhidden);
  if (!gate_) {
    rectify_backward(pass.buffer(value_), dhidden, n);
    up_.backward(pass, x, dhidden, dx);
    return;
  }
  float* dopen = pass.buffer(more_);
  gate_backward(dhidden, pass.buffer(open_), pass.buffer(value_), dopen, dhidden, n);
  up_.backward(pass, x, dhidden, dx);
  float* through_gate = pass.buffer(dx_);
  gate_->backward(pass, x, dopen, through_gate);
  add(through_gate, dx, width_ * pass.columns());
}

}  // namespace hysteron::train
