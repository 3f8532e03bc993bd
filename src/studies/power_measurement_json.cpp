#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "studies/power_measurement.h"
#include "studies/power_scaling.h"

namespace hysteron::studies {
namespace {

using behavioural::PowerSplit;

/// Watt in nanowatt.
nlohmann::json over_time_json(const compile::PowerProfile& profile) {
  nlohmann::json rows = nlohmann::json::array();
  std::vector<double> total(profile.circuit.trace.frames, 0.0);
  for (const compile::BlockPower& block : profile.blocks) {
    nlohmann::json row = nlohmann::json::array();
    for (std::size_t t = 0; t < total.size(); ++t) {
      row.push_back(block.over_time[t] / kNano);
      total[t] += block.over_time[t] / kNano;
    }
    rows.push_back(std::move(row));
  }
  return {{"total", total}, {"blocks", std::move(rows)}};
}

nlohmann::json network_json(const NetworkPower& network) {
  nlohmann::json json = {{"model", network.model},
                         {"dim", network.dim},
                         {"frames", network.frames},
                         {"clips", network.clips},
                         {"model_nw", split_json(network.listening)},
                         {"rest_nw", split_json(network.rest)}};
  const double power = network.measured ? network.measured->listening.total() : network.listening.total();
  json["energy_per_frame_j"] = power * network.frame_seconds;
  json["energy_per_decision_j"] = power * network.frame_seconds * static_cast<double>(network.frames);
  if (network.measured) json.update(measured_json(*network.measured));
  if (!network.error.empty()) json["error"] = network.error;
  return json;
}

std::vector<PowerSample> samples_of(std::span<const NetworkPower> networks, bool is_measured) {
  std::vector<PowerSample> samples;
  for (const NetworkPower& network : networks) {
    if (is_measured && !network.measured) continue;
    PowerSample sample{network.dim, {}, {}, {}};
    if (is_measured) {
      for (const compile::PowerProfile& clip : network.measured->clips) {
        const compile::Power& power = clip.circuit.power;
        sample.add(power.total, power.cells, power.feedforward);
      }
    } else {
      for (const PowerSplit& split : network.model_clips) sample.add(split.total(), split.cells, split.feedforward());
    }
    samples.push_back(std::move(sample));
  }
  std::stable_sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.dim < b.dim; });
  return samples;
}

}  // namespace

nlohmann::json split_json(const PowerSplit& split) {
  nlohmann::json json = {{"total", split.total() / kNano},
                         {"cells", split.cells / kNano},
                         {"feedforward", split.feedforward() / kNano},
                         {"inputs", split.inputs / kNano},
                         {"input_rails", split.input_rails / kNano},
                         {"rails", split.rails / kNano},
                         {"square_legs", split.square_legs / kNano},
                         {"other_legs", split.other_legs / kNano},
                         {"reference", split.reference / kNano}};
  if (split.wells != 0.0) json["wells"] = split.wells / kNano;
  return json;
}

nlohmann::json measured_json(const MeasuredPower& measured) {
  nlohmann::json blocks = nlohmann::json::array();
  const auto& first = measured.clips.front().blocks;  // every profile has the same ones
  for (std::size_t b = 0; b < first.size(); ++b) {
    double listening = 0.0;
    for (const auto& clip : measured.clips) {
      listening += clip.blocks[b].mean / static_cast<double>(measured.clips.size());
    }
    blocks.push_back({{"block", first[b].block},
                      {"part", compile::power_part_name(first[b].part)},
                      {"listening_nw", listening / kNano},
                      {"rest_nw", measured.still->blocks[b].mean / kNano}});
  }
  nlohmann::json clips = nlohmann::json::array();
  double seconds = measured.still->circuit.seconds;
  for (const auto& clip : measured.clips) {
    clips.push_back(over_time_json(clip));
    seconds += clip.circuit.seconds;
  }
  return {{"spice_nw", split_json(measured.listening)},
          {"spice_settled_nw", split_json(measured.settled)},
          {"spice_rest_nw", split_json(measured.rest)},
          {"model_of_bits_nw", split_json(measured.model_of_bits)},
          {"state_mismatch", measured.state_mismatch},
          {"rest_model_of_bits_nw", split_json(measured.rest_model_of_bits)},
          {"rest_state_mismatch", measured.rest_state_mismatch},
          {"spice_seconds", seconds},
          {"blocks", std::move(blocks)},
          {"over_time_nw", {{"listening", std::move(clips)}, {"rest", over_time_json(*measured.still)}}}};
}

nlohmann::json networks_json(std::span<const NetworkPower> networks) {
  nlohmann::json json = {{"networks", nlohmann::json::array()}};
  for (const NetworkPower& network : networks) json["networks"].push_back(network_json(network));
  for (const bool is_measured : {false, true}) {
    const std::vector<PowerSample> samples = samples_of(networks, is_measured);
    if (samples.size() < 2 || samples.front().dim == samples.back().dim) continue;
    json[is_measured ? "networks_spice_scaling" : "networks_model_scaling"] = scaling_json(samples);
  }
  return json;
}

}  // namespace hysteron::studies
