#include "train/sequence_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/metrics_log.h"
#include "train/optimiser.h"
#include "train/perturber.h"
#include "train/sequence_shards.h"

namespace hysteron::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReportInterval = 10;  // steps
constexpr double kSmoothing = 0.95;          // of the figures in the progress bar

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

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
  /// `checkpoint`: where to go on from, or null.
  SequenceTrainer(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool,
                  const Checkpoint* checkpoint)
      : config_(config),
        pool_(pool),
        random_(config.seed),
        model_(sequence_shape(config, source)),
        optimiser_(model_.segments(), model_.parameters(), config.weight_decay),
        prefetcher_(source, {source.size(data::Split::kTrain), config.batch, random_.child("batches")},
                    checkpoint == nullptr ? 0 : checkpoint->step),
        parameters_(model_.initial_parameters(random_.child("parameters"))),
        gradient_(model_.parameters()),
        perturber_(make_perturber(model_.segments(), config.training_noise)) {
    if (checkpoint == nullptr) return;
    parameters_ = checkpoint->parameters;
    optimiser_.restore(checkpoint->mean, checkpoint->variance, checkpoint->step);
    note_checkpoint(checkpoint_path(config).string());
  }

  /// Puts in what is the trainer's of a checkpoint.
  void snapshot(Checkpoint& checkpoint) const {
    checkpoint.parameters = parameters_;
    checkpoint.mean = optimiser_.mean();
    checkpoint.variance = optimiser_.variance();
  }

  void note_checkpoint(const std::string& path) { last_checkpoint_ = path; }

  StepFigures step(std::size_t number) {
    const std::vector<SequenceShard> shards = prefetcher_.take(number);
    StepFigures figures;
    figures.rate = warm_up(number) * cosine_rate(config_.learning_rate, number, config_.steps);
    figures.epsilon = epsilon(number);
    SequencePass options;
    options.epsilon = static_cast<float>(figures.epsilon);
    options.dropout = static_cast<float>(config_.dropout);
    // As in the circuit backbone, noise comes in as the reset becomes complete.
    options.additive_noise = static_cast<float>((1.0 - figures.epsilon) * config_.training_noise.additive);
    options.multiplicative_noise = static_cast<float>((1.0 - figures.epsilon) * config_.training_noise.multiplicative);
    run(shards, options, number, figures);
    figures.gradient_norm = clip_gradient(gradient_, config_.gradient_clip);
    if (!std::isfinite(figures.loss) || !std::isfinite(figures.gradient_norm)) {
      throw divergence(model_.segments(), gradient_, number, figures.loss, figures.gradient_norm, last_checkpoint_);
    }
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

  /// What is scored and kept: the parameters on the grid of weights, if there is one.
  std::vector<float> snapped() const { return perturber_ ? perturber_->snapped(parameters_) : parameters_; }

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
      sums[i] = pass_on_die(shards[i], own, *workspace, random_.child("dies", number).child("shard", i), gradients_[i]);
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

  /// Loss and gradient on a die of its own; the gradient passes the grid of weights as if it were not there.
  SequenceSums pass_on_die(const SequenceShard& shard, const SequencePass& options, SequenceModel::Workspace& workspace,
                           const Random& random, std::vector<float>& gradient) const {
    if (!perturber_) return model_.pass(parameters_, shard, options, workspace, gradient);
    const Perturber::Drawn die = perturber_->draw(parameters_, random);
    const SequenceSums sums = model_.pass(die.parameters, shard, options, workspace, gradient);
    die.pull_back(gradient);
    return sums;
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
  std::unique_ptr<Perturber> perturber_;  // null where every die is the software
  WorkspacePool workspaces_;
  std::string last_checkpoint_;
};

SequenceNetwork to_network(const TrainConfig& config, const data::SequenceSource& source, const SequenceModel& model,
                           const std::vector<float>& parameters) {
  return {model.shape(), parameters, source.labels(), decisive_toml(config)};
}

}  // namespace

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

namespace {

/// One training run: the steps, what it says, what it keeps.
class SequenceRun {
 public:
  SequenceRun(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool, Reporter& reporter,
              const StopFlag& stop, const std::optional<Checkpoint>& checkpoint)
      : config_(config),
        source_(source),
        pool_(pool),
        reporter_(reporter),
        stop_(stop),
        trainer_(config, source, pool, checkpoint ? &*checkpoint : nullptr),
        metrics_(config.metrics, checkpoint ? std::optional(checkpoint->metrics_bytes) : std::nullopt),
        first_(checkpoint ? checkpoint->step : 0) {
    if (!checkpoint || !checkpoint->of_restart) return;
    kept_ = checkpoint->of_restart;
    validation_ = score(kept_->parameters, data::Split::kValidation, config_.validation_limit);
  }

  SequenceResult run() {
    for (std::size_t step = first_; step < config_.steps; ++step) {
      if (stop_.requested()) interrupt(step);
      const Clock::time_point begin = Clock::now();
      const StepFigures figures = trainer_.step(step);
      log(step, figures, seconds_since(begin));
      const std::size_t done = step + 1;
      show(done, figures);
      if (done % config_.validation_interval == 0 || done == config_.steps) validate(done);
      if (config_.checkpoint_interval != 0 && done % config_.checkpoint_interval == 0) save(done);
    }
    return result();
  }

 private:
  SequenceScore score(const std::vector<float>& parameters, data::Split split, std::size_t limit) const {
    return score_sequences(trainer_.model(), parameters, source_, split, limit, pool_);
  }

