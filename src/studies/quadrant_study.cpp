#include "studies/quadrant_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "studies/stored_quadrant_runs.h"
#include "train/task.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kProbed = 256;  // test sequences
constexpr std::array<const char*, 2> kCells = {"bmru", "fq_bmru"};

/// One block, so that what is compared are cells.
train::TrainConfig study_base() {
  train::TrainConfig config;
  config.backbone = "reference";
  config.layers = 1;
  config.mlp = "none";
  config.batch = 32;
  config.steps = 1500;
  config.learning_rate = 3e-3;
  config.validation_interval = 50;
  config.validation_limit = 256;
  config.speed = 0.0;
  return config;
}

/// Where labels are of unequal size, naming the largest alone is a high accuracy.
double figure(const train::ValidationPoint& point) { return point.balanced_accuracy.value_or(point.accuracy); }

std::size_t steps_to_95(const std::vector<train::ValidationPoint>& curve) {
  double best = 0.0;
  for (const train::ValidationPoint& point : curve) best = std::max(best, figure(point));
  for (const train::ValidationPoint& point : curve) {
    if (figure(point) >= 0.95 * best) return point.step;
  }
  return 0;
}

/// Shows which run is under way.
class RunReporter : public Reporter {
 public:
  RunReporter(Reporter& under, std::size_t done, std::size_t total, std::string what)
      : under_(under), done_(done), total_(total), what_(std::move(what)) {}
  void info(const std::string& message) override { under_.info(message); }
  void warning(const std::string& message) override { under_.warning(message); }
  void progress(const std::string&, std::size_t step, std::size_t steps, const std::string& detail) override {
    under_.progress(fmt::format("run {} of {}, {}", done_ + 1, total_, what_), step, steps, detail);
  }

 private:
  Reporter& under_;
  std::size_t done_;
  std::size_t total_;
  std::string what_;
};

/// `runs`: every seed of one task, width and cell.
QuadrantRow mean_row(std::span<const QuadrantRun> runs, std::size_t noise_levels) {
  const auto count = static_cast<double>(runs.size());
  const auto mean = [&](auto figure) {
    double sum = 0.0;
    for (const QuadrantRun& run : runs) sum += static_cast<double>(figure(run));
    return sum / count;
  };
  const auto balanced = [](const QuadrantRun& run) { return run.test_balanced_accuracy.value_or(run.test_accuracy); };
  QuadrantRow row;
  row.task = runs.front().task;
  row.width = runs.front().width;
  row.cell = runs.front().cell;
  row.test_accuracy = mean([](const QuadrantRun& run) { return run.test_accuracy; });
  row.worst_test_accuracy = std::ranges::min(runs, {}, &QuadrantRun::test_accuracy).test_accuracy;
  if (runs.front().test_balanced_accuracy) {
    row.test_balanced_accuracy = mean(balanced);
    row.worst_test_balanced_accuracy = balanced(std::ranges::min(runs, {}, balanced));
  }
  row.steps_to_95 = mean([](const QuadrantRun& run) { return run.steps_to_95; });
  row.activity.transition_rate = mean([](const QuadrantRun& run) { return run.activity.transition_rate; });
  row.activity.dead = mean([](const QuadrantRun& run) { return run.activity.dead; });
  row.activity.stuck = mean([](const QuadrantRun& run) { return run.activity.stuck; });
  for (std::size_t k = 0; k < noise_levels; ++k) {
    // Hazards add, so the mean over seeds is that of the rates.
    const double rate = mean([&](const QuadrantRun& run) { return run.retention[k] ? 1.0 / *run.retention[k] : 0.0; });
    row.retention.push_back(rate > 0.0 ? std::optional(1.0 / rate) : std::nullopt);
  }
  return row;
}

class Study {
 public:
  Study(const QuadrantRequest& request, Reporter& reporter, const StopFlag& stop)
      : request_(request),
        reporter_(reporter),
        stop_(stop),
        pool_(static_cast<int>(request.jobs)),
        stored_(request.stored) {
    base_ = request.base.empty() ? study_base() : train::read_config(request.base);
    base_.backbone = "reference";
    train::apply_noise_defaults(base_);
    base_.output.clear();
    base_.metrics.clear();
    if (request.steps != 0) base_.steps = request.steps;
  }

  QuadrantStudy run() {
    QuadrantStudy study;
    study.steps = base_.steps;
    study.seeds = request_.seeds;
    study.noise = request_.noise;
    const std::size_t total = request_.tasks.size() * request_.widths.size() * kCells.size() * request_.seeds;
    for (const std::string& task : request_.tasks) {
      train::TrainConfig of_task = base_;
      of_task.task = task;
      train::drop_ignored(of_task);
      train::check_config(of_task);
      const auto source = train::make_task(of_task, pool_, reporter_, stop_);
      for (const std::size_t width : request_.widths) {
        for (const char* cell : kCells) {
          for (std::size_t seed = 1; seed <= request_.seeds; ++seed) {
            RunReporter reporter(reporter_, study.runs.size(), total, fmt::format("{} {} {}", task, cell, width));
            study.runs.push_back(train_one(of_task, *source, width, cell, seed, reporter));
          }
        }
      }
    }
    for (std::size_t i = 0; i < study.runs.size(); i += request_.seeds) {
      study.rows.push_back(mean_row(std::span(study.runs).subspan(i, request_.seeds), request_.noise.size()));
    }
    stored_.remove();
    return study;
  }

 private:
  QuadrantRun train_one(const train::TrainConfig& of_task, const data::SequenceSource& source, std::size_t width,
                        const std::string& cell, std::uint64_t seed, Reporter& reporter) {
    train::TrainConfig config = of_task;
    config.width = width;
    config.cell = cell;
    config.seed = seed;
    train::check_config(config);
    const std::string key =
        Json{{"config", Json::parse(train::config_to_json(config))}, {"noise", request_.noise}}.dump();
    if (auto stored = stored_.find(key)) return *std::move(stored);
    const train::SequenceResult result = train::train_sequences(config, source, pool_, reporter, stop_);
    QuadrantRun run;
    run.task = config.task;
    run.width = width;
    run.cell = cell;
    run.seed = seed;
    run.test_accuracy = result.test.accuracy;
    run.test_balanced_accuracy = result.test.balanced_accuracy();
    run.curve = result.curve;
    run.steps_to_95 = steps_to_95(result.curve);
    const train::SequenceModel model(result.network.shape);
    const std::vector<float>& parameters = result.network.parameters;
    run.activity = train::cell_activity(model, parameters, source, data::Split::kTest, kProbed, pool_);
    for (const double noise : request_.noise) {
      run.retention.push_back(
          train::bit_retention(model, parameters, source, data::Split::kTest, kProbed, noise, seed, pool_));
    }
    stored_.add(key, run);
    return run;
  }

  const QuadrantRequest& request_;
  Reporter& reporter_;
  const StopFlag& stop_;
  ThreadPool pool_;
  StoredQuadrantRuns stored_;
  train::TrainConfig base_;
};

}  // namespace

QuadrantStudy study_quadrant(const QuadrantRequest& request, Reporter& reporter, const StopFlag& stop) {
  return Study(request, reporter, stop).run();
}

}  // namespace hysteron::studies
