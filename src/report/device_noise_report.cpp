#include "base/units.h"
#include "report/cell_tables.h"
#include "report/noise_report.h"

namespace hysteron::report {
namespace {

using analysis::DeviceRetention;
using analysis::NearThreshold;
using analysis::NoiseInTime;
using analysis::NoisyDevice;
using analysis::NoisyHold;
using studies::NoiseStudy;

const NoiseInTime& whole_time(const NoiseInTime& time) { return time; }

const Table<NoiseInTime>& in_time_table() {
  static const auto output =
      Table<NoiseInTime>()
          .figure("ratio", "measured over expected", [](const NoiseInTime& time) { return time.output_ratio.value; })
          .figure("ci95", "[low, high]", [](const NoiseInTime& time) { return ends_of(time.output_ratio); })
          .figure("expected_a", "A", Better::kLower, "deviation by small signal", &NoiseInTime::output_expected)
          .figure("measured_a", "A", Better::kLower, "deviation in time", &NoiseInTime::output);
  static const auto candidate =
      Table<NoiseInTime>()
          .figure("ratio", "measured over expected", [](const NoiseInTime& time) { return time.candidate_ratio.value; })
          .figure("ci95", "[low, high]", [](const NoiseInTime& time) { return ends_of(time.candidate_ratio); })
          .figure("expected_a", "A", Better::kLower, "of V0 referred to the candidate", &NoiseInTime::switch_expected)
          .figure("measured_a", "A", Better::kLower, "as above", &NoiseInTime::candidate);
  static const auto table =
      Table<NoiseInTime>()
          .figure("trials", "", &NoiseInTime::trials)
          .figure("flips", Better::kLower, "trials in which V0 passed half the supply", &NoiseInTime::flips)
          .figure("returned", Better::kHigher, "of them, back at the end", &NoiseInTime::returned)
          .object("output", "", output, whole_time)
          .object("candidate", "", candidate, whole_time);
  return table;
}

const Table<NoisyDevice>& device_table() {
  static const auto table =
      Table<NoisyDevice>()
          .figure("name", "", &NoisyDevice::name)
          .figure("current_a", "A", "of the drain", &NoisyDevice::current)
          .figure("white_a2_per_hz", "A2/Hz", Better::kLower, "its density",
                  [](const NoisyDevice& device) { return device.density.white; })
          .figure("flicker_a2", "A2", Better::kLower, "its density at 1 Hz",
                  [](const NoisyDevice& device) { return device.density.flicker; })
          .figure("output_share", "of the variance of the output, full band", &NoisyDevice::output_share)
          .figure("candidate_share", "of the variance at the candidate, band", &NoisyDevice::candidate_share);
  return table;
}

/// Where a state is held.
const Table<NoisyHold>& place_table() {
  static const auto table =
      Table<NoisyHold>()
          .figure("state", "`on` or `off`", [](const NoisyHold& point) { return point.on ? "on" : "off"; })
          .figure("place", "in the band; null: by a threshold", &NoisyHold::place)
          .figure("margin_a", "A", "to the threshold that would flip it", &NoisyHold::margin)
          .figure("candidate_a", "A", "", &NoisyHold::candidate)
          .figure("held", "no: there is no such operating point, and no figures", &NoisyHold::held);
  return table;
}

const Table<NoisyHold>& small_signal_table() {
  using analysis::SpotNoise;
  static const auto spots =
      Table<SpotNoise>()
          .figure("hz", "Hz", "", &SpotNoise::frequency)
          .figure("output_a_per_root_hz", "A/sqrt(Hz)", Better::kLower, "", &SpotNoise::output)
          .figure("candidate_a_per_root_hz", "A/sqrt(Hz)", Better::kLower, "", &SpotNoise::candidate);
  static const auto table =
      Table<NoisyHold>()
          .figure("switch_gain_ohm", "ohm", "V0 over the candidate at the low end", &NoisyHold::gain)
          .figure("output_band_a", "A", Better::kLower, "deviation of the output, band", &NoisyHold::output_band)
          .figure("output_full_a", "A", Better::kLower, "to the high end", &NoisyHold::output_full)
          .figure("candidate_band_a", "A", Better::kLower, "referred to the candidate, band",
                  &NoisyHold::candidate_band)
          .list("densities", "", spots, &NoisyHold::spots);
  return table;
}

const NoisyHold* if_held(const NoisyHold& point) { return point.held ? &point : nullptr; }

const Table<NoisyHold>& hold_table() {
  static const auto figures = Table<NoisyHold>()
                                  .merge(
                                      small_signal_table(), [](const NoisyHold& p) -> const auto& { return p; })
                                  .list("devices", "", device_table(), &NoisyHold::devices)
                                  .object("in_time", "trials in time", in_time_table(), &NoisyHold::time);
  static const auto table = Table<NoisyHold>()
                                .merge(
                                    place_table(), [](const NoisyHold& p) -> const auto& { return p; })
                                .merge(figures, if_held);
  return table;
}

const Table<NearThreshold>& near_table() {
  static const auto figures = Table<NoisyHold>()
                                  .merge(
                                      small_signal_table(), [](const NoisyHold& p) -> const auto& { return p; })
                                  .object("in_time", "trials in time", in_time_table(), &NoisyHold::time);
  static const auto table =
      Table<NearThreshold>()
          .merge(place_table(), &NearThreshold::hold)
          .merge(figures, [](const NearThreshold& near) { return if_held(near.hold); })
          .figure("margin_over_sigma", "from the threshold", &NearThreshold::margin_over_deviation)
          .figure("expected_flips", "of the trials, by the law", &NearThreshold::expected_flips);
  return table;
}

struct NeededMargin {
  double seconds = 0.0;
  double margin = 0.0;
  double over_rise = 0.0;
};

std::vector<NeededMargin> needed_margins(const DeviceRetention& entry) {
  std::vector<NeededMargin> margins;
  for (std::size_t i = 0; i < entry.needed.size(); ++i) {
    margins.push_back({analysis::kRetentionSeconds[i], entry.needed[i], entry.needed_over_rise[i]});
  }
  return margins;
}

const Table<DeviceRetention>& retention_table() {
  static const auto needed = Table<NeededMargin>()
                                 .figure("seconds", "s", "that a bit is to last", &NeededMargin::seconds)
                                 .figure("margin_a", "A", Better::kLower, "from the threshold", &NeededMargin::margin)
                                 .figure("margin_over_beta_hi", Better::kLower, "", &NeededMargin::over_rise);
  static const auto table =
      Table<DeviceRetention>()
          .figure("state", "`on` or `off`", [](const DeviceRetention& entry) { return entry.on ? "on" : "off"; })
          .figure("threshold_a", "A", "that would lose it", &DeviceRetention::threshold)
          .figure("sigma_a", "A", Better::kLower, "noise at the candidate near it, band", &DeviceRetention::deviation)
          .figure("sigma_over_beta_hi", Better::kLower, "", &DeviceRetention::deviation_over_rise)
          .figure("sigma_ten_years_a", "A", Better::kLower, "with flicker noise down to one period in ten years",
                  &DeviceRetention::long_deviation)
          .figure("margin_over_sigma", Better::kHigher, "in the middle of the band", &DeviceRetention::margin)
          .figure("log10_seconds", Better::kHigher, "mean time that a bit lasts there", &DeviceRetention::exponent)
          .list("needed", "for an hour, a year and ten years", needed, needed_margins);
  return table;
}

const Table<NoiseStudy>& figures_table() {
  using analysis::DeviceNoiseRequest;
  static const auto request =
      Table<DeviceNoiseRequest>()
          .figure("low_hz", "Hz", "where every band begins", &DeviceNoiseRequest::low)
          .figure("band_hz", "Hz", "end of the band a state answers to", &DeviceNoiseRequest::band)
          .figure("high_hz", "Hz", "end of the full band", &DeviceNoiseRequest::high)
          .figure("sample_seconds", "s", "between samples in time", &DeviceNoiseRequest::sample_seconds)
          .figure("samples", "of a trial", &DeviceNoiseRequest::samples)
          .figure("trials", "in time, of every point", &DeviceNoiseRequest::trials);
  static const auto table =
      Table<NoiseStudy>()
          .merge(
              request, [](const NoiseStudy& study) -> const auto& { return study.request.devices; })
          .list(
              "held", "every state and place", hold_table(),
              [](const NoiseStudy& study) -> const auto& { return study.devices.held; })
          .list(
              "thresholds", "at 1 % of beta_hi from a threshold", hold_table(),
              [](const NoiseStudy& study) -> const auto& { return study.devices.edges; })
          .figure("law", "`fitted` or `gaussian`",
                  [](const NoiseStudy& study) { return study.devices.law_is_fitted ? "fitted" : "gaussian"; })
          .list(
              "retention", "per state", retention_table(),
              [](const NoiseStudy& study) -> const auto& { return study.devices.retention; })
          .list(
              "near_thresholds", "trials close to a threshold", near_table(),
              [](const NoiseStudy& study) -> const auto& { return study.devices.near; })
          .figure("failures", "why runs were not solved",
                  [](const NoiseStudy& study) { return study.devices.failures; });
  return table;
}

std::string figure_text(double value, const char* format) {
  return std::isnan(value) ? "-" : fmt::format(fmt::runtime(format), value);
}

std::string devices_text(const NoiseStudy& study) {
  const analysis::DeviceNoise& result = study.devices;
  if (result.held.empty()) return "";
  std::string text = fmt::format("\nnoise of the cell's own devices\n{:<6}{:>7}{:>14}{:>14}{:>16}{:>18}{:>18}{:>7}\n",
                                 "state", "place", "output, band", "output, all", "candidate, band", "in time (output)",
                                 "(candidate)", "flips");
  for (const NoisyHold& point : result.held) {
    if (!point.held) continue;
    text += fmt::format("{:<6}{:>7g}{:>14}{:>14}{:>16}{:>18}{:>18}{:>7}\n", point.on ? "on" : "off", point.place,
                        format_si(point.output_band, "A", 3), format_si(point.output_full, "A", 3),
                        format_si(point.candidate_band, "A", 3), figure_text(point.time.output_ratio.value, "{:.3f}"),
                        figure_text(point.time.candidate_ratio.value, "{:.3f}"), point.time.flips);
  }
  for (const DeviceRetention& entry : result.retention) {
    text += fmt::format(
        "{} in the middle of the band: {:.0f} sigma from the threshold, 10^{:.4g} s; a year needs {} ({})\n",
        entry.on ? "on" : "off", entry.margin, entry.exponent, format_si(entry.needed[1], "A", 3),
        result.law_is_fitted ? "by that flip law" : "by the Gaussian tail");
  }
  for (const NearThreshold& near : result.near) {
    text += fmt::format(
        "{} at {:g} sigma from its threshold: {} of {} trials flipped; the law, which counts noise that V0 is too "
        "slow for, expects {}\n",
        near.hold.on ? "on" : "off", near.margin_over_deviation, near.hold.time.flips, near.hold.time.trials,
        figure_text(near.expected_flips, "{:.5g}"));
  }
  return text;
}

}  // namespace

const Table<NoiseStudy>& device_noise_table() {
  static const auto table = Table<NoiseStudy>()
                                .merge(
                                    figures_table(), [](const NoiseStudy& study) -> const auto& { return study; })
                                .text(devices_text);
  return table;
}

}  // namespace hysteron::report
