#include <fmt/format.h>

#include "base/error.h"
#include "circuit_options.h"
#include "commands.h"
#include "output.h"
#include "report/verify_report.h"
#include "studies/verification.h"

namespace {

struct Options {
  DesignFlags design;
  hysteron::studies::ClipFiles files;
  OutputFlags output;
};

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  const auto& table = report::verify_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  design::DesignRequest request = read_design_flags(options.design);
  hysteron::studies::ClipFiles files = options.files;
  if (!options.output.folder.empty()) {
    files.records = options.output.folder / "clips";
    request.sizes = options.output.folder / "sizes.json";
  }
  hysteron::studies::check_clip_files(files, request.clips.size());
  const design::DesignContext context(read_circuit_flags(options.design.circuit, request.given), session.reporter,
                                      session.stop);
  const design::Design dut = design::build_design(context, std::move(request), session.reporter);
  const auto verification = hysteron::studies::verify(dut, files, session.reporter);
  const report::Json json = print_result(options.output, "verify.json", table, verification);
  if (verification.failed > 0) {
    throw hysteron::simulator_error(
        fmt::format("{} of {} clips could not be simulated", verification.failed, verification.clips.size()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

}  // namespace

void add_verify_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "verify", "Compare the software model with its circuit in ngspice, clip by clip",
      "hysteron verify model.safetensors --input test.npy --pdk generic180 --clips 0,3,7\n"
      "  hysteron verify model.safetensors --input test.npy --center training.npy\n"
      "  hysteron verify model.safetensors --input test.npy --output signoff --require 'frame_agreement>=0.99'\n"
      "  hysteron verify model.safetensors --input test.npy --clips 3 --waveforms clip3.safetensors",
      [](Command& command, Options& options) {
        add_design_flags(command, options.design);
        add_waveform_flags(command, options.files);
        add_output_flag(command, options.output,
                        "Folder for verify.json and one file per clip; the same command again simulates only what is "
                        "missing there");
        add_require_flag(command, options.output, hysteron::report::verify_table().infos());
        add_json_flag(command, options.output);
      },
      [&session](const Options& options) { return run(options, session); });
}
