#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "model/model_file.h"
#include "output.h"
#include "report/montecarlo_report.h"
#include "studies/montecarlo.h"

namespace {

using hysteron::studies::DieSimulator;

const std::map<std::string, DieSimulator> kEngines = {
    {"behavioural", DieSimulator::kBehavioural}, {"spice", DieSimulator::kSpice}, {"both", DieSimulator::kBoth}};

struct Options {
  DesignFlags design;
  hysteron::studies::MonteCarloRequest request;
  std::filesystem::path trim_on;
  std::size_t trim_clips = 40;
  OutputFlags output;
};

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::montecarlo_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  studies::check_dies(options.request);
  design::DesignRequest of = read_design_flags(options.design);
  studies::MonteCarloRequest request = options.request;
  const std::filesystem::path& folder = options.output.folder;
  if (!folder.empty()) {
    hysteron::make_directories(folder);
    request.folder = folder / "dies";
    of.sizes = folder / "sizes.json";
  }
  if (request.trim.legs > 0) {
    const auto& origin = options.trim_on.empty() ? options.design.files.training : options.trim_on;
    const auto trim_features =
        options.trim_on.empty() ? of.training : design::read_training_features(options.trim_on, of.given);
    if (!trim_features) {
      throw hysteron::Error(hysteron::ErrorKind::kUsage, "--trim requires training clips from --trim-on or --center");
    }
    request.trim.features =
        studies::pick_trim_clips(*trim_features, options.trim_clips, of.features, hysteron::quoted(origin.string()));
  }
  const design::DesignContext context(read_circuit_flags(options.design.circuit, of.given), session.reporter,
                                      session.stop);
  const design::Design dut = design::build_design(context, std::move(of), session.reporter);
  const studies::MonteCarlo result = studies::run_montecarlo(dut, request, session.reporter);
  const report::Json json = print_result(options.output, "montecarlo.json", table, result);
  if (!result.failed.empty()) {
    throw hysteron::simulator_error(fmt::format("{} of {} runs could not be simulated", result.failed.size(),
                                                result.per_die.size() * result.per_clip.size()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

void declare(Command& command, Options& options) {
  add_design_flags(command, options.design);
  command.count("--dies", options.request.dies, std::string(hysteron::parameters::kDies.help)).required();
  command.seed("--seed", options.request.seed, "the first die; every further die takes the next one");
  command
      .choice<DieSimulator>("--engine", options.request.simulator, kEngines,
                            "behavioural (dies drawn from measured statistics), spice (the technology's own mismatch "
                            "in ngspice) or both (ngspice's dies in both, compared)")
      .shown();
  command.flag("--device-noise", options.request.device_noise,
               "Behavioural: add the thermal and flicker noise of every device, independent in every frame");
  auto& trim = options.request.trim;
  command.count("--trim", trim.legs,
                "Trim at most this many bias legs, the same on all dies, after fabrication; the text shows the yield "
                "before, too (docs/robustness.md)");
  command.path(
      "--trim-on", options.trim_on,
      "Features, .npy, to determine the trim codes with (default: those of --center); must not contain tested clips");
  command.count("--trim-clips", options.trim_clips, "How many of them to play to every die, evenly spread")
      .range(1, 100000)
      .shown();
  command.count("--trim-bits", trim.dac.bits, "Bits of every trim DAC").range(1, 10).shown();
  command.number("--trim-step", trim.dac.step, "Step of every trim, as a share of the leg's current")
      .range(1e-4, 0.5)
      .shown();
  add_output_flag(command, options.output,
                  "Folder for montecarlo.json, the calibrated sizes and the results of every die; the same command "
                  "again runs only what is missing there");
  add_require_flag(command, options.output, hysteron::report::montecarlo_table().infos());
  add_json_flag(command, options.output);
}

}  // namespace

void add_montecarlo_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "montecarlo", "Simulate many dies with mismatch and count those that decide as software does",
      "hysteron montecarlo model.safetensors --input test.npy --pdk generic180 --dies 1000\n"
      "  hysteron montecarlo model.safetensors --input test.npy --dies 50 --engine both --clips 0,1,2 --output dies\n"
      "  hysteron montecarlo model.safetensors --input test.npy --center training.npy --dies 1000 --trim 2",
      declare, [&session](const Options& options) { return run(options, session); });
}
