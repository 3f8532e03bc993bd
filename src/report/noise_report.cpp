#include "report/noise_report.h"

#include "base/units.h"
#include "report/cell_tables.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::BandRatio;
using analysis::CountedRetention;
using analysis::FlipFit;
using analysis::HeldPoint;
using analysis::NoiseRetention;
using studies::FlipShare;
using studies::NoiseStudy;

const Table<BandRatio>& band_table() {
  static const auto table =
      Table<BandRatio>()
          .figure("low_hz", "Hz", "", &BandRatio::low)
          .figure("high_hz", "Hz", "", &BandRatio::high)
          .figure("trials_used", "that did not flip", &BandRatio::trials)
          .figure("suppression", Better::kHigher, "of the noise between them; null: too few trials",
                  [](const BandRatio& band) { return band.ratio.value; })
          .figure("ci95", "[low, high]", [](const BandRatio& band) { return ends_of(band.ratio); });
  return table;
}

const Table<HeldPoint>& point_table() {
  static const auto table =
      Table<HeldPoint>()
          .figure("state", "`on` or `off`", [](const HeldPoint& point) { return point.on ? "on" : "off"; })
          .figure("place", "in the band: 0 at the lower, 1 at the upper threshold", &HeldPoint::place)
          .figure("candidate_a", "A", "held there", &HeldPoint::candidate)
          .figure("sigma_in", "deviation of the noise asked for, over beta_hi", &HeldPoint::deviation)
          .figure("input_a", "A", "deviation of the candidate as measured", &HeldPoint::input)
          .figure("output_a", "A", Better::kLower, "deviation of the output while the state holds", &HeldPoint::output)
          .figure("suppression", Better::kHigher, "(input / beta_hi) / (output / alpha); null: see `reason`",
                  [](const HeldPoint& point) { return point.suppression.value; })
          .figure("ci95", "[low, high]", [](const HeldPoint& point) { return ends_of(point.suppression); })
          .figure("trials_used", "that held long enough", &HeldPoint::trials)
          .figure("simulator_floor", "suppression if the output moved as without noise", &HeldPoint::floor)
          .figure("simulator_floor_under_noise", "if it moved by what closer tolerances change",
                  &HeldPoint::noisy_floor)
          .figure("flips", Better::kLower, "trials in which noise took the state", &HeldPoint::flips)
          .figure("samples", "of noise until then", &HeldPoint::samples)
          .figure("unheld", Better::kLower, "trials whose state was lost before the noise", &HeldPoint::unheld)
          .figure("failed", Better::kLower, "trials not solved", &HeldPoint::failed)
          .figure(
              "reason", "why there is no suppression",
              [](const HeldPoint& point) { return point.reason.empty() ? std::nullopt : std::optional(point.reason); })
          .list("per_frequency", "by band", band_table(), &HeldPoint::bands);
  return table;
}

const Table<FlipShare>& flip_share_table() {
  static const auto table =
      Table<FlipShare>()
          .figure("margin_over_sigma", "distance from the threshold over the noise's deviation",
                  [](const FlipShare& flips) { return flips.count.margin; })
          .figure("flips", Better::kLower, "", [](const FlipShare& flips) { return flips.count.flips; })
          .figure("samples", "of noise", [](const FlipShare& flips) { return flips.count.samples; })
          .figure("probability", Better::kLower, "of a flip, a sample", &FlipShare::share)
          .figure("ci95", "[low, high], Wilson", [](const FlipShare& flips) { return ends_of(flips.interval); })
          .figure("gaussian_tail", "what the share would be by one sample beyond the threshold",
                  &FlipShare::gaussian_tail);
  return table;
}

const Table<NoiseStudy>& fit_table() {
  static const auto law =
      Table<FlipFit>()
          .figure("offset", Better::kHigher, "a of Q(a + b margin / sigma); null: too few flips", &FlipFit::offset)
          .figure("offset_half_interval", "95 %, Fisher information", &FlipFit::offset_half_interval)
          .figure("slope", Better::kHigher, "b", &FlipFit::slope)
          .figure("slope_half_interval", "", &FlipFit::slope_half_interval);
  static const auto table =
      Table<NoiseStudy>()
          .merge(
              law, [](const NoiseStudy& study) -> const auto& { return study.suppression.fit; })
          .figure("offset_ci95", "[low, high] over other draws of the points",
                  [](const NoiseStudy& study) { return ends_of(study.fit_offset); })
          .figure("slope_ci95", "as above", [](const NoiseStudy& study) { return ends_of(study.fit_slope); })
          .figure("resamples", "those draws",
                  [](const NoiseStudy& study) { return study.suppression.resampled.size(); })
          .figure("flips", "it rests on", [](const NoiseStudy& study) { return study.suppression.fit.flips; });
  return table;
}

