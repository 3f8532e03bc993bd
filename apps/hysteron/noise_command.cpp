#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "studies/noise_report.h"
#include "studies/noise_study.h"

namespace {

using hysteron::format_si;
using hysteron::analysis::FlipFit;

struct Options {
  CircuitFlags circuit;
  hysteron::analysis::SuppressionRequest request;
  hysteron::analysis::DeviceNoiseRequest devices;
  std::string cell_capacitance = "80f";
  std::filesystem::path output;
  bool json = false;
};

/// A figure, or a dash where too little was held for one.
std::string figure(double value) { return std::isnan(value) ? "-" : fmt::format("{:.5g}", value); }

/// "10^9.7 (10^4.9 to 10^24)", seconds.
std::string power_of_ten(double exponent, const hysteron::analysis::Interval& interval) {
  if (std::isnan(exponent)) return "-";
  const std::string range =
      std::isnan(interval.low) ? "" : fmt::format(" (10^{:.3g} to 10^{:.3g})", interval.low, interval.high);
  return (std::isinf(exponent) ? "no flip" : fmt::format("10^{:.3g}", exponent)) + range;
}

/// How long a bit lasts in the middle of its band: by the flip law, and as counted under the largest noise.
void print_retention(const hysteron::analysis::Suppression& result) {
  fmt::print("\nmean seconds that a bit lasts in the middle of its band{}\n{:>8}{:>9}{:>10}{:>32}{:>32}\n",
             std::isnan(result.fit.slope) ? " (too few flips for a law)" : ", by that law", "supply", "temp",
             "sigma in", "on", "off");
  for (const auto& entry : result.retention) {
    fmt::print("{:>6.3g} V{:>7g} C{:>9.3g}%{:>32}{:>32}\n", entry.environment.supply, entry.environment.temperature,
               100.0 * entry.deviation, power_of_ten(entry.on_exponent, entry.on_interval),
               power_of_ten(entry.off_exponent, entry.off_interval));
  }
  fmt::print("counted:\n");
  for (std::size_t i = 0; i + 1 < result.counted.size(); i += 2) {
    const auto& on = result.counted[i];
    const auto& off = result.counted[i + 1];
    fmt::print("{:>6.3g} V{:>7g} C{:>9.3g}%{:>32}{:>32}\n", on.environment.supply, on.environment.temperature,
               100.0 * on.deviation, power_of_ten(on.exponent, on.interval), power_of_ten(off.exponent, off.interval));
  }
}

void print_text(const hysteron::analysis::Suppression& result) {
  const auto& loop = result.cell.loop.loop;
  fmt::print("cell: rise {}, fall {}, high {}\n\n", format_si(loop.rise, "A", 4), format_si(loop.fall, "A", 4),
             format_si(loop.high, "A", 4));
  fmt::print("{:<6}{:>7}{:>9}{:>13}{:>26}{:>8}{:>12}{:>12}{:>8}{:>9}\n", "state", "place", "sigma in", "suppression",
             "95 % interval", "trials", "quiet floor", "floor", "flips", "samples");
  for (const auto& point : result.points) {
    fmt::print("{:<6}{:>7g}{:>8.3g}%{:>13}{:>26}{:>8}{:>12}{:>12}{:>8}{:>9}\n", point.on ? "on" : "off", point.place,
               100.0 * point.deviation, figure(point.suppression.value),
               figure(point.suppression.low) + " to " + figure(point.suppression.high), point.trials,
               figure(point.floor), figure(point.noisy_floor), point.flips, point.samples);
    if (!point.reason.empty()) fmt::print("       no figure: {}\n", point.reason);
  }
  const auto& fit = result.fit;
  if (!std::isnan(fit.slope)) {
    fmt::print("\na sample flips a state with Q({:.2f} + {:.2f} m), m the margin over sigma ({} flips)\n", fit.offset,
               fit.slope, fit.flips);
    if (!result.resampled.empty()) {
      const auto interval = [&](double FlipFit::*term) {
        const auto of_term = hysteron::analysis::interval_of(result.resampled, term);
        return fmt::format("{:.2f} to {:.2f}", of_term.low, of_term.high);
      };
      fmt::print("over other draws of the points {} and {}\n", interval(&FlipFit::offset), interval(&FlipFit::slope));
    }
  }
  print_retention(result);
}

void print_devices(const hysteron::analysis::DeviceNoise& result, bool law_is_fitted) {
  const auto ratio = [](double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); };
  fmt::print("\nnoise of the cell's own devices\n{:<6}{:>7}{:>14}{:>14}{:>16}{:>18}{:>18}{:>7}\n", "state", "place",
             "output, band", "output, all", "candidate, band", "in time (output)", "(candidate)", "flips");
  for (const auto& point : result.held) {
    if (!point.held) continue;
    fmt::print("{:<6}{:>7g}{:>14}{:>14}{:>16}{:>18}{:>18}{:>7}\n", point.on ? "on" : "off", point.place,
               format_si(point.output_band, "A", 3), format_si(point.output_full, "A", 3),
               format_si(point.candidate_band, "A", 3), ratio(point.time.output_ratio.value),
               ratio(point.time.candidate_ratio.value), point.time.flips);
  }
  for (const auto& entry : result.retention) {
    fmt::print("{} in the middle of the band: {:.0f} sigma from the threshold, 10^{:.4g} s; a year needs {} ({})\n",
               entry.on ? "on" : "off", entry.margin, entry.exponent, format_si(entry.needed[1], "A", 3),
               law_is_fitted ? "by that flip law" : "by the Gaussian tail");
  }
  for (const auto& near : result.near) {
    fmt::print(
        "{} at {:g} sigma from its threshold: {} of {} trials flipped; the law, which counts noise that V0 is too "
        "slow for, expects {}\n",
        near.hold.on ? "on" : "off", near.margin_over_deviation, near.hold.time.flips, near.hold.time.trials,
        figure(near.expected_flips));
  }
}

