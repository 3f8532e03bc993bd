#include "hysteron/train/backbone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "train/kernels.h"
#include "train/noise.h"

namespace hysteron::train {

static_assert(kShardClips == kLanes);

namespace {

/// Offsets of an affine map's weight and bias.
struct AffineView {
  std::size_t weight;
  std::size_t bias;
  std::size_t rows;
  std::size_t columns;
};

float sign_of(float x) { return std::signbit(x) ? -1.0f : 1.0f; }

model::Affine to_affine(const AffineView& view, std::span<const float> p) {
  const auto rows = static_cast<Eigen::Index>(view.rows);
  const auto columns = static_cast<Eigen::Index>(view.columns);
  return {Eigen::Map<const model::Matrix>(p.data() + view.weight, rows, columns),
          Eigen::Map<const model::Vector>(p.data() + view.bias, rows)};
}

}  // namespace

struct Backbone::LayerView {
  AffineView candidate;
  std::size_t lower;
  std::size_t width;
  std::size_t gain;
  AffineView output;
};

struct Backbone::LayerBuffers {
  std::vector<float> u;          // relu(v)                 [d, N]
  std::vector<float> candidate;  // relu(W u + b + noise)   [m, N]
  std::vector<float> state;      // s                       [m, N]
  std::vector<float> output;     // o after dropout         [d, N]
  std::vector<float> scaled;     // V diag(alpha)           [d, m]
};

struct Backbone::Workspace::Buffers {
  std::vector<LayerBuffers> layers;
  std::vector<float> v;        // skip path, running               [d, N]
  std::vector<float> logits;   // and then their gradient          [k, N]
  std::vector<float> dv;       // gradient of the skip path        [d, N]
  std::vector<float> work;     // gradient of o or of u            [d, N]
  std::vector<float> dstate;   // gradient of s, then of W u + b   [m, N]
  std::vector<float> dscaled;  // gradient of V diag(alpha)        [d, m]
  std::vector<float> scratch;  // a transposed weight

