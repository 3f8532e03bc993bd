#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "model/die_file.h"
#include "model/model_file.h"
#include "train/backbone.h"
#include "train/batches.h"
#include "train/calibrate.h"
#include "train/checkpoint.h"
#include "train/kernels.h"
#include "train/metrics_log.h"
#include "train/noise.h"
#include "train/optimiser.h"
#include "train/perturber.h"

namespace hysteron::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReportInterval = 10;  // steps
constexpr double kSmoothing = 0.98;          // of the figures in the progress bar

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Workspaces and shards that threads borrow for one pass.
struct ShardWorkspace {
  Backbone::Workspace workspace;
  Shard shard;
};

class ShardWorkspacePool {
 public:
  std::unique_ptr<ShardWorkspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<ShardWorkspace>();
    std::unique_ptr<ShardWorkspace> workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }

  void give(std::unique_ptr<ShardWorkspace> workspace) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<ShardWorkspace>> free_;
};

/// Figures of one step, means over the batch.
struct StepFigures {
  double loss = 0.0;  // cross-entropy
  double margin = 0.0;
  double current = 0.0;  // drawn, unit currents
  double frames_right = 0.0;
  double gradient_norm = 0.0;
  double rate = 0.0;
  double epsilon = 0.0;
};

BackboneShape shape_of(const TrainConfig& config, const TrainingData& data) {
  return {data.train.features.width, config.width, config.cells_per_layer(), config.layers, data.labels.size()};
}

/// What a run begins with in place of drawn values, and the chip it is for.
struct Origin {
  std::optional<model::Network> start;
  std::optional<model::DieErrors> chip;
  std::string die_model;  // key of the model that the die file belongs to

  /// A network as it is on the chip.
  model::Network built(const model::Network& network) const { return chip ? model::on_die(network, *chip) : network; }
};

/// Throws a bad-input Error where the files of the configuration are not of its shape or not of each other.
Origin load_origin(const TrainConfig& config, const BackboneShape& shape) {
  Origin origin;
  if (config.start.empty()) return origin;
  origin.start = model::load_model(config.start);
  const model::Network& start = *origin.start;
  const auto check = [&](const char* what, std::size_t found, std::size_t target) {
    if (found == target) return;
    throw bad_input(fmt::format("{}: the model of model.start has {} {}; the configuration has {}",
                                hysteron::quoted(config.start), what, found, target));
  };
  check("inputs", start.inputs(), shape.inputs);
  check("width", start.width(), shape.width);
  check("layers", start.layers.size(), shape.layers);
  for (const model::Layer& layer : start.layers) {
    check("cells", layer.cells(), shape.cells);
    if (!layer.initial_state.isZero()) {
      throw bad_input(fmt::format("{}: a cell is on before the first frame; training expects all of them off",
                                  hysteron::quoted(config.start)));
    }
  }
  check("labels", start.outputs(), shape.outputs);
  if (config.die.empty()) return origin;
  origin.chip = model::read_die_file(config.die, start);
  origin.die_model = model::die_file_key(config.die);
  return origin;
}

class Trainer {
 public:
  Trainer(const TrainConfig& config, const TrainingData& data, const Origin& origin, std::size_t restart,
          ThreadPool& pool)
      : config_(config),
        data_(data),
        pool_(pool),
        random_(Random(config.seed).child("restart", restart)),
        backbone_(shape_of(config, data)),
        optimiser_(backbone_.segments(), backbone_.parameters(), config.weight_decay),
        sampler_(data.train, data.labels.size(), augmentation_of(config, data), random_.child("batches")),
        parameters_(origin.start ? backbone_.from_network(*origin.start)
                                 : backbone_.initial_parameters(random_.child("parameters"),
                                                                config.initialisation == "positive")),
        gradient_(backbone_.parameters()),
        perturber_(make_perturber(backbone_.segments(), config.training_noise,
                                  origin.chip ? std::optional(backbone_.chip_errors(*origin.chip)) : std::nullopt)) {
    bound();
  }

