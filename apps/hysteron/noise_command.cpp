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
  command.numbers("--sigma", request.deviations, "Deviations of the noise on the candidate, over beta_hi").shown();
  command
      .numbers("--places", request.places,
               "Held candidates: 0 is the lower threshold, 1 the upper; above 1 with the state on only")
      .shown();
  command.count("--trials", request.trials, "Trials of every point").shown();
  command.count("--samples", request.samples, "Noise samples of a trial").shown();
  command.number("--sample-seconds", request.sample_seconds, "Time between noise samples").shown();
  command.numbers("--supplies", request.supplies, "Volt, of the retention time").shown();
  command.numbers("--temperatures", request.temperatures, "Degree Celsius, of the retention time").shown();
  command.text("--cell-capacitance", options.cell_capacitance, "Capacitor at V0, farad; 0: none").shown();
  command
      .count("--device-trials", options.devices.trials,
             "Trials in time with the devices' own noise; 0: their small-signal noise alone")
      .shown();
  command.count("--device-samples", options.devices.samples, "Samples of such a trial").shown();
  command.number("--device-sample-seconds", options.devices.sample_seconds, "Time between them").shown();
  command
      .numbers("--device-margins", options.devices.margins,
               "Distances from a threshold that are tried, over the deviation of its noise")
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
  add_command<Options>(app, session, "noise", "Inject noise into a cell that holds a state: what is left at its output",
                       "hysteron noise --pdk gf180mcu -o noise.json\n"
                       "  hysteron noise --pdk generic180 --sigma 0.1 --places 0.75 --trials 4",
                       declare, [&session](const Options& options) { return run(options, session); });
}
