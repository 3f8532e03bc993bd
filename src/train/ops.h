#pragma once

#include <cstddef>
#include <cstdint>

// Element-wise inner loops of the reference backbone and its cells, on rows as in kernels.h: row[n], column
// n = t * kLanes + sequence. Lengths are whole multiples of kLanes. Compiled for every instruction set and chosen at
// run time. `step'` is the surrogate derivative 1 / (1 + (pi x)^2) of H.

namespace hysteron::train {

/// y = gain (x - mean) / deviation + bias per column over `rows` rows; keeps normalised = (x - mean) / deviation
/// [rows, n] and inverse = 1 / deviation [n].
void layer_norm_forward(const float* x, const float* gain, const float* bias, float* y, float* normalised,
                        float* inverse, std::size_t rows, std::size_t n);

/// dx[rows, n] += the gradient of x; dgain and dbias [rows] receive theirs on top of what they hold.
void layer_norm_backward(const float* dy, const float* gain, const float* normalised, const float* inverse, float* dx,
                         float* dgain, float* dbias, std::size_t rows, std::size_t n);

/// gate := sigmoid(gate), y = gate * value.
void gate_forward(float* gate, const float* value, float* y, std::size_t n);

/// dvalue = dy gate; dgate = dy value gate (1 - gate), of the number under the sigmoid.
void gate_backward(const float* dy, const float* gate, const float* value, float* dgate, float* dvalue, std::size_t n);

/// x[n] := 0 where dropped, else x / (1 - share); the same call on a gradient is the backward pass.
void drop(float share, std::uint32_t key, float* x, std::size_t n);

/// y[n] += x[n]
void add(const float* x, float* y, std::size_t n);

/// y[n] += factor x[n]
void add_scaled(float factor, const float* x, float* y, std::size_t n);

/// sum of x[n] y[n]
double dot(const float* x, const float* y, std::size_t n);

/// sum of x[n]
double sum(const float* x, std::size_t n);

/// dx := dx where y > 0, else 0.
void rectify_backward(const float* y, float* dx, std::size_t n);

/// The recurrence s = a s' + b of an FQ-BMRU: hold = [lo <= c < hi], a = hold + (1 - hold) epsilon, b = [c >= hi].
void fq_coefficients(const float* candidate, float lo, float hi, float epsilon, float* a, float* b, std::size_t n);

struct ThresholdGradient {
  double lo = 0.0;
  double hi = 0.0;
};

/// dcandidate from da and db, where candidate > 0; returns the thresholds' gradients.
ThresholdGradient fq_backward(const float* candidate, float lo, float hi, float epsilon, const float* da,
                              const float* db, float* dcandidate, std::size_t n);

/// BMRU (epsilon 0) and CMRU: z = H(|c| - |beta|), a = z epsilon + 1 - z, b = z sign(c).
void bmru_coefficients(const float* c, const float* beta, float epsilon, float* a, float* b, std::size_t n);
void bmru_backward(const float* c, const float* beta, float epsilon, const float* da, const float* db, float* dc,
                   float* dbeta, std::size_t n);

/// minGRU: z := sigmoid(z), a = 1 - z, b = z h.
void min_gru_coefficients(float* z, const float* h, float* a, float* b, std::size_t n);
void min_gru_backward(const float* z, const float* h, const float* da, const float* db, float* dz, float* dh,
                      std::size_t n);

/// One step of a GRU's row: in, the sums under the functions without the recurrent parts, and the recurrent parts of
/// r, z and n; out, r, z and n in their place (of candidate), and the state h = (1 - z) n + z previous.
struct GruRow {
  float* reset;
  float* update;
  float* candidate;
  const float* recurrent_reset;
  const float* recurrent_update;
  const float* recurrent_candidate;
};
void gru_forward(const GruRow& row, const float* previous, float* h, std::size_t n);

/// From dh: the gradients of the three sums, of the recurrent part of n and (dprevious, set) of the state before.
struct GruGradient {
  float* reset;
  float* update;
  float* candidate;
  float* recurrent_candidate;
  float* previous;
};
void gru_backward(const GruRow& row, const float* previous, const float* dh, const GruGradient& gradient,
                  std::size_t n);

struct FrameLoss {
  double loss = 0.0;   ///< sum of weight * -log p(target)
  double right = 0.0;  ///< sum of weight where the target's logit is the largest
};

/// Cross-entropy of logits[outputs][n], which become scale * their gradient.
FrameLoss frame_cross_entropy(float* logits, std::size_t outputs, const std::uint32_t* targets, const float* weights,
                              float scale, std::size_t n);

}  // namespace hysteron::train