const NoiseStudy& whole(const NoiseStudy& study) { return study; }

const Table<NoiseStudy>& flips_table() {
  static const auto table = Table<NoiseStudy>()
                                .list("points", "one a held point with noise", flip_share_table(), &NoiseStudy::flips)
                                .object("fit", "the flip law", fit_table(), whole);
  return table;
}

const Table<NoiseRetention>& retention_table() {
  static const auto table =
      Table<NoiseRetention>()
          .figure("supply_v", "V", "", [](const NoiseRetention& entry) { return entry.environment.supply; })
          .figure("temperature", "C", "", [](const NoiseRetention& entry) { return entry.environment.temperature; })
          .figure("rise", "A", "upper threshold there",
                  [](const NoiseRetention& entry) { return entry.loop.loop.rise; })
          .figure("fall", "A", "lower threshold there",
                  [](const NoiseRetention& entry) { return entry.loop.loop.fall; })
          .figure("sigma_in", "deviation of the noise over beta_hi", &NoiseRetention::deviation)
          .figure("log10_seconds_on", Better::kHigher, "decimal logarithm of the mean time a state on lasts",
                  &NoiseRetention::on_exponent)
          .figure("log10_seconds_on_ci95", "[low, high]",
                  [](const NoiseRetention& entry) { return ends_of(entry.on_interval); })
          .figure("log10_seconds_off", Better::kHigher, "and a state off", &NoiseRetention::off_exponent)
          .figure("log10_seconds_off_ci95", "[low, high]",
                  [](const NoiseRetention& entry) { return ends_of(entry.off_interval); });
  return table;
}

const Table<CountedRetention>& counted_table() {
  static const auto table =
      Table<CountedRetention>()
          .figure("supply_v", "V", "", [](const CountedRetention& entry) { return entry.environment.supply; })
          .figure("temperature", "C", "", [](const CountedRetention& entry) { return entry.environment.temperature; })
          .figure("sigma_in", "the largest asked for", &CountedRetention::deviation)
          .figure("state", "`on` or `off`", [](const CountedRetention& entry) { return entry.on ? "on" : "off"; })
          .figure("flips", Better::kLower, "", &CountedRetention::flips)
          .figure("samples", "of noise", &CountedRetention::samples)
          .figure("unheld", Better::kLower, "trials whose state was lost before the noise", &CountedRetention::unheld)
          .figure("failed", Better::kLower, "trials not solved", &CountedRetention::failed)
          .figure("log10_seconds", Better::kHigher, "mean time that the state lasted; null: no flip",
                  &CountedRetention::exponent)
          .figure("ci95", "[low, high]; null: no bound",
                  [](const CountedRetention& entry) { return ends_of(entry.interval); });
  return table;
}

const Table<NoiseStudy>& protocol_table() {
  using analysis::SuppressionRequest;
  static const auto request =
      Table<SuppressionRequest>()
          .figure("sample_seconds", "s", "between noise samples", &SuppressionRequest::sample_seconds)
          .figure("band_hz", "Hz", "half the rate of the samples",
                  [](const SuppressionRequest& r) { return 0.5 / r.sample_seconds; })
          .figure("samples", "of a trial", &SuppressionRequest::samples)
          .figure("trials", "of every point", &SuppressionRequest::trials)
          .figure("seed", "of the noise", &SuppressionRequest::seed)
          .figure("cell_capacitance_f", "F", "at V0", &SuppressionRequest::cell_capacitance);
  static const auto table =
      Table<NoiseStudy>()
          .figure("protocol", "`A`", [](const NoiseStudy&) { return "A"; })
          .object(
              "cell", "its loop", loop_table(),
              [](const NoiseStudy& study) -> const auto& { return study.suppression.cell.loop.loop; })
          .merge(
              request, [](const NoiseStudy& study) -> const auto& { return study.request.suppression; })
          .merge(operating_point_table(), &NoiseStudy::operating_point);
  return table;
}

/// A figure, or a dash where too little was held for one.
std::string figure_text(double value) { return std::isnan(value) ? "-" : fmt::format("{:.5g}", value); }

/// "10^9.7 (10^4.9 to 10^24)", seconds.
std::string power_of_ten(double exponent, const analysis::Interval& interval) {
  if (std::isnan(exponent)) return "-";
  const std::string range =
      std::isnan(interval.low) ? "" : fmt::format(" (10^{:.3g} to 10^{:.3g})", interval.low, interval.high);
  return (std::isinf(exponent) ? "no flip" : fmt::format("10^{:.3g}", exponent)) + range;
}

