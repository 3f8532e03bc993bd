#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "train/layout.h"

// Layers of the reference backbone. Each takes its places in a ModelLayout when it is made; `forward` keeps in its own
// buffers what `backward` needs. Arrays are [rows][frames * kLanes]. Backward adds parameters' gradients to the pass's.

namespace hysteron::train {

/// Numbers of the scratch buffers; a number is used by one call at a time.
enum ScratchNumber : std::size_t {
  kScratchWeights,
  kScratchCell,
  kScratchCellMore,
  kScratchInput,
  kScratchBranch,
  kScratchBranchMore
};

/// y = W x + b
class AffineLayer {
 public:
  AffineLayer(ModelLayout& layout, const std::string& name, std::size_t rows, std::size_t columns, double bias = 0.0,
              bool random_bias = true);

  void forward(const PassContext& pass, const float* x, float* y) const;
  void forward(const PassContext& pass, const float* x, float* y, std::size_t columns) const;
  /// dx may be null where nothing below learns.
  void backward(const PassContext& pass, const float* x, const float* dy, float* dx) const;
  void backward(const PassContext& pass, const float* x, const float* dy, float* dx, std::size_t columns) const;

  std::size_t rows() const { return rows_; }

  /// sqrt(|w|^2 + b^2) of row `row`: the root mean square of its sum for independent inputs of unit variance.
  float row_norm(const PassContext& pass, std::size_t row) const;

 private:
  std::size_t weight_, bias_, rows_, columns_, scratch_;
};

/// Layer norm over the rows (Ba, Kiros and Hinton 2016), variance floor 1e-5.
class LayerNorm {
 public:
  LayerNorm(ModelLayout& layout, const std::string& name, std::size_t rows);

  void forward(const PassContext& pass, const float* x, float* y) const;
  /// Adds to dx.
  void backward(const PassContext& pass, const float* dy, float* dx) const;

 private:
  std::size_t gain_, bias_, rows_, normalised_, inverse_;
};

/// y_t = b + sum_k w_k x_{t-k}, k = 0..3, row by row.
class CausalConvolution {
 public:
  static constexpr std::size_t kTaps = 4;

  CausalConvolution(ModelLayout& layout, const std::string& name, std::size_t rows);

  void forward(const PassContext& pass, const float* x, float* y) const;
  void backward(const PassContext& pass, const float* x, const float* dy, float* dx) const;

 private:
  std::size_t weight_, bias_, rows_;
};

/// sin(omega_i t + phi_i) in `rows` rows, both learnable; pairs of a sine and a cosine that start
/// at frequencies from 1 rad a frame down to 10,000^-1.
class PositionEncoding {
 public:
  PositionEncoding(ModelLayout& layout, const std::string& name, std::size_t rows);

  void forward(const PassContext& pass, float* y) const;
  void backward(const PassContext& pass, const float* dy) const;

 private:
  std::size_t frequency_, phase_, rows_;
};

enum class MlpKind { kRelu, kGlu };

/// Two affine layers with expansion 4: W_2 relu(W_1 x) or W_2 (W_1 x * sigmoid(W_g x)) (GLU, Dauphin et al. 2017).
class Mlp {
 public:
  static constexpr std::size_t kExpansion = 4;

  Mlp(ModelLayout& layout, const std::string& name, std::size_t width, MlpKind kind);

  void forward(const PassContext& pass, const float* x, float* y) const;
  void backward(const PassContext& pass, const float* x, const float* dy, float* dx) const;

 private:
  std::size_t width_;
  std::size_t hidden_rows_;
  AffineLayer up_;
  std::optional<AffineLayer> gate_;  // GLU only
  AffineLayer down_;
  std::size_t value_, open_, hidden_, scratch_, more_, dx_;
};

}  // namespace hysteron::train
