#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "circuit_options.h"
#include "commands.h"
#include "hysteron/base/file.h"
#include "hysteron/base/units.h"
#include "hysteron/flow/demo.h"
#include "hysteron/report/circuit_report.h"

namespace {

using hysteron::flow::DemoOptions;
using hysteron::flow::DemoResult;

struct Options {
  DemoOptions demo;
  CircuitFlags circuit;
  bool json = false;
};

nlohmann::json to_json(const DemoOptions& options, const DemoResult& result) {
  nlohmann::json json = hysteron::report::agreement_json(result.verification.agreement);
  json["test_accuracy"] = result.training.test.accuracy;
  json["test_balanced_accuracy"] = result.training.test.balanced_accuracy;
  json["test_clips"] = result.training.test.clips;
  json["transistors"] = result.circuit.transistors;
  json["area_um2"] = result.circuit.area / (hysteron::kMicro * hysteron::kMicro);
  json["technology"] = options.circuit.technology;
  json["failed_clips"] = result.verification.failed;
  json["training_seconds"] = result.training.seconds;
  json["spice_seconds"] = result.verification.spice_seconds;
  json["software_seconds"] = result.verification.software_seconds;
  json["seconds"] = result.seconds;
  json["output"] = options.output.string();
  return json;
}

void print_table(const DemoOptions& options, const DemoResult& result) {
  const auto& agreement = result.verification.agreement;
  const auto& power = agreement.power;
  const auto row = [](const char* name, const std::string& value) { fmt::print("  {:<22}{}\n", name, value); };
  fmt::print("\nA {}-wide network on {}, compiled to {}\n\n", options.width,
             options.data == "espeak" ? "the spoken corpus" : options.data, options.circuit.technology);
  row("test accuracy", fmt::format("{:.1f} % of {} clips of unheard speakers", 100.0 * result.training.test.accuracy,
                                   result.training.test.clips));
  row("circuit", fmt::format("{} transistors, {} cells, {:.0f} um2", result.circuit.transistors, result.circuit.cells,
                             result.circuit.area / (hysteron::kMicro * hysteron::kMicro)));
  row("decision agreement",
      fmt::format("{:.0f} of {} clips", agreement.decision_agreement * double(agreement.clips), options.clips));
  row("frame agreement", fmt::format("{:.2f} %", 100.0 * agreement.frame_agreement));
  row("state agreement", fmt::format("{:.2f} % of the bits", 100.0 * (1.0 - agreement.state_mismatch)));
  row("candidate error", fmt::format("{:.2f} % of the RMS current", 100.0 * agreement.candidate_relative_rms));
  row("power", fmt::format("{} = {} cells + {} feedforward", hysteron::format_si(power.total, "W"),
                           hysteron::format_si(power.cells, "W"), hysteron::format_si(power.feedforward, "W")));
  row("time",
      fmt::format("{:.1f} s ngspice against {:.2f} ms software; {:.0f} s in all", result.verification.spice_seconds,
                  1e3 * result.verification.software_seconds, result.seconds));
  fmt::print("\nWritten:\n");
  for (const char* file : {"model.safetensors", "test.npy", "circuit/network.spice", "circuit/network_flat.spice",
                           "circuit/mapping.csv", "circuit/summary.json", "demo.json"}) {
    fmt::print("  {}\n", (options.output / file).string());
  }
}

int run(Options options, Session& session) {
  options.demo.circuit = read_circuit_flags(options.circuit);
  const DemoResult result = hysteron::flow::run_demo(options.demo, session.reporter, session.stop);
  const nlohmann::json json = to_json(options.demo, result);
  const auto text = [&](int indent) { return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace); };
  hysteron::write_file(options.demo.output / "demo.json", text(2) + "\n");
  if (options.json) {
    fmt::print("{}\n", text(-1));
  } else {
    print_table(options.demo, result);
  }
  if (result.verification.failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} of {} clips could not be simulated", result.verification.failed,
                                                result.verification.clips.size()));
  }
  return 0;
}

}  // namespace

void add_demo_command(CLI::App& app, Session& session) {
  add_command<Options>(
      app, session, "demo", "Speech to a verified circuit: train, compile, simulate, compare",
      "hysteron demo --output demo",
      [](CLI::App& command, Options& options) {
        command.add_option("--output", options.demo.output, "Folder for everything it writes")->capture_default_str();
        command.add_option("--data", options.demo.data,
                           "Folder of class folders of audio (default: the built-in spoken corpus)");
        command.add_option("--width", options.demo.width, "Width d of the network")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
        command.add_option("--steps", options.demo.steps, "Training steps")
            ->check(CLI::Range(1, 1000000))
            ->capture_default_str();
        command.add_option("--clips", options.demo.clips, "Held-out clips to simulate")
            ->check(CLI::Range(1, 10000))
            ->capture_default_str();
        command.add_flag("--json", options.json, "Print one JSON object");
        add_circuit_flags(command, options.circuit);
      },
      [&session](const Options& options) { return run(options, session); });
}
