#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "commands.h"
#include "explore/explore.h"
#include "output.h"
#include "report/compile_report.h"
#include "report/explore_report.h"
#include "report/pick_report.h"
#include "report/verify_report.h"

namespace {

namespace explore = hysteron::explore;

struct Options {
  std::filesystem::path file;
  std::filesystem::path pdk_root;
  std::size_t jobs = 0;
  double patience = 60.0;
  double time_limit = 600.0;
  std::size_t pick = 0;
  std::filesystem::path output;
  std::size_t clips = 10;
  OutputFlags result;
  std::filesystem::path slurm;
  std::size_t ranks = 0;
  double hours = 24.0;
  bool json = false;
  bool is_pick = false;
};

int search(const Options& options, Session& session) {
  const explore::ExploreRequest request{options.file, options.pdk_root, options.jobs, options.patience};
  const explore::Exploration result = explore::explore(request, session.reporter, session.stop);
  if (!result.reports) return 0;
  print_result({{}, {}, {}, options.json}, "", hysteron::report::explore_table(), result);
  return 0;
}

int pick(const Options& options, Session& session) {
  if (options.output.empty()) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "--pick requires --output with the folder to write into");
  }
  namespace report = hysteron::report;
  const auto requirements = read_requirements(options.result, report::pick_table().infos(), session.reporter);
  const explore::PickRequest request{options.file,      options.pdk_root, options.pick,
                                     options.output,    options.clips,    static_cast<int>(options.jobs),
                                     options.time_limit};
  const explore::Pick picked = explore::pick_point(request, session.reporter, session.stop);
  hysteron::write_file(picked.folder / "summary.json",
                       report::json_text(report::summary_table().json(picked.circuit), 2) + "\n");
  hysteron::write_file(options.output / "verify.json",
                       report::json_text(report::verify_table().json(picked.verification), 1) + "\n");
  OutputFlags flags = options.result;
  flags.json = options.json;
  const report::Json json = print_result(flags, "", report::pick_table(), picked);
  if (picked.verification.failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated", picked.verification.failed,
                                                picked.verification.clips.size()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

int write_slurm_script(const Options& options) {
  explore::check_space_file(options.file);
  const std::size_t ranks = options.ranks == 0 ? static_cast<std::size_t>(hysteron::hardware_jobs()) : options.ranks;
  const explore::SlurmRequest request{std::filesystem::read_symlink("/proc/self/exe"),
                                      options.file,
                                      options.pdk_root,
                                      ranks,
                                      options.hours,
                                      options.patience};
  hysteron::write_file(options.slurm, explore::slurm_script(request));
  print_result({{}, {}, {}, options.json}, "", hysteron::report::slurm_script_table(),
               hysteron::report::SlurmScript{options.slurm, ranks});
  return 0;
}

int run(const Options& options, Session& session) {
  if (!options.slurm.empty()) return write_slurm_script(options);
  return options.is_pick ? pick(options, session) : search(options, session);
}

void declare(Command& command, Options& options) {
  namespace parameters = hysteron::parameters;
  command.path("file", options.file, "TOML file of the search space (docs/explore.md)").required();
  command.shared(parameters::kJobs, options.jobs);
  command.shared(parameters::kPdkRoot, options.pdk_root);
  command.shared(parameters::kPatience, options.patience);
  const Option pick = command.count("--pick", options.pick,
                                    "Write model and netlist of this point into --output and verify them in ngspice");
  command.when_parsed([&options, pick] { options.is_pick = pick.is_given(); });
  command.path("-o,--output", options.output, "Folder for the picked point").needs(pick);
  command.count("--clips", options.clips, "Held-out clips to simulate the picked point with")
      .range(1, 100000)
      .shown()
      .needs(pick);
  add_require_flag(command, options.result, hysteron::report::pick_table().infos());
  command.option("--require").needs(pick);
  command.option("--fail-under").needs(pick);
  command.shared(parameters::kTimeLimit, options.time_limit).needs(pick);
  const Option slurm = command.path("--slurm", options.slurm, "Write an sbatch script that runs the search, then exit");
  slurm.excludes(pick);
  command.count("--ranks", options.ranks, "Number of ranks of that script; 0: one per core of this machine")
      .range(0, 100000)
      .needs(slurm);
  command.number("--hours", options.hours, "Time limit of that script, in hours")
      .range(0.01, 10000.0)
      .shown()
      .needs(slurm);
  command.shared(parameters::kJson, options.json);
}

}  // namespace

void add_explore_command(Command& app, Session& session) {
  add_command<Options>(app, session, "explore", "Search designs for accuracy, power, yield, area and settling time",
                       "hysteron explore space.toml\n"
                       "  mpirun --enable-recovery -n 4 hysteron explore space.toml --jobs 1\n"
                       "  hysteron explore space.toml --slurm job.sh --ranks 64 && sbatch job.sh\n"
                       "  hysteron explore space.toml --pick 17 --output picked --require 'decision_agreement>=1'",
                       declare, [&session](const Options& options) { return run(options, session); });
}
