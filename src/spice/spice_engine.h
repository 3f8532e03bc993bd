#pragma once

#include <string>
#include <vector>

#include "sim/engine.h"
#include "spice/ngspice.h"
#include "technology/technology.h"

namespace hysteron::spice {

/// ngspice behind the engine interface: one process per testbench, time-limited, in parallel.
class SpiceEngine : public sim::Engine {
 public:
  SpiceEngine(const Ngspice& ngspice, const technology::Technology& technology, RunOptions options = {});

  void run_each(std::span<const sim::Testbench> benches, int jobs, const OnOutcome& on_outcome) const override;
  std::string version() const override;
  std::string fingerprint(const sim::Testbench& bench) const override;

 private:
  sim::Outcome run_one(const sim::Testbench& bench) const;

  const Ngspice& ngspice_;
  const technology::Technology& technology_;
  RunOptions options_;
};

}  // namespace hysteron::spice
