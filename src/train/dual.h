#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

// Forward-mode derivatives for the reference gradients.

namespace hysteron::train {

/// A number and its derivative with respect to the one parameter under study.
struct Dual {
  double value = 0.0;
  double slope = 0.0;
};

using Duals = std::vector<Dual>;

inline Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
inline Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
inline Dual operator*(Dual a, Dual b) { return {a.value * b.value, a.slope * b.value + a.value * b.slope}; }
inline Dual operator*(double a, Dual b) { return {a * b.value, a * b.slope}; }
inline Dual relu(Dual a) { return a.value > 0.0 ? a : Dual{}; }
inline Dual abs(Dual a) { return a.value < 0.0 ? -1.0 * a : a; }

/// f(a), with f' = slope.
inline Dual chain(Dual a, double value, double slope) { return {value, slope * a.slope}; }
inline Dual sigmoid(Dual a) {
  const double s = 1.0 / (1.0 + std::exp(-a.value));
  return chain(a, s, s * (1.0 - s));
}
inline Dual tanh(Dual a) { return chain(a, std::tanh(a.value), 1.0 - std::tanh(a.value) * std::tanh(a.value)); }
inline Dual exp(Dual a) { return chain(a, std::exp(a.value), std::exp(a.value)); }
inline Dual sqrt(Dual a) { return chain(a, std::sqrt(a.value), 0.5 / std::sqrt(a.value)); }
inline Dual sin(Dual a) { return chain(a, std::sin(a.value), std::cos(a.value)); }
inline Dual cos(Dual a) { return chain(a, std::cos(a.value), -std::sin(a.value)); }

/// H(x) with the surrogate derivative 1 / (1 + (pi x)^2).
inline Dual step(Dual x) {
  const double scaled = std::numbers::pi * x.value;
  return chain(x, x.value >= 0.0 ? 1.0 : 0.0, 1.0 / (1.0 + scaled * scaled));
}

/// sign(x) = 2 H(x) - 1
inline Dual sign_step(Dual x) { return 2.0 * step(x) - Dual{1.0, 0.0}; }

/// log of the probability of `label`
inline Dual log_probability(const Duals& logits, std::size_t label) {
  double largest = logits[0].value;
  for (const Dual& logit : logits) largest = std::max(largest, logit.value);
  double sum = 0.0;
  double slope = 0.0;
  for (const Dual& logit : logits) {
    sum += std::exp(logit.value - largest);
    slope += std::exp(logit.value - largest) * logit.slope;
  }
  return logits[label] - Dual{std::log(sum) + largest, slope / sum};
}

}  // namespace hysteron::train
