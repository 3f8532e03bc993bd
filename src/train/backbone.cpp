#include "train/backbone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

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

std::vector<float> Backbone::initial_parameters(const Random& random, bool positive) const {
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
        if (in_layer && positive) value = std::abs(value);
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

/// Puts arrays one behind the other.
class Flattener {
 public:
  template <typename Array>
  void put(const Array& values) {
    result_.insert(result_.end(), values.data(), values.data() + values.size());
  }
  void put(const model::Affine& affine) {
    put(affine.weight);
    put(affine.bias);
  }
  void skip(const model::Matrix& values) {
    result_.insert(result_.end(), static_cast<std::size_t>(values.size()), 0.0f);
  }
  std::vector<float> take() { return std::move(result_); }

 private:
  std::vector<float> result_;
};

}  // namespace

std::vector<float> Backbone::from_network(const model::Network& network) const {
  Flattener flat;
  flat.put(network.input);
  for (const model::Layer& layer : network.layers) {
    flat.put(layer.candidate);
    flat.put(layer.beta_lo);
    flat.put(model::Vector(layer.beta_hi - layer.beta_lo));
    flat.put(layer.alpha);
    flat.put(layer.output);
  }
  flat.put(network.readout);
  return flat.take();
}

ChipErrors Backbone::chip_errors(const model::DieErrors& errors) const {
  Flattener relative;
  Flattener added;
  const auto none = [&](const model::Affine& affine) {
    added.skip(affine.weight);
    added.put(model::Vector(model::Vector::Zero(affine.bias.size())));
  };
  relative.put(errors.input);
  none(errors.input);
  for (const model::LayerErrors& layer : errors.layers) {
    relative.put(layer.candidate);
    added.skip(layer.candidate.weight);
    added.put(layer.offset);
    for (const model::Vector* values : {&layer.threshold, &layer.width, &layer.gain}) {
      relative.put(*values);
      added.put(model::Vector(model::Vector::Zero(values->size())));
    }
    relative.put(layer.output);
    none(layer.output);
  }
  relative.put(errors.readout);
  added.skip(errors.readout.weight);
  added.put(errors.readout_offset);
  return {relative.take(), added.take()};
}

namespace {

/// What a frame's sources draw through the legs of an affine map.
struct LegCurrent {
  const float* weight;   // [rows][columns]
  const float* bias;     // [rows]
  const float* sources;  // [columns][n]
  std::size_t rows;
  std::size_t columns;
  std::size_t frames;
  const float* lane_weights;
};

/// Sum over clips and frames of sum_ij |weight_ij| |source_j| + sum_i |bias_i|; adds `scale` times its gradient to
/// those given, of which `dsources` may be null.
double leg_current(const LegCurrent& legs, float scale, float* dweight, float* dbias, float* dsources) {
  const std::size_t n = legs.frames * kLanes;
  double clips = 0.0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) clips += legs.lane_weights[lane];
  const double columns = clips * static_cast<double>(legs.frames);
  double sum = 0.0;
  for (std::size_t i = 0; i < legs.rows; ++i) {
    sum += std::abs(legs.bias[i]) * columns;
    dbias[i] += scale * static_cast<float>(columns) * sign_of(legs.bias[i]);
  }
  for (std::size_t j = 0; j < legs.columns; ++j) {
    const float* source = legs.sources + j * n;
    float taken = 0.0f;  // sum of |weight| from this source
    for (std::size_t i = 0; i < legs.rows; ++i) taken += std::abs(legs.weight[i * legs.columns + j]);
    double total = 0.0;  // of the source over clips and frames
    for (std::size_t k = 0; k < n; ++k) {
      const float weight = legs.lane_weights[k % kLanes];
      total += weight * std::abs(source[k]);
      if (dsources != nullptr) dsources[j * n + k] += scale * weight * taken * sign_of(source[k]);
    }
    sum += taken * total;
    for (std::size_t i = 0; i < legs.rows; ++i) {
      const std::size_t place = i * legs.columns + j;
      dweight[place] += scale * static_cast<float>(total) * sign_of(legs.weight[place]);
    }
  }
  return sum;
}

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

