#include "studies/noise_report.h"

#include <cmath>
#include <utility>

#include "analysis/yield.h"
#include "design/finite_or_null.h"
#include "studies/cell_report.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;
using namespace analysis;

template <typename Range>
Json interval_json(const Range& range) {
  return Json::array({design::finite_or_null(range.low), design::finite_or_null(range.high)});
}

Json point_json(const HeldPoint& point) {
  Json json = {{"state", point.on ? "on" : "off"},
               {"place", point.place},
               {"candidate_a", point.candidate},
               {"sigma_in", point.deviation},
               {"input_a", design::finite_or_null(point.input)},
               {"output_a", design::finite_or_null(point.output)},
               {"suppression", design::finite_or_null(point.suppression.value)},
               {"ci95", interval_json(point.suppression)},
               {"trials_used", point.trials},
               {"simulator_floor", design::finite_or_null(point.floor)},
               {"simulator_floor_under_noise", design::finite_or_null(point.noisy_floor)},
               {"flips", point.flips},
               {"samples", point.samples},
               {"unheld", point.unheld},
               {"failed", point.failed}};
  if (!point.reason.empty()) json["reason"] = point.reason;
  Json bands = Json::array();
  for (const BandRatio& band : point.bands) {
    bands.push_back({{"low_hz", band.low},
                     {"high_hz", band.high},
                     {"trials_used", band.trials},
                     {"suppression", design::finite_or_null(band.ratio.value)},
                     {"ci95", interval_json(band.ratio)}});
  }
  json["per_frequency"] = bands;
  return json;
}

Json flips_json(const Suppression& result) {
  Json points = Json::array();
  for (const FlipCount& count : result.flips) {
    const Interval interval = wilson_interval(count.flips, count.samples);
    const double share =
        count.samples == 0 ? NAN : static_cast<double>(count.flips) / static_cast<double>(count.samples);
    points.push_back({{"margin_over_sigma", count.margin},
                      {"flips", count.flips},
                      {"samples", count.samples},
                      {"probability", design::finite_or_null(share)},
                      {"ci95", Json::array({interval.low, interval.high})},
                      {"gaussian_tail", gaussian_tail(count.margin)}});
  }
  const FlipFit& fit = result.fit;
  return {{"points", points},
          {"fit",
           {{"offset", design::finite_or_null(fit.offset)},
            {"offset_half_interval", design::finite_or_null(fit.offset_half_interval)},
            {"slope", design::finite_or_null(fit.slope)},
            {"slope_half_interval", design::finite_or_null(fit.slope_half_interval)},
            {"offset_ci95", interval_json(interval_of(result.resampled, &FlipFit::offset))},
            {"slope_ci95", interval_json(interval_of(result.resampled, &FlipFit::slope))},
            {"resamples", result.resampled.size()},
            {"flips", fit.flips}}}};
}

Json retention_json(const Suppression& result) {
  Json list = Json::array();
  for (const NoiseRetention& entry : result.retention) {
    list.push_back({{"supply", entry.environment.supply},
                    {"temperature", entry.environment.temperature},
                    {"rise", design::finite_or_null(entry.loop.loop.rise)},
                    {"fall", design::finite_or_null(entry.loop.loop.fall)},
                    {"sigma_in", entry.deviation},
                    {"log10_seconds_on", design::finite_or_null(entry.on_exponent)},
                    {"log10_seconds_on_ci95", interval_json(entry.on_interval)},
                    {"log10_seconds_off", design::finite_or_null(entry.off_exponent)},
                    {"log10_seconds_off_ci95", interval_json(entry.off_interval)}});
  }
  return list;
}

Json counted_json(const Suppression& result) {
  Json list = Json::array();
  for (const CountedRetention& entry : result.counted) {
    list.push_back({{"supply", entry.environment.supply},
                    {"temperature", entry.environment.temperature},
                    {"sigma_in", entry.deviation},
                    {"state", entry.on ? "on" : "off"},
                    {"flips", entry.flips},
                    {"samples", entry.samples},
                    {"unheld", entry.unheld},
                    {"failed", entry.failed},
                    {"log10_seconds", design::finite_or_null(entry.exponent)},
                    {"ci95", interval_json(entry.interval)}});
  }
  return list;
}

}  // namespace

Json suppression_json(const Suppression& result, const SuppressionRequest& request) {
  Json points = Json::array();
  for (const HeldPoint& point : result.points) points.push_back(point_json(point));
  return {{"protocol", "A"},
          {"cell", loop_json(result.cell.loop.loop)},
          {"sample_seconds", request.sample_seconds},
          {"band_hz", 0.5 / request.sample_seconds},
          {"samples", request.samples},
          {"trials", request.trials},
          {"seed", request.seed},
          {"cell_capacitance_f", request.cell_capacitance},
          {"suppression", points},
          {"flip_probability", flips_json(result)},
          {"retention", retention_json(result)},
          {"retention_counted", counted_json(result)},
          {"failures", result.failures}};
}

}  // namespace hysteron::studies