  void resize(const BackboneShape& shape, std::size_t n) {
    layers.resize(shape.layers);
    for (LayerBuffers& layer : layers) {
      layer.u.resize(shape.width * n);
      layer.candidate.resize(shape.cells * n);
      layer.state.resize(shape.cells * n);
      layer.output.resize(shape.width * n);
      layer.scaled.resize(shape.width * shape.cells);
    }
    v.resize(shape.width * n);
    logits.resize(shape.outputs * n);
    dv.resize(shape.width * n);
    work.resize(shape.width * n);
    dstate.resize(shape.cells * n);
    dscaled.resize(shape.width * shape.cells);
    scratch.resize(shape.width * std::max(shape.cells, shape.outputs));
  }
};

Backbone::Workspace::Workspace() : buffers_(std::make_unique<Buffers>()) {}
Backbone::Workspace::~Workspace() = default;
Backbone::Workspace::Workspace(Workspace&&) noexcept = default;
Backbone::Workspace& Backbone::Workspace::operator=(Workspace&&) noexcept = default;

Backbone::Backbone(const BackboneShape& shape) : shape_(shape) {
  const auto add = [&](const std::string& name, std::size_t rows, std::size_t columns, bool decays, bool positive) {
    segments_.push_back({name, parameters_, rows, columns, decays, positive});
    parameters_ += rows * columns;
  };
  const auto add_affine = [&](const std::string& name, std::size_t rows, std::size_t columns) {
    add(name + ".weight", rows, columns, true, false);
    add(name + ".bias", rows, 1, false, false);
  };
  add_affine("input", shape.width, shape.inputs);
  for (std::size_t i = 0; i < shape.layers; ++i) {
    const std::string prefix = fmt::format("layers.{}.", i);
    add_affine(prefix + "candidate", shape.cells, shape.width);
    add(prefix + "lower", shape.cells, 1, false, true);
    add(prefix + "width", shape.cells, 1, false, true);
    add(prefix + "gain", shape.cells, 1, false, true);
    add_affine(prefix + "output", shape.width, shape.cells);
  }
  add_affine("readout", shape.outputs, shape.width);
}

const Segment& Backbone::segment(const std::string& name) const {
  const auto found = std::ranges::find(segments_, name, &Segment::name);
  if (found == segments_.end()) throw std::out_of_range("no parameter called " + name);
  return *found;
}

namespace {

// Segments in the order of the constructor: two of the input, seven a layer, two of the readout.
constexpr std::size_t kInputSegments = 2;
constexpr std::size_t kLayerSegments = 7;

AffineView affine_at(const std::vector<Segment>& segments, std::size_t index) {
  return {segments[index].offset, segments[index + 1].offset, segments[index].rows, segments[index].columns};
}

}  // namespace

Backbone::LayerView Backbone::view(std::size_t layer) const {
  const std::size_t first = kInputSegments + layer * kLayerSegments;
  return {affine_at(segments_, first), segments_[first + 2].offset, segments_[first + 3].offset,
          segments_[first + 4].offset, affine_at(segments_, first + 5)};
}

std::vector<float> Backbone::initial_parameters(const Random& random) const {
  std::vector<float> parameters(parameters_);
  for (const Segment& segment : segments_) {
    Random stream = random.child(segment.name);
    const bool in_layer = segment.name.starts_with("layers.");
    const bool is_bias = segment.name.ends_with(".bias");
    // A bias has the bound of its weight, the segment before it.
    const std::size_t fan_in = is_bias ? (&segment - 1)->columns : segment.columns;
    const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
    const double gain_bound = std::sqrt(6.0 / static_cast<double>(segment.rows));
    for (std::size_t i = 0; i < segment.size(); ++i) {
      double value = 0.0;
      if (segment.name.ends_with(".gain")) {
        value = std::abs(stream.uniform(-gain_bound, gain_bound));
      } else if (segment.positive) {
        value = 0.5 * std::abs(stream.normal());
      } else {
        value = stream.uniform(-bound, bound);
        if (in_layer) value = std::abs(value);
      }
      parameters[segment.offset + i] = static_cast<float>(value);
    }
  }
  return parameters;
}

model::Network Backbone::to_network(std::span<const float> parameters) const {
  const auto magnitudes = [&](std::size_t offset) {
    return model::Vector(
        Eigen::Map<const model::Vector>(parameters.data() + offset, static_cast<Eigen::Index>(shape_.cells))
            .cwiseAbs());
  };
  model::Network network;
  network.input = to_affine(affine_at(segments_, 0), parameters);
  for (std::size_t i = 0; i < shape_.layers; ++i) {
    const LayerView place = view(i);
    model::Layer layer;
    layer.candidate = to_affine(place.candidate, parameters);
    layer.beta_lo = magnitudes(place.lower);
    layer.beta_hi = layer.beta_lo + magnitudes(place.width);
    layer.alpha = magnitudes(place.gain);
    layer.initial_state = model::Vector::Zero(static_cast<Eigen::Index>(shape_.cells));
    layer.output = to_affine(place.output, parameters);
    network.layers.push_back(std::move(layer));
  }
  network.readout = to_affine(affine_at(segments_, segments_.size() - 2), parameters);
  return network;
}

namespace {

CellRow cell_row(float lower, float width, std::size_t layer, std::size_t cell, const Shard& shard,
                 const PassOptions& options, std::size_t cells_in_all) {
  const float beta_lo = std::abs(lower);
  const float beta_hi = beta_lo + std::abs(width);
  CellRow row{};
  row.frames = shard.frames;
  row.beta_lo = beta_lo;
  row.beta_hi = beta_hi;
  row.epsilon = options.epsilon;
  row.noise = options.candidate_noise * beta_hi;
  row.key = noise_key(options.seed, NoiseUse::kCandidate, layer, cell);
  row.first = shard.first_column;
  row.lane_weights = shard.weights.data();
  row.margin_inverse = 1.0f / (options.margin * beta_hi);
  row.margin_scale = options.scale * options.margin_weight / static_cast<float>(cells_in_all);
  return row;
}

}  // namespace

void Backbone::forward_layer(std::size_t layer, std::span<const float> parameters, const Shard& shard,
                             const PassOptions& options, Workspace::Buffers& buffers) const {
  const std::size_t n = shard.frames * kLanes;
  const LayerView place = view(layer);
  LayerBuffers& own = buffers.layers[layer];
  const float* p = parameters.data();
  affine_forward(p + place.candidate.weight, p + place.candidate.bias, own.u.data(), own.candidate.data(), shape_.cells,
                 shape_.width, n);
  for (std::size_t j = 0; j < shape_.cells; ++j) {
    const CellRow row =
        cell_row(p[place.lower + j], p[place.width + j], layer, j, shard, options, shape_.cells * shape_.layers);
    cell_forward(row, own.candidate.data() + j * n, own.state.data() + j * n);
  }
  for (std::size_t i = 0; i < shape_.width; ++i) {
    for (std::size_t j = 0; j < shape_.cells; ++j) {
      own.scaled[i * shape_.cells + j] = p[place.output.weight + i * shape_.cells + j] * std::abs(p[place.gain + j]);
    }
  }
  affine_forward(own.scaled.data(), p + place.output.bias, own.state.data(), own.output.data(), shape_.width,
                 shape_.cells, n);
  float* next = layer + 1 < shape_.layers ? buffers.layers[layer + 1].u.data() : buffers.work.data();
  for (std::size_t i = 0; i < shape_.width; ++i) {
    const DropoutRow row{options.dropout, noise_key(options.seed, NoiseUse::kDropout, layer, i), shard.first_column};
    output_forward(row, own.output.data() + i * n, buffers.v.data() + i * n, next + i * n, n);
  }
}

double Backbone::backward_layer(std::size_t layer, std::span<const float> parameters, const Shard& shard,
                                const PassOptions& options, Workspace::Buffers& buffers,
                                std::span<float> gradient) const {
  const std::size_t n = shard.frames * kLanes;
  const LayerView place = view(layer);
  LayerBuffers& own = buffers.layers[layer];
  const float* p = parameters.data();
  float* g = gradient.data();
  output_backward(options.dropout, own.output.data(), buffers.dv.data(), buffers.work.data(), shape_.width * n);
  std::ranges::fill(buffers.dscaled, 0.0f);
  affine_gradient(buffers.work.data(), own.state.data(), buffers.dscaled.data(), g + place.output.bias, shape_.width,
                  shape_.cells, n);
  affine_backward(own.scaled.data(), buffers.work.data(), buffers.dstate.data(), buffers.scratch.data(), shape_.width,
                  shape_.cells, n);
  for (std::size_t i = 0; i < shape_.width; ++i) {
    for (std::size_t j = 0; j < shape_.cells; ++j) {
      const std::size_t weight = place.output.weight + i * shape_.cells + j;
      const float d = buffers.dscaled[i * shape_.cells + j];
      g[weight] += d * std::abs(p[place.gain + j]);
      g[place.gain + j] += d * p[weight] * sign_of(p[place.gain + j]);
    }
  }
  double margin = 0.0;
  for (std::size_t j = 0; j < shape_.cells; ++j) {
    const float lower = p[place.lower + j];
    const float width = p[place.width + j];
    const CellRow row = cell_row(lower, width, layer, j, shard, options, shape_.cells * shape_.layers);
    const CellGradient d =
        cell_backward(row, own.candidate.data() + j * n, own.state.data() + j * n, buffers.dstate.data() + j * n);
    g[place.lower + j] += (d.beta_lo + d.beta_hi) * sign_of(lower);
    g[place.width + j] += d.beta_hi * sign_of(width);
    margin += d.margin;
  }
  affine_gradient(buffers.dstate.data(), own.u.data(), g + place.candidate.weight, g + place.candidate.bias,
                  shape_.cells, shape_.width, n);
  affine_backward(p + place.candidate.weight, buffers.dstate.data(), buffers.work.data(), buffers.scratch.data(),
                  shape_.cells, shape_.width, n);
  add_rectified(own.u.data(), buffers.work.data(), buffers.dv.data(), shape_.width * n);
  return margin / static_cast<double>(shape_.cells * shape_.layers);
}

PassSums Backbone::pass(std::span<const float> parameters, const Shard& shard, const PassOptions& options,
                        Workspace& workspace, std::span<float> gradient) const {
  const std::size_t n = shard.frames * kLanes;
  if (parameters.size() != parameters_ || gradient.size() != parameters_ || shard.inputs.size() != shape_.inputs * n) {
    throw std::invalid_argument("Backbone::pass: sizes differ from the backbone's");
  }
  Workspace::Buffers& buffers = *workspace.buffers_;
  buffers.resize(shape_, n);
  const float* p = parameters.data();
  const AffineView input = affine_at(segments_, 0);
  const AffineView readout = affine_at(segments_, segments_.size() - 2);

  affine_forward(p + input.weight, p + input.bias, shard.inputs.data(), buffers.v.data(), input.rows, input.columns, n);
  rectify(buffers.v.data(), buffers.layers.front().u.data(), shape_.width * n);
  for (std::size_t i = 0; i < shape_.layers; ++i) forward_layer(i, parameters, shard, options, buffers);
  affine_forward(p + readout.weight, p + readout.bias, buffers.v.data(), buffers.logits.data(), readout.rows,
                 readout.columns, n);
  const CrossEntropy loss = cross_entropy(buffers.logits.data(), shape_.outputs, shard.frames, shard.labels.data(),
                                          shard.weights.data(), options.vote_share, options.scale);

  affine_gradient(buffers.logits.data(), buffers.v.data(), gradient.data() + readout.weight,
                  gradient.data() + readout.bias, readout.rows, readout.columns, n);
  affine_backward(p + readout.weight, buffers.logits.data(), buffers.dv.data(), buffers.scratch.data(), readout.rows,
                  readout.columns, n);
  const double share = options.vote_share;
  PassSums sums{(1.0 - share) * loss.frame_loss + share * static_cast<double>(shard.frames) * loss.vote_loss,
                loss.right, 0.0};
  for (std::size_t i = shape_.layers; i-- > 0;) {
    sums.margin += backward_layer(i, parameters, shard, options, buffers, gradient);
  }
  affine_gradient(buffers.dv.data(), shard.inputs.data(), gradient.data() + input.weight, gradient.data() + input.bias,
                  input.rows, input.columns, n);
  return sums;
}

}  // namespace hysteron::train
