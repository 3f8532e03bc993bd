#include "studies/stored_quadrant_runs.h"

#include <utility>

#include "base/stored_json.h"

namespace hysteron::studies {
namespace {

using nlohmann::json;

json encode(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

std::optional<double> decode_number(const json& stored) {
  return stored.is_null() ? std::nullopt : std::optional(stored.get<double>());
}

json encode(const QuadrantRun& run) {
  json curve = json::array();
  for (const train::ValidationPoint& point : run.curve) {
    curve.push_back({point.step, point.epsilon, point.loss, point.accuracy, encode(point.balanced_accuracy)});
  }
  json retention = json::array();
  for (const auto& value : run.retention) retention.push_back(encode(value));
  return {{"task", run.task},
          {"width", run.width},
          {"cell", run.cell},
          {"seed", run.seed},
          {"test_accuracy", run.test_accuracy},
          {"test_balanced_accuracy", encode(run.test_balanced_accuracy)},
          {"steps_to_95", run.steps_to_95},
          {"transition_rate", run.activity.transition_rate},
          {"dead", run.activity.dead},
          {"stuck", run.activity.stuck},
          {"retention", retention},
          {"curve", curve}};
}

QuadrantRun decode(const json& stored) {
  QuadrantRun run;
  stored.at("task").get_to(run.task);
  stored.at("width").get_to(run.width);
  stored.at("cell").get_to(run.cell);
  stored.at("seed").get_to(run.seed);
  stored.at("test_accuracy").get_to(run.test_accuracy);
  run.test_balanced_accuracy = decode_number(stored.at("test_balanced_accuracy"));
  stored.at("steps_to_95").get_to(run.steps_to_95);
  stored.at("transition_rate").get_to(run.activity.transition_rate);
  stored.at("dead").get_to(run.activity.dead);
  stored.at("stuck").get_to(run.activity.stuck);
  for (const json& value : stored.at("retention")) run.retention.push_back(decode_number(value));
  for (const json& point : stored.at("curve")) {
    train::ValidationPoint& to = run.curve.emplace_back();
    point.at(0).get_to(to.step);
    point.at(1).get_to(to.epsilon);
    point.at(2).get_to(to.loss);
    point.at(3).get_to(to.accuracy);
    to.balanced_accuracy = decode_number(point.at(4));
  }
  return run;
}

}  // namespace

StoredQuadrantRuns::StoredQuadrantRuns(const std::filesystem::path& path) {
  if (path.empty()) return;
  store_.emplace(path, "quadrant-runs", "");
  auto runs = read_json(*store_, [](const json& stored) {
    std::map<std::string, QuadrantRun> all;
    for (const auto& [key, run] : stored.items()) all.emplace(key, decode(run));
    return std::optional(std::move(all));
  });
  if (runs.value) runs_ = *std::move(runs.value);
}

std::optional<QuadrantRun> StoredQuadrantRuns::find(const std::string& key) const {
  const auto found = runs_.find(key);
  return found == runs_.end() ? std::nullopt : std::optional(found->second);
}

void StoredQuadrantRuns::add(const std::string& key, const QuadrantRun& run) {
  if (!store_) return;
  runs_.insert_or_assign(key, run);
  json all = json::object();
  for (const auto& [of, one] : runs_) all[of] = encode(one);
  store_->write(all.dump());
}

void StoredQuadrantRuns::remove() const {
  if (store_) std::filesystem::remove(store_->path());
}

}  // namespace hysteron::studies
