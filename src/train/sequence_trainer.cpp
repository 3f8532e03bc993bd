#include "hysteron/train/sequence_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "hysteron/base/error.h"
#include "hysteron/train/optimiser.h"

namespace hysteron::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReportInterval = 10;  // steps
constexpr double kSmoothing = 0.95;          // of the figures in the progress bar

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Workspaces that threads borrow for one pass.
class WorkspacePool {
 public:
  std::unique_ptr<SequenceModel::Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<SequenceModel::Workspace>();
    auto workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }

  void give(std::unique_ptr<SequenceModel::Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<SequenceModel::Workspace>> free_;
};

/// Which sequences make up a step's batch: of a finite source every sequence once an epoch, in an order that depends on
/// the epoch alone; of a generator the next ones.
class BatchOrder {
 public:
  BatchOrder(std::size_t size, std::size_t batch, const Random& random) : size_(size), batch_(batch), random_(random) {}

  std::vector<std::uint64_t> indices(std::size_t step) {
    std::vector<std::uint64_t> result(batch_);
    for (std::size_t i = 0; i < batch_; ++i) {
      const std::uint64_t number = static_cast<std::uint64_t>(step) * batch_ + i;
      result[i] = size_ == 0 ? number : in_epoch(number);
    }
    return result;
  }

 private:
  std::uint64_t in_epoch(std::uint64_t number) {
    const std::uint64_t epoch = number / size_;
    if (order_.empty() || epoch != epoch_) {
      order_.resize(size_);
      std::iota(order_.begin(), order_.end(), std::uint64_t{0});
      random_.child("epoch", epoch).shuffle(order_);
      epoch_ = epoch;
    }
    return order_[number % size_];
  }

  std::size_t size_;
  std::size_t batch_;
  Random random_;
  std::uint64_t epoch_ = 0;
  std::vector<std::uint64_t> order_;
};

std::vector<SequenceShard> make_shards(const data::SequenceSource& source, data::Split split,
                                       const std::vector<std::uint64_t>& indices) {
  std::vector<SequenceShard> shards;
  for (std::size_t begin = 0; begin < indices.size(); begin += kShardSequences) {
    std::vector<data::Sequence> sequences;
    for (std::size_t i = begin; i < std::min(begin + kShardSequences, indices.size()); ++i) {
      sequences.push_back(source.sequence(split, indices[i]));
    }
    shards.push_back(pack_sequences(sequences, source.inputs(), source.per_frame()));
  }
  return shards;
}

/// Makes the next step's shards on a thread of its own while this step's are worked on.
class Prefetcher {
 public:
  Prefetcher(const data::SequenceSource& source, BatchOrder order, std::size_t first)
      : source_(source), order_(std::move(order)) {
    start(first);
  }

  /// The shards of step `step`; steps come in order.
  std::vector<SequenceShard> take(std::size_t step) {
    std::vector<SequenceShard> shards = next_.get();
    start(step + 1);
    return shards;
  }

 private:
  void start(std::size_t step) {
    next_ = std::async(std::launch::async, [this, indices = order_.indices(step)] {
      return make_shards(source_, data::Split::kTrain, indices);
    });
  }

  const data::SequenceSource& source_;
  BatchOrder order_;
  std::future<std::vector<SequenceShard>> next_;
};

struct StepFigures {
  double loss = 0.0;
  double accuracy = 0.0;
  double gradient_norm = 0.0;
  double rate = 0.0;
  double epsilon = 0.0;
  double frames = 0.0;
};

class SequenceTrainer {
 public:
  SequenceTrainer(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool)
      : config_(config),
        pool_(pool),
        random_(config.seed),
        model_(sequence_shape(config, source)),
        optimiser_(model_.segments(), model_.parameters(), config.weight_decay),
        prefetcher_(source, {source.size(data::Split::kTrain), config.batch, random_.child("batches")}, 0),
        parameters_(model_.initial_parameters(random_.child("parameters"))),
        gradient_(model_.parameters()) {}

  StepFigures step(std::size_t number) {
    const std::vector<SequenceShard> shards = prefetcher_.take(number);
    StepFigures figures;
    figures.rate = warm_up(number) * cosine_rate(config_.learning_rate, number, config_.steps);
    figures.epsilon = epsilon(number);
    SequencePass options;
    options.epsilon = static_cast<float>(figures.epsilon);
    options.dropout = static_cast<float>(config_.dropout);
    run(shards, options, number, figures);
    figures.gradient_norm = clip_gradient(gradient_, config_.gradient_clip);
    if (!std::isfinite(figures.loss) || !std::isfinite(figures.gradient_norm)) refuse_divergence(number, figures);
    optimiser_.step(gradient_, figures.rate, parameters_);
    apply_bounds(model_.segments(), {config_.floor, config_.weight_limit}, parameters_);
    return figures;
  }

