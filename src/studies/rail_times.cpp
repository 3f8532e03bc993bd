#include "studies/rail_times.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "analysis/transients.h"
#include "compile/clip_bench.h"

namespace hysteron::studies {
namespace {

std::string_view quantity_word(circuit::Quantity quantity) {
  switch (quantity) {
    case circuit::Quantity::kCandidate:
      return "candidate";
    case circuit::Quantity::kValue:
      return "signed value";
    case circuit::Quantity::kOutput:
      return "layer output";
    case circuit::Quantity::kState:
      return "state";
    default:
      return "other";
  }
}

/// Nothing where the device is no diode of a rail that carries a value.
std::optional<std::string> rail_kind(const circuit::Transistor& device) {
  if (device.gate != device.drain) return std::nullopt;
  const std::string side = device.polarity == circuit::Polarity::kN ? ", N rail" : ", P rail";
  if (device.role == circuit::Role::kInputRail) return "input" + side;
  const bool is_output = device.role == circuit::Role::kCell && device.quantity == circuit::Quantity::kState;  // M4
  if (device.role != circuit::Role::kRail && !is_output) return std::nullopt;
  return std::string(quantity_word(device.quantity)) + side;
}

template <typename Settling>
void slowest_first(std::vector<Settling>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Settling& a, const Settling& b) { return a.seconds.p99 > b.seconds.p99; });
}

}  // namespace

RailTimes::RailTimes(const compile::CompiledNetwork& network) : network_(network) {
  for (circuit::DeviceId id = 0; id < network.circuit.transistors().size(); ++id) {
    if (auto kind = rail_kind(network.circuit.transistor(id))) rails_.push_back({id, std::move(*kind), {}});
  }
}

void RailTimes::watch(sim::Testbench& bench) {
  first_probe_ = bench.probes.size();
  for (const Rail& rail : rails_) bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, rail.diode});
}

void RailTimes::add(const sim::Waveforms& waveforms, std::size_t frames) {
  const double tolerance = analysis::kSettledWithin * network_.conditions.unit_current;
  for (std::size_t i = 0; i < rails_.size(); ++i) {
    for (const double time :
         analysis::settling_times(waveforms, first_probe_ + i, frames, network_.frame_seconds, tolerance)) {
      rails_[i].seconds.push_back(static_cast<float>(time));
    }
  }
}

std::vector<RailSettling> RailTimes::kinds() const {
  struct Kind {
    std::size_t rails = 0;
    std::vector<float> seconds;
    float worst = -1.0F;
    const Rail* slowest = nullptr;
  };
  std::map<std::string, Kind> kinds;
  for (const Rail& rail : rails_) {
    Kind& kind = kinds[rail.kind];
    ++kind.rails;
    kind.seconds.insert(kind.seconds.end(), rail.seconds.begin(), rail.seconds.end());
    const float worst = rail.seconds.empty() ? 0.0F : *std::max_element(rail.seconds.begin(), rail.seconds.end());
    if (worst <= kind.worst) continue;
    kind.worst = worst;
    kind.slowest = &rail;
  }
  const double read = compile::kReadAt * network_.frame_seconds;
  std::vector<RailSettling> result;
  for (auto& [kind_name, kind] : kinds) {
    result.push_back(
        {kind_name, kind.rails, analysis::summarise_settling(std::move(kind.seconds), read), name(*kind.slowest)});
  }
  slowest_first(result);
  return result;
}

std::vector<DiodeSettling> RailTimes::diodes() const {
  const double read = compile::kReadAt * network_.frame_seconds;
  std::vector<DiodeSettling> result;
  for (const Rail& rail : rails_) {
    result.push_back({name(rail), rail.kind, analysis::summarise_settling(rail.seconds, read)});
  }
  slowest_first(result);
  return result;
}

}  // namespace hysteron::studies