  StepFigures step(std::size_t number) {
    StepFigures figures;
    figures.rate = cosine_rate(config_.learning_rate, number, config_.steps);
    figures.epsilon = epsilon_at(number, config_.steps, config_.epsilon_hold, config_.epsilon_fall);
    const std::vector<Draw> draws = sampler_.next(config_.batch);
    const PassOptions options = pass_options(number, figures.epsilon);
    run_shards(number, draws, options, figures);
    figures.gradient_norm = clip_gradient(gradient_, config_.gradient_clip);
    if (!std::isfinite(figures.loss) || !std::isfinite(figures.gradient_norm)) {
      throw divergence(backbone_.segments(), gradient_, number, figures.loss, figures.gradient_norm, last_checkpoint_);
    }
    optimiser_.step(gradient_, figures.rate, parameters_);
    bound();
    return figures;
  }

  const std::vector<float>& parameters() const { return parameters_; }

  /// Puts in what is the trainer's of a checkpoint.
  void snapshot(Checkpoint& checkpoint) const {
    checkpoint.parameters = parameters_;
    checkpoint.mean = optimiser_.mean();
    checkpoint.variance = optimiser_.variance();
  }

  void note_checkpoint(const std::string& path) { last_checkpoint_ = path; }

  void restore(const Checkpoint& checkpoint) {
    parameters_ = checkpoint.parameters;
    optimiser_.restore(checkpoint.mean, checkpoint.variance, checkpoint.step);
    for (std::size_t i = 0; i < checkpoint.step; ++i) sampler_.next(config_.batch);
  }

  model::Network network() const { return network(parameters_); }

  model::Network network(const std::vector<float>& parameters) const {
    model::Network network = backbone_.to_network(perturber_ ? perturber_->snapped(parameters) : parameters);
    network.labels = data_.labels;
    network.classes = data_.classes;
    if (data_.statistics) {
      const auto to_vector = [](const std::vector<float>& values) {
        return model::Vector(Eigen::Map<const model::Vector>(values.data(), static_cast<Eigen::Index>(values.size())));
      };
      network.feature_mean = to_vector(data_.statistics->mean);
      network.feature_deviation = to_vector(data_.statistics->deviation);
    }
    return network;
  }

 private:
  PassOptions pass_options(std::size_t number, double epsilon) const {
    // Margins and noise are about the cell proper, so they come in as the reset becomes complete.
    const double share = 1.0 - epsilon;
    PassOptions options;
    options.epsilon = static_cast<float>(epsilon);
    options.dropout = static_cast<float>(config_.dropout);
    options.candidate_noise = static_cast<float>(share * config_.training_noise.additive);
    options.multiplicative_noise = static_cast<float>(share * config_.training_noise.multiplicative);
    options.power_weight = static_cast<float>(share * config_.power_weight);
    options.margin = static_cast<float>(config_.margin);
    options.margin_weight = static_cast<float>(share * config_.margin_weight);
    options.vote_share = static_cast<float>(config_.vote_share);
    options.scale = static_cast<float>(1.0 / static_cast<double>(config_.batch * data_.train.features.frames));
    options.seed = static_cast<std::uint32_t>(random_.child("noise", number).bits());
    return options;
  }

