#include "studies/quadrant_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "train/task.h"

namespace hysteron::studies {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kProbed = 256;  // test sequences
constexpr std::array<const char*, 2> kCells = {"bmru", "fq_bmru"};

/// One block, so that what is compared are cells.
train::TrainConfig study_base() {
  train::TrainConfig config;
  config.backbone = "software";
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

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> optional_number(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

QuadrantRun run_from(const Json& json) {
  QuadrantRun run;
  run.task = json.at("task");
  run.width = json.at("width");
  run.cell = json.at("cell");
  run.seed = json.at("seed");
  run.test_accuracy = json.at("test_accuracy");
  run.test_balanced_accuracy = optional_number(json.at("test_balanced_accuracy"));
  run.steps_to_95 = json.at("steps_to_95");
  run.activity.transition_rate = json.at("transition_rate");
  run.activity.dead = json.at("dead");
  run.activity.stuck = json.at("stuck");
  for (const Json& value : json.at("retention")) run.retention.push_back(optional_number(value));
  for (const Json& point : json.at("curve")) {
    train::ValidationPoint& to = run.curve.emplace_back();
    to.step = point.at("step");
    to.epsilon = point.at("epsilon");
    to.loss = point.at("loss");
    to.accuracy = point.at("accuracy");
    to.balanced_accuracy = optional_number(point.at("balanced_accuracy"));
  }
  return run;
}

/// As a line of the kept runs has it.
Json to_json(const QuadrantRun& run) {
  Json curve = Json::array();
  for (const auto& point : run.curve) {
    curve.push_back({{"step", point.step},
                     {"epsilon", point.epsilon},
                     {"loss", point.loss},
                     {"accuracy", point.accuracy},
                     {"balanced_accuracy", optional_json(point.balanced_accuracy)}});
  }
  Json retention = Json::array();
  for (const auto& value : run.retention) retention.push_back(optional_json(value));
  return {{"task", run.task},
          {"width", run.width},
          {"cell", run.cell},
          {"seed", run.seed},
          {"test_accuracy", run.test_accuracy},
          {"test_balanced_accuracy", optional_json(run.test_balanced_accuracy)},
          {"steps_to_95", run.steps_to_95},
          {"transition_rate", run.activity.transition_rate},
          {"dead", run.activity.dead},
          {"stuck", run.activity.stuck},
          {"retention", retention},
          {"curve", curve}};
}

/// Finished runs in a file, a line each: {"key": what decides about the run, "run": its figures}.
class KeptLines {
 public:
  explicit KeptLines(fs::path path) : path_(std::move(path)) {
    if (path_.empty() || !fs::exists(path_)) return;
    std::istringstream lines(read_file(path_));
    for (std::string line; std::getline(lines, line);) {
      const Json record = Json::parse(line, nullptr, false);
      if (record.is_discarded() || !record.contains("key") || !record.contains("run")) continue;
      runs_.emplace(record["key"].dump(), run_from(record["run"]));
      text_ += line + "\n";
    }
  }

  std::optional<QuadrantRun> find(const Json& key) const {
    const auto found = runs_.find(key.dump());
    return found == runs_.end() ? std::nullopt : std::optional(found->second);
  }

  void keep(const Json& key, const QuadrantRun& run) {
    if (path_.empty()) return;
    text_ += Json{{"key", key}, {"run", to_json(run)}}.dump() + "\n";
    write_file(path_, text_);
  }

  void remove() const {
    if (!path_.empty()) fs::remove(path_);
  }

 private:
  fs::path path_;
  std::map<std::string, QuadrantRun> runs_;
  std::string text_;
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
        kept_(request.kept) {
    base_ = request.base.empty() ? study_base() : train::read_config(request.base);
    base_.backbone = "software";
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
    kept_.remove();
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
    const Json key = {{"config", Json::parse(train::config_to_json(config))}, {"noise", request_.noise}};
    if (auto kept = kept_.find(key)) return *std::move(kept);
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
    kept_.keep(key, run);
    return run;
  }

  const QuadrantRequest& request_;
  Reporter& reporter_;
  const StopFlag& stop_;
  ThreadPool pool_;
  KeptLines kept_;
  train::TrainConfig base_;
};

}  // namespace

QuadrantStudy study_quadrant(const QuadrantRequest& request, Reporter& reporter, const StopFlag& stop) {
  return Study(request, reporter, stop).run();
}

}  // namespace hysteron::studies
