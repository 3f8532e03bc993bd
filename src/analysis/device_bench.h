#pragma once

#include <vector>

#include "analysis/cell_loop.h"
#include "analysis/noise_source.h"

namespace hysteron::analysis {

/// One cell with a constant candidate, and the benches that protocol C runs it in.
class DeviceBench {
 public:
  DeviceBench(const CellTestSetup& lab, const compile::CellSizes& sizes, double low, double high);
  // The benches refer to the circuit in here.
  DeviceBench(const DeviceBench&) = delete;
  DeviceBench& operator=(const DeviceBench&) = delete;

  const circuit::Circuit& circuit() const { return cell_.network.circuit; }

  /// Noise at V0, or at the output's rail, referred to the candidate; records every net and M4's transconductance.
  sim::Testbench at_switch(double candidate, bool on) const;
  sim::Testbench at_output(double candidate, bool on) const;

  double switch_voltage(const sim::Waveforms& point) const;
  double output_transconductance(const sim::Waveforms& point) const;
  double drain_current(const sim::Waveforms& point, circuit::DeviceId id) const;

  /// Every transistor alone between ideal sources at the voltages of an operating point; the output is the sum of their
  /// drain currents, so that a device's share is its own density.
  sim::Testbench alone(const sim::Waveforms& point, circuit::Circuit& devices) const;

  /// The held cell in time from that operating point, with a current of these samples from the drain to the source of
  /// every transistor. Probes as compile::make_cell_testbench has them.
  sim::Testbench in_time(double candidate, bool on, const sim::Waveforms& point,
                         const std::vector<std::vector<double>>& currents, double sample_seconds) const;

 private:
  sim::Testbench noise_bench(double candidate, bool on, circuit::NetId output) const;
  double voltage(const sim::Waveforms& point, circuit::NetId net) const;

  compile::CellBench cell_;
  compile::CellEnvironment environment_;
  double low_;
  double high_;
};

}  // namespace hysteron::analysis
