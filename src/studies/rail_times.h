#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "compile/compiled_network.h"
#include "sim/testbench.h"
#include "sim/waveforms.h"
#include "studies/hazard_study.h"

namespace hysteron::studies {

/// Settling times of every rail of a circuit, clip after clip.
class RailTimes {
 public:
  explicit RailTimes(const compile::CompiledNetwork& network);

  /// Adds a probe for every rail's diode to a bench; the same for all benches of a study.
  void watch(sim::Testbench& bench);

  /// Reads one clip that was run on such a bench.
  void add(const sim::Waveforms& waveforms, std::size_t frames);

  /// By kind and one by one, slowest first (99th percentile).
  std::vector<RailSettling> kinds() const;
  std::vector<DiodeSettling> diodes() const;

 private:
  /// A diode whose current is a value, what kind of rail it holds, and its times in the frames of all clips.
  struct Rail {
    circuit::DeviceId diode = 0;
    std::string kind;
    std::vector<float> seconds;
  };

  std::string name(const Rail& rail) const { return "x" + network_.circuit.full_name(rail.diode); }

  const compile::CompiledNetwork& network_;
  std::vector<Rail> rails_;
  std::size_t first_probe_ = 0;
};

}  // namespace hysteron::studies
