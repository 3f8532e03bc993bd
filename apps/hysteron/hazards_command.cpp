#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "output.h"
#include "report/hazards_report.h"
#include "studies/hazard_study.h"

namespace {

struct Options {
  DesignFlags design;
  hysteron::studies::HazardRequest request;
  OutputFlags output;
};

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::hazards_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  design::DesignRequest request = read_design_flags(options.design);
  const std::filesystem::path& folder = options.output.folder;
  if (!folder.empty()) {
    hysteron::make_directories(folder);
    request.sizes = folder / "sizes.json";
  }
  design::CircuitOptions circuit = read_circuit_flags(options.design.circuit, request.given);
  if (!folder.empty()) circuit.stored_runs = folder / "runs";
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const design::Design dut = design::build_design(context, std::move(request), session.reporter);
  const studies::HazardStudy study = studies::study_hazards(dut, options.request, session.reporter);
  const report::Json json = print_result(options.output, "hazards.json", table, study);
  if (study.failed.empty() && study.trial && study.trial->failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated with {} {}", study.trial->failed,
                                                dut.clips.size(), study.trial->mitigation.flag,
                                                study.trial->mitigation.value));
  }
  if (!study.failed.empty()) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} clips could not be simulated", study.failed.size(), dut.clips.size()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

}  // namespace

void add_hazards_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "hazards", "Find glitches between frames, settling times and the highest frame rate of a circuit",
      "hysteron hazards model.safetensors --input test.npy --pdk gf180mcu --clips 0,3 --rate\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 0 --try\n"
      "  hysteron hazards model.safetensors --input test.npy --clips 0,3 --cell-capacitance 50f --input-ramp 1m",
      [](Command& command, Options& options) {
        add_design_flags(command, options.design);
        add_output_flag(
            command, options.output,
            "Folder for hazards.json, sizes and every run of ngspice; the same command again simulates only "
            "what is missing there");
        command.flag("--try", options.request.try_advice,
                     "Run the clips again with the first suggested mitigation and report what it did");
        command.flag("--rate", options.request.search_rate,
                     "Look for the shortest frame time at which agreement holds; simulates the clips about ten times");
        command
            .number("--least-agreement", options.request.min_agreement,
                    "Frame agreement that has to hold (or that of the circuit's own frame time, if neither it nor 16 "
                    "times as long a one reaches this)")
            .range(0.0, 1.0)
            .shown();
        add_require_flag(command, options.output, hysteron::report::hazards_table().infos());
        add_json_flag(command, options.output);
      },
      [&session](const Options& options) { return run(options, session); });
}
