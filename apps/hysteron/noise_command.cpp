#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "output.h"
#include "report/noise_report.h"
#include "studies/noise_study.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::analysis::SuppressionRequest request;
  hysteron::analysis::DeviceNoiseRequest devices;
  std::string cell_capacitance = "80f";
  std::filesystem::path output;
  OutputFlags print;
};

/// noise.runs beside noise.json.
std::filesystem::path runs_folder(std::filesystem::path output) { return output.replace_extension(".runs"); }

int run(Options options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::noise_table();
  const auto requirements = read_requirements(options.print, table.infos(), session.reporter);
  options.request.cell_capacitance = hysteron::parse_si(options.cell_capacitance, "--cell-capacitance");
  options.devices.places = options.request.places;
  options.devices.cell_capacitance = options.request.cell_capacitance;
  options.devices.seed = options.request.seed;
  const studies::NoiseRequest request{options.request, options.devices};
  studies::check_noise(request);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  if (!options.output.empty()) {
    hysteron::check_writable(options.output, "--output");
    circuit.stored_runs = runs_folder(options.output);
  }
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const studies::NoiseStudy study = studies::study_noise(context, request, session.reporter);
  write_json(options.output, table.json(study));
  const report::Json json = print_result(options.print, "", table, study);
  if (const std::vector<std::string> failures = study.failures(); !failures.empty()) {
    throw hysteron::simulator_error(
        fmt::format("{} runs could not be simulated; the first: {}", failures.size(), failures.front()));
  }
  report::check_requirements(requirements, json);
  return 0;
}

void declare(Command& command, Options& options) {
  auto& request = options.request;
  command
      .numbers("--sigma", request.deviations, "Standard deviations of the noise on the candidate, relative to beta_hi")
      .shown();
  command
      .numbers("--places", request.places,
               "Positions of the held candidate in the band: 0 is the lower threshold, 1 the upper; above 1 only with "
               "the state on")
      .shown();
  command.count("--trials", request.trials, "Trials per point").shown();
  command.count("--samples", request.samples, "Noise samples per trial").shown();
  command.number("--sample-seconds", request.sample_seconds, "Seconds between noise samples").shown();
  command.numbers("--supplies", request.supplies, "Supply voltages at which to predict the retention time").shown();
  command
      .numbers("--temperatures", request.temperatures,
               "Temperatures at which to predict the retention time, in degrees Celsius")
      .shown();
  command.text("--cell-capacitance", options.cell_capacitance, "Capacitance at V0, in farad; 0: none").shown();
  command
      .count("--device-trials", options.devices.trials,
             "Time-domain trials with the devices' own noise; 0: small-signal noise only")
      .shown();
  command.count("--device-samples", options.devices.samples, "Samples per device-noise trial").shown();
  command.number("--device-sample-seconds", options.devices.sample_seconds, "Seconds between samples of device noise")
      .shown();
  command
      .numbers("--device-margins", options.devices.margins,
               "Distances from a threshold to test, in standard deviations of its noise")
      .shown();
  command.seed("--seed", request.seed, "the noise");
  command.path("-o,--output", options.output,
               "Write the JSON object to this file too, NAME.json, and keep every run of ngspice in NAME.runs; the "
               "same command again simulates only what is missing there");
  add_require_flag(command, options.print, hysteron::report::noise_table().infos());
  add_json_flag(command, options.print);
  add_technology_flags(command, options.circuit);
}

}  // namespace

void add_noise_command(Command& app, Session& session) {
  add_command<Options>(app, session, "noise",
                       "Inject noise into a cell holding a state and measure what reaches its output",
                       "hysteron noise --pdk gf180mcu -o noise.json\n"
                       "  hysteron noise --pdk generic180 --sigma 0.1 --places 0.75 --trials 4",
                       declare, [&session](const Options& options) { return run(options, session); });
}
