#include "train/sequence_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "train/layers.h"
#include "train/noise.h"
#include "train/ops.h"
#include "train/recurrent_cell.h"

namespace hysteron::train {
namespace {

static_assert(kShardSequences == kLanes);

/// Which of a block's two dropouts.
enum class Branch : std::size_t { kCell, kMlp };

/// One pre-norm residual block.
class Block {
 public:
  Block(ModelLayout& layout, const SequenceShape& shape, std::size_t index)
      : width_(shape.width),
        index_(index),
        norm_(layout, name(index, "norm"), shape.width),
        normal_(layout.buffer(shape.width)),
        convolved_(shape.convolution ? layout.buffer(shape.width) : normal_),
        gate_(layout, name(index, "gate"), shape.width, shape.width),
        open_(layout.buffer(shape.width)),
        value_(layout.buffer(shape.width)),
        branch_(layout.scratch(kScratchBranch, shape.width)),
        more_(layout.scratch(kScratchBranchMore, shape.width)) {
    if (shape.convolution) convolution_.emplace(layout, name(index, "convolution"), shape.width);
    cell_ = make_cell(shape.cell, layout, name(index, "cell"), shape.width, shape.cells);
    if (shape.mlp == "none") return;
    mlp_norm_.emplace(layout, name(index, "mlp.norm"), shape.width);
    mlp_.emplace(layout, name(index, "mlp"), shape.width, shape.mlp == "glu" ? MlpKind::kGlu : MlpKind::kRelu);
    mlp_normal_ = layout.buffer(shape.width);
  }

  void forward(const PassContext& pass, float* v) const {
    const std::size_t size = width_ * pass.columns();
    float* u = pass.buffer(convolved_);
    float* branch = pass.buffer(branch_);
    norm_.forward(pass, v, pass.buffer(normal_));
    if (convolution_) convolution_->forward(pass, pass.buffer(normal_), u);
    cell_->forward(pass, u, pass.buffer(value_));
    gate_.forward(pass, u, pass.buffer(open_));
    gate_forward(pass.buffer(open_), pass.buffer(value_), branch, size);
    add_branch(pass, Branch::kCell, branch, v);
    if (!mlp_) return;
    mlp_norm_->forward(pass, v, pass.buffer(mlp_normal_));
    mlp_->forward(pass, pass.buffer(mlp_normal_), branch);
    add_branch(pass, Branch::kMlp, branch, v);
  }

  /// dv: in, the gradient of the block's output; out, of its input.
  void backward(const PassContext& pass, float* dv) const {
    const std::size_t size = width_ * pass.columns();
    float* branch = pass.buffer(branch_);
    float* more = pass.buffer(more_);
    if (mlp_) {
      take_branch(pass, Branch::kMlp, dv, branch);
      mlp_->backward(pass, pass.buffer(mlp_normal_), branch, more);
      mlp_norm_->backward(pass, more, dv);
    }
    take_branch(pass, Branch::kCell, dv, branch);
    float* du = more;
    float* dvalue = branch;
    float* dgate = pass.buffer(open_);  // read before it is written
    const float* u = pass.buffer(convolved_);
    gate_backward(branch, pass.buffer(open_), pass.buffer(value_), dgate, dvalue, size);
    cell_->backward(pass, u, dvalue, du);
    gate_.backward(pass, u, dgate, dvalue);
    add(dvalue, du, size);
    if (convolution_) {
      convolution_->backward(pass, pass.buffer(normal_), du, branch);
      du = branch;
    }
    norm_.backward(pass, du, dv);
  }

  const RecurrentCell& cell() const { return *cell_; }

 private:
  static std::string name(std::size_t index, const char* part) { return fmt::format("blocks.{}.{}", index, part); }

  void drop_rows(const PassContext& pass, Branch which, float* branch) const {
    if (pass.dropout <= 0.0f) return;
    const std::size_t n = pass.columns();
    const std::size_t place = 2 * index_ + static_cast<std::size_t>(which);
    for (std::size_t i = 0; i < width_; ++i) {
      drop(pass.dropout, noise_key(pass.seed, NoiseUse::kDropout, place, i), branch + i * n, n);
    }
  }

  void add_branch(const PassContext& pass, Branch which, float* branch, float* v) const {
    drop_rows(pass, which, branch);
    add(branch, v, width_ * pass.columns());
  }

  void take_branch(const PassContext& pass, Branch which, const float* dv, float* branch) const {
    std::copy_n(dv, width_ * pass.columns(), branch);
    drop_rows(pass, which, branch);
  }