/// Multiplicative noise on a row of candidates, or of their gradient.
void disturb_row(std::size_t layer, std::size_t cell, const Shard& shard, const PassOptions& options, float* row) {
  if (options.multiplicative_noise <= 0.0f) return;
  scale_by_noise(options.multiplicative_noise, noise_key(options.seed, NoiseUse::kScale, layer, cell),
                 shard.first_column, row, shard.frames * kLanes);
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
    disturb_row(layer, j, shard, options, own.candidate.data() + j * n);
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

double Backbone::cell_current(const LayerView& place, std::span<const float> parameters, const Shard& shard,
                              float scale, const float* states, std::span<float> gradient, float* dstates) const {
  const std::size_t n = shard.frames * kLanes;
  const float* p = parameters.data();
  float* g = gradient.data();
  double sum = 0.0;
  for (std::size_t j = 0; j < shape_.cells; ++j) {
    double columns = 0.0;
    double on = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      const float weight = shard.weights[k % kLanes];
      columns += weight;
      on += weight * states[j * n + k];
      dstates[j * n + k] += scale * weight * std::abs(p[place.gain + j]);
    }
    sum += columns * (std::abs(p[place.lower + j]) + 2.0 * std::abs(p[place.width + j])) +
           on * std::abs(p[place.gain + j]);
    g[place.lower + j] += scale * static_cast<float>(columns) * sign_of(p[place.lower + j]);
    g[place.width + j] += 2.0f * scale * static_cast<float>(columns) * sign_of(p[place.width + j]);
    g[place.gain + j] += scale * static_cast<float>(on) * sign_of(p[place.gain + j]);
  }
  return sum;
}

void Backbone::backward_layer(std::size_t layer, std::span<const float> parameters, const Shard& shard,
                              const PassOptions& options, Workspace::Buffers& buffers, std::span<float> gradient,
                              PassSums& sums) const {
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
  const float power_scale = options.scale * options.power_weight;
  if (power_scale > 0.0f) {
    sums.current += leg_current({own.scaled.data(), p + place.output.bias, own.state.data(), shape_.width, shape_.cells,
                                 shard.frames, shard.weights.data()},
                                power_scale, buffers.dscaled.data(), g + place.output.bias, buffers.dstate.data());
    sums.current +=
        cell_current(place, parameters, shard, power_scale, own.state.data(), gradient, buffers.dstate.data());
  }
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
    disturb_row(layer, j, shard, options, buffers.dstate.data() + j * n);
    g[place.lower + j] += (d.beta_lo + d.beta_hi) * sign_of(lower);
    g[place.width + j] += d.beta_hi * sign_of(width);
    margin += d.margin;
  }
  affine_gradient(buffers.dstate.data(), own.u.data(), g + place.candidate.weight, g + place.candidate.bias,
                  shape_.cells, shape_.width, n);
  affine_backward(p + place.candidate.weight, buffers.dstate.data(), buffers.work.data(), buffers.scratch.data(),
                  shape_.cells, shape_.width, n);
  if (power_scale > 0.0f) {
    sums.current += leg_current({p + place.candidate.weight, p + place.candidate.bias, own.u.data(), shape_.cells,
                                 shape_.width, shard.frames, shard.weights.data()},
                                power_scale, g + place.candidate.weight, g + place.candidate.bias, buffers.work.data());
  }
  add_rectified(own.u.data(), buffers.work.data(), buffers.dv.data(), shape_.width * n);
  sums.margin += margin / static_cast<double>(shape_.cells * shape_.layers);
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
  const float power_scale = options.scale * options.power_weight;
  double current = 0.0;
  if (power_scale > 0.0f) {
    current +=
        leg_current({p + readout.weight, p + readout.bias, buffers.v.data(), readout.rows, readout.columns,
                     shard.frames, shard.weights.data()},
                    power_scale, gradient.data() + readout.weight, gradient.data() + readout.bias, buffers.dv.data());
    current += leg_current({p + input.weight, p + input.bias, shard.inputs.data(), input.rows, input.columns,
                            shard.frames, shard.weights.data()},
                           power_scale, gradient.data() + input.weight, gradient.data() + input.bias, nullptr);
  }
  const double share = options.vote_share;
  PassSums sums{(1.0 - share) * loss.frame_loss + share * static_cast<double>(shard.frames) * loss.vote_loss,
                loss.right, 0.0, current};
  for (std::size_t i = shape_.layers; i-- > 0;) {
    backward_layer(i, parameters, shard, options, buffers, gradient, sums);
  }
  affine_gradient(buffers.dv.data(), shard.inputs.data(), gradient.data() + input.weight, gradient.data() + input.bias,
                  input.rows, input.columns, n);
  return sums;
}

}  // namespace hysteron::train
