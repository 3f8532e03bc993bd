#include "train/sequence_gradient_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "train/dual.h"
#include "train/noise.h"

namespace hysteron::train {
namespace {

constexpr double kNormFloor = 1e-5;

/// What one layer remembers from frame to frame.
struct Memory {
  Duals state;
  Duals imaginary;          // LRU
  std::vector<Duals> past;  // inputs of the convolution, latest first
};

/// The loss of one shard with parameter `active` carrying slope 1, frame by frame and sequence by sequence.
class ReferencePass {
 public:
  ReferencePass(const SequenceModel& model, std::span<const float> parameters, const SequenceShard& shard,
                const SequencePass& options)
      : model_(model), shape_(model.shape()), parameters_(parameters), shard_(shard), options_(options) {}

  Dual loss(std::size_t active) {
    if (options_.additive_noise > 0.0f && has_moving_thresholds() && scales_.empty()) find_scales();
    return summed_loss(active);
  }

 private:
  bool has_moving_thresholds() const { return shape_.cell == CellKind::kBmru || shape_.cell == CellKind::kCmru; }

  /// The noise on candidates of BMRU and CMRU is relative to the mean |beta| of the cell over the shard, lanes without
  /// a sequence too. A layer's depends on the noise of those below it, so each pass over all makes one more right.
  void find_scales() {
    SequenceShard all = shard_;
    all.weights.fill(1.0f);
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      ReferencePass pass(model_, parameters_, all, options_);
      pass.scales_ = scales_;
      pass.summed_loss(model_.parameters());
      scales_ = pass.threshold_sums_;
      const double frames = static_cast<double>(shard_.frames * kShardSequences);
      for (auto& [name, cells] : scales_) {
        for (auto& [cell, sum] : cells) sum /= frames;
      }
    }
  }

  double noise_scale(const std::string& name, std::size_t cell) const {
    const auto found = scales_.find(name);
    return found == scales_.end() ? 0.0 : found->second.at(cell);
  }

  Dual summed_loss(std::size_t active) {
    active_ = active;
    Dual sum;
    for (lane_ = 0; lane_ < kShardSequences; ++lane_) {
      if (shard_.weights[lane_] > 0.0f) sum = sum - sequence_score();
    }
    return static_cast<double>(options_.scale) * sum;
  }

  const Segment& segment(const std::string& name) const {
    for (const Segment& segment : model_.segments()) {
      if (segment.name == name) return segment;
    }
    throw std::out_of_range("no parameter called " + name);
  }

  Dual parameter(const Segment& segment, std::size_t index) const {
    const std::size_t place = segment.offset + index;
    return {parameters_[place], place == active_ ? 1.0 : 0.0};
  }

  Dual parameter(const std::string& name, std::size_t index) const { return parameter(segment(name), index); }

  Duals affine(const std::string& name, const Duals& x) const {
    const Segment& weight = segment(name + ".weight");
    const Segment& bias = segment(name + ".bias");
    Duals y(weight.rows);
    for (std::size_t j = 0; j < weight.rows; ++j) {
      y[j] = parameter(bias, j);
      for (std::size_t i = 0; i < weight.columns; ++i) y[j] = y[j] + parameter(weight, j * weight.columns + i) * x[i];
    }
    return y;
  }

  double row_norm(const std::string& name, std::size_t row) const {
    const Segment& weight = segment(name + ".weight");
    double squares = std::pow(parameter(segment(name + ".bias"), row).value, 2);
    for (std::size_t i = 0; i < weight.columns; ++i) {
      squares += std::pow(parameter(weight, row * weight.columns + i).value, 2);
    }
    return std::sqrt(squares);
  }

