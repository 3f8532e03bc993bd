#include "hysteron/spice/spice_engine.h"

#include <fmt/format.h>

#include <utility>

#include "hysteron/spice/netlist.h"

namespace hysteron::spice {
namespace {

sim::Waveforms to_waveforms(const RunResult& result, const sim::Testbench& bench,
                            const technology::Technology& technology) {
  const bool is_transient = bench.stop_time > 0.0;
  const Plot& plot = result.raw.plot(is_transient ? "transient" : "operating point");
  sim::Waveforms waveforms;
  waveforms.time = is_transient ? plot["time"] : std::vector<double>{0.0};
  waveforms.seconds = result.seconds;
  for (const sim::Probe& probe : bench.probes) {
    std::vector<double> column = plot[signal_name(probe, bench, technology)];
    const bool is_source =
        probe.kind == sim::Probe::Kind::kSourceCurrent || probe.kind == sim::Probe::Kind::kSupplyCurrent;
    if (is_source) {
      for (double& value : column) value = -value;  // SPICE counts the current into the source as positive
    }
    waveforms.values.push_back(std::move(column));
  }
  return waveforms;
}

}  // namespace

SpiceEngine::SpiceEngine(const Ngspice& ngspice, const technology::Technology& technology, RunOptions options)
    : ngspice_(ngspice), technology_(technology), options_(std::move(options)) {}

std::vector<sim::Outcome> SpiceEngine::run_all(std::span<const sim::Testbench> benches, int jobs,
                                               const OnDone& on_done) const {
  std::vector<Deck> decks;
  decks.reserve(benches.size());
  for (const sim::Testbench& bench : benches) decks.push_back(make_deck(bench, technology_));
  std::size_t done = 0;
  const auto count = [&](std::size_t, const RunOutcome&) {
    if (on_done) on_done(++done, benches.size());
  };
  const std::vector<RunOutcome> runs = ngspice_.run_all(decks, jobs, options_, count);
  std::vector<sim::Outcome> outcomes(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].ok()) {
      outcomes[i].error = runs[i].error;
      continue;
    }
    try {
      outcomes[i].waveforms = to_waveforms(*runs[i].result, benches[i], technology_);
    } catch (const Error& error) {
      outcomes[i].error = error;
    }
  }
  return outcomes;
}

std::string SpiceEngine::version() const { return fmt::format("ngspice-{}", ngspice_.version()); }

}  // namespace hysteron::spice
