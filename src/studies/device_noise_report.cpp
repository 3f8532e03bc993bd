#include "design/finite_or_null.h"
#include "studies/noise_report.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;
using namespace analysis;

Json ratio_json(const Ratio& ratio) {
  return {{"ratio", design::finite_or_null(ratio.value)},
          {"ci95", Json::array({design::finite_or_null(ratio.low), design::finite_or_null(ratio.high)})}};
}

Json time_json(const NoiseInTime& time) {
  Json output = ratio_json(time.output_ratio);
  Json candidate = ratio_json(time.candidate_ratio);
  output["expected_a"] = design::finite_or_null(time.output_expected);
  output["measured_a"] = design::finite_or_null(time.output);
  candidate["expected_a"] = design::finite_or_null(time.switch_expected);
  candidate["measured_a"] = design::finite_or_null(time.candidate);
  return {{"trials", time.trials},
          {"flips", time.flips},
          {"returned", time.returned},
          {"output", output},
          {"candidate", candidate}};
}

Json devices_json(const std::vector<NoisyDevice>& devices) {
  Json list = Json::array();
  for (const NoisyDevice& device : devices) {
    list.push_back({{"name", device.name},
                    {"current_a", device.current},
                    {"white_a2_per_hz", device.density.white},
                    {"flicker_a2", device.density.flicker},
                    {"output_share", device.output_share},
                    {"candidate_share", device.candidate_share}});
  }
  return list;
}

Json hold_json(const NoisyHold& point) {
  Json json = {{"state", point.on ? "on" : "off"},
               {"place", design::finite_or_null(point.place)},
               {"margin_a", point.margin},
               {"candidate_a", point.candidate},
               {"held", point.held}};
  if (!point.held) return json;
  Json spots = Json::array();
  for (const SpotNoise& spot : point.spots) {
    spots.push_back(
        {{"hz", spot.frequency}, {"output_a_per_root_hz", spot.output}, {"candidate_a_per_root_hz", spot.candidate}});
  }
  json["switch_gain_ohm"] = point.gain;
  json["output_band_a"] = point.output_band;
  json["output_full_a"] = point.output_full;
  json["candidate_band_a"] = point.candidate_band;
  json["densities"] = spots;
  json["devices"] = devices_json(point.devices);
  json["in_time"] = time_json(point.time);
  return json;
}

Json retention_json(const DeviceRetention& entry, double rise) {
  Json needed = Json::array();
  for (std::size_t i = 0; i < entry.needed.size(); ++i) {
    needed.push_back({{"seconds", kRetentionSeconds[i]},
                      {"margin_a", design::finite_or_null(entry.needed[i])},
                      {"margin_over_beta_hi", design::finite_or_null(entry.needed[i] / rise)}});
  }
  return {{"state", entry.on ? "on" : "off"},
          {"threshold_a", entry.threshold},
          {"sigma_a", design::finite_or_null(entry.deviation)},
          {"sigma_over_beta_hi", design::finite_or_null(entry.deviation / rise)},
          {"sigma_ten_years_a", design::finite_or_null(entry.long_deviation)},
          {"margin_over_sigma", design::finite_or_null(entry.margin)},
          {"log10_seconds", design::finite_or_null(entry.exponent)},
          {"needed", needed}};
}

}  // namespace

Json device_noise_json(const DeviceNoise& result, const DeviceNoiseRequest& request) {
  Json held = Json::array();
  Json edges = Json::array();
  Json retention = Json::array();
  Json near = Json::array();
  for (const NoisyHold& point : result.held) held.push_back(hold_json(point));
  for (const NoisyHold& point : result.edges) edges.push_back(hold_json(point));
  for (const DeviceRetention& entry : result.retention) {
    retention.push_back(retention_json(entry, result.retention.back().threshold));
  }
  for (const NearThreshold& point : result.near) {
    Json json = hold_json(point.hold);
    json.erase("devices");
    json["margin_over_sigma"] = point.margin_over_deviation;
    json["expected_flips"] = design::finite_or_null(point.expected_flips);
    near.push_back(json);
  }
  return {{"low_hz", request.low},
          {"band_hz", request.band},
          {"high_hz", request.high},
          {"sample_seconds", request.sample_seconds},
          {"samples", request.samples},
          {"trials", request.trials},
          {"held", held},
          {"thresholds", edges},
          {"law", result.law_is_fitted ? "fitted" : "gaussian"},
          {"retention", retention},
          {"near_thresholds", near},
          {"failures", result.failures}};
}

}  // namespace hysteron::studies
