#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/run.h"
#include "hysteron/model/model_file.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path input;
  std::filesystem::path output;
  std::string engine = "software";
  bool json = false;
};

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const hysteron::model::Network network = hysteron::model::load_model(options.model);
  const hysteron::data::Features features = hysteron::data::read_npy(options.input);
  flow::check_clips(network, features, {}, hysteron::quoted(options.input.string()));
  const flow::CircuitOptions circuit = read_circuit_flags(options.circuit);
  const flow::RunResult result = options.engine == "software"
                                     ? flow::run_software(network, features, circuit.jobs)
                                     : flow::run_spice(circuit, network, features, session.reporter, session.stop);
  if (!options.output.empty()) flow::write_run(result, options.output);
  if (options.json) {
    const nlohmann::json json = {{"decisions", result.decisions},
                                 {"votes", result.votes},
                                 {"labels", network.labels},
                                 {"engine", options.engine}};
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
      "hysteron run model.safetensors --input test.npy --output trace.safetensors",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("--input", options.input, "Features, [clips, frames, inputs] float32 .npy")->required();
        command.add_option("--engine", options.engine, "software, or spice for the circuit in ngspice")
            ->check(CLI::IsMember({"software", "spice"}))
            ->capture_default_str();
        command.add_option("--output", options.output, "Write logits, states and candidates as safetensors");
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
