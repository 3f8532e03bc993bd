#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/die_file.h"
#include "model/network.h"
#include "train/perturbation.h"
#include "train/segments.h"

namespace hysteron::train {

/// Sizes of a circuit backbone (design.md section 2).
struct BackboneShape {
  std::size_t inputs = 13;  ///< n
  std::size_t width = 4;    ///< d
  std::size_t cells = 4;    ///< m, of every layer
  std::size_t layers = 2;   ///< L
  std::size_t outputs = 2;  ///< k
};

inline constexpr std::size_t kShardClips = 16;  ///< clips that one pass works on side by side

/// Up to kShardClips clips, the unit of parallel work. Its size does not depend on the number of threads, so neither do
/// sums.
struct Shard {
  std::size_t frames = 0;
  std::vector<float> inputs;  ///< [n][frames][kShardClips]
  std::array<std::uint32_t, kShardClips> labels{};
  std::array<float, kShardClips> weights{};  ///< 1 where there is a clip, else 0
  std::uint32_t first_column = 0;            ///< number of this shard's first column in the batch, a counter for noise
};

/// How one pass differs from the plain model.
struct PassOptions {
  float epsilon = 0.0f;               ///< what a reset leaves of the state
  float dropout = 0.0f;               ///< share of o set to 0
  float candidate_noise = 0.0f;       ///< deviation, relative to the cell's beta_hi
  float multiplicative_noise = 0.0f;  ///< deviation, relative to the candidate
  float margin = 0.05f;        ///< distance from the threshold, relative to beta_hi, below which the margin loss acts
  float margin_weight = 0.0f;  ///< weight of the margin loss
  float vote_share = 0.0f;     ///< share of the vote loss in the cross-entropy
  float power_weight = 0.0f;   ///< of the current drawn
  float scale = 1.0f;          ///< 1 / (clips * frames) of the whole batch: sums become means
  std::uint32_t seed = 0;      ///< of dropout and noise in this pass
};

/// What a pass found, as sums over frames of clips.
struct PassSums {
  double cross_entropy = 0.0;  ///< with the vote loss in it
  double right = 0.0;          ///< frames whose argmax is the label
  double margin = 0.0;         ///< mean over cells of max(0, 1 - distance / margin)
  double current = 0.0;        ///< drawn by legs and cells, unit currents; 0 unless power_weight asks for it
};

/// The circuit backbone with FQ-BMRU cells as a function of one flat parameter vector, and its gradient.
///
/// Parameters are free numbers; beta_lo = |lower|, delta = |width|, alpha = |gain|. The loss of a pass is
///   scale * sum over clips and frames of (cross-entropy + margin_weight * mean over cells of the margin hinge
///                                         + power_weight * current)
/// where the cross-entropy of a clip is (1 - vote_share) * mean over frames of -log p_t(label)
/// + vote_share * -log(mean over frames of p_t(label)), the soft form of the frames' vote,
/// and the hinge is max(0, 1 - |candidate - threshold| / (margin beta_hi)) of the threshold that the cell's present
/// state can cross. The current is what legs and cells draw in a frame: |weight| times |source| of every weight, |bias|
/// of every bias, beta_hi + delta + h of every cell. While epsilon > 0: s = hold s' + (1 - hold)(z_hi + epsilon s'),
/// forward and backward. Steps pass the surrogate derivative 1 / (1 + (pi x)^2). Noise amplitudes and the hinge's scale
/// count as constants.
class Backbone {
 public:
  explicit Backbone(const BackboneShape& shape);

  const BackboneShape& shape() const { return shape_; }
  const std::vector<Segment>& segments() const { return segments_; }
  std::size_t parameters() const { return parameters_; }
  const Segment& segment(const std::string& name) const;

  /// Start values, after the published recipe: weights U(+-1/sqrt(fan in)), taken positive in the layers, as their
  /// biases are; beta_lo and delta 0.5 |N(0, 1)|; alpha |U(+-sqrt(6 / m))|.
  /// `positive`: weights and biases of the layers are magnitudes, so that every cell can be reached; else of both
  /// signs.
  std::vector<float> initial_parameters(const Random& random, bool positive = true) const;

  /// The network these parameters stand for; labels and metadata are the caller's.
  model::Network to_network(std::span<const float> parameters) const;

  /// The parameters that stand for `network`, which has this shape.
  std::vector<float> from_network(const model::Network& network) const;

  /// The errors of a chip, parameter by parameter.
  ChipErrors chip_errors(const model::DieErrors& errors) const;

  /// Memory for one pass; every thread needs its own.
  class Workspace {
   public:
    Workspace();
    ~Workspace();
    Workspace(Workspace&&) noexcept;
    Workspace& operator=(Workspace&&) noexcept;

   private:
    friend class Backbone;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
  };

  /// Forward and backward over one shard: adds dL/dparameters to `gradient` [parameters()].
  PassSums pass(std::span<const float> parameters, const Shard& shard, const PassOptions& options, Workspace& workspace,
                std::span<float> gradient) const;

 private:
  struct LayerView;
  struct LayerBuffers;

  LayerView view(std::size_t layer) const;
  void forward_layer(std::size_t layer, std::span<const float> parameters, const Shard& shard,
                     const PassOptions& options, Workspace::Buffers& buffers) const;
  void backward_layer(std::size_t layer, std::span<const float> parameters, const Shard& shard,
                      const PassOptions& options, Workspace::Buffers& buffers, std::span<float> gradient,
                      PassSums& sums) const;
  /// The sum over clips and frames of what a layer's cells draw; adds `scale` times its gradient.
  double cell_current(const LayerView& place, std::span<const float> parameters, const Shard& shard, float scale,
                      const float* states, std::span<float> gradient, float* dstates) const;

  BackboneShape shape_;
  std::vector<Segment> segments_;
  std::size_t parameters_ = 0;
};

}  // namespace hysteron::train
