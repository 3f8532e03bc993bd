#include "studies/quadrant_study.h"

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "output.h"
#include "report/quadrant_report.h"
#include "study_commands.h"

namespace {

struct Options {
  hysteron::studies::QuadrantRequest request;
  std::string base;
  std::string output = "quadrant.json";
  OutputFlags print;
};

void declare(Command& command, Options& options) {
  options.request.tasks = {"copy_first", "flip_flop", "denoising", "parity", "keywords"};
  options.request.widths = {8, 32};
  command.text("--base", options.base, "Configuration file that every run starts from");
  command.texts("--tasks", options.request.tasks, "Tasks, separated by commas").shown();
  command.counts("--widths", options.request.widths, "Widths, separated by commas").range(1, 4096).shown();
  command.count("--seeds", options.request.seeds, "Training runs for each task and width").range(1, 1000).shown();
  command.count("--steps", options.request.steps, "Optimiser steps of each run; 0: those of the base configuration")
      .range(0, 1000000000);
  command.numbers("--noise", options.request.noise, "Noise on candidates for retention, relative to the threshold")
      .range(0.0, 10.0)
      .shown();
  command
      .text("-o,--output", options.output,
            "JSON file with every run; until it is complete, finished runs are stored beside it, in FILE.runs")
      .shown();
  command.shared(hysteron::parameters::kJobs, options.request.jobs);
  add_json_flag(command, options.print);
}

int run(Options options, Session& session) {
  const auto& table = hysteron::report::quadrant_table();
  hysteron::check_writable(options.output, "--output");  // hours of training come first
  options.request.base = options.base;
  options.request.stored = options.output + ".runs";
  hysteron::report::QuadrantResult result{
      hysteron::studies::study_quadrant(options.request, session.reporter, session.stop), {}};
  write_json(options.output, table.json(result));
  result.output = options.output;
  print_result(options.print, "", table, result);
  return 0;
}

}  // namespace

void add_quadrant_study(Command& study, Session& session) {
  add_command<Options>(study, session, "quadrant", "Compare the BMRU with its first-quadrant form: costs and gains",
                       "hysteron study quadrant --tasks copy_first,flip_flop --widths 8 --seeds 3 -o quadrant.json",
                       declare, [&session](const Options& options) { return run(options, session); });
}