  /// Loss and gradient of the batch: shards in any order, their sums in one.
  void run_shards(std::size_t number, const std::vector<Draw>& draws, const PassOptions& options,
                  StepFigures& figures) {
    const std::size_t shards = (draws.size() + kShardClips - 1) / kShardClips;
    sums_.assign(shards, {});
    shard_gradients_.resize(shards);
    pool_.run(shards, [&](std::size_t i) {
      std::unique_ptr<ShardWorkspace> workspace = workspaces_.take();
      const std::size_t begin = i * kShardClips;
      fill_shard(data_.train, draws, begin, std::min(begin + kShardClips, draws.size()), workspace->shard);
      workspace->shard.first_column = static_cast<std::uint32_t>(begin * workspace->shard.frames);
      add_feature_noise(options, workspace->shard);
      shard_gradients_[i].assign(parameters_.size(), 0.0f);
      sums_[i] = pass_on_die(number, i, options, *workspace);
      workspaces_.give(std::move(workspace));
    });
    std::ranges::fill(gradient_, 0.0f);
    for (std::size_t i = 0; i < shards; ++i) {
      for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] += shard_gradients_[i][k];
      figures.loss += sums_[i].cross_entropy * options.scale;
      figures.margin += sums_[i].margin * options.scale;
      figures.current += sums_[i].current * options.scale;
      figures.frames_right += sums_[i].right * options.scale;
    }
  }

  /// Loss and gradient of a shard on a die of its own, weights on their grid; the gradient passes the grid as if it
  /// were not there.
  PassSums pass_on_die(std::size_t number, std::size_t index, const PassOptions& options, ShardWorkspace& workspace) {
    std::vector<float>& gradient = shard_gradients_[index];
    if (!perturber_) return backbone_.pass(parameters_, workspace.shard, options, workspace.workspace, gradient);
    const Perturber::Drawn drawn = perturber_->draw(parameters_, random_.child("dies", number).child("shard", index));
    const PassSums sums = backbone_.pass(drawn.parameters, workspace.shard, options, workspace.workspace, gradient);
    drawn.pull_back(gradient);
    return sums;
  }

  void add_feature_noise(const PassOptions& options, Shard& shard) const {
    if (config_.feature_noise <= 0.0) return;
    const std::size_t n = shard.frames * kShardClips;
    for (std::size_t i = 0; i < backbone_.shape().inputs; ++i) {
      add_noise(static_cast<float>(config_.feature_noise), noise_key(options.seed, NoiseUse::kFeature, 0, i),
                shard.first_column, shard.inputs.data() + i * n, n);
    }
  }

  void bound() { apply_bounds(backbone_.segments(), {config_.floor, config_.weight_limit}, parameters_); }

  const TrainConfig& config_;
  const TrainingData& data_;
  ThreadPool& pool_;
  Random random_;
  Backbone backbone_;
  AdamW optimiser_;
  BatchSampler sampler_;
  std::vector<float> parameters_;
  std::vector<float> gradient_;
  std::vector<std::vector<float>> shard_gradients_;
  std::vector<PassSums> sums_;
  std::unique_ptr<Perturber> perturber_;  // null where every die is the software
  ShardWorkspacePool workspaces_;
  std::string last_checkpoint_;
};

void log_step(MetricsLog& log, std::size_t restart, std::size_t number, const StepFigures& figures,
              double steps_per_second) {
  nlohmann::ordered_json line = {{"restart", restart},
                                 {"step", number},
                                 {"loss", figures.loss},
                                 {"margin_loss", figures.margin},
                                 {"frame_accuracy", figures.frames_right},
                                 {"learning_rate", figures.rate},
                                 {"epsilon", figures.epsilon},
                                 {"gradient_norm", figures.gradient_norm},
                                 {"steps_per_second", steps_per_second}};
  if (figures.current > 0.0) line["current"] = figures.current;  // summed only where it has a weight
  log.line(line);
}

void log_validation(MetricsLog& log, std::size_t restart, std::size_t number, const Evaluation& evaluation) {
  log.line({{"restart", restart},
            {"step", number},
            {"validation_loss", evaluation.loss},
            {"validation_vote_loss", evaluation.vote_loss},
            {"validation_accuracy", evaluation.accuracy},
            {"validation_balanced_accuracy", evaluation.balanced_accuracy},
            {"near_1_percent", evaluation.near_1_percent},
            {"near_3_percent", evaluation.near_3_percent}});
}

void check_clips(const ClipSet& clips, const std::vector<std::string>& labels, const char* split) {
  for (std::size_t label = 0; label < labels.size(); ++label) {
    if (std::ranges::find(clips.labels, static_cast<std::uint32_t>(label)) == clips.labels.end()) {
      throw bad_input(fmt::format("label {} has no {} clips", hysteron::quoted(labels[label]), split));
    }
  }
}

