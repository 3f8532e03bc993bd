#include "studies/waveform_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sim/compression.h"

namespace hysteron::studies {
namespace {

/// Names of the bench's probes, in their order.
std::vector<std::string> signal_names(const compile::CompiledNetwork& network, std::size_t probes) {
  const compile::ClipProbes place(network);
  std::vector<std::string> names(probes);
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
      names[place.candidate(l, j)] = fmt::format("layers.{}.candidate[{}]", l, j);
      names[place.state(l, j)] = fmt::format("layers.{}.state[{}]", l, j);
      names[place.v0(l, j)] = fmt::format("layers.{}.v0[{}]", l, j);
    }
  }
  for (std::size_t k = 0; k < network.readouts.size(); ++k) names[place.logit(k)] = fmt::format("logit[{}]", k);
  names[place.supply()] = "supply";
  names[place.cell_supply()] = "cell_supply";
  return names;
}

model::Tensor curve_tensor(const sim::Waveforms& waveforms, std::size_t probe, const std::vector<std::size_t>& points,
                           double sign) {
  std::vector<double> values;
  for (const std::size_t i : points) values.push_back(waveforms.time[i]);
  for (const std::size_t i : points) values.push_back(sign * waveforms.values[probe][i]);
  model::Tensor tensor;
  tensor.dtype = "F64";
  tensor.shape = {2, points.size()};
  tensor.data.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return tensor;
}

}  // namespace

model::TensorFile waveform_tensors(const compile::CompiledNetwork& network, const sim::Testbench& bench,
                                   const sim::Waveforms& waveforms, double tolerance) {
  const std::vector<std::string> names = signal_names(network, bench.probes.size());
  model::TensorFile file;
  nlohmann::json signals;
  for (std::size_t probe = 0; probe < names.size(); ++probe) {
    const bool is_voltage = bench.probes[probe].kind == sim::Probe::Kind::kVoltage;
    const double allowed = tolerance * (is_voltage ? 1.0 : network.conditions.unit_current);
    // A logit is the current into the source that holds its node. Drain currents of either polarity come positive where
    // they flow from source to drain of a P, or from drain to source of an N device.
    const bool flips = bench.probes[probe].kind == sim::Probe::Kind::kSourceCurrent;
    const auto points = sim::stored_points(waveforms.time, waveforms.values[probe], allowed);
    file.tensors[names[probe]] = curve_tensor(waveforms, probe, points, flips ? -1.0 : 1.0);
    signals[names[probe]] = {{"unit", is_voltage ? "V" : "A"},
                             {"tolerance", allowed},
                             {"points", points.size()},
                             {"simulated_points", waveforms.time.size()}};
  }
  file.metadata["hysteron.waveforms"] = "1";
  file.metadata["hysteron.signals"] = signals.dump();
  file.metadata["hysteron.unit_current_a"] = fmt::format("{:.9g}", network.conditions.unit_current);
  file.metadata["hysteron.frame_seconds"] = fmt::format("{:.9g}", network.frame_seconds);
  return file;
}

}  // namespace hysteron::studies
