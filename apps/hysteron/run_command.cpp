#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/montecarlo.h"
#include "hysteron/flow/run.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path input;
  std::filesystem::path output;
  std::string engine = "software";
  std::optional<std::uint64_t> die;
  std::filesystem::path die_file;
  hysteron::flow::ClipFiles files;
  bool json = false;
};

hysteron::flow::RunResult run_engine(const Options& options, const hysteron::model::Network& network,
                                     const hysteron::data::Features& features, Session& session) {
  namespace flow = hysteron::flow;
  const flow::CircuitOptions circuit = read_circuit_flags(options.circuit, network);
  flow::DieChoice die{options.die, {}};
  if (!options.die_file.empty()) die.errors = hysteron::model::read_die_file(options.die_file, network);
  if (options.engine == "software") {
    return flow::run_software(die.errors ? hysteron::model::on_die(network, *die.errors) : network, features,
                              circuit.jobs);
  }
  if (options.engine == "spice") {
    return flow::run_spice(circuit, network, features, die, options.files, session.reporter, session.stop);
  }
  return flow::run_behavioural(circuit, network, features, die, session.reporter, session.stop);
}

void check_flags(const Options& options) {
  namespace flow = hysteron::flow;
  const auto usage = [](const char* message) { return hysteron::Error(hysteron::ErrorKind::kUsage, message); };
  if (options.die) {
    if (options.engine == "software") throw usage("--die needs --engine behavioural or spice");
    flow::check_die_seeds("--die", *options.die, 1);
  }
  if (!options.die_file.empty() && options.engine == "spice") {
    throw usage("--die-file needs --engine software or behavioural: ngspice draws its dies itself");
  }
  if (!options.die_file.empty() && options.die) throw usage("--die and --die-file name two dies; expected one");
  if (!options.files.waveforms.empty() && options.engine != "spice") throw usage("--waveforms needs --engine spice");
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  check_flags(options);
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  flow::check_clips(network, features, {}, hysteron::quoted(options.input.string()));
  flow::check_clip_files(options.files, features.clips);
  const flow::RunResult result = run_engine(options, network, features, session);
  if (!options.output.empty()) flow::write_run(result, options.output);
  if (options.json) {
    nlohmann::json json = {{"decisions", result.decisions},
                           {"votes", result.votes},
                           {"labels", network.labels},
                           {"engine", options.engine}};
    if (!options.die_file.empty()) json["die_file"] = options.die_file.string();
    if (options.die) json["die"] = *options.die;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  for (std::size_t i = 0; i < result.decisions.size(); ++i) {
    fmt::print("clip {:>4}  {:<16} {:.1f} % of the frames\n", i, network.labels[result.decisions[i]],
               100.0 * result.votes[i][result.decisions[i]]);
  }
  return 0;
}

}  // namespace

void add_run_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "run", "Run a model over features, in software or as a circuit",
      "hysteron run model.safetensors --input test.npy --output trace.safetensors\n"
      "  hysteron run model.safetensors --input test.npy --engine behavioural --die-file die.json\n"
      "  hysteron run model.safetensors --input stimulus.npy --engine spice --die 7 --waveforms bench.safetensors",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("--input", options.input, "Features, [clips, frames, inputs] float32 .npy")->required();
        command
            .add_option("--engine", options.engine,
                        "software, behavioural for the model with what its legs and cells are worth in the circuit, or "
                        "spice for "
                        "the circuit in ngspice")
            ->check(CLI::IsMember({"software", "behavioural", "spice"}))
            ->capture_default_str();
        add_seed(command, "--die", options.die,
                 "Behavioural and spice: a die with mismatch, the one that montecarlo draws by this seed with the same "
                 "engine (default: the circuit as drawn)");
        command.add_option("--die-file", options.die_file,
                           "Software and behavioural: the chip that compare wrote this die file of");
        add_waveform_flags(command, options.files);
        command.add_option("--output", options.output, "Write logits, states and candidates as safetensors");
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
        add_frame_time_flag(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
