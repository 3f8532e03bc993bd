#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/units.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/circuit.h"
#include "hysteron/model/model_file.h"
#include "hysteron/report/centring_report.h"
#include "hysteron/report/circuit_report.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path output;
  std::filesystem::path center;
  bool json = false;
};

void print_summary(const hysteron::flow::CircuitSummary& summary, const std::filesystem::path& folder) {
  fmt::print("{} transistors, {} legs, {} cells, {:.0f} um2\n", summary.transistors, summary.legs, summary.cells,
             summary.area / (hysteron::kMicro * hysteron::kMicro));
  for (const auto& [role, count] : summary.by_role) fmt::print("  {:<12} {:>6}\n", role, count);
  if (summary.dropped_parameters > 0) fmt::print("  {} parameters left out\n", summary.dropped_parameters);
  fmt::print("wrote network.spice, network_flat.spice, mapping.csv and summary.json into {}\n", folder.string());
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const hysteron::model::Network network = hysteron::model::load_model(options.model);
  const auto centring_features = flow::read_centring_features(options.center, network);
  const flow::Workshop workshop(read_circuit_flags(options.circuit), session.reporter, session.stop);
  const flow::Target target = flow::make_target(workshop, network, centring_features, session.reporter, session.stop);
  const hysteron::compile::CompiledNetwork compiled =
      workshop.compile(target.network, session.reporter,
                       centring_features ? std::span(centring_features->values) : std::span<const float>());
  flow::write_circuit(compiled, target, workshop.technology(), options.output);
  const flow::CircuitSummary summary = flow::summarise(compiled, workshop.technology());
  if (options.json) {
    nlohmann::json json =
        hysteron::report::summary_json(compiled, workshop.technology(), summary.by_role, summary.area);
    json.update(flow::target_json(target));
    json["output"] = options.output.string();
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    if (target.centring) fmt::print("{}\n", hysteron::report::centring_table(*target.centring));
    print_summary(summary, options.output);
  }
  return 0;
}

}  // namespace

void add_compile_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "compile", "Compile a trained network to a transistor netlist",
      "hysteron compile model.safetensors --pdk generic180 -o circuit\n"
      "  hysteron compile model.safetensors --center training.npy -o circuit",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("-o,--output", options.output, "Folder for the netlist, the mapping and the summary")
            ->required();
        command.add_option("--center", options.center,
                           "Training features, .npy: first move thresholds away from where candidates lie "
                           "(docs/centring.md); also writes centred.safetensors");
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
