#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "commands.h"
#include "explore/sweep.h"
#include "train/evaluate.h"

namespace {

struct Options {
  std::string file;
  std::size_t jobs = 0;
  double patience = 60.0;
  bool json = false;
};

using hysteron::explore::SweepResult;
using hysteron::explore::SweepRow;

constexpr const char* kShown[] = {"test_accuracy", "test_balanced_accuracy", "validation_accuracy", "seconds"};

void declare(Command& command, Options& options) {
  command.text("file", options.file, "TOML file with base, folder and [grid]").required();
  command.shared(hysteron::parameters::kJobs, options.jobs);
  command.shared(hysteron::parameters::kPatience, options.patience);
  command.shared(hysteron::parameters::kJson, options.json);
}

nlohmann::ordered_json to_json(const SweepResult& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SweepRow& row : result.rows) {
    nlohmann::ordered_json entry = {{"values", nlohmann::ordered_json::object()}, {"runs", row.runs}};
    for (const auto& [key, value] : row.values) entry["values"][key] = value;
    for (const auto& [name, values] : row.figures) {
      const auto figures = hysteron::train::spread(values);
      entry[name] = {{"mean", figures.mean}, {"deviation", figures.deviation}, {"worst", figures.worst}};
    }
    rows.push_back(entry);
  }
  nlohmann::ordered_json failed = nlohmann::ordered_json::array();
  for (const auto& entry : result.entries) {
    if (!entry.done) failed.push_back({{"folder", entry.folder.string()}, {"problem", entry.problem}});
  }
  return {{"points", result.entries.size()}, {"skipped", result.skipped}, {"failed", failed}, {"rows", rows}};
}

void print_table(const SweepResult& result) {
  if (result.rows.empty()) return;
  fmt::print("|");
  for (const auto& [key, value] : result.rows.front().values) fmt::print(" {} |", key);
  fmt::print(" runs |");
  for (const char* name : kShown) fmt::print(" {} |", name);
  fmt::print("\n|{}\n", [&] {
    std::string line;
    for (std::size_t i = 0; i < result.rows.front().values.size() + 1 + std::size(kShown); ++i) line += "---|";
    return line;
  }());
  for (const SweepRow& row : result.rows) {
    fmt::print("|");
    for (const auto& [key, value] : row.values) fmt::print(" {} |", value);
    fmt::print(" {} |", row.runs);
    for (const char* name : kShown) {
      const auto found = row.figures.find(name);
      if (found == row.figures.end()) {
        fmt::print(" |");
        continue;
      }
      const auto figures = hysteron::train::spread(found->second);
      fmt::print(" {:.4g} ± {:.2g} |", figures.mean, figures.deviation);
    }
    fmt::print("\n");
  }
}

int run(const Options& options, Session& session) {
  const hysteron::explore::SweepRequest request{options.file, std::filesystem::read_symlink("/proc/self/exe"),
                                                options.jobs, options.patience};
  const SweepResult result = hysteron::explore::run_sweep(request, session.reporter, session.stop);
  std::size_t failed = 0;
  for (const auto& entry : result.entries) failed += entry.problem.empty() ? 0 : 1;
  if (result.reports) {
    if (options.json) {
      fmt::print("{}\n", to_json(result).dump());
    } else {
      print_table(result);
    }
  }
  // mpirun ends every rank once one fails, so the first alone says so, after the last point.
  if (failed > 0 && result.reports) {
    throw hysteron::bad_input(
        fmt::format("{} of {} trainings failed; the same command tries them again", failed, result.entries.size()));
  }
  return 0;
}

}  // namespace

void add_sweep_command(Command& app, Session& session) {
  add_command<Options>(app, session, "sweep", "Train every point of a grid of configurations",
                       "hysteron sweep grid.toml --jobs 2\n  mpirun -n 4 hysteron sweep grid.toml --jobs 1", declare,
                       [&session](const Options& options) { return run(options, session); });
}
