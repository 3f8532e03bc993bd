#include <string>

#include "circuit_options.h"
#include "output.h"
#include "report/accumulation_report.h"
#include "studies/noise_study.h"
#include "study_commands.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::studies::AccumulationStudyRequest request;
  bool device_noise = false;
  double frame_seconds = 0.01;
  OutputFlags output;
};

int run(Options options, Session& session) {
  namespace studies = hysteron::studies;
  const auto& table = hysteron::report::accumulation_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  studies::check_accumulation(options.request);
  if (!options.output.folder.empty()) options.request.folder = options.output.folder / "runs";
  if (options.device_noise) {
    const hysteron::design::DesignContext context(read_circuit_flags(options.circuit), session.reporter, session.stop);
    options.request.mirrors = studies::measure_mirror_noise(context, options.frame_seconds, session.reporter);
  }
  const auto study =
      studies::study_accumulation(options.request, options.circuit.options.jobs, session.reporter, session.stop);
  const hysteron::report::Json json = print_result(options.output, "accumulation.json", table, study);
  hysteron::report::check_requirements(requirements, json);
  return 0;
}

void declare(Command& command, Options& options) {
  auto& request = options.request.chains;
  command
      .numbers("--noise", options.request.noises,
               "Relative standard deviations of every mirror's current in each frame")
      .shown();
  command.count("--frames", request.frames, "Frames for which the value is held").shown();
  command.count("--layers", request.layers, "Layers that the value passes through").shown();
  command.count("--chains", request.chains, "Independent chains").shown();
  command.number("--decay", request.decay, "Fraction of a value that the linear memories retain from frame to frame")
      .shown();
  command.seed("--seed", request.seed, "values and noise");
  command.flag("--device-noise", options.device_noise,
               "One deviation more, the first: that of a mirror of the technology at the unit current by the thermal "
               "and flicker noise of its devices");
  command
      .number("--frame-seconds", options.frame_seconds,
              "With --device-noise: frame time over which a mirror's noise is averaged, in seconds")
      .range(1e-6, 1e3)
      .shown();
  add_output_flag(command, options.output,
                  "Folder for accumulation.json and what every memory did; the same command again runs only what is "
                  "missing there");
  add_require_flag(command, options.output, hysteron::report::accumulation_table().infos());
  add_json_flag(command, options.output);
  add_technology_flags(command, options.circuit);
}

}  // namespace

void add_accumulation_study(Command& study, Session& session) {
  add_command<Options>(study, session, "accumulation",
                       "Compare how bistable cells and linear memories made of the same noisy mirrors hold a value",
                       "hysteron study accumulation --noise 0.01,0.1 --frames 1000 --layers 8\n"
                       "  hysteron study accumulation --device-noise --pdk gf180mcu --output accumulation",
                       declare, [&session](const Options& options) { return run(options, session); });
}
