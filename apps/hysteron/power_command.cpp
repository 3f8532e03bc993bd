#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "data/npy.h"
#include "design/prepared_model.h"
#include "model/model_file.h"
#include "studies/power_study.h"

namespace {

using hysteron::format_si;

struct Options {
  CircuitFlags circuit;
  hysteron::studies::PowerRequest request;
  std::vector<std::filesystem::path> models;
  std::filesystem::path input;
  std::filesystem::path center;
  std::string corner;
  std::vector<std::size_t> clips;
  std::filesystem::path output;
  std::size_t largest_simulated = std::numeric_limits<std::size_t>::max();
  bool wants_widths = true;  ///< drawn networks too
  bool json = false;
};

std::string nanowatt(const nlohmann::json& value) { return format_si(value.get<double>() * hysteron::kNano, "W"); }

std::string with_interval(const nlohmann::json& row, const std::string& name) {
  const nlohmann::json& half = row[name + "_half_interval"];
  return fmt::format("{:.3f}", row[name].get<double>()) +
         (half.is_number() ? fmt::format(" +- {:.3f}", half.get<double>()) : "");
}

void print_fit(const nlohmann::json& fit) {
  const auto term = [&](const std::string& name) {
    const nlohmann::json& half = fit[name + "_half_interval_nw"];
    return nanowatt(fit[name + "_nw"]) + (half.is_number() ? " (+- " + nanowatt(half) + ")" : "");
  };
  fmt::print("P = {} + {} d + {} d^2, within {:.2g} %\n", term("constant"), term("linear"), term("quadratic"),
             100.0 * fit["worst_relative_error"].get<double>());
}

void print_local(const nlohmann::json& local) {
  fmt::print("{:>12}{:>20}{:>20}{:>20}\n", "exponent", "total", "cells", "feedforward");
  for (const nlohmann::json& step : local) {
    fmt::print("{:>12}{:>20}{:>20}{:>20}\n", fmt::format("{} to {}", step["from"].dump(), step["to"].dump()),
               with_interval(step, "total"), with_interval(step, "cells"), with_interval(step, "feedforward"));
  }
}

void print_widths(const nlohmann::json& json) {
  fmt::print("by the model, means over drawn networks; ngspice, and the model of it, of the first of them\n");
  fmt::print("{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n", "d", "total", "cells", "feedforward",
             "d x d legs", "at rest", "ngspice", "its model", "energy/frame");
  for (const nlohmann::json& point : json["points"]) {
    const nlohmann::json& model = point["model_nw"];
    fmt::print("{:>6}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}{:>14}\n", point["dim"].get<std::size_t>(),
               nanowatt(model["total"]), nanowatt(model["cells"]), nanowatt(model["feedforward"]),
               nanowatt(model["square_legs"]), nanowatt(point["rest_nw"]["total"]),
               point.contains("spice_nw") ? nanowatt(point["spice_nw"]["total"]) : "",
               point.contains("spice_nw") ? nanowatt(point["model_of_first_nw"]["total"]) : "",
               format_si(point["energy_per_frame_j"].get<double>(), "J"));
  }
  fmt::print("\n");
  print_fit(json["fit_total"]);
  fmt::print("exponents: cells {}, d x d legs {}\n", with_interval(json, "exponent_cells"),
             with_interval(json, "exponent_feedforward"));
  print_local(json["local"]);
  if (json["worst_model_error"].is_null()) {
    fmt::print("ngspice ran none of the networks: the model is not compared with it\n");
    return;
  }
  fmt::print(
      "at most the model is {:.1f} % from ngspice; given the bits that the circuit held, {:.1f} %, and of the last "
      "tenths of frames {:.1f} %\n",
      100.0 * json["worst_model_error"].get<double>(), 100.0 * json["worst_model_error_same_bits"].get<double>(),
      100.0 * json["worst_model_error_settled"].get<double>());
}

void print_network(const nlohmann::json& network) {
  fmt::print("\n{} (d = {}, {} clips of {} frames)\n", network["model"].get<std::string>(), network["dim"].dump(),
             network["clips"].size(), network["frames"].dump());
  fmt::print("{:<24}{:>12}{:>12}\n", "", "listening", "at rest");
  const auto row = [](const std::string& name, const nlohmann::json& listening, const nlohmann::json& rest) {
    fmt::print("{:<24}{:>12}{:>12}\n", name, nanowatt(listening), nanowatt(rest));
  };
  row("by the model", network["model_nw"]["total"], network["rest_nw"]["total"]);
  if (network.contains("blocks")) {
    for (const char* part : {"total", "cells", "feedforward"}) {
      row(std::string("ngspice: ") + part, network["spice_nw"][part], network["spice_rest_nw"][part]);
    }
    for (const nlohmann::json& block : network["blocks"]) {
      row("  " + block["block"].get<std::string>() + " " + block["part"].get<std::string>(), block["listening_nw"],
          block["rest_nw"]);
    }
  }
  if (network.contains("over_time_nw")) {
    const std::vector<double> frames = network["over_time_nw"]["listening"][0]["total"];
    const auto [least, most] = std::ranges::minmax(frames);
    fmt::print("{:<24}{} to {} (--json: every frame and block)\n", "frames of the first clip",
               format_si(least * hysteron::kNano, "W"), format_si(most * hysteron::kNano, "W"));
  }
  fmt::print("energy                  {} a frame, {} a decision\n",
             format_si(network["energy_per_frame_j"].get<double>(), "J"),
             format_si(network["energy_per_decision_j"].get<double>(), "J"));
}

void print_text(const nlohmann::json& json) {
  if (json.contains("points")) print_widths(json);
  if (!json.contains("networks")) return;
  for (const nlohmann::json& network : json["networks"]) print_network(network);
  for (const char* name : {"networks_model_scaling", "networks_spice_scaling"}) {
    if (!json.contains(name)) continue;
    const nlohmann::json& scaling = json[name];
    fmt::print("\nthese networks {}: exponents cells {}, feedforward {}\n",
               name == std::string("networks_model_scaling") ? "by the model" : "in ngspice",
               with_interval(scaling, "exponent_cells"), with_interval(scaling, "exponent_feedforward"));
    print_local(scaling["local"]);
    if (scaling.contains("fit_total")) print_fit(scaling["fit_total"]);
  }
}

/// Reads and checks every model and what it is to play before anything is simulated.
std::vector<hysteron::design::DesignRequest> read_models(const Options& options) {
  std::vector<hysteron::design::DesignRequest> given;
  for (const auto& path : options.models) {
    given.push_back(hysteron::design::read_design_request(
        {path, options.input, options.clips, options.center, read_frame_time(options.circuit)}));
    given.back().conditions.corner = options.corner;
    const std::string sizes = fmt::format("sizes_model{}.json", given.size() - 1);
    if (!options.output.empty()) given.back().sizes = options.output / sizes;
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
  namespace studies = hysteron::studies;
  if (options.request.frames == 0 || options.request.decision_frames == 0) {
    throw hysteron::bad_input("--frames and --decision-frames: expected at least one");
  }
  if (options.wants_widths) studies::check_power_request(options.request);
  std::vector<design::DesignRequest> given = read_models(options);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  for (const auto& one : given) design::read_training_features(circuit.calibration_features, one.given);
  studies::PowerRequest request = options.request;
  if (!options.output.empty()) {
    hysteron::make_directories(options.output);
    circuit.stored_runs = options.output / "runs";
    request.folder = options.output;
  }
  const design::DesignContext context(circuit, session.reporter, session.stop);
  nlohmann::json json = nlohmann::json::object();
  add_conditions(context, json);
  std::size_t failed = 0;
  if (options.wants_widths) {
    const studies::PowerStudy study = studies::study_power(context, request, session.reporter);
    json.update(studies::power_study_json(study));
    failed += study.failed();
  }
  if (!given.empty()) {
    const auto networks = study_models(options, std::move(given), context, session);
    json.update(studies::networks_json(networks));
    for (const studies::NetworkPower& network : networks) failed += network.error.empty() ? 0 : 1;
  }
  if (!options.output.empty()) hysteron::write_file(options.output / "power.json", json.dump(1) + "\n");
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print_text(json);
  }
  if (failed > 0) throw hysteron::simulator_error(fmt::format("{} networks could not be simulated", failed));
  return 0;
}

void declare(Command& command, Options& options) {
  namespace parameters = hysteron::parameters;
  const Option models = command.paths(
      "models", options.models, "Model files: networks of your own, alone unless --dims or --model-dims is given");
  const Option input = command.shared(parameters::kInput, options.input);
  models.needs(input);
  input.needs(models);
  command.shared(parameters::kCenter, options.center).needs(models);
  command.shared(parameters::kCorner, options.corner).needs(models);
  command.shared(parameters::kClips, options.clips).needs(models);
  command
      .count("--simulate-up-to", options.largest_simulated,
             "Models wider than this are studied by the power model alone (default: ngspice takes all)")
      .needs(models);
  const Option dims =
      command.counts("--dims", options.request.dims,
                     "Even widths of drawn networks that ngspice simulates; three or more with those of --model-dims");
  dims.shown();
  const Option model_dims =
      command.counts("--model-dims", options.request.model_dims, "Widths by the power model alone");
  model_dims.shown();
  command.count("--frames", options.request.frames, "Frames of the drawn clip, and of the rest").shown();
  command
      .count("--decision-frames", options.request.decision_frames,
             "Frames that a decision of a drawn network takes, for its energy; a model's are those of its clips")
      .shown();
  command.seed("--seed", options.request.seed, "networks and clip");
  command.path("-o,--output", options.output,
               "Folder for power.json, sizes and every run of ngspice; the same command again simulates only what is "
               "missing there");
  command.shared(parameters::kJson, options.json);
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