  /// Whether the cells are the ones that count: only the FQ-BMRU is annealed.
  double epsilon(std::size_t number) const {
    if (model_.shape().cell != CellKind::kFqBmru) return 0.0;
    return epsilon_at(number, config_.steps, config_.epsilon_hold, config_.epsilon_fall);
  }

  const SequenceModel& model() const { return model_; }
  const std::vector<float>& parameters() const { return parameters_; }

 private:
  double warm_up(std::size_t number) const {
    if (config_.warm_up == 0) return 1.0;
    return std::min(1.0, static_cast<double>(number + 1) / static_cast<double>(config_.warm_up));
  }

  void run(const std::vector<SequenceShard>& shards, SequencePass options, std::size_t number, StepFigures& figures) {
    const bool per_frame = model_.shape().per_frame;
    double terms = 0.0;
    for (const SequenceShard& shard : shards) terms += shard.terms(per_frame);
    options.scale = static_cast<float>(1.0 / std::max(terms, 1.0));
    gradients_.resize(shards.size());
    std::vector<SequenceSums> sums(shards.size());
    const Random noise = random_.child("noise", number);
    pool_.run(shards.size(), [&](std::size_t i) {
      SequencePass own = options;
      own.seed = static_cast<std::uint32_t>(noise.child("shard", i).bits());
      gradients_[i].assign(parameters_.size(), 0.0f);
      auto workspace = workspaces_.take();
      sums[i] = model_.pass(parameters_, shards[i], own, *workspace, gradients_[i]);
      workspaces_.give(std::move(workspace));
    });
    std::ranges::fill(gradient_, 0.0f);
    for (std::size_t i = 0; i < shards.size(); ++i) {
      for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] += gradients_[i][k];
      figures.loss += sums[i].loss * options.scale;
      figures.accuracy += sums[i].right * options.scale;
      figures.frames += static_cast<double>(shards[i].frames * kShardSequences);
    }
  }

  [[noreturn]] void refuse_divergence(std::size_t number, const StepFigures& figures) const {
    std::string worst;
    float largest = -1.0f;
    for (const Segment& segment : model_.segments()) {
      for (std::size_t i = segment.offset; i < segment.offset + segment.size(); ++i) {
        const float size = std::isfinite(gradient_[i]) ? std::abs(gradient_[i]) : INFINITY;
        if (size <= largest) continue;
        largest = size;
        worst = segment.name;
      }
    }
    throw bad_input(fmt::format(
        "training diverged at step {}: the loss is {}, the gradient's norm {}, its largest part in {}; lower "
        "training.learning_rate or check the inputs",
        number, figures.loss, figures.gradient_norm, worst));
  }

  const TrainConfig& config_;
  ThreadPool& pool_;
  Random random_;
  SequenceModel model_;
  AdamW optimiser_;
  Prefetcher prefetcher_;
  std::vector<float> parameters_;
  std::vector<float> gradient_;
  std::vector<std::vector<float>> gradients_;
  WorkspacePool workspaces_;
};

/// Lines of JSON for the metrics file, if there is one.
class Metrics {
 public:
  explicit Metrics(const std::string& path) {
    if (path.empty()) return;
    stream_.open(path);
    if (!stream_) throw bad_input(fmt::format("training.metrics: cannot write {}", hysteron::quoted(path)));
  }

  void line(const nlohmann::ordered_json& figures) {
    if (stream_.is_open()) stream_ << figures.dump() << std::endl;
  }

 private:
  std::ofstream stream_;
};

SequenceNetwork to_network(const TrainConfig& config, const data::SequenceSource& source, const SequenceModel& model,
                           const std::vector<float>& parameters) {
  return {model.shape(), parameters, source.labels(), config_to_toml(config)};
}

}  // namespace

double SequenceScore::bits() const { return loss / std::numbers::ln2; }

SequenceShape sequence_shape(const TrainConfig& config, const data::SequenceSource& source) {
  SequenceShape shape;
  shape.inputs = source.inputs();
  shape.outputs = source.labels().size();
  shape.width = config.width;
  shape.cells = config.cells_per_layer();
  shape.layers = config.layers;
  shape.position = config.position;
  shape.cell = cell_kind(config.cell);
  shape.mlp = config.mlp;
  shape.convolution = config.convolution == "causal";
  shape.per_frame = source.per_frame();
  return shape;
}

