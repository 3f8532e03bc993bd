#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "commands.h"
#include "explore/sweep.h"
#include "output.h"
#include "report/sweep_report.h"

namespace {

struct Options {
  std::string file;
  std::size_t jobs = 0;
  double patience = 60.0;
  OutputFlags output;
};

void declare(Command& command, Options& options) {
  command.text("file", options.file, "TOML file with base, folder and [grid]").required();
  command.shared(hysteron::parameters::kJobs, options.jobs);
  command.shared(hysteron::parameters::kPatience, options.patience);
  add_json_flag(command, options.output);
}

int run(const Options& options, Session& session) {
  const hysteron::explore::SweepRequest request{options.file, std::filesystem::read_symlink("/proc/self/exe"),
                                                options.jobs, options.patience};
  const auto result = hysteron::explore::run_sweep(request, session.reporter, session.stop);
  if (!result.reports) return 0;
  print_result(options.output, "", hysteron::report::sweep_table(), result);
  // mpirun ends every rank once one fails, so the first alone says so, after the last point.
  if (result.failed > 0) {
    throw hysteron::bad_input(fmt::format("{} of {} training runs failed; the same command retries them", result.failed,
                                          result.entries.size()));
  }
  return 0;
}

}  // namespace

void add_sweep_command(Command& app, Session& session) {
  add_command<Options>(app, session, "sweep", "Train every point of a grid of configurations",
                       "hysteron sweep grid.toml --jobs 2\n  mpirun -n 4 hysteron sweep grid.toml --jobs 1", declare,
                       [&session](const Options& options) { return run(options, session); });
}
