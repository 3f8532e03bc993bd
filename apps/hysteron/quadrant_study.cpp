#include "studies/quadrant_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "study_commands.h"

namespace {

using hysteron::studies::QuadrantRun;
using hysteron::studies::QuadrantStudy;
using Json = nlohmann::ordered_json;

struct Options {
  hysteron::studies::QuadrantRequest request;
  std::string base;
  std::string output = "quadrant.json";
  bool json = false;
};

void declare(Command& command, Options& options) {
  options.request.tasks = {"copy_first", "flip_flop", "denoising", "parity", "keywords"};
  options.request.widths = {8, 32};
  command.text("--base", options.base, "Configuration file that every run begins with");
  command.texts("--tasks", options.request.tasks, "Tasks, separated by commas").shown();
  command.counts("--widths", options.request.widths, "Widths, separated by commas").range(1, 4096).shown();
  command.count("--seeds", options.request.seeds, "Trainings of each").range(1, 1000).shown();
  command.count("--steps", options.request.steps, "Optimiser steps of each; 0 takes the base's").range(0, 1000000000);
  command.numbers("--noise", options.request.noise, "Noise on candidates for retention, over the threshold")
      .range(0.0, 10.0)
      .shown();
  command
      .text("-o,--output", options.output,
            "JSON file with every run; until it is there, finished runs are kept beside it, in FILE.runs")
      .shown();
  command.shared(hysteron::parameters::kJobs, options.request.jobs);
  command.shared(hysteron::parameters::kJson, options.json);
}

/// What the table shows: where a task has one label a sequence, labels may be of unequal size.
double shown_accuracy(const QuadrantRun& run) { return run.test_balanced_accuracy.value_or(run.test_accuracy); }

/// Means over the seeds of one task, width and cell.
Json row_json(const std::vector<QuadrantRun>& runs, std::size_t noise_levels) {
  const auto count = static_cast<double>(runs.size());
  const auto mean = [&](auto figure) {
    double sum = 0.0;
    for (const QuadrantRun& run : runs) sum += static_cast<double>(figure(run));
    return sum / count;
  };
  double worst = 1.0;
  double worst_balanced = 1.0;
  for (const QuadrantRun& run : runs) {
    worst = std::min(worst, run.test_accuracy);
    worst_balanced = std::min(worst_balanced, shown_accuracy(run));
  }
  const bool balanced = runs.front().test_balanced_accuracy.has_value();
  Json retention = Json::array();
  for (std::size_t k = 0; k < noise_levels; ++k) {
    // Hazards add, so the mean over seeds is that of the rates.
    const double rate = mean([&](const QuadrantRun& run) { return run.retention[k] ? 1.0 / *run.retention[k] : 0.0; });
    retention.push_back(rate > 0.0 ? Json(1.0 / rate) : Json(nullptr));
  }
  return {{"task", runs.front().task},
          {"width", runs.front().width},
          {"cell", runs.front().cell},
          {"test_accuracy", mean([](const QuadrantRun& run) { return run.test_accuracy; })},
          {"worst_test_accuracy", worst},
          {"test_balanced_accuracy", balanced ? Json(mean(shown_accuracy)) : Json(nullptr)},
          {"worst_test_balanced_accuracy", balanced ? Json(worst_balanced) : Json(nullptr)},
          {"steps_to_95", mean([](const QuadrantRun& run) { return run.steps_to_95; })},
          {"transition_rate", mean([](const QuadrantRun& run) { return run.activity.transition_rate; })},
          {"dead", mean([](const QuadrantRun& run) { return run.activity.dead; })},
          {"stuck", mean([](const QuadrantRun& run) { return run.activity.stuck; })},
          {"retention", retention}};
}

Json study_json(const Options& options, const QuadrantStudy& study) {
  Json rows = Json::array();
  Json runs = Json::array();
  for (std::size_t i = 0; i < study.runs.size(); i += options.request.seeds) {
    const auto begin = study.runs.begin() + static_cast<std::ptrdiff_t>(i);
    rows.push_back(
        row_json({begin, begin + static_cast<std::ptrdiff_t>(options.request.seeds)}, options.request.noise.size()));
  }
  for (const QuadrantRun& run : study.runs) runs.push_back(hysteron::studies::to_json(run));
  return {
      {"study", "quadrant"}, {"steps", study.steps}, {"seeds", options.request.seeds}, {"noise", options.request.noise},
      {"rows", rows},        {"runs", runs}};
}

void print_rows(const Json& study) {
  fmt::print("{:<12}{:>6} {:<9}{:>8}{:>8}{:>8}{:>13}{:>8}{:>8}", "task", "width", "cell", "test %", "worst", "to 95 %",
             "transitions", "dead", "stuck");
  for (const Json& level : study["noise"]) fmt::print("{:>12}", fmt::format("kept at {}", level.get<double>()));
  fmt::print("\n");
  for (const Json& row : study["rows"]) {
    const char* accuracy = row["test_balanced_accuracy"].is_null() ? "accuracy" : "balanced_accuracy";
    fmt::print("{:<12}{:>6} {:<9}{:>8.2f}{:>8.2f}{:>8.0f}{:>12.2f}%{:>7.1f}%{:>7.1f}%", row["task"].get<std::string>(),
               row["width"].get<std::size_t>(), row["cell"].get<std::string>(),
               100.0 * row[fmt::format("test_{}", accuracy)].get<double>(),
               100.0 * row[fmt::format("worst_test_{}", accuracy)].get<double>(), row["steps_to_95"].get<double>(),
               100.0 * row["transition_rate"].get<double>(), 100.0 * row["dead"].get<double>(),
               100.0 * row["stuck"].get<double>());
    for (const Json& value : row["retention"]) {
      fmt::print("{:>12}", value.is_null() ? "no flip" : fmt::format("{:.0f} frames", value.get<double>()));
    }
    fmt::print("\n");
  }
}

int run(Options options, Session& session) {
  hysteron::check_writable(options.output, "--output");  // hours of training come first
  options.request.base = options.base;
  options.request.stored = options.output + ".runs";
  const QuadrantStudy study = hysteron::studies::study_quadrant(options.request, session.reporter, session.stop);
  Json json = study_json(options, study);
  hysteron::write_file(options.output, json.dump(1) + "\n");
  if (options.json) {
    json.erase("runs");
    json["output"] = options.output;
    fmt::print("{}\n", json.dump());
  } else {
    print_rows(json);
  }
  return 0;
}

}  // namespace

void add_quadrant_study(Command& study, Session& session) {
  add_command<Options>(study, session, "quadrant", "BMRU against its first-quadrant form: what that costs and brings",
                       "hysteron study quadrant --tasks copy_first,flip_flop --widths 8 --seeds 3 -o quadrant.json",
                       declare, [&session](const Options& options) { return run(options, session); });
}
