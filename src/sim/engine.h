#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "sim/noise_spectrum.h"
#include "sim/testbench.h"
#include "sim/waveforms.h"

namespace hysteron::sim {

/// One run of many: waveforms or why there are none, and the noise of a testbench that asks for it.
struct Outcome {
  std::optional<Waveforms> waveforms;
  std::optional<NoiseSpectrum> noise;
  std::optional<Error> error;

  const Waveforms& value() const {
    if (error) throw *error;
    return *waveforms;
  }
};

/// Something that solves circuits: it knows transistors and sources, never networks.
class Engine {
 public:
  virtual ~Engine() = default;

  using OnDone = std::function<void(std::size_t done, std::size_t total)>;
  using OnOutcome = std::function<void(std::size_t index, Outcome outcome)>;

  /// Runs every testbench, `jobs` at a time (0: one per hardware thread), and hands each outcome to `on_outcome` as
  /// soon as it is there, with the testbench's index, never two at once: nothing of it is kept here. One failure does
  /// not stop the others; an interrupt throws kInterrupted after the runs under way were ended.
  virtual void run_each(std::span<const Testbench> benches, int jobs, const OnOutcome& on_outcome) const = 0;

  /// What results depend on beside the technology: name and version.
  virtual std::string version() const = 0;

  /// A key that changes with everything that decides what `bench` gives: the circuit, what drives it, the conditions,
  /// the technology, this engine's version and options.
  virtual std::string fingerprint(const Testbench& bench) const = 0;

  /// run_each with all outcomes in the order of the testbenches; `on_done` is called after each.
  std::vector<Outcome> run_all(std::span<const Testbench> benches, int jobs, const OnDone& on_done) const;

  Waveforms run(const Testbench& bench) const { return run_all({&bench, 1}, 1, {}).front().value(); }
};

}  // namespace hysteron::sim
