#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "circuit_options.h"
#include "commands.h"
#include "studies/gate_study.h"
#include "studies/gates.h"

namespace {

using hysteron::format_si;

struct Options {
  CircuitFlags circuit;
  std::filesystem::path file;
  bool all = false;
  std::string period = "20m";
  hysteron::studies::GateStudyRequest study;
  std::filesystem::path output;
  bool json = false;
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

void print_text(const std::vector<hysteron::studies::GateProof>& proofs) {
  fmt::print("{:<12}{:>7}{:>13}{:>8}{:>10}{:>12}{:>12}{:>12}\n", "circuit", "right", "transistors", "spikes",
             "readings", "energy", "switching", "static");
  for (const auto& proof : proofs) {
    const auto& run = proof.spacings.front().run;
    std::size_t readings = 0;
    for (const auto& spacing : proof.spacings) readings += spacing.run.readings;
    fmt::print("{:<12}{:>7}{:>13}{:>8}{:>10}{:>12}{:>12}{:>12}\n", proof.gates.logic.name, proof.right() ? "yes" : "no",
               proof.gates.network.circuit.transistors().size(), proof.spikes, readings,
               format_si(run.spike_energy, "J"), format_si(run.switch_energy, "J"), format_si(run.most_static, "W"));
  }
  for (const auto& proof : proofs) {
    for (const auto& spacing : proof.spacings) {
      if (spacing.run.wrong == 0) continue;
      fmt::print("\n{}, spikes {} apart: {} of {} readings wrong; {}\n", proof.gates.logic.name,
                 format_si(spacing.spacing, "s"), spacing.run.wrong, spacing.run.readings, spacing.run.first_wrong);
    }
  }
}

/// "44 of 45", of one list of points.
std::string right_of(const nlohmann::ordered_json& gate, const char* field) {
  if (!gate.contains(field)) return "";
  return fmt::format("{} of {}", gate[field]["right"].get<std::size_t>(), gate[field]["points"].get<std::size_t>());
}

std::string si_or_dash(const nlohmann::ordered_json& value, const std::string& unit) {
  return value.is_number() ? format_si(value.get<double>(), unit) : "-";
}

void print_study(const nlohmann::ordered_json& gates) {
  fmt::print("\n{:<12}{:>12}{:>12}{:>13}{:>13}{:>10}{:>10}{:>12}\n", "circuit", "rate", "spacing", "line margin",
             "node margin", "held", "corners", "dies");
  for (const auto& gate : gates) {
    const bool fast = gate.contains("fastest");
    const bool margin = gate.contains("noise_margin");
    fmt::print("{:<12}{:>12}{:>12}{:>13}{:>13}{:>10}{:>10}{:>12}\n", gate["name"].get<std::string>(),
               fast ? si_or_dash(gate["fastest"]["rate_hz"], "Hz") : "",
               fast ? si_or_dash(gate["fastest"]["spacing_s"], "s") : "",
               margin ? si_or_dash(gate["noise_margin"]["line"]["current_a"], "A") : "",
               margin ? si_or_dash(gate["noise_margin"]["decision"]["current_a"], "A") : "", right_of(gate, "hold"),
               right_of(gate, "corners"), right_of(gate, "dies"));
  }
}

int run(const Options& options, Session& session) {
  namespace design = hysteron::design;
  namespace studies = hysteron::studies;
  const auto networks = networks_of(options);
  studies::GatesRequest request;
  request.period = hysteron::parse_si(options.period, "--period");
  studies::check_gates(request);
  studies::check_gate_study(options.study);
  if (!options.output.empty()) hysteron::make_directories(options.output);
  design::CircuitOptions circuit = read_circuit_flags(options.circuit);
  circuit.keeps_density = true;
  if (!options.output.empty()) circuit.stored_runs = options.output / "runs";
  const design::DesignContext context(circuit, session.reporter, session.stop);
  const auto proofs = studies::prove_gates(context, networks, request, session.reporter);
  auto json = studies::gates_json(context, proofs, request);
  std::size_t failed = 0;
  if (!options.study.is_empty()) {
    const auto studies = studies::study_gates(context, proofs, request, options.study, session.reporter);
    studies::add_study(json, studies);
    failed = studies::failed_runs(studies);
  }
  if (!options.output.empty()) {
    for (const auto& proof : proofs) {
      studies::write_gates(context, proof, request, options.output, options.all ? proof.gates.logic.name : "circuit");
    }
    hysteron::write_file(options.output / "gates.json", json.dump(1) + "\n");
  }
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print_text(proofs);
    if (!options.study.is_empty()) print_study(json["gates"]);
  }
  if (failed > 0) throw hysteron::simulator_error(fmt::format("{} runs could not be simulated", failed));
  const auto wrong = std::count_if(proofs.begin(), proofs.end(), [](const auto& proof) { return !proof.right(); });
  if (wrong > 0) {
    throw hysteron::Error(hysteron::ErrorKind::kLimitMissed,
                          fmt::format("{} of {} circuits are not right", wrong, proofs.size()));
  }
  return 0;
}

void declare(Command& command, Options& options) {
  options.circuit.options.conditions.unit_current = 100.0 * hysteron::kPico;
  command.path("file", options.file,
               "Gate file: input NET..., output NET..., NET... = GATE NET...; or the name of a built-in gate");
  command.flag("--all", options.all, "The ten built-in gates, each by itself");
  command
      .text("--period", options.period, "Seconds from a spike to the reading of the levels; a spike takes half of it")
      .shown();
  command.flag("--fastest", options.study.fastest, "Search the highest spike rate and the least spacing that work");
  command.flag("--margins", options.study.margins,
               "Disturb every line and every node in every state until something turns");
  const Option hold = command.number("--hold", options.study.hold, "Leave every state alone for this many seconds");
  command.flag("--corners", options.study.corners,
               "The proof at every corner, 0.9 to 1.1 of the supply, -40 to 85 degrees Celsius");
  const Option dies =
      command.count("--dies", options.study.dies, "Dies that ngspice draws, single spikes from every state on each");
  command.seed("--seed", options.study.seed, "the first die; every further die takes the next one");
  command.path("-o,--output", options.output,
               "Folder for gates.json, netlists, test benches and every run of ngspice; the same command again "
               "simulates only what is missing there");
  command.shared(hysteron::parameters::kJson, options.json);
  add_technology_flags(command, options.circuit);
  command.when_parsed([&options, dies, hold] {
    if (hold.is_given() && options.study.hold == 0.0) throw hysteron::bad_input("--hold is 0; expected seconds");
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
