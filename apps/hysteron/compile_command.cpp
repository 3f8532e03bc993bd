#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/base/units.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/circuit.h"
#include "hysteron/flow/netlist.h"
#include "hysteron/report/centring_report.h"
#include "hysteron/report/circuit_report.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path model;
  std::filesystem::path output;
  std::filesystem::path center;
  std::string dialect = "ngspice";
  std::filesystem::path bench;
  std::vector<std::size_t> clips = {0};
  bool json = false;
};

void print_summary(const hysteron::flow::CircuitSummary& summary, const std::filesystem::path& folder,
                   const std::vector<std::string>& files) {
  fmt::print("{} transistors, {} legs, {} cells, {:.0f} um2\n", summary.transistors, summary.legs, summary.cells,
             summary.area / (hysteron::kMicro * hysteron::kMicro));
  for (const auto& [role, count] : summary.by_role) fmt::print("  {:<12} {:>6}\n", role, count);
  if (summary.dropped_parameters > 0) fmt::print("  {} parameters left out\n", summary.dropped_parameters);
  fmt::print("wrote {} into {}\n", fmt::join(files, ", "), folder.string());
}

hysteron::flow::NetlistOptions read_netlist_options(const Options& options, const hysteron::model::Network& network) {
  hysteron::flow::NetlistOptions result;
  result.dialect = hysteron::spice::dialect_named(options.dialect);
  if (options.bench.empty()) return result;
  result.bench_features = hysteron::data::read_npy(options.bench);
  result.bench_origin = options.bench.string();
  result.bench_clips = hysteron::flow::check_clips(network, result.bench_features, options.clips,
                                                   hysteron::quoted(options.bench.string()));
  return result;
}

int run(const Options& options, Session& session) {
  namespace flow = hysteron::flow;
  const hysteron::model::Network network = read_circuit_model(options.model, options.circuit);
  const auto centring_features = flow::read_training_features(options.center, network);
  const flow::NetlistOptions netlist = read_netlist_options(options, network);
  const flow::Workshop workshop(read_circuit_flags(options.circuit, network), session.reporter, session.stop);
  const flow::Target target = flow::make_target(workshop, network, centring_features, session.reporter, session.stop);
  const hysteron::compile::CompiledNetwork compiled =
      workshop.compile(target.network, session.reporter,
                       centring_features ? std::span(centring_features->values) : std::span<const float>());
  const std::vector<std::string> files =
      flow::write_circuit(compiled, target, workshop.technology(), workshop.curves(), options.output, netlist);
  const flow::CircuitSummary summary = flow::summarise(compiled, workshop.technology());
  if (options.json) {
    nlohmann::json json =
        hysteron::report::summary_json(compiled, workshop.technology(), summary.by_role, summary.area);
    json.update(flow::target_json(target));
    json["output"] = options.output.string();
    json["files"] = files;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    if (target.centring) fmt::print("{}\n", hysteron::report::centring_table(*target.centring));
    print_summary(summary, options.output, files);
  }
  return 0;
}

}  // namespace

void add_compile_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "compile", "Compile a trained network to a transistor netlist",
      "hysteron compile model.safetensors --pdk generic180 -o circuit\n"
      "  hysteron compile model.safetensors --center training.npy -o circuit\n"
      "  hysteron compile model.safetensors -o circuit --bench test.npy --clips 3 && cd circuit && ngspice -b "
      "bench.spice\n"
      "  hysteron compile model.safetensors -o circuit --dialect spectre",
      [](CLI::App& command, Options& options) {
        command.add_option("model", options.model, "Model file")->required();
        command.add_option("-o,--output", options.output, "Folder for the netlist, the mapping and the summary")
            ->required();
        command.add_option("--center", options.center,
                           "Training features, .npy: first move thresholds away from where candidates lie "
                           "(docs/centring.md); also writes centred.safetensors");
        command.add_option("--dialect", options.dialect, "Language of the netlist and the test benches")
            ->check(CLI::IsMember(hysteron::spice::dialect_names()));
        CLI::Option* bench =
            command.add_option("--bench", options.bench, "Features (.npy) to write test benches of, with PWL sources");
        command.add_option("--clips,--clip", options.clips, "Clips to write benches of (default: 0)")
            ->delimiter(',')
            ->needs(bench);
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
        add_frame_time_flag(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
