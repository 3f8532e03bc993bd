#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/sequences.h"
#include "train/cell_kind.h"
#include "train/segments.h"

namespace hysteron::train {

/// Sizes and parts of a reference backbone.
struct SequenceShape {
  std::size_t inputs = 1;
  std::size_t outputs = 2;
  std::size_t width = 64;    ///< d
  std::size_t cells = 64;    ///< m, of every layer
  std::size_t layers = 2;    ///< blocks
  std::size_t position = 0;  ///< rows of learnable sinusoidal position encoding, concatenated to the inputs
  CellKind cell = CellKind::kFqBmru;
  std::string mlp = "glu";   ///< "none", "relu" or "glu"
  bool convolution = false;  ///< causal convolution of width 4 before the cell
  bool per_frame = false;    ///< logits of every frame, or of the masked mean over frames
};

inline constexpr std::size_t kShardSequences = 16;  ///< sequences that one pass works on side by side

/// Up to kShardSequences sequences, padded to the longest, the unit of parallel work.
struct SequenceShard {
  std::size_t frames = 0;
  std::vector<float> inputs;                     ///< [n][frames][kShardSequences]
  std::vector<std::uint32_t> targets;            ///< [frames or 1][kShardSequences]
  std::vector<float> mask;                       ///< [frames][kShardSequences], 1 where a frame counts
  std::array<float, kShardSequences> weights{};  ///< 1 where there is a sequence, else 0

  /// What the loss sums over: frames that count, or sequences.
  double terms(bool per_frame) const;
};

/// Packs sequences of one source side by side; `sequences` holds at most kShardSequences.
SequenceShard pack_sequences(std::span<const data::Sequence> sequences, std::size_t inputs, bool per_frame);

/// How one pass differs from the plain model.
struct SequencePass {
  float epsilon = 0.0f;               ///< what a reset leaves of an FQ-BMRU's state
  float dropout = 0.0f;               ///< share of a branch's outputs set to 0
  float additive_noise = 0.0f;        ///< on candidates of cells with thresholds: deviation over the threshold
  float multiplicative_noise = 0.0f;  ///< and over the candidate
  float scale = 1.0f;                 ///< of the loss in the gradient: 1 / terms of the whole batch makes it a mean
  std::uint32_t seed = 0;             ///< of dropout, noise and start states
};

/// Sums over the loss's terms.
struct SequenceSums {
  double loss = 0.0;   ///< cross-entropy, nats
  double right = 0.0;  ///< targets with the largest logit
  double terms = 0.0;
};

/// What the cells of one layer did, [cells][frames][kShardSequences].
struct LayerStates {
  std::vector<float> states;
  std::vector<float> candidates;  ///< empty for cells without thresholds
};

/// The reference backbone: an affine input (position encoding concatenated), L pre-norm residual blocks and a
/// normalised affine readout per frame or of the masked mean. A block is
///   u = norm(v), u = convolution(u) if any;  v += dropout(sigmoid(W_g u + b_g) * cell(u));
///   v += dropout(mlp(norm(v))) if any.
/// A function of one flat parameter vector, with its gradient. Immutable and safe to share between threads.
class SequenceModel {
 public:
  explicit SequenceModel(const SequenceShape& shape);
  ~SequenceModel();

  const SequenceShape& shape() const { return shape_; }
  const std::vector<Segment>& segments() const;
  std::size_t parameters() const;
  std::vector<float> initial_parameters(const Random& random) const;

  /// Memory for one pass; every thread needs its own.
  using Workspace = std::vector<std::vector<float>>;

  /// Forward and backward over one shard: adds scale * dL/dparameters to `gradient` [parameters()], L summed over
  /// terms.
  SequenceSums pass(std::span<const float> parameters, const SequenceShard& shard, const SequencePass& options,
                    Workspace& workspace, std::span<float> gradient) const;

  /// Forward only. `logits` (may be null) receives [outputs][frames or 1][kShardSequences], `layers` (may be null) what
  /// the cells did.
  SequenceSums score(std::span<const float> parameters, const SequenceShard& shard, const SequencePass& options,
                     Workspace& workspace, std::vector<float>* logits, std::vector<LayerStates>* layers) const;

 private:
  struct Parts;
  SequenceShape shape_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hysteron::train
