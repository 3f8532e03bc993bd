#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "circuit_options.h"
#include "studies/noise_study.h"
#include "study_commands.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::studies::AccumulationStudyRequest request;
  bool device_noise = false;
  double frame_seconds = 0.01;
  std::filesystem::path output;
  bool json = false;
};

/// What the devices of the technology do to a mirror in a frame, and what they were measured at.
nlohmann::ordered_json measured_noise(const Options& options, Session& session) {
  const hysteron::design::DesignContext context(read_circuit_flags(options.circuit), session.reporter, session.stop);
  nlohmann::ordered_json json;
  add_conditions(context, json);
  json["frame_seconds"] = options.frame_seconds;
  json["mirror_noise"] =
      hysteron::behavioural::mirror_noise(context.device_statistics(session.reporter), context.technology(),
                                          context.options().conditions.unit_current, options.frame_seconds);
  return json;
}

void print_shares(const char* what, const std::vector<double>& shares) {
  fmt::print("  {:<10}", what);
  for (const double share : shares) {
    fmt::print(" {:>9}", std::isnan(share) ? "none left" : fmt::format("{:.3g} %", 100.0 * share));
  }
}

void print_growth(const hysteron::studies::Growth& growth, const char* what) {
  fmt::print("  {:<10}", what);
  for (const std::size_t at : growth.at) fmt::print(" {:>9}", at);
  fmt::print("   exponent\n");
  print_shares("error", growth.error);
  const bool has_exponent = !std::isnan(growth.exponent.value);
  fmt::print("   {}\n", has_exponent
                            ? fmt::format("{:.3f} +- {:.3f}", growth.exponent.value, growth.exponent.half_interval)
                            : "-");
  if (std::ranges::all_of(growth.wrong_bits, [](double share) { return share == 0.0; })) return;
  print_shares("bits lost", growth.wrong_bits);
  fmt::print("   (the error is of the others)\n");
}

int run(Options options, Session& session) {
  namespace studies = hysteron::studies;
  studies::check_accumulation(options.request);
  if (!options.output.empty()) options.request.folder = options.output / "runs";
  nlohmann::ordered_json measured = nlohmann::ordered_json::object();
  if (options.device_noise) {
    measured = measured_noise(options, session);
    options.request.noises.insert(options.request.noises.begin(), measured["mirror_noise"].get<double>());
  }
  const auto levels =
      studies::study_accumulation(options.request, options.circuit.options.jobs, session.reporter, session.stop);
  nlohmann::ordered_json json = studies::accumulation_json(levels, options.request);
  json.update(measured);
  if (!options.output.empty()) hysteron::write_file(options.output / "accumulation.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
    return 0;
  }
  if (options.device_noise) {
    fmt::print("a mirror of {} by the noise of its devices: {:.4f} % of its current\n",
               measured["technology"].get<std::string>(), 100.0 * measured["mirror_noise"].get<double>());
  }
  for (const auto& level : levels) {
    for (const auto& result : level.memories) {
      fmt::print("{}, mirrors off by {:.4g} %\n", hysteron::behavioural::name_of(result.run.memory),
                 100.0 * level.noise);
      print_growth(result.over_frames, "frames");
      print_growth(result.over_layers, "layers");
    }
  }
  return 0;
}

void declare(Command& command, Options& options) {
  auto& request = options.request.chains;
  command.numbers("--noise", options.request.noises, "Relative deviations of every mirror's current in a frame")
      .shown();
  command.count("--frames", request.frames, "Frames that the value is kept").shown();
  command.count("--layers", request.layers, "Layers it goes through").shown();
  command.count("--chains", request.chains, "Independent chains").shown();
  command.number("--decay", request.decay, "What the linear memories keep of a value from frame to frame").shown();
  command.seed("--seed", request.seed, "values and noise");
  command.flag("--device-noise", options.device_noise,
               "One deviation more, the first: that of a mirror of the technology at the unit current by the thermal "
               "and flicker noise of its devices");
  command.number("--frame-seconds", options.frame_seconds, "Of --device-noise: a frame, over which a mirror is read")
      .range(1e-6, 1e3)
      .shown();
  command.path("-o,--output", options.output,
               "Folder for accumulation.json and what every memory did; the same command again runs only what is "
               "missing there");
  command.shared(hysteron::parameters::kJson, options.json);
  add_technology_flags(command, options.circuit);
}

}  // namespace

void add_accumulation_study(Command& study, Session& session) {
  add_command<Options>(study, session, "accumulation",
                       "Keep a value in bistable cells and in linear memories made of the same noisy mirrors",
                       "hysteron study accumulation --noise 0.01,0.1 --frames 1000 --layers 8\n"
                       "  hysteron study accumulation --device-noise --pdk gf180mcu --output accumulation",
                       declare, [&session](const Options& options) { return run(options, session); });
}
