#pragma once

#include <cstddef>
#include <filesystem>

#include "sim/engine.h"

namespace hysteron::design {

/// An engine that stores what another one gives in a folder, a file a run as soon as it is done, and does not run again
/// what is stored there: a command that was interrupted goes on, and one that is called again simulates nothing. A file
/// belongs to one testbench, technology and simulator (Engine::fingerprint). Runs that failed are not stored.
class StoredRuns : public sim::Engine {
 public:
  /// Makes the folder. `engine` must outlive this.
  StoredRuns(const sim::Engine& engine, std::filesystem::path folder);

  /// As Engine says; kinds of Error beside those of the engine: bad input where a file cannot be read
  /// or written. kInterrupted says how much is stored.
  void run_each(std::span<const sim::Testbench> benches, int jobs, const OnOutcome& on_outcome) const override;
  std::string version() const override { return engine_.version(); }
  std::string fingerprint(const sim::Testbench& bench) const override { return engine_.fingerprint(bench); }

 private:
  const sim::Engine& engine_;
  std::filesystem::path folder_;
};

}  // namespace hysteron::design