SequenceScore score_sequences(const SequenceModel& model, std::span<const float> parameters,
                              const data::SequenceSource& source, data::Split split, std::size_t limit,
                              ThreadPool& pool) {
  const std::size_t size = source.size(split);
  const std::size_t count = limit == 0 ? size : (size == 0 ? limit : std::min(size, limit));
  const std::size_t shards = (count + kShardSequences - 1) / kShardSequences;
  std::vector<SequenceSums> sums(shards);
  WorkspacePool workspaces;
  pool.run(shards, [&](std::size_t i) {
    std::vector<std::uint64_t> indices;
    for (std::size_t k = i * kShardSequences; k < std::min((i + 1) * kShardSequences, count); ++k) indices.push_back(k);
    const std::vector<SequenceShard> shard = make_shards(source, split, indices);
    SequencePass options;
    options.seed = static_cast<std::uint32_t>(i);
    auto workspace = workspaces.take();
    sums[i] = model.score(parameters, shard.front(), options, *workspace, nullptr, nullptr);
    workspaces.give(std::move(workspace));
  });
  SequenceScore score;
  score.sequences = count;
  for (const SequenceSums& part : sums) {
    score.terms += part.terms;
    score.loss += part.loss;
    score.accuracy += part.right;
  }
  if (score.terms > 0.0) {
    score.loss /= score.terms;
    score.accuracy /= score.terms;
  }
  return score;
}

SequenceResult train_sequences(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool,
                               Reporter& reporter, const StopFlag& stop) {
  check_output_folder(config);
  const Clock::time_point begin = Clock::now();
  SequenceTrainer trainer(config, source, pool);
  Metrics metrics(config.metrics);
  SequenceResult result;
  bool found = false;
  double loss = 0.0;
  double accuracy = 0.0;
  for (std::size_t step = 0; step < config.steps; ++step) {
    if (stop.requested()) {
      if (!found) result.network = to_network(config, source, trainer.model(), trainer.parameters());
      if (!config.output.empty()) {
        save_sequence_network(config.output, result.network);
        reporter.info(fmt::format("saved the {} network to {}", found ? "best" : "latest", config.output));
      }
      throw Error(ErrorKind::kInterrupted, fmt::format("training interrupted at step {} of {}", step, config.steps));
    }
    const Clock::time_point step_begin = Clock::now();
    const StepFigures figures = trainer.step(step);
    metrics.line({{"step", step},
                  {"loss", figures.loss},
                  {"accuracy", figures.accuracy},
                  {"learning_rate", figures.rate},
                  {"epsilon", figures.epsilon},
                  {"gradient_norm", figures.gradient_norm},
                  {"frames_per_second", figures.frames / std::max(seconds_since(step_begin), 1e-9)}});
    const std::size_t done = step + 1;
    const double keep = std::min(kSmoothing, 1.0 - 1.0 / static_cast<double>(done));
    loss = keep * loss + (1.0 - keep) * figures.loss;
    accuracy = keep * accuracy + (1.0 - keep) * figures.accuracy;
    if (done % kReportInterval == 0 || done == config.steps) {
      const std::string best =
          found ? fmt::format(", best validation {:.2f} %", 100.0 * result.validation.accuracy) : "";
      reporter.progress("training", done, config.steps,
                        fmt::format("loss {:.3f}, right {:.1f} %{}", loss, 100.0 * accuracy, best));
    }
    const bool validates = done % config.validation_interval == 0 || done == config.steps;
    if (!validates) continue;
    const SequenceScore validation = score_sequences(trainer.model(), trainer.parameters(), source,
                                                     data::Split::kValidation, config.validation_limit, pool);
    metrics.line({{"step", done}, {"validation_loss", validation.loss}, {"validation_accuracy", validation.accuracy}});
    // While resets leave something of a state, the cells are not yet those that are scored.
    const bool counts = trainer.epsilon(done) == 0.0 || done == config.steps;
    if (!counts || (found && validation.loss >= result.validation.loss)) continue;
    found = true;
    result.best_step = done;
    result.validation = validation;
    result.network = to_network(config, source, trainer.model(), trainer.parameters());
  }
  result.steps = config.steps;
  result.seconds = seconds_since(begin);
  result.parameters = trainer.model().parameters();
  result.test =
      score_sequences(trainer.model(), result.network.parameters, source, data::Split::kTest, config.test_limit, pool);
  if (!config.output.empty()) save_sequence_network(config.output, result.network);
  return result;
}

}  // namespace hysteron::train
