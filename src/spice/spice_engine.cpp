#include "spice/spice_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/parallel.h"
#include "base/random.h"
#include "spice/netlist.h"

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

sim::Waveforms read_at(const std::vector<double>& times, const sim::Waveforms& waves) {
  sim::Waveforms result{times, std::vector<std::vector<double>>(waves.values.size()), waves.seconds};
  for (std::size_t probe = 0; probe < waves.values.size(); ++probe) {
    for (const double time : times) result.values[probe].push_back(waves.at(probe, time));
  }
  return result;
}

/// The square of a column: ngspice gives densities per root hertz.
std::vector<double> squared(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values) result.push_back(value * value);
  return result;
}

sim::NoiseSpectrum to_noise(const RunResult& result, const sim::Testbench& bench,
                            const technology::Technology& technology) {
  const Plot& plot = result.raw.plot("noise spectral density");
  sim::NoiseSpectrum noise;
  noise.frequency = plot["frequency"];
  noise.output = squared(plot["onoise_spectrum"]);
  noise.input = squared(plot["inoise_spectrum"]);
  for (circuit::DeviceId id = 0; id < bench.circuit->transistors().size(); ++id) {
    const std::string name = "onoise." + inner_device_name(id, *bench.circuit, technology);
    sim::DeviceNoise device;
    device.flicker = squared(plot[name + ".1overf"]);
    device.thermal = squared(plot[name]);
    for (std::size_t i = 0; i < device.thermal.size(); ++i) device.thermal[i] -= device.flicker[i];
    noise.devices.push_back(std::move(device));
  }
  return noise;
}

}  // namespace

SpiceEngine::SpiceEngine(const Ngspice& ngspice, const technology::Technology& technology, RunOptions options)
    : ngspice_(ngspice), technology_(technology), options_(std::move(options)) {}

sim::Outcome SpiceEngine::run_one(const sim::Testbench& bench) const {
  sim::Outcome outcome;
  try {
    const RunResult result = ngspice_.run(make_deck(bench, technology_), options_);
    outcome.waveforms = to_waveforms(result, bench, technology_);
    if (!bench.read_times.empty()) outcome.waveforms = read_at(bench.read_times, *outcome.waveforms);
    if (bench.noise) outcome.noise = to_noise(result, bench, technology_);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInterrupted) throw;
    outcome.error = error;
  }
  return outcome;
}

void SpiceEngine::run_each(std::span<const sim::Testbench> benches, int jobs, const OnOutcome& on_outcome) const {
  const std::size_t target = static_cast<std::size_t>(jobs > 0 ? jobs : hardware_jobs());
  ThreadPool pool(static_cast<int>(std::clamp<std::size_t>(benches.size(), 1, target)));
  std::mutex mutex;
  pool.run(benches.size(), [&](std::size_t i) {
    sim::Outcome outcome = run_one(benches[i]);
    const std::lock_guard lock(mutex);
    on_outcome(i, std::move(outcome));
  });
}

std::string SpiceEngine::version() const { return fmt::format("ngspice-{}", ngspice_.version()); }

std::string SpiceEngine::fingerprint(const sim::Testbench& bench) const {
  const Deck deck = make_deck(bench, technology_);
  // Two streams of 64 bits: a clip that is taken for another would be a wrong result without a sign of it.
  std::uint64_t first = fnv1a(deck.text);
  std::uint64_t second = fnv1a(technology_.fingerprint, first ^ 0x9e3779b97f4a7c15ULL);
  std::vector<std::string> parts = {version(), technology_.fingerprint};
  parts.insert(parts.end(), deck.init_commands.begin(), deck.init_commands.end());
  parts.insert(parts.end(), options_.retries.begin(), options_.retries.end());
  for (const double time : bench.read_times) parts.push_back(fmt::format("{}", time));
  for (const std::string& part : parts) {
    first = fnv1a(part + '\n', first);
    second = fnv1a(part + '\n', second);
  }
  second = fnv1a(deck.text, second);
  return fmt::format("{:016x}{:016x}", first, second);
}

}  // namespace hysteron::spice