/// How long a bit lasts in the middle of its band: by the flip law, and as counted under the largest noise.
std::string retention_text(const analysis::Suppression& result) {
  std::string text =
      fmt::format("\nmean seconds that a bit lasts in the middle of its band{}\n{:>8}{:>9}{:>10}{:>32}{:>32}\n",
                  std::isnan(result.fit.slope) ? " (too few flips for a law)" : ", by that law", "supply", "temp",
                  "sigma in", "on", "off");
  const auto row = [&](const compile::CellEnvironment& environment, double deviation, const std::string& on,
                       const std::string& off) {
    text += fmt::format("{:>6.3g} V{:>7g} C{:>9.3g}%{:>32}{:>32}\n", environment.supply, environment.temperature,
                        100.0 * deviation, on, off);
  };
  for (const NoiseRetention& entry : result.retention) {
    row(entry.environment, entry.deviation, power_of_ten(entry.on_exponent, entry.on_interval),
        power_of_ten(entry.off_exponent, entry.off_interval));
  }
  text += "counted:\n";
  for (std::size_t i = 0; i + 1 < result.counted.size(); i += 2) {
    const CountedRetention& on = result.counted[i];
    const CountedRetention& off = result.counted[i + 1];
    row(on.environment, on.deviation, power_of_ten(on.exponent, on.interval), power_of_ten(off.exponent, off.interval));
  }
  return text;
}

std::string law_text(const NoiseStudy& study) {
  const FlipFit& fit = study.suppression.fit;
  if (std::isnan(fit.slope)) return "";
  std::string text =
      fmt::format("\na sample flips a state with Q({:.2f} + {:.2f} m), m the margin over sigma ({} flips)\n",
                  fit.offset, fit.slope, fit.flips);
  if (study.suppression.resampled.empty()) return text;
  return text + fmt::format("over other draws of the points {:.2f} to {:.2f} and {:.2f} to {:.2f}\n",
                            study.fit_offset.low, study.fit_offset.high, study.fit_slope.low, study.fit_slope.high);
}

std::string suppression_text(const NoiseStudy& study) {
  const compile::CellLoop& loop = study.suppression.cell.loop.loop;
  std::string text = fmt::format("cell: rise {}, fall {}, high {}\n\n", format_si(loop.rise, "A", 4),
                                 format_si(loop.fall, "A", 4), format_si(loop.high, "A", 4));
  text += fmt::format("{:<6}{:>7}{:>9}{:>13}{:>26}{:>8}{:>12}{:>12}{:>8}{:>9}\n", "state", "place", "sigma in",
                      "suppression", "95 % interval", "trials", "quiet floor", "floor", "flips", "samples");
  for (const HeldPoint& point : study.suppression.points) {
    text += fmt::format("{:<6}{:>7g}{:>8.3g}%{:>13}{:>26}{:>8}{:>12}{:>12}{:>8}{:>9}\n", point.on ? "on" : "off",
                        point.place, 100.0 * point.deviation, figure_text(point.suppression.value),
                        figure_text(point.suppression.low) + " to " + figure_text(point.suppression.high), point.trials,
                        figure_text(point.floor), figure_text(point.noisy_floor), point.flips, point.samples);
    if (!point.reason.empty()) text += fmt::format("       no figure: {}\n", point.reason);
  }
  return text + law_text(study) + retention_text(study.suppression);
}

}  // namespace

const Table<NoiseStudy>& noise_table() {
  static const auto table =
      Table<NoiseStudy>()
          .merge(protocol_table(), whole)
          .list(
              "suppression", "every held point", point_table(),
              [](const NoiseStudy& study) -> const auto& { return study.suppression.points; })
          .object("flip_probability", "how often noise takes a state", flips_table(), whole)
          .list(
              "retention", "of a bit in the middle of its band, by the flip law", retention_table(),
              [](const NoiseStudy& study) -> const auto& { return study.suppression.retention; })
          .list(
              "retention_counted", "the same as counted under the largest noise", counted_table(),
              [](const NoiseStudy& study) -> const auto& { return study.suppression.counted; })
          .figure("failures", "why trials were not solved",
                  [](const NoiseStudy& study) { return study.suppression.failures; })
          .text(suppression_text)
          .object("device_noise", "protocol C: the cell's own devices", device_noise_table(), whole)
          .text([](const NoiseStudy& study) { return device_noise_table().text(study); });
  return table;
}

}  // namespace hysteron::report
