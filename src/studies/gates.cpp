#include "studies/gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check_range.h"
#include "base/error.h"
#include "base/file.h"
#include "spice/dialect.h"
#include "spice/netlist_tree.h"

namespace hysteron::studies {
namespace {

using analysis::GateBench;
using analysis::SpikePlan;

constexpr double kShortestPeriod = 1e-5;
constexpr double kLongestPeriod = 10.0;
constexpr double kWidthShare = 0.5;  // of a spike, of the period

bool has_latch(const model::GateNetwork& network) {
  return std::any_of(network.gates.begin(), network.gates.end(),
                     [](const model::Gate& gate) { return gate.kind == model::GateKind::kLatch; });
}

std::vector<double> spacings_of(const model::GateNetwork& network, double period) {
  const double width = kWidthShare * period;
  if (analysis::longest_word(network.inputs.size()) == 1) return {period};
  if (has_latch(network)) return {period, width};
  return {period, width, 0.5 * width, 0.0};
}

compile::CellEnvironment typical(const design::DesignContext& context) {
  return {{}, 0.0, context.options().conditions.temperature};
}

}  // namespace

analysis::SpikeTiming spike_timing(double period, double spacing) { return {period, kWidthShare * period, spacing}; }

void check_gates(const GatesRequest& request) {
  check_range("period", request.period, kShortestPeriod, kLongestPeriod);
}

model::GateNetwork read_gates(const std::filesystem::path& file) {
  return model::parse_gates(read_file(file), file.stem().string(), quoted(file.string()));
}

bool GateProof::right() const {
  return std::all_of(spacings.begin(), spacings.end(), [](const SpacingProof& proof) { return proof.run.wrong == 0; });
}

std::vector<GateProof> prove_gates(const design::DesignContext& context,
                                   const std::vector<model::GateNetwork>& networks, const GatesRequest& request,
                                   Reporter& reporter) {
  check_gates(request);
  std::vector<GateProof> proofs;
  std::vector<GateBench> benches;
  std::vector<std::size_t> owners;
  for (const model::GateNetwork& network : networks) {
    const std::size_t inputs = network.inputs.size();
    if (const std::size_t longest = analysis::longest_word(inputs); longest < inputs) {
      reporter.warning(fmt::format("{}: of {} inputs, orders of up to {} changes are played from every state",
                                   network.name, inputs, longest));
    }
    proofs.push_back(
        {compile::build_gates(network, context.technology(), context.curves(), context.options().conditions),
         0,
         0,
         {}});
  }
  for (std::size_t i = 0; i < proofs.size(); ++i) {
    GateProof& proof = proofs[i];
    const SpikePlan plan = analysis::make_spike_plan(proof.gates.logic, analysis::PlanDepth::kOrders);
    proof.words = plan.size();
    proof.spikes = analysis::spike_count(plan);
    for (const double spacing : spacings_of(proof.gates.logic, request.period)) {
      proof.spacings.push_back({spacing, {}});
      owners.push_back(i);
      benches.push_back(
          analysis::make_gate_bench(proof.gates, plan, spike_timing(request.period, spacing), typical(context)));
    }
  }
  std::vector<sim::Testbench> runs;
  for (const GateBench& bench : benches) runs.push_back(bench.bench);
  const auto outcomes = context.engine().run_all(
      runs, context.options().jobs,
      [&](std::size_t done, std::size_t total) { reporter.progress("proving gates", done, total, ""); });
  std::vector<std::size_t> next(proofs.size(), 0);
  for (std::size_t k = 0; k < benches.size(); ++k) {
    GateProof& proof = proofs[owners[k]];
    proof.spacings[next[owners[k]]++].run = analysis::judge_gates(proof.gates, benches[k], outcomes[k].value());
  }
  return proofs;
}

void write_gates(const design::DesignContext& context, const GateProof& proof, const GatesRequest& request,
                 const std::filesystem::path& folder, const std::string& name) {
  const technology::Technology& technology = context.technology();
  spice::Annotations notes;
  notes.header = {
      fmt::format("Spike logic in {}: {}", technology.name, name),
      fmt::format("Ports: unit takes {} A; reset, held high, sets every memory low; in_ lines rest at {} of "
                  "the unit current,",
                  context.options().conditions.unit_current, proof.gates.levels.rest),
      fmt::format("a spike is {} or {} of it; out_ ports deliver 0 or 1 unit current at half the supply",
                  proof.gates.levels.positive, proof.gates.levels.negative)};
  const spice::Hierarchy hierarchy(proof.gates.network.circuit, technology, compile::kGatesName, notes);
  make_directories(folder);
  const std::string netlist = name + ".spice";
  write_file(folder / netlist, spice::format_netlist(hierarchy.netlist(), spice::Dialect::kNgspice));
  const SpikePlan plan = analysis::make_spike_plan(proof.gates.logic, analysis::PlanDepth::kOrders);
  const GateBench bench =
      analysis::make_gate_bench(proof.gates, plan, spike_timing(request.period, request.period), typical(context));
  spice::BenchFile file;
  file.stem = name + "_bench";
  file.header = {fmt::format("Test bench of {}: {} spikes, {} s apart", name, proof.spikes, request.period),
                 fmt::format("Run in this folder: ngspice -b {}.spice", file.stem),
                 fmt::format("It writes {0}.raw (waveforms) and {0}.csv (output levels after every spike)", file.stem)};
  file.netlist = netlist;
  file.unit_current = context.options().conditions.unit_current;
  for (const analysis::LevelReading& reading : bench.readings) file.read_times.push_back(reading.time);
  write_file(folder / (file.stem + ".spice"),
             spice::format_bench(bench.bench, technology, hierarchy, file, spice::Dialect::kNgspice));
  for (const auto& [model, bytes] : technology.models.files) write_file(folder / model, bytes);
}

}  // namespace hysteron::studies
