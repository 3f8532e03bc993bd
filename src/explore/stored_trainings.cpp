#include "explore/stored_trainings.h"

#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "base/stored_json.h"

namespace hysteron::explore {
namespace {

using Json = nlohmann::ordered_json;
using Figures = std::map<std::string, double>;

Store result_store(const SweepEntry& entry) {
  return {entry.folder / "result.json", "training", train::config_to_json(entry.point.config)};
}

Store failure_store(const SweepEntry& entry, const std::string& job) {
  return {entry.folder / "failed.json", "failed-training", job};
}

std::optional<Figures> figures_of(const Json& record) {
  Figures figures;
  for (const auto& [key, value] : record.at("result").items()) {
    if (value.is_number()) figures[key] = value.get<double>();
  }
  return figures;
}

}  // namespace

bool read_result(SweepEntry& entry) {
  auto figures = read_stamped_json(result_store(entry), figures_of).value;
  if (!figures) return false;
  entry.figures = *std::move(figures);
  entry.done = true;
  return true;
}

void write_result(SweepEntry& entry, const std::string& output) {
  Json values;
  for (const auto& [key, value] : entry.point.values) values[key] = value;
  const Json record = {{"values", values},
                       {"config", Json::parse(train::config_to_json(entry.point.config))},
                       {"result", Json::parse(output)}};
  write_stamped_json(result_store(entry), record, 1);
  std::filesystem::remove(entry.folder / "failed.json");
  read_result(entry);
}

void write_failure(const SweepEntry& entry, const std::string& job) {
  write_stamped_json(failure_store(entry, job), {{"job", job}, {"problem", entry.problem}});
}

void read_failure(SweepEntry& entry, const std::string& job) {
  const auto problem = [](const Json& record) { return std::optional(record.at("problem").get<std::string>()); };
  if (auto stored = read_stamped_json(failure_store(entry, job), problem).value) entry.problem = *std::move(stored);
}

}  // namespace hysteron::explore