  Duals norm(const std::string& name, const Duals& x) const {
    const double share = 1.0 / static_cast<double>(x.size());
    Dual mean;
    for (const Dual& value : x) mean = mean + share * value;
    Dual variance{kNormFloor, 0.0};
    for (const Dual& value : x) variance = variance + share * ((value - mean) * (value - mean));
    const Dual deviation = sqrt(variance);
    const Dual inverse = chain(deviation, 1.0 / deviation.value, -1.0 / (deviation.value * deviation.value));
    Duals y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = parameter(name + ".gain", i) * ((x[i] - mean) * inverse) + parameter(name + ".bias", i);
    }
    return y;
  }

  /// log p of the targets of sequence `lane_`, summed over what counts.
  Dual sequence_score() {
    std::vector<Memory> memory(shape_.layers);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = start(i);
    Dual score;
    Duals pooled(shape_.width);
    double count = 0.0;
    for (frame_ = 0; frame_ < shard_.frames; ++frame_) {
      Duals v = affine("input", inputs());
      for (std::size_t i = 0; i < shape_.layers; ++i) v = block(i, v, memory[i]);
      const double mask = shard_.mask[column()];
      const Duals normal = norm("readout.norm", v);
      count += mask;
      for (std::size_t i = 0; i < pooled.size(); ++i) pooled[i] = pooled[i] + mask * normal[i];
      if (shape_.per_frame) score = score + mask * log_probability(affine("readout", normal), shard_.targets[column()]);
    }
    if (shape_.per_frame) return score;
    for (Dual& value : pooled) value = (1.0 / count) * value;
    return log_probability(affine("readout", pooled), shard_.targets[lane_]);
  }

  std::size_t column() const { return frame_ * kShardSequences + lane_; }

  Duals inputs() const {
    Duals x;
    for (std::size_t i = 0; i < shape_.inputs; ++i) {
      x.push_back({shard_.inputs[i * shard_.frames * kShardSequences + column()], 0.0});
    }
    for (std::size_t i = 0; i < shape_.position; ++i) {
      x.push_back(
          sin(static_cast<double>(frame_) * parameter("position.frequency", i) + parameter("position.phase", i)));
    }
    return x;
  }

  Memory start(std::size_t layer) const {
    Memory memory{Duals(shape_.cells), Duals(shape_.cells), {}};
    if (shape_.cell == CellKind::kBmru || shape_.cell == CellKind::kCmru) {
      const auto key = static_cast<std::uint32_t>(fnv1a(fmt::format("blocks.{}.cell", layer)));
      for (std::size_t j = 0; j < shape_.cells; ++j) {
        memory.state[j].value = random_sign(options_.seed, key, j, lane_);
      }
    }
    return memory;
  }