  void log(std::size_t step, const StepFigures& figures, double seconds) {
    metrics_.line({{"step", step + 1},
                   {"loss", figures.loss},
                   {"accuracy", figures.accuracy},
                   {"learning_rate", figures.rate},
                   {"epsilon", figures.epsilon},
                   {"gradient_norm", figures.gradient_norm},
                   {"frames_per_second", figures.frames / std::max(seconds, 1e-9)}});
  }

  void show(std::size_t done, const StepFigures& figures) {
    const double keep = std::min(kSmoothing, 1.0 - 1.0 / static_cast<double>(done - first_));
    loss_ = keep * loss_ + (1.0 - keep) * figures.loss;
    accuracy_ = keep * accuracy_ + (1.0 - keep) * figures.accuracy;
    if (done % kReportInterval != 0 && done != config_.steps) return;
    const std::string best = kept_ ? fmt::format(", best validation {:.2f} %", 100.0 * validation_.accuracy) : "";
    reporter_.progress("training", done, config_.steps,
                       fmt::format("loss {:.3f}, accuracy {:.1f} %{}", loss_, 100.0 * accuracy_, best));
  }

  void validate(std::size_t done) {
    const SequenceScore found = score(trainer_.snapped(), data::Split::kValidation, config_.validation_limit);
    curve_.push_back({done, trainer_.epsilon(done), found.loss, found.accuracy, found.balanced_accuracy()});
    nlohmann::ordered_json line = {
        {"step", done}, {"validation_loss", found.loss}, {"validation_accuracy", found.accuracy}};
    if (const auto balanced = found.balanced_accuracy()) line["validation_balanced_accuracy"] = *balanced;
    metrics_.line(line);
    // While resets leave something of a state, the cells are not yet those that are scored.
    const bool counts = trainer_.epsilon(done) == 0.0 || done == config_.steps;
    if (!counts || (kept_ && found.loss >= validation_.loss)) return;
    kept_ = KeptParameters{0, done, trainer_.snapped()};
    validation_ = found;
  }

  void save(std::size_t done) {
    Checkpoint checkpoint;
    checkpoint.step = done;
    checkpoint.metrics_bytes = metrics_.bytes();
    checkpoint.of_restart = kept_;
    trainer_.snapshot(checkpoint);
    save_checkpoint(config_, checkpoint);
    trainer_.note_checkpoint(checkpoint_path(config_).string());
  }

  [[noreturn]] void interrupt(std::size_t step) {
    if (!config_.output.empty()) {
      save_sequence_network(config_.output, to_network(config_, source_, trainer_.model(),
                                                       kept_ ? kept_->parameters : trainer_.snapped()));
      save(step);
      reporter_.info(fmt::format("saved the {} network to {} and a checkpoint to {}", kept_ ? "best" : "latest",
                                 config_.output, checkpoint_path(config_).string()));
    }
    throw Error(ErrorKind::kInterrupted, fmt::format("training interrupted at step {} of {}", step, config_.steps));
  }

  SequenceResult result() const {
    SequenceResult result;
    result.network = to_network(config_, source_, trainer_.model(), kept_->parameters);
    result.validation = validation_;
    result.best_step = kept_->step;
    result.steps = config_.steps;
    result.curve = curve_;
    result.seconds = seconds_since(begin_);
    result.parameters = trainer_.model().parameters();
    result.test = score(kept_->parameters, data::Split::kTest, config_.test_limit);
    if (!config_.output.empty()) save_sequence_network(config_.output, result.network);
    remove_checkpoints(config_);
    result.perturbed = score_perturbed_sequences(trainer_.model(), kept_->parameters, source_, data::Split::kTest,
                                                 config_.test_noise, config_.test_draws, config_.seed, pool_, stop_);
    return result;
  }

  const TrainConfig& config_;
  const data::SequenceSource& source_;
  ThreadPool& pool_;
  Reporter& reporter_;
  const StopFlag& stop_;
  SequenceTrainer trainer_;
  MetricsLog metrics_;
  std::size_t first_;  // steps made before this process
  Clock::time_point begin_ = Clock::now();
  std::optional<KeptParameters> kept_;  // the best network so far
  SequenceScore validation_;            // of it
  std::vector<ValidationPoint> curve_;
  double loss_ = 0.0;  // smoothed, for the progress bar
  double accuracy_ = 0.0;
};

void warn_of_idle_errors(const TrainConfig& config, const std::vector<Segment>& segments, Reporter& reporter) {
  for (const auto& [table, noise] :
       {std::pair{"training_noise", &config.training_noise}, {"test_noise", &config.test_noise}}) {
    for (const std::string& error : errors_without_effect(segments, *noise)) {
      reporter.warning(fmt::format("{}.{} disturbs nothing: a cell {} has no parameter of that kind", table, error,
                                   hysteron::quoted(config.cell)));
    }
  }
}

}  // namespace

SequenceResult train_sequences(const TrainConfig& config, const data::SequenceSource& source, ThreadPool& pool,
                               Reporter& reporter, const StopFlag& stop, const std::filesystem::path& resume_from) {
  check_config(config);
  check_output(config);
  warn_of_idle_errors(config, SequenceModel(sequence_shape(config, source)).segments(), reporter);
  std::optional<Checkpoint> checkpoint;
  if (!resume_from.empty()) {
    checkpoint = load_checkpoint(resume_from, config, SequenceModel(sequence_shape(config, source)).parameters());
  }
  return SequenceRun(config, source, pool, reporter, stop, checkpoint).run();
}

}  // namespace hysteron::train