  std::size_t width_, index_;
  LayerNorm norm_;
  std::size_t normal_, convolved_;
  std::optional<CausalConvolution> convolution_;
  std::unique_ptr<RecurrentCell> cell_;
  AffineLayer gate_;
  std::size_t open_, value_;
  std::optional<LayerNorm> mlp_norm_;
  std::optional<Mlp> mlp_;
  std::size_t mlp_normal_ = 0;
  std::size_t branch_, more_;
};

/// pooled[i][lane] = sum_t share[t][lane] v[i][t][lane]
void pool_rows(const float* v, const float* share, float* pooled, std::size_t rows, std::size_t frames) {
  const std::size_t n = frames * kLanes;
  for (std::size_t i = 0; i < rows; ++i) {
    std::array<double, kLanes> sums{};
    for (std::size_t t = 0; t < frames; ++t) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += share[t * kLanes + lane] * v[i * n + t * kLanes + lane];
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) pooled[i * kLanes + lane] = static_cast<float>(sums[lane]);
  }
}

void unpool_rows(const float* dpooled, const float* share, float* dv, std::size_t rows, std::size_t frames) {
  const std::size_t n = frames * kLanes;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < n; ++k) dv[i * n + k] = share[k] * dpooled[i * kLanes + k % kLanes];
  }
}

/// The mask over each sequence's count of frames.
void mean_shares(const SequenceShard& shard, float* share) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    double count = 0.0;
    for (std::size_t t = 0; t < shard.frames; ++t) count += shard.mask[t * kLanes + lane];
    const float inverse = count > 0.0 ? static_cast<float>(1.0 / count) : 0.0f;
    for (std::size_t t = 0; t < shard.frames; ++t) {
      share[t * kLanes + lane] = shard.mask[t * kLanes + lane] * inverse;
    }
  }
}

}  // namespace

double SequenceShard::terms(bool per_frame) const {
  double count = 0.0;
  if (!per_frame) {
    for (const float weight : weights) count += weight;
    return count;
  }
  for (const float weight : mask) count += weight;
  return count;
}

SequenceShard pack_sequences(std::span<const data::Sequence> sequences, std::size_t inputs, bool per_frame) {
  SequenceShard shard;
  for (const data::Sequence& sequence : sequences) shard.frames = std::max(shard.frames, sequence.frames);
  const std::size_t n = shard.frames * kLanes;
  shard.inputs.assign(inputs * n, 0.0f);
  shard.mask.assign(n, 0.0f);
  shard.targets.assign(per_frame ? n : kLanes, 0);
  for (std::size_t lane = 0; lane < sequences.size(); ++lane) {
    const data::Sequence& sequence = sequences[lane];
    shard.weights[lane] = 1.0f;
    if (!per_frame) shard.targets[lane] = sequence.targets.front();
    for (std::size_t t = 0; t < sequence.frames; ++t) {
      const std::size_t column = t * kLanes + lane;
      shard.mask[column] = sequence.mask[t];
      if (per_frame) shard.targets[column] = sequence.targets[t];
      for (std::size_t i = 0; i < inputs; ++i) shard.inputs[i * n + column] = sequence.inputs[t * inputs + i];
    }
  }
  return shard;
}

struct SequenceModel::Parts {
  ModelLayout layout;
  PositionEncoding position;
  AffineLayer input;
  std::vector<std::unique_ptr<Block>> blocks;
  LayerNorm norm;
  AffineLayer readout;
  std::size_t raw;      // inputs with the position encoding  [n + p]
  std::size_t v;        // skip path, then its gradient        [d]
  std::size_t normal;   // what the readout sees               [d]
  std::size_t logits;   // [k]
  std::size_t share;    // of each frame in the mean           [1]
  std::size_t pooled;   // [d], kLanes columns
  std::size_t dnormal;  // gradient of `normal`                [d]
  std::size_t draw;     // gradient of `raw`                   [n + p]

  explicit Parts(const SequenceShape& shape)
      : position(layout, "position", shape.position),
        input(layout, "input", shape.width, shape.inputs + shape.position),
        blocks(make_blocks(layout, shape)),
        norm(layout, "readout.norm", shape.width),
        readout(layout, "readout", shape.outputs, shape.width),
        raw(layout.buffer(shape.inputs + shape.position)),
        v(layout.buffer(shape.width)),
        normal(layout.buffer(shape.width)),
        logits(layout.buffer(shape.outputs)),
        share(layout.buffer(1)),
        pooled(layout.buffer(2 * shape.width)),
        dnormal(layout.buffer(shape.width)),
        draw(layout.buffer(shape.position > 0 ? shape.inputs + shape.position : 0)) {}

  static std::vector<std::unique_ptr<Block>> make_blocks(ModelLayout& layout, const SequenceShape& shape) {
    std::vector<std::unique_ptr<Block>> blocks;
    for (std::size_t i = 0; i < shape.layers; ++i) blocks.push_back(std::make_unique<Block>(layout, shape, i));
    return blocks;
  }

  PassContext context(std::span<const float> parameters, const SequenceShard& shard, const SequencePass& options,
                      Workspace& workspace) const {
    workspace.resize(layout.buffer_rows().size());
    for (std::size_t i = 0; i < workspace.size(); ++i) {
      workspace[i].resize(layout.buffer_rows()[i] * shard.frames * kLanes);
    }
    PassContext pass;
    pass.parameters = parameters.data();
    pass.buffers = &workspace;
    pass.frames = shard.frames;
    pass.epsilon = options.epsilon;
    pass.dropout = options.dropout;
    pass.additive_noise = options.additive_noise;
    pass.multiplicative_noise = options.multiplicative_noise;
    pass.seed = options.seed;
    return pass;
  }