/// noise.runs beside noise.json.
std::filesystem::path runs_folder(std::filesystem::path output) { return output.replace_extension(".runs"); }

int run(Options options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  options.request.cell_capacitance = hysteron::parse_si(options.cell_capacitance, "--cell-capacitance");
  options.devices.places = options.request.places;
  options.devices.cell_capacitance = options.request.cell_capacitance;
  options.devices.seed = options.request.seed;
  studies::check_suppression(options.request);
  studies::check_device_noise(options.devices);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  if (!options.output.empty()) {
    hysteron::check_writable(options.output, "--output");
    circuit.stored_runs = runs_folder(options.output);
  }
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const auto result = studies::study_suppression(context, options.request, session.reporter);
  auto json = hysteron::studies::suppression_json(result, options.request);
  add_conditions(context, json);
  hysteron::analysis::DeviceNoise devices;
  try {
    devices =
        studies::study_device_noise(context, result, options.request.sample_seconds, options.devices, session.reporter);
  } catch (const hysteron::Error& error) {  // what protocol A found is reported all the same
    if (error.kind() != hysteron::ErrorKind::kSimulator) throw;
    devices.failures.emplace_back(error.what());
  }
  json["device_noise"] = hysteron::studies::device_noise_json(devices, options.devices);
  if (!options.output.empty()) hysteron::write_file(options.output, json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print_text(result);
    if (!devices.held.empty()) print_devices(devices, !std::isnan(result.fit.slope));
  }
  using Failures = std::vector<std::string>;
  for (const Failures* failures : std::initializer_list<const Failures*>{&result.failures, &devices.failures}) {
    if (failures->empty()) continue;
    throw hysteron::simulator_error(
        fmt::format("{} runs could not be simulated; the first: {}", failures->size(), failures->front()));
  }
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
  command.shared(hysteron::parameters::kJson, options.json);
  add_technology_flags(command, options.circuit);
}

}  // namespace

void add_noise_command(Command& app, Session& session) {
  add_command<Options>(app, session, "noise", "Inject noise into a cell that holds a state: what is left at its output",
                       "hysteron noise --pdk gf180mcu -o noise.json\n"
                       "  hysteron noise --pdk generic180 --sigma 0.1 --places 0.75 --trials 4",
                       declare, [&session](const Options& options) { return run(options, session); });
}