  void drop(std::size_t place, Duals& x) const {
    if (options_.dropout <= 0.0f) return;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::uint32_t key = noise_key(options_.seed, NoiseUse::kDropout, place, i);
      const bool kept = dropout_keeps(key, static_cast<std::uint32_t>(column()), options_.dropout);
      x[i] = kept ? 1.0 / (1.0 - static_cast<double>(options_.dropout)) * x[i] : Dual{};
    }
  }

  Duals block(std::size_t index, Duals v, Memory& memory) {
    const std::string name = fmt::format("blocks.{}.", index);
    Duals u = norm(name + "norm", v);
    if (shape_.convolution) u = convolve(name + "convolution", u, memory);
    Duals branch = cell(name + "cell.", u, memory);
    const Duals gate = affine(name + "gate", u);
    for (std::size_t i = 0; i < branch.size(); ++i) branch[i] = sigmoid(gate[i]) * branch[i];
    drop(2 * index, branch);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = v[i] + branch[i];
    if (shape_.mlp == "none") return v;
    const Duals normal = norm(name + "mlp.norm", v);
    Duals hidden = affine(name + "mlp.up", normal);
    if (shape_.mlp == "relu") {
      for (Dual& value : hidden) value = relu(value);
    } else {
      const Duals open = affine(name + "mlp.gate", normal);
      for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] = hidden[i] * sigmoid(open[i]);
    }
    branch = affine(name + "mlp.down", hidden);
    drop(2 * index + 1, branch);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = v[i] + branch[i];
    return v;
  }

  Duals convolve(const std::string& name, const Duals& x, Memory& memory) const {
    constexpr std::size_t kTaps = 4;
    memory.past.insert(memory.past.begin(), x);
    Duals y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] = parameter(name + ".bias", i);
      for (std::size_t k = 0; k < std::min(kTaps, memory.past.size()); ++k) {
        y[i] = y[i] + parameter(name + ".weight", i * kTaps + k) * memory.past[k][i];
      }
    }
    return y;
  }

  Duals cell(const std::string& name, const Duals& u, Memory& memory) {
    switch (shape_.cell) {
      case CellKind::kFqBmru:
        return fq_bmru(name, u, memory.state);
      case CellKind::kBmru:
        return bmru(name, u, memory.state, 0.0);
      case CellKind::kCmru:
        return bmru(name, u, memory.state, 1.0);
      case CellKind::kMinGru:
        return min_gru(name, u, memory.state);
      case CellKind::kLru:
        return lru(name, u, memory);
      case CellKind::kGru:
        return gru(name, u, memory.state);
    }
    throw std::logic_error("unknown cell");
  }

  /// The candidate of cell `cell` of the layer called `name` with its noise, which is relative to `scale`, a number
  /// that no gradient passes.
  Dual noisy(const Dual& candidate, const std::string& name, std::size_t cell, double scale) const {
    const std::uint32_t seed = options_.seed ^ static_cast<std::uint32_t>(fnv1a(name.substr(0, name.size() - 1)));
    const auto draw = [&](NoiseUse use) {
      return static_cast<double>(noise_normal(noise_key(seed, use, 0, cell), static_cast<std::uint32_t>(column())));
    };
    Dual result = candidate;
    if (options_.multiplicative_noise > 0.0f) {
      result = (1.0 + static_cast<double>(options_.multiplicative_noise) * draw(NoiseUse::kScale)) * result;
    }
    if (options_.additive_noise > 0.0f) {
      result = result + Dual{static_cast<double>(options_.additive_noise) * scale * draw(NoiseUse::kCandidate), 0.0};
    }
    return result;
  }

  Duals fq_bmru(const std::string& name, const Duals& u, Duals& s) const {
    const Dual one{1.0, 0.0};
    const Duals sums = affine(name + "candidate", u);
    Duals h(s.size());
    for (std::size_t j = 0; j < s.size(); ++j) {
      const Dual lo = abs(parameter(name + "lower", j));
      const Dual hi = lo + abs(parameter(name + "width", j));
      const Dual candidate = relu(noisy(sums[j], name, j, hi.value));
      const Dual z_lo = one - step(candidate - lo);
      const Dual z_hi = step(candidate - hi);
      const Dual hold = (one - z_lo) * (one - z_hi);
      s[j] = hold * s[j] + (one - hold) * (z_hi + static_cast<double>(options_.epsilon) * s[j]);
      h[j] = abs(parameter(name + "gain", j)) * s[j];
    }
    return affine(name + "output", h);
  }

  Duals bmru(const std::string& name, const Duals& u, Duals& s, double carry) {
    const Dual one{1.0, 0.0};
    const Duals c = affine(name + "candidate", u);
    const Duals beta = affine(name + "threshold", u);
    Duals h(s.size());
    for (std::size_t j = 0; j < s.size(); ++j) {
      double& sum = threshold_sums_[name].try_emplace(j, 0.0).first->second;
      sum += std::abs(beta[j].value);
      const Dual candidate = noisy(c[j], name, j, noise_scale(name, j));
      const Dual z = step(abs(candidate) - abs(beta[j]));
      s[j] = z * (sign_step(candidate) + carry * s[j]) + (one - z) * s[j];
      h[j] = parameter(name + "gain", j) * s[j];
    }
    return affine(name + "output", h);
  }

  Duals min_gru(const std::string& name, const Duals& u, Duals& h) const {
    const Duals update = affine(name + "update", u);
    const Duals candidate = affine(name + "candidate", u);
    for (std::size_t j = 0; j < h.size(); ++j) {
      const Dual z = sigmoid(update[j]);
      h[j] = (Dual{1.0, 0.0} - z) * h[j] + z * noisy(candidate[j], name, j, row_norm(name + "candidate", j));
    }
    return affine(name + "output", h);
  }

  Duals lru(const std::string& name, const Duals& u, Memory& memory) const {
    const std::size_t m = shape_.cells;
    Duals drive = affine(name + "input", u);
    for (std::size_t j = 0; j < 2 * m; ++j) drive[j] = noisy(drive[j], name, j, row_norm(name + "input", j));
    Duals x(2 * m);
    for (std::size_t j = 0; j < m; ++j) {
      const Dual decay = exp(parameter(name + "nu", j));
      const Dual angle = exp(parameter(name + "theta", j));
      const Dual size = exp(-1.0 * decay);
      const Dual re = size * cos(angle);
      const Dual im = size * sin(angle);
      const Dual gamma = sqrt(Dual{1.0, 0.0} - size * size);
      x[j] = re * memory.state[j] - im * memory.imaginary[j] + gamma * drive[j];
      x[m + j] = re * memory.imaginary[j] + im * memory.state[j] + gamma * drive[m + j];
      memory.state[j] = x[j];
      memory.imaginary[j] = x[m + j];
    }
    Duals y = affine(name + "output", x);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = y[i] + parameter(name + "through", i) * u[i];
    return y;
  }

  Duals gru(const std::string& name, const Duals& u, Duals& h) const {
    const std::size_t m = h.size();
    const Duals from_input = affine(name + "input", u);
    const Duals from_state = affine(name + "recurrent", h);
    for (std::size_t j = 0; j < m; ++j) {
      const Dual r = sigmoid(from_input[j] + from_state[j]);
      const Dual z = sigmoid(from_input[m + j] + from_state[m + j]);
      const Dual c = tanh(from_input[2 * m + j] + r * from_state[2 * m + j]);
      h[j] = (Dual{1.0, 0.0} - z) * c + z * h[j];
    }
    return affine(name + "output", h);
  }

  const SequenceModel& model_;
  const SequenceShape& shape_;
  std::span<const float> parameters_;
  const SequenceShard& shard_;
  const SequencePass& options_;
  std::map<std::string, std::map<std::size_t, double>> threshold_sums_;  // of |beta|, by layer and cell
  std::map<std::string, std::map<std::size_t, double>> scales_;          // their means, where noise needs them
  std::size_t active_ = 0;
  std::size_t lane_ = 0;
  std::size_t frame_ = 0;
};

}  // namespace

ReferenceGradient reference_gradient(const SequenceModel& model, std::span<const float> parameters,
                                     const SequenceShard& shard, const SequencePass& options) {
  ReferencePass pass(model, parameters, shard, options);
  ReferenceGradient result;
  for (std::size_t i = 0; i < model.parameters(); ++i) {
    const Dual loss = pass.loss(i);
    result.loss = loss.value;
    result.gradient.push_back(loss.slope);
  }
  return result;
}

GradientCheck check_gradient(const SequenceModel& model, std::span<const float> parameters, const SequenceShard& shard,
                             const SequencePass& options) {
  SequenceModel::Workspace workspace;
  std::vector<float> gradient(model.parameters(), 0.0f);
  const SequenceSums sums = model.pass(parameters, shard, options, workspace, gradient);
  const ReferenceGradient reference = reference_gradient(model, parameters, shard, options);
  GradientCheck check;
  check.loss_difference = std::abs(options.scale * sums.loss - reference.loss);
  for (const Segment& segment : model.segments()) {
    check.segments.push_back(compare_segment(segment, gradient, reference.gradient));
  }
  return check;
}

}  // namespace hysteron::train