  void forward(const PassContext& pass, const SequenceShape& shape, const SequenceShard& shard) const {
    std::ranges::copy(shard.inputs, pass.buffer(raw));
    position.forward(pass, pass.buffer(raw) + shape.inputs * pass.columns());
    input.forward(pass, pass.buffer(raw), pass.buffer(v));
    for (const auto& block : blocks) block->forward(pass, pass.buffer(v));
    norm.forward(pass, pass.buffer(v), pass.buffer(normal));
    if (shape.per_frame) {
      readout.forward(pass, pass.buffer(normal), pass.buffer(logits));
      return;
    }
    mean_shares(shard, pass.buffer(share));
    pool_rows(pass.buffer(normal), pass.buffer(share), pass.buffer(pooled), shape.width, shard.frames);
    readout.forward(pass, pass.buffer(pooled), pass.buffer(logits), kLanes);
  }

  SequenceSums loss(const PassContext& pass, const SequenceShape& shape, const SequenceShard& shard,
                    float scale) const {
    const float* weights = shape.per_frame ? shard.mask.data() : shard.weights.data();
    const std::size_t n = shape.per_frame ? pass.columns() : kLanes;
    const FrameLoss sums =
        frame_cross_entropy(pass.buffer(logits), shape.outputs, shard.targets.data(), weights, scale, n);
    return {sums.loss, sums.right, shard.terms(shape.per_frame)};
  }

  void backward(const PassContext& pass, const SequenceShape& shape) const {
    float* dv = pass.buffer(v);
    if (shape.per_frame) {
      readout.backward(pass, pass.buffer(normal), pass.buffer(logits), pass.buffer(dnormal));
    } else {
      float* dpooled = pass.buffer(pooled) + shape.width * kLanes;
      readout.backward(pass, pass.buffer(pooled), pass.buffer(logits), dpooled, kLanes);
      unpool_rows(dpooled, pass.buffer(share), pass.buffer(dnormal), shape.width, pass.frames);
    }
    std::fill_n(dv, shape.width * pass.columns(), 0.0f);
    norm.backward(pass, pass.buffer(dnormal), dv);
    for (std::size_t i = blocks.size(); i-- > 0;) blocks[i]->backward(pass, dv);
    input.backward(pass, pass.buffer(raw), dv, shape.position > 0 ? pass.buffer(draw) : nullptr);
    if (shape.position > 0) position.backward(pass, pass.buffer(draw) + shape.inputs * pass.columns());
  }
};

SequenceModel::SequenceModel(const SequenceShape& shape) : shape_(shape), parts_(std::make_unique<Parts>(shape)) {}
SequenceModel::~SequenceModel() = default;

const std::vector<Segment>& SequenceModel::segments() const { return parts_->layout.segments(); }
std::size_t SequenceModel::parameters() const { return parts_->layout.parameters(); }

std::vector<float> SequenceModel::initial_parameters(const Random& random) const {
  return parts_->layout.initial(random);
}

SequenceSums SequenceModel::pass(std::span<const float> parameters, const SequenceShard& shard,
                                 const SequencePass& options, Workspace& workspace, std::span<float> gradient) const {
  if (parameters.size() != this->parameters() || gradient.size() != parameters.size() ||
      shard.inputs.size() != shape_.inputs * shard.frames * kLanes) {
    throw std::invalid_argument("SequenceModel::pass: sizes differ from the model's");
  }
  PassContext context = parts_->context(parameters, shard, options, workspace);
  context.gradient = gradient.data();
  parts_->forward(context, shape_, shard);
  const SequenceSums sums = parts_->loss(context, shape_, shard, options.scale);
  parts_->backward(context, shape_);
  return sums;
}

SequenceSums SequenceModel::score(std::span<const float> parameters, const SequenceShard& shard,
                                  const SequencePass& options, Workspace& workspace, std::vector<float>* logits,
                                  std::vector<LayerStates>* layers) const {
  const PassContext context = parts_->context(parameters, shard, options, workspace);
  parts_->forward(context, shape_, shard);
  const std::size_t n = shape_.per_frame ? context.columns() : kLanes;
  if (logits != nullptr) {
    const float* begin = context.buffer(parts_->logits);
    logits->assign(begin, begin + shape_.outputs * n);
  }
  if (layers != nullptr) {
    layers->clear();
    for (const auto& block : parts_->blocks) {
      const std::size_t size = shape_.cells * context.columns();
      const float* states = block->cell().states(context);
      const float* candidates = block->cell().candidates(context);
      LayerStates layer{{states, states + size}, {}};
      if (candidates != nullptr) layer.candidates.assign(candidates, candidates + size);
      layers->push_back(std::move(layer));
    }
  }
  return parts_->loss(context, shape_, shard, options.scale);
}

}  // namespace hysteron::train
