#include <fmt/format.h>

#include <filesystem>
#include <limits>
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
#include "report/power_report.h"
#include "studies/power_study.h"

namespace {

struct Options {
  CircuitFlags circuit;
  hysteron::studies::PowerRequest request;
  std::vector<std::filesystem::path> models;
  std::filesystem::path input;
  std::filesystem::path center;
  std::string corner;
  std::vector<std::size_t> clips;
  std::size_t largest_simulated = std::numeric_limits<std::size_t>::max();
  bool wants_widths = true;  ///< drawn networks too
  OutputFlags output;
};

/// Reads and checks every model and what it is to play before anything is simulated.
std::vector<hysteron::design::DesignRequest> read_models(const Options& options) {
  std::vector<hysteron::design::DesignRequest> given;
  for (const auto& path : options.models) {
    given.push_back(hysteron::design::read_design_request(
        {path, options.input, options.clips, options.center, read_frame_time(options.circuit)}));
    given.back().conditions.corner = options.corner;
    const std::string sizes = fmt::format("sizes_model{}.json", given.size() - 1);
    if (!options.output.folder.empty()) given.back().sizes = options.output.folder / sizes;
  }
  return given;
}

std::vector<hysteron::studies::NetworkPower> study_models(const Options& options,
                                                          std::vector<hysteron::design::DesignRequest> given,
                                                          const hysteron::design::DesignContext& context,
                                                          Session& session) {
  std::vector<hysteron::studies::NetworkPower> results;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool is_simulated = given[i].given.width() <= options.largest_simulated;
    results.push_back(hysteron::studies::study_network_power(
        context, std::move(given[i]), {options.models[i].string(), options.request.frames, is_simulated},
        session.reporter));
  }
  return results;
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  const auto& table = report::power_result_table();
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  if (options.request.frames == 0 || options.request.decision_frames == 0) {
    throw hysteron::bad_input("--frames and --decision-frames: expected at least one");
  }
  if (options.wants_widths) studies::check_power_request(options.request);
  std::vector<design::DesignRequest> given = read_models(options);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  for (const auto& one : given) design::read_training_features(circuit.calibration_features, one.given);
  studies::PowerRequest request = options.request;
  const std::filesystem::path& folder = options.output.folder;
  if (!folder.empty()) {
    hysteron::make_directories(folder);
    circuit.stored_runs = folder / "runs";
    request.folder = folder;
  }
  const design::DesignContext context(circuit, session.reporter, session.stop);
  studies::PowerResult result;
  result.operating_point = context.operating_point();
  if (options.wants_widths) result.widths = studies::study_power(context, request, session.reporter);
  if (!given.empty()) {
    result.networks = studies::scale_networks(study_models(options, std::move(given), context, session));
  }
  const report::Json json = print_result(options.output, "power.json", table, result);
  if (const std::size_t failed = result.failed(); failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} networks could not be simulated", failed));
  }
  report::check_requirements(requirements, json);
  return 0;
}

void declare(Command& command, Options& options) {
  namespace parameters = hysteron::parameters;
  const Option models =
      command.paths("models", options.models,
                    "Model files of your own networks; only these are studied unless --dims or --model-dims is given");
  const Option input = command.shared(parameters::kInput, options.input);
  models.needs(input);
  input.needs(models);
  command.shared(parameters::kCenter, options.center).needs(models);
  command.shared(parameters::kCorner, options.corner).needs(models);
  command.shared(parameters::kClips, options.clips).needs(models);
  command
      .count("--simulate-up-to", options.largest_simulated,
             "Study models wider than this by the power model only (default: ngspice runs all)")
      .needs(models);
  const Option dims = command.counts(
      "--dims", options.request.dims,
      "Even widths of synthetic networks to simulate in ngspice; three or more together with --model-dims");
  dims.shown();
  const Option model_dims = command.counts("--model-dims", options.request.model_dims,
                                           "Widths of synthetic networks to study by the power model only");
  model_dims.shown();
  command.count("--frames", options.request.frames, "Frames of the random clip, and of the rest").shown();
  command
      .count("--decision-frames", options.request.decision_frames,
             "Frames per decision of a synthetic network, for its energy; a model's decision takes the frames of its "
             "clips")
      .shown();
  command.seed("--seed", options.request.seed, "networks and clip");
  add_output_flag(
      command, options.output,
      "Folder for power.json, sizes and every run of ngspice; the same command again simulates only what is "
      "missing there");
  add_require_flag(command, options.output, hysteron::report::power_result_table().infos());
  add_json_flag(command, options.output);
  add_circuit_flags(command, options.circuit);
  command.when_parsed([&options, models, dims, model_dims] {
    options.wants_widths = !models.is_given() || dims.is_given() || model_dims.is_given();
  });
}

}  // namespace

void add_power_command(Command& app, Session& session) {
  add_command<Options>(app, session, "power",
                       "Supply power by block, over time, at rest and over the width of a network",
                       "hysteron power model.safetensors --input test.npy --pdk generic180 --clips 0,3\n"
                       "  hysteron power small.safetensors large.safetensors --input test.npy --clips 0 --dims 4,8,16\n"
                       "  hysteron power --pdk generic180 --dims 4,8,16 --calibrate curves\n"
                       "  hysteron power --pdk gf180mcu --dims 4,8 --model-dims 64,256,1024 --unit-current 300p",
                       declare, [&session](const Options& options) { return run(options, session); });
}
