#include "model/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/inference.h"

namespace hysteron::model {
namespace {

double rounded(double x) { return static_cast<double>(static_cast<float>(x)); }

template <class Value>
std::vector<Value> values_of(const Vector& vector) {
  std::vector<Value> values(static_cast<std::size_t>(vector.size()));
  std::transform(vector.begin(), vector.end(), values.begin(), [](float x) { return static_cast<Value>(x); });
  return values;
}

}  // namespace

Stream::Map::Map(const Affine& affine)
    : rows(static_cast<std::size_t>(affine.weight.rows())),
      columns(static_cast<std::size_t>(affine.weight.cols())),
      bias(values_of<double>(affine.bias)) {
  for (Eigen::Index i = 0; i < affine.weight.cols(); ++i) {
    for (Eigen::Index j = 0; j < affine.weight.rows(); ++j) weight.push_back(affine.weight(j, i));
  }
}

void Stream::Map::apply(const double* x, double* y) const {
  std::copy(bias.begin(), bias.end(), y);
  const double* w = weight.data();
  for (std::size_t i = 0; i < columns; ++i, w += rows) {
    for (std::size_t j = 0; j < rows; ++j) y[j] += w[j] * x[i];
  }
}

Stream::Stream(const Network& network)
    : input_(network.input),
      readout_(network.readout),
      x_(network.inputs()),
      v_(network.width()),
      u_(network.width()),
      sums_(network.outputs()),
      logits_(network.outputs()) {
  std::size_t cells = 0;
  for (const Layer& layer : network.layers) {
    layers_.push_back({Map(layer.candidate), Map(layer.output), values_of<float>(layer.beta_lo),
                       values_of<float>(layer.beta_hi), values_of<double>(layer.alpha),
                       values_of<std::uint8_t>(layer.initial_state), values_of<std::uint8_t>(layer.initial_state)});
    cells = std::max(cells, layer.cells());
  }
  candidate_.resize(cells);
}

void Stream::reset() {
  for (Cells& layer : layers_) layer.on = layer.initial;
}

void Stream::step_layer(Cells& layer) {
  for (std::size_t i = 0; i < v_.size(); ++i) u_[i] = std::max(v_[i], 0.0);
  layer.candidate.apply(u_.data(), candidate_.data());
  for (std::size_t j = 0; j < layer.on.size(); ++j) {
    const float candidate = std::max(static_cast<float>(candidate_[j]), 0.0f);
    const bool on = next_state(candidate, layer.beta_lo[j], layer.beta_hi[j], layer.on[j] != 0);
    layer.on[j] = on ? 1 : 0;
    candidate_[j] = on ? layer.alpha[j] : 0.0;
  }
  layer.output.apply(candidate_.data(), u_.data());
  for (std::size_t i = 0; i < v_.size(); ++i) v_[i] = rounded(v_[i] + std::max(u_[i], 0.0));
}

std::span<const float> Stream::step(std::span<const float> features) {
  if (features.size() != x_.size()) {
    throw bad_input(fmt::format("features: a frame of {} values; expected {}", features.size(), x_.size()));
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!std::isfinite(features[i])) {
      throw bad_input(fmt::format("features: feature {} is {}; expected a finite number", i, features[i]));
    }
    x_[i] = features[i];
  }
  input_.apply(x_.data(), v_.data());
  for (double& v : v_) v = rounded(v);
  for (Cells& layer : layers_) step_layer(layer);
  readout_.apply(v_.data(), sums_.data());
  for (std::size_t k = 0; k < logits_.size(); ++k) logits_[k] = static_cast<float>(sums_[k]);
  return logits_;
}

}  // namespace hysteron::model
