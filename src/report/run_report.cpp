#include "report/run_report.h"

namespace hysteron::report {
namespace {

using studies::RunResult;

std::string decisions_text(const RunResult& result) {
  std::string text;
  for (std::size_t i = 0; i < result.decisions.size(); ++i) {
    text += fmt::format("clip {:>4}  {:<16} {:.1f} % of the frames\n", result.clips[i],
                        result.labels[result.decisions[i]], 100.0 * result.votes[i][result.decisions[i]]);
  }
  return text;
}

}  // namespace

const Table<RunResult>& run_table() {
  static const auto table =
      Table<RunResult>()
          .figure("decisions", "index of the label, of every clip", &RunResult::decisions)
          .figure("votes", "share of the frames for every label, of every clip", &RunResult::votes)
          .figure("labels", "", &RunResult::labels)
          .figure("engine", "`software`, `behavioural` or `spice`", &RunResult::engine)
          .figure("die_file", "of the measured chip, if it was one",
                  [](const RunResult& result) {
                    return result.die_file.empty() ? std::nullopt : std::optional(result.die_file);
                  })
          .figure("die", "seed of the die, if one was sampled", &RunResult::die)
          .text(decisions_text);
  return table;
}

}  // namespace hysteron::report