/// The best network so far: of one start by validation loss, of several by quality().
struct Best {
  bool found = false;
  std::size_t restart = 0;
  std::size_t step = 0;
  double loss = 0.0;              // as trained: frames and vote
  std::vector<float> parameters;  // before the vote is calibrated
  model::Network network;
  Evaluation validation;
  Robustness robustness;  // once the start is finished
};

/// Where a run is: what it reports to, how far it has come, what it keeps.
struct Run {
  const TrainConfig& config;
  const TrainingData& data;
  const Origin& origin;
  ThreadPool& pool;
  Reporter& reporter;
  const StopFlag& stop;
  MetricsLog log;
  Clock::time_point begin = Clock::now();
  double steps_before = 0.0;  // made before this process
  Best best;                  // of the starts that are finished
  Best of_restart;            // of the one under way
  std::string last_checkpoint;
};

double validation_loss(const TrainConfig& config, const Evaluation& evaluation) {
  return (1.0 - config.vote_share) * evaluation.loss + config.vote_share * evaluation.vote_loss;
}

/// Smoothed figures for the progress bar.
class Progress {
 public:
  Progress(Reporter& reporter, std::size_t restart, std::size_t restarts)
      : reporter_(reporter),
        task_(restarts == 1 ? "training" : fmt::format("training {} of {}", restart + 1, restarts)) {}

  void show(std::size_t done, std::size_t steps, const StepFigures& figures, const Best& best) {
    const double keep = std::min(kSmoothing, 1.0 - 1.0 / static_cast<double>(done));
    loss_ = keep * loss_ + (1.0 - keep) * figures.loss;
    right_ = keep * right_ + (1.0 - keep) * figures.frames_right;
    if (done % kReportInterval != 0 && done != steps) return;
    const std::string validated =
        best.found ? fmt::format(", best validation {:.1f} %", 100.0 * best.validation.accuracy) : "";
    reporter_.progress(task_, done, steps,
                       fmt::format("loss {:.3f}, frames right {:.1f} %{}", loss_, 100.0 * right_, validated));
  }

 private:
  Reporter& reporter_;
  std::string task_;
  double loss_ = 0.0;
  double right_ = 0.0;
};

std::string training_record(const TrainConfig& config, const Origin& origin, const Best& best) {
  nlohmann::ordered_json record;
  record["config"] = nlohmann::ordered_json::parse(config_to_json(config));
  // Where the files lie says nothing about the network, and the same training must give the same bytes anywhere.
  for (const std::string& key : keys_without_effect()) record["config"].erase(key);
  for (const char* key : {"data.folder", "data.file", "model.start", "circuit.die"}) record["config"].erase(key);
  // What is left can be trained again as it is (check_used).
  for (const ConfigKey& key : config_keys()) {
    if (is_ignored(config, key.name)) record["config"].erase(key.name);
  }
  record["best_restart"] = best.restart;
  record["best_step"] = best.step;
  record["validation_loss"] = best.loss;
  record["validation_accuracy"] = best.validation.accuracy;
  return origin.die_model.empty() ? record.dump() : model::tuned_for(record.dump(), origin.die_model);
}

std::optional<KeptParameters> kept(const Best& best) {
  if (!best.found) return std::nullopt;
  return KeptParameters{best.restart, best.step, best.parameters};
}

void save(Run& run, Trainer& trainer, std::size_t restart, std::size_t step) {
  Checkpoint checkpoint;
  checkpoint.restart = restart;
  checkpoint.step = step;
  checkpoint.metrics_bytes = run.log.bytes();
  checkpoint.best = kept(run.best);
  checkpoint.of_restart = kept(run.of_restart);
  trainer.snapshot(checkpoint);
  save_checkpoint(run.config, checkpoint);
  run.last_checkpoint = checkpoint_path(run.config).string();
  trainer.note_checkpoint(run.last_checkpoint);
}

