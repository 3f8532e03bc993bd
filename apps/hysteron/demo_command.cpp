#include <fmt/format.h>

#include <filesystem>

#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "output.h"
#include "report/compile_report.h"
#include "report/demo_report.h"
#include "studies/demo.h"

namespace {

using hysteron::studies::DemoOptions;
using hysteron::studies::DemoResult;

struct Options {
  DemoOptions demo;
  CircuitFlags circuit;
  OutputFlags output;
};

int run(Options options, Session& session) {
  namespace report = hysteron::report;
  options.demo.circuit = read_circuit_flags(options.circuit);
  const DemoResult result = hysteron::studies::run_demo(options.demo, session.reporter, session.stop);
  const auto& table = report::demo_table();
  hysteron::write_file(options.demo.output / "circuit/summary.json",
                       report::json_text(report::summary_table().json(result.circuit), 2) + "\n");
  hysteron::write_file(options.demo.output / "demo.json", report::json_text(table.json(result), 2) + "\n");
  print_result(options.output, "", table, result);
  if (result.verification.failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated", result.verification.failed,
                                                result.verification.clips.size()));
  }
  return 0;
}

}  // namespace

void add_demo_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "demo", "Speech to a verified circuit: train, compile, simulate, compare",
      "hysteron demo --output demo",
      [](Command& command, Options& options) {
        command.path("--output", options.demo.output, "Folder for everything it writes").shown();
        command.text("--data", options.demo.data,
                     "Folder of class folders of audio (default: the built-in spoken corpus)");
        command.count("--width", options.demo.width, "Width d of the network").range(1, 64).shown();
        command.count("--steps", options.demo.steps, "Training steps").range(1, 1000000).shown();
        command.count("--clips", options.demo.clips, "Held-out clips to simulate").range(1, 10000).shown();
        add_json_flag(command, options.output);
        add_circuit_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
