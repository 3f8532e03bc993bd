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
#include "report/gates_report.h"
#include "studies/gate_study.h"
#include "studies/gates.h"

namespace {

struct Options {
  CircuitFlags circuit;
  std::filesystem::path file;
  bool all = false;
  std::string period = "20m";
  hysteron::studies::GateStudyRequest study;
  OutputFlags output;
};

std::vector<hysteron::model::GateNetwork> networks_of(const Options& options) {
  if (options.all == !options.file.empty()) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "gates: expected a gate file, the name of a gate, or --all");
  }
  std::vector<hysteron::model::GateNetwork> networks;
  std::error_code problem;
  const bool is_file = std::filesystem::is_regular_file(options.file, problem);
  std::vector<std::string> names;
  for (const auto& type : hysteron::model::gate_types()) {
    names.push_back(type.name);
    if (options.all || (!is_file && options.file == type.name))
      networks.push_back(hysteron::model::single_gate(type.kind));
  }
  // One word without a dot is more likely the name of a gate than that of a file.
  if (networks.empty() && !is_file && !options.file.has_extension() && !options.file.has_parent_path()) {
    throw hysteron::bad_input(fmt::format("{} is neither a file nor a gate; expected a gate file or one of {}",
                                          hysteron::quoted(options.file.string()), fmt::join(names, ", ")));
  }
  if (networks.empty()) networks.push_back(hysteron::studies::read_gates(options.file));
  return networks;
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const auto networks = networks_of(options);
  studies::GatesRequest request;
  request.period = hysteron::parse_si(options.period, "--period");
  studies::check_gates(request);
  studies::check_gate_study(options.study);
  const std::filesystem::path& folder = options.output.folder;
  if (!folder.empty()) hysteron::make_directories(folder);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  circuit.keeps_density = true;
  if (!folder.empty()) circuit.stored_runs = folder / "runs";
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const auto proofs = studies::prove_gates(context, networks, request, session.reporter);
  std::vector<studies::GateStudy> immunity;
  if (!options.study.is_empty()) {
    immunity = studies::study_gates(context, proofs, request, options.study, session.reporter);
  }
  if (!folder.empty()) {
    for (const auto& proof : proofs) {
      studies::write_gates(context, proof, request, folder, options.all ? proof.gates.logic.name : "circuit");
    }
  }
  const studies::GatesResult result = studies::summarise_gates(context, proofs, request, immunity);
  print_result(options.output, "gates.json", hysteron::report::gates_table(), result);
  if (const std::size_t failed = result.failed(); failed > 0) {
    throw hysteron::simulator_error(fmt::format("{} runs could not be simulated", failed));
  }
  if (!result.is_right) {
    throw hysteron::Error(hysteron::ErrorKind::kLimitMissed,
                          fmt::format("{} of {} circuits failed the proof", result.wrong(), result.gates.size()));
  }
  return 0;
}

void declare(Command& command, Options& options) {
  options.circuit.options.conditions.unit_current = 100.0 * hysteron::kPico;
  command.path("file", options.file,
               "Gate file: input NET..., output NET..., NET... = GATE NET...; or the name of a built-in gate");
  command.flag("--all", options.all, "Prove each of the ten built-in gates separately");
  command
      .text("--period", options.period, "Seconds from a spike to the reading of the levels; a spike lasts half of it")
      .shown();
  command.flag("--fastest", options.study.fastest, "Find the highest spike rate and the smallest spacing that work");
  command.flag("--margins", options.study.margins,
               "Disturb every line and every node in every state until a level flips");
  const Option hold =
      command.number("--hold", options.study.hold, "Hold every state for this many seconds without a spike");
  command.flag("--corners", options.study.corners,
               "Repeat the proof at every corner, 0.9 to 1.1 times the supply, -40 to 85 degrees Celsius");
  const Option dies =
      command.count("--dies", options.study.dies,
                    "Number of dies with ngspice's mismatch, each proved with single spikes from every state");
  command.seed("--seed", options.study.seed, "the first die; every further die takes the next one");
  add_output_flag(command, options.output,
                  "Folder for gates.json, netlists, test benches and every run of ngspice; the same command again "
                  "simulates only what is missing there");
  add_json_flag(command, options.output);
  add_technology_flags(command, options.circuit);
  command.when_parsed([&options, dies, hold] {
    if (hold.is_given() && options.study.hold == 0.0)
      throw hysteron::bad_input("--hold is 0; expected a time in seconds");
    if (dies.is_given() && options.study.dies == 0) throw hysteron::bad_input("--dies is 0; expected at least one");
  });
}

}  // namespace

void add_gates_command(Command& app, Session& session) {
  add_command<Options>(
      app, session, "gates",
      "Build circuits of spike logic and prove them in ngspice: every combination and order, at several spacings",
      "hysteron gates --all --pdk gf180mcu\n"
      "  hysteron gates adder.gates --pdk generic180 -o adder",
      declare, [&session](const Options& options) { return run(options, session); });
}
