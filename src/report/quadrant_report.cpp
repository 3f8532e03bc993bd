#include "report/quadrant_report.h"

#include <limits>

namespace hysteron::report {
namespace {

using studies::QuadrantRow;
using studies::QuadrantRun;
using studies::QuadrantStudy;

double or_nan(const std::optional<double>& value) { return value.value_or(std::numeric_limits<double>::quiet_NaN()); }

std::vector<double> numbers(const std::vector<std::optional<double>>& values) {
  std::vector<double> result;
  for (const auto& value : values) result.push_back(or_nan(value));
  return result;
}

const Table<train::CellActivity>& activity_table() {
  using train::CellActivity;
  static const auto table =
      Table<CellActivity>()
          .figure("transition_rate", "share of frames in which a cell's state changes", &CellActivity::transition_rate)
          .figure("dead", Better::kLower, "share of cells whose state changes in no sequence", &CellActivity::dead)
          .figure("stuck", Better::kLower, "of the others, those that change at most once, always to the same state",
                  &CellActivity::stuck);
  return table;
}

const Table<QuadrantRow>& row_table() {
  static const auto table =
      Table<QuadrantRow>()
          .figure("task", "", &QuadrantRow::task)
          .figure("width", "", &QuadrantRow::width)
          .figure("cell", "`bmru` or `fq_bmru`", &QuadrantRow::cell)
          .figure("test_accuracy", Better::kHigher, "mean over seeds", &QuadrantRow::test_accuracy)
          .figure("worst_test_accuracy", Better::kHigher, "of the seeds", &QuadrantRow::worst_test_accuracy)
          .figure("test_balanced_accuracy", Better::kHigher, "mean of the recalls; null: every frame has a target",
                  [](const QuadrantRow& row) { return or_nan(row.test_balanced_accuracy); })
          .figure("worst_test_balanced_accuracy", Better::kHigher, "of the seeds",
                  [](const QuadrantRow& row) { return or_nan(row.worst_test_balanced_accuracy); })
          .figure("steps_to_95", Better::kLower, "optimiser steps to 95 % of the best accuracy",
                  &QuadrantRow::steps_to_95)
          .merge(activity_table(), &QuadrantRow::activity)
          .figure("retention", Better::kHigher, "frames that a bit is held at each noise; null: no flip",
                  [](const QuadrantRow& row) { return numbers(row.retention); });
  return table;
}

const Table<QuadrantRun>& run_table() {
  using train::ValidationPoint;
  static const auto curve = Table<ValidationPoint>()
                                .figure("step", "", &ValidationPoint::step)
                                .figure("epsilon", "", &ValidationPoint::epsilon)
                                .figure("loss", Better::kLower, "", &ValidationPoint::loss)
                                .figure("accuracy", Better::kHigher, "", &ValidationPoint::accuracy)
                                .figure("balanced_accuracy", Better::kHigher, "",
                                        [](const ValidationPoint& point) { return or_nan(point.balanced_accuracy); });
  static const auto table = Table<QuadrantRun>()
                                .figure("task", "", &QuadrantRun::task)
                                .figure("width", "", &QuadrantRun::width)
                                .figure("cell", "`bmru` or `fq_bmru`", &QuadrantRun::cell)
                                .figure("seed", "", &QuadrantRun::seed)
                                .figure("test_accuracy", Better::kHigher, "", &QuadrantRun::test_accuracy)
                                .figure("test_balanced_accuracy", Better::kHigher, "null: every frame has a target",
                                        [](const QuadrantRun& run) { return or_nan(run.test_balanced_accuracy); })
                                .figure("steps_to_95", Better::kLower, "", &QuadrantRun::steps_to_95)
                                .merge(activity_table(), &QuadrantRun::activity)
                                .figure("retention", Better::kHigher, "as in `rows`",
                                        [](const QuadrantRun& run) { return numbers(run.retention); })
                                .list("curve", "validations", curve, &QuadrantRun::curve);
  return table;
}

const Table<QuadrantStudy>& runs_table() {
  static const auto table =
      Table<QuadrantStudy>().list("runs", "every training; in the file alone", run_table(), &QuadrantStudy::runs);
  return table;
}

std::string row_text(const QuadrantRow& row) {
  // Where a task has one label a sequence, labels may be of unequal size.
  std::string text =
      fmt::format("{:<12}{:>6} {:<9}{:>8.2f}{:>8.2f}{:>8.0f}{:>12.2f}%{:>7.1f}%{:>7.1f}%", row.task, row.width,
                  row.cell, 100.0 * row.test_balanced_accuracy.value_or(row.test_accuracy),
                  100.0 * row.worst_test_balanced_accuracy.value_or(row.worst_test_accuracy), row.steps_to_95,
                  100.0 * row.activity.transition_rate, 100.0 * row.activity.dead, 100.0 * row.activity.stuck);
  for (const std::optional<double>& frames : row.retention) {
    text += fmt::format("{:>12}", frames ? fmt::format("{:.0f} frames", *frames) : "no flip");
  }
  return text + "\n";
}

std::string rows_text(const QuadrantStudy& study) {
  std::string text = fmt::format("{:<12}{:>6} {:<9}{:>8}{:>8}{:>8}{:>13}{:>8}{:>8}", "task", "width", "cell", "test %",
                                 "worst", "to 95 %", "transitions", "dead", "stuck");
  for (const double noise : study.noise) text += fmt::format("{:>12}", fmt::format("held at {}", noise));
  text += "\n";
  for (const QuadrantRow& row : study.rows) text += row_text(row);
  return text;
}

const Table<QuadrantStudy>& figures_table() {
  static const auto table =
      Table<QuadrantStudy>()
          .figure("study", "`quadrant`", [](const QuadrantStudy&) { return "quadrant"; })
          .figure("steps", "of the optimiser", &QuadrantStudy::steps)
          .figure("seeds", "trainings of each", &QuadrantStudy::seeds)
          .figure("noise", "on candidates, over the threshold, of `retention`", &QuadrantStudy::noise)
          .list("rows", "one a task, width and cell", row_table(), &QuadrantStudy::rows)
          .text(rows_text);
  return table;
}

}  // namespace

const Table<QuadrantResult>& quadrant_table() {
  static const auto table =
      Table<QuadrantResult>()
          .merge(figures_table(), &QuadrantResult::study)
          .merge(runs_table(), [](const QuadrantResult& result) { return result.output ? nullptr : &result.study; })
          .figure("output", "the file; not in the file itself", [](const QuadrantResult& result) {
            return result.output ? std::optional(result.output->string()) : std::nullopt;
          });
  return table;
}

}  // namespace hysteron::report