[[noreturn]] void interrupt(Run& run, Trainer& trainer, std::size_t restart, std::size_t step) {
  const TrainConfig& config = run.config;
  const Best& best = run.best.found ? run.best : run.of_restart;
  if (!config.output.empty()) {
    model::save_model(config.output, best.found ? best.network : trainer.network());
    save(run, trainer, restart, step);
    run.reporter.info(fmt::format("saved the {} network to {} and a checkpoint to {}", best.found ? "best" : "latest",
                                  config.output, checkpoint_path(config).string()));
  }
  throw Error(ErrorKind::kInterrupted, fmt::format("training interrupted at step {} of {}", step, config.steps));
}

/// A network that was found after `step` steps, with its figures.
Best examine(const Run& run, const Trainer& trainer, std::size_t restart, std::size_t step,
             const std::vector<float>& parameters) {
  Best found{true, restart, step, 0.0, parameters, trainer.network(parameters), {}, {}};
  found.validation = evaluate(run.origin.built(found.network), run.data.validation, run.pool);
  found.loss = validation_loss(run.config, found.validation);
  return found;
}

void validate(Run& run, const Trainer& trainer, std::size_t restart, std::size_t done) {
  Best found = examine(run, trainer, restart, done, trainer.parameters());
  log_validation(run.log, restart, done, found.validation);
  if (!run.of_restart.found || found.loss < run.of_restart.loss) run.of_restart = std::move(found);
}

/// What is best of several starts: right decisions on validation clips, less what circuits with errors would change.
double quality(const Best& candidate) {
  return 0.5 * (candidate.validation.accuracy + candidate.validation.balanced_accuracy) -
         (1.0 - candidate.robustness.frame_agreement) - candidate.robustness.state_mismatch;
}

/// Shifts the readout's biases by what makes the vote best, on the chip if there is one.
void shift_vote(const Run& run, model::Network& network) {
  if (!run.origin.chip) {
    calibrate_vote(network, run.data.train, run.pool);
    return;
  }
  const model::Network before = run.origin.built(network);
  model::Network after = before;
  calibrate_vote(after, run.data.train, run.pool);
  const model::Vector& errors = run.origin.chip->readout.bias;
  for (Eigen::Index k = 0; k < errors.size(); ++k) {
    network.readout.bias[k] += (after.readout.bias[k] - before.readout.bias[k]) / std::max(1.0f + errors[k], 0.1f);
  }
}

/// Shifts the vote. On a grid of levels the shift is rounded, which may be worse than none.
void calibrate(const Run& run, Best& candidate) {
  model::Network shifted = candidate.network;
  shift_vote(run, shifted);
  const bool levels = run.config.training_noise.bits > 0;
  if (levels) {
    model::Vector& bias = shifted.readout.bias;
    WeightGrid(run.config.training_noise).snap({bias.data(), static_cast<std::size_t>(bias.size())});
  }
  Evaluation found = evaluate(run.origin.built(shifted), run.data.validation, run.pool);
  const auto mean = [](const Evaluation& of) { return of.accuracy + of.balanced_accuracy; };
  if (levels && mean(found) < mean(candidate.validation)) return;
  candidate.network = std::move(shifted);
  candidate.validation = std::move(found);
}

/// Calibrates the start's best network and keeps it if it is better than those before it. Losses compare networks of
/// one start; between starts they say more about confidence than about decisions.
void keep_better(Run& run) {
  Best& candidate = run.of_restart;
  if (run.config.calibration == "vote") calibrate(run, candidate);
  candidate.robustness = robustness(run.origin.built(candidate.network), run.data.validation, kRobustnessDeviation,
                                    kRobustnessCopies, run.config.seed, run.pool);
  if (!run.best.found || quality(candidate) > quality(run.best)) run.best = std::move(candidate);
  run.of_restart = {};
}

/// Brings a run to where a checkpoint was made; gives the steps made in the start under way.
std::size_t restore(Run& run, Trainer& trainer, const Checkpoint& checkpoint) {
  if (checkpoint.best) {
    run.of_restart =
        examine(run, trainer, checkpoint.best->restart, checkpoint.best->step, checkpoint.best->parameters);
    keep_better(run);
  }
  if (checkpoint.of_restart) {
    run.of_restart =
        examine(run, trainer, checkpoint.restart, checkpoint.of_restart->step, checkpoint.of_restart->parameters);
  }
  trainer.restore(checkpoint);
  run.last_checkpoint = checkpoint_path(run.config).string();
  return checkpoint.step;
}

