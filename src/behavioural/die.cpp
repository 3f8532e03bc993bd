#include "behavioural/die.h"

#include "base/random.h"

namespace hysteron::behavioural {

Die draw_die(const circuit::Circuit& circuit, const DeviceStatistics& statistics, std::uint64_t seed) {
  Random random = Random(seed).child("die");
  Die die;
  die.reserve(circuit.transistors().size());
  for (const circuit::Transistor& transistor : circuit.transistors()) {
    const PolarityStatistics& part = statistics.of(transistor.polarity);
    const technology::Geometry size{transistor.width, transistor.length};
    const double threshold = part.threshold.deviation(size) * random.normal();
    const double mobility = 1.0 + part.mobility.deviation(size) * random.normal();
    die.push_back({threshold, mobility});
  }
  return die;
}

Die read_die(const sim::Testbench& bench, const sim::Engine& mismatched, unsigned seed) {
  sim::Testbench point = bench;
  point.seed = seed;
  point.stop_time = 0.0;
  point.probes.clear();
  const std::size_t devices = bench.circuit->transistors().size();
  for (std::size_t id = 0; id < devices; ++id) {
    point.probes.push_back({sim::Probe::Kind::kThresholdShift, id});
    point.probes.push_back({sim::Probe::Kind::kMobilityFactor, id});
  }
  const sim::Waveforms result = mismatched.run(point);
  Die die;
  die.reserve(devices);
  for (std::size_t id = 0; id < devices; ++id) {
    die.push_back({result.values[2 * id].front(), result.values[2 * id + 1].front()});
  }
  return die;
}

}  // namespace hysteron::behavioural
