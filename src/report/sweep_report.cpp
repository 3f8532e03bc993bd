#include "report/sweep_report.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "report/train_report.h"

namespace hysteron::report {
namespace {

using explore::SweepEntry;
using explore::SweepResult;
using explore::SweepRow;

constexpr const char* kShown[] = {"test_accuracy", "test_balanced_accuracy", "validation_accuracy", "seconds"};
constexpr std::string_view kNames[] = {"model", "task", "cell"};  // of `train --json`; no numbers

/// Of a figure of either direction.
const Table<train::Spread>& spread_table() {
  using train::Spread;
  static const auto table = Table<Spread>()
                                .figure("mean", "", &Spread::mean)
                                .figure("deviation", "standard deviation", &Spread::deviation)
                                .figure("worst", "the worst one", &Spread::worst);
  return table;
}

std::optional<train::Spread> figure_of(const SweepRow& row, const std::string& name) {
  const auto found = row.figures.find(name);
  return found == row.figures.end() ? std::nullopt : std::optional(found->second);
}

const Table<SweepRow>& row_table() {
  static const auto table = [] {
    auto rows = Table<SweepRow>()
                    .figure("values", "key of the grid: value; seeds left out",
                            [](const SweepRow& row) {
                              Json json = Json::object();
                              for (const auto& [key, value] : row.values) json.set(key, value);
                              return json;
                            })
                    .figure("runs", "trainings", &SweepRow::runs);
    std::set<std::string> known;
    for (const auto& infos : {training_table().infos(), sequence_training_table().infos()}) {
      for (const FigureInfo& info : infos) {
        if (!info.parts.empty() || std::ranges::count(kNames, info.key) > 0 || !known.insert(info.key).second) continue;
        rows.object(info.key, "over the trainings (`train`)", spread_table(),
                    [key = info.key](const SweepRow& row) { return figure_of(row, key); });
      }
    }
    return rows;
  }();
  return table;
}

std::vector<SweepEntry> failed_entries(const SweepResult& result) {
  std::vector<SweepEntry> failed;
  std::ranges::copy_if(result.entries, std::back_inserter(failed), [](const SweepEntry& entry) { return !entry.done; });
  return failed;
}

std::string rows_text(const SweepResult& result) {
  if (result.rows.empty()) return "";
  std::string text = "|";
  for (const auto& [key, value] : result.rows.front().values) text += fmt::format(" {} |", key);
  text += " runs |";
  for (const char* name : kShown) text += fmt::format(" {} |", name);
  text += "\n|";
  for (std::size_t i = 0; i < result.rows.front().values.size() + 1 + std::size(kShown); ++i) text += "---|";
  for (const SweepRow& row : result.rows) {
    text += "\n|";
    for (const auto& [key, value] : row.values) text += fmt::format(" {} |", value);
    text += fmt::format(" {} |", row.runs);
    for (const char* name : kShown) {
      const auto figure = figure_of(row, name);
      text += figure ? fmt::format(" {:.4g} ± {:.2g} |", figure->mean, figure->deviation) : " |";
    }
  }
  return text + "\n";
}

}  // namespace

const Table<SweepResult>& sweep_table() {
  static const auto entries =
      Table<SweepEntry>()
          .figure("folder", "of the training", [](const SweepEntry& entry) { return entry.folder.string(); })
          .figure("problem", "why it is not done", &SweepEntry::problem);
  static const auto table =
      Table<SweepResult>()
          .figure("points", "trainings", [](const SweepResult& result) { return result.entries.size(); })
          .figure("skipped", "of them, read from an earlier run", &SweepResult::skipped)
          .list("failed", "of them, that are not done", entries, failed_entries)
          .list("rows", "trainings that differ in seeds alone", row_table(), &SweepResult::rows)
          .text(rows_text);
  return table;
}

}  // namespace hysteron::report
