#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "model/model_file.h"
#include "output.h"
#include "report/corners_report.h"
#include "studies/corners.h"

namespace {

struct Options {
  DesignFlags design;
  hysteron::studies::CornersRequest request;
  std::string reference = "transistors";
  OutputFlags output;
};

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::corners_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  design::DesignRequest of = read_design_flags(options.design);
  studies::CornersRequest request = options.request;
  request.drifts = options.reference == "transistors";
  const std::filesystem::path& folder = options.output.folder;
  if (!folder.empty()) {
    hysteron::make_directories(folder);
    request.folder = folder;
    of.sizes = folder / "sizes.json";
  }
  const design::DesignContext context(read_circuit_flags(options.design.circuit, of.given), session.reporter,
                                      session.stop);
  studies::check_corners(context, request);
  const design::Design dut = design::build_design(context, std::move(of), session.reporter);
  const studies::Corners corners = studies::run_corners(dut, request, session.reporter);
  const report::Json json = print_result(options.output, "corners.json", table, corners);
  if (corners.failed > 0) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} runs could not be simulated", corners.failed, corners.points.size() * dut.clips.size()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

void declare(Command& command, Options& options) {
  add_design_flags(command, options.design);
  command.texts("--corners", options.request.corners, "Process corners (default: all of the technology's)");
  command.numbers("--supplies", options.request.supplies, "Supply voltages (default: 0.9, 1 and 1.1 times --supply)");
  command.numbers("--temperatures", options.request.temperatures, "Temperatures, in degrees Celsius").shown();
  command.numbers("--beside", options.request.beside, "Temperatures to report but exclude from the worst case").shown();
  command
      .choice("--reference", options.reference, {"transistors", "ideal"},
              "Where the unit current comes from: transistors (a self-biased reference, which drifts) or ideal")
      .shown();
  add_output_flag(command, options.output,
                  "Folder for corners.json and a file for every point and clip; the same command again simulates only "
                  "what is missing there");
  add_require_flag(command, options.output, hysteron::report::corners_table().infos());
  add_json_flag(command, options.output);
}

}  // namespace

void add_corners_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "corners",
      "Simulate a circuit over process corners, supplies and temperatures, with a reference that drifts",
      "hysteron corners model.safetensors --input test.npy --pdk gf180mcu --clips 0,1,2 --output corners\n"
      "  hysteron corners model.safetensors --input test.npy --corners ss,ff --temperatures 27 --beside 85",
      declare, [&session](const Options& options) { return run(options, session); });
}