/// Trains from one start and keeps its best network if it is the best of all. `checkpoint`: of this start, or null.
void train_from_start(Run& run, std::size_t restart, std::size_t restarts, const Checkpoint* checkpoint) {
  const TrainConfig& config = run.config;
  Trainer trainer(config, run.data, run.origin, restart, run.pool);
  Progress progress(run.reporter, restart, restarts);
  run.of_restart = {};
  const std::size_t first = checkpoint == nullptr ? 0 : restore(run, trainer, *checkpoint);
  trainer.note_checkpoint(run.last_checkpoint);
  // A model that is trained on is one of those to choose from.
  if (run.origin.start && first == 0) validate(run, trainer, restart, 0);
  for (std::size_t step = first; step < config.steps; ++step) {
    if (run.stop.requested()) interrupt(run, trainer, restart, step);
    const StepFigures figures = trainer.step(step);
    const std::size_t done = step + 1;
    const bool proper = epsilon_at(step, config.steps, config.epsilon_hold, config.epsilon_fall) == 0.0;
    // The last step counts even where a run is too short for epsilon to reach 0: something must come out.
    if ((proper && done % config.validation_interval == 0) || done == config.steps) {
      validate(run, trainer, restart, done);
    }
    const double all_steps = static_cast<double>(restart * config.steps + done);
    log_step(run.log, restart, done, figures, (all_steps - run.steps_before) / seconds_since(run.begin));
    progress.show(done, config.steps, figures, run.of_restart);
    if (config.checkpoint_interval != 0 && done % config.checkpoint_interval == 0) save(run, trainer, restart, done);
  }
  keep_better(run);
}

std::optional<Checkpoint> find_checkpoint(const TrainConfig& config, const TrainingData& data,
                                          const std::filesystem::path& resume_from) {
  if (resume_from.empty()) return std::nullopt;
  return load_checkpoint(resume_from, config, Backbone(shape_of(config, data)).parameters());
}

}  // namespace

TrainResult train(const TrainConfig& config, const TrainingData& data, ThreadPool& pool, Reporter& reporter,
                  const StopFlag& stop, const std::filesystem::path& resume_from) {
  check_config(config);
  check_clips(data.train, data.labels, "training");
  check_clips(data.validation, data.labels, "validation");
  check_output(config);
  const std::optional<Checkpoint> checkpoint = find_checkpoint(config, data, resume_from);
  const Origin origin = load_origin(config, shape_of(config, data));
  Run run{config,
          data,
          origin,
          pool,
          reporter,
          stop,
          MetricsLog(config.metrics, checkpoint ? std::optional(checkpoint->metrics_bytes) : std::nullopt),
          Clock::now(),
          0.0,
          {},
          {},
          {}};
  const std::size_t restarts = config.starts();
  const std::size_t first = checkpoint ? checkpoint->restart : 0;
  if (checkpoint) run.steps_before = static_cast<double>(first * config.steps + checkpoint->step);
  for (std::size_t restart = first; restart < restarts; ++restart) {
    train_from_start(run, restart, restarts, checkpoint && restart == first ? &*checkpoint : nullptr);
  }

  TrainResult result;
  result.steps = config.steps;
  result.restarts = restarts;
  result.best_step = run.best.step;
  result.network = std::move(run.best.network);
  result.network.training = training_record(config, origin, run.best);
  if (!config.output.empty()) model::save_model(config.output, result.network);
  remove_checkpoints(config);
  result.seconds = seconds_since(run.begin);
  result.validation = run.best.validation;
  const model::Network built = origin.built(result.network);
  result.test = evaluate(built, data.test, pool);
  result.perturbed = score_perturbed(built, data.test, config.test_noise, config.test_draws, config.seed, pool, stop);
  result.robustness = run.best.robustness;
  return result;
}

}  // namespace hysteron::train
