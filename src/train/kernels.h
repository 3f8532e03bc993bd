#pragma once

#include <cstddef>
#include <cstdint>

// The inner loops of training. Arrays are rows of columns: x[i][n], where column n = t * kLanes + clip holds frame t of
// one of kLanes clips that are worked on side by side. Compiled for every instruction set and chosen at run time.

namespace hysteron::train {

inline constexpr std::size_t kLanes = 16;  ///< clips side by side; rows are whole multiples of it

/// y[j][n] = bias[j] + sum_i weight[j][i] x[i][n]   [rows, n]; bias may be null.
void affine_forward(const float* weight, const float* bias, const float* x, float* y, std::size_t rows,
                    std::size_t columns, std::size_t n);

/// dweight[j][i] += sum_n dy[j][n] x[i][n], dbias[j] += sum_n dy[j][n].
void affine_gradient(const float* dy, const float* x, float* dweight, float* dbias, std::size_t rows,
                     std::size_t columns, std::size_t n);

/// dx[i][n] = sum_j weight[j][i] dy[j][n]; `scratch` holds rows * columns values.
void affine_backward(const float* weight, const float* dy, float* dx, float* scratch, std::size_t rows,
                     std::size_t columns, std::size_t n);

/// One FQ-BMRU cell over kLanes clips of `frames` frames.
struct CellRow {
  std::size_t frames;
  float beta_lo;
  float beta_hi;
  float epsilon;              ///< how much of a state a reset leaves, 1 to 0
  float noise;                ///< deviation of the candidate's noise; 0: none
  std::uint32_t key;          ///< of that noise
  std::uint32_t first;        ///< its counter at column 0
  const float* lane_weights;  ///< [kLanes], 1, or 0 for lanes without a clip
  float margin_inverse;       ///< 1 / (margin beta_hi)
  float margin_scale;         ///< weight of one (cell, frame) in the margin loss; 0: none
};

/// candidate[n]: in W u + b, out relu(W u + b + noise). state[n] = hold s + (1 - hold)(z_hi + epsilon s), s the state
/// one frame before and 0 before the first.
void cell_forward(const CellRow& row, float* candidate, float* state);

struct CellGradient {
  float beta_lo = 0.0f;
  float beta_hi = 0.0f;
  float margin = 0.0f;  ///< sum of the hinges, not scaled
};

/// gradient[n]: in dL/dstate from above, out dL/d(W u + b). Steps pass 1 / (1 + (pi x)^2). Adds the margin loss
/// margin_scale sum_n max(0, 1 - |candidate - threshold| / (margin beta_hi)), where the threshold is the one the
/// present state can cross: beta_hi when off, beta_lo when on. The scale 1 / (margin beta_hi) counts as a constant.
CellGradient cell_backward(const CellRow& row, const float* candidate, const float* state, float* gradient);

/// Dropout's part in one row.
struct DropoutRow {
  float share;          ///< dropped; 0: none
  std::uint32_t key;    ///< of its stream
  std::uint32_t first;  ///< its counter at column 0
};

/// output[n] := relu(output[n]), dropped or scaled by 1 / (1 - share); v[n] += output[n]; u[n] = relu(v[n]).
void output_forward(const DropoutRow& row, float* output, float* v, float* u, std::size_t n);

/// gradient[n] = dv[n] / (1 - share) where output[n] > 0, else 0.
void output_backward(float share, const float* output, const float* dv, float* gradient, std::size_t n);

/// u[n] = relu(v[n]).
void rectify(const float* v, float* u, std::size_t n);

/// dv[n] += du[n] where u[n] > 0.
void add_rectified(const float* u, const float* du, float* dv, std::size_t n);

/// x[n] += deviation * noise_normal(key, first + n).
void add_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n);

/// x[n] *= 1 + deviation * noise_normal(key, first + n).
void scale_by_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n);

struct CrossEntropy {
  double frame_loss = 0.0;  ///< sum over frames of clips of -log p(label)
  double vote_loss = 0.0;   ///< sum over clips of -log of the label's mean probability over the frames
  double right = 0.0;       ///< frames whose largest logit is the label's
};

/// The loss (1 - vote_share) * frame_loss + vote_share * frames * vote_loss of logits[k][n], which become scale * their
/// gradient. `labels` and `lane_weights` are per lane.
CrossEntropy cross_entropy(float* logits, std::size_t outputs, std::size_t frames, const std::uint32_t* labels,
                           const float* lane_weights, float vote_share, float scale);

}  // namespace hysteron::train
