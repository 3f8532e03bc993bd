#include "hysteron/report/noise_report.h"

#include <cmath>

#include "hysteron/analysis/yield.h"
#include "hysteron/report/cell_report.h"
#include "hysteron/report/number_json.h"

namespace hysteron::report {
namespace {

using Json = nlohmann::ordered_json;
using namespace analysis;

Json interval_json(const Ratio& ratio) { return Json::array({number_json(ratio.low), number_json(ratio.high)}); }

Json point_json(const HeldPoint& point) {
  Json json = {{"state", point.on ? "on" : "off"},
               {"place", point.place},
               {"candidate_a", point.candidate},
               {"sigma_in", point.deviation},
               {"input_a", number_json(point.input)},
               {"output_a", number_json(point.output)},
               {"suppression", number_json(point.suppression.value)},
               {"ci95", interval_json(point.suppression)},
               {"simulator_floor", number_json(point.floor)},
               {"flips", point.flips},
               {"samples", point.samples},
               {"failed", point.failed}};
  Json bands = Json::array();
  for (const BandRatio& band : point.bands) {
    bands.push_back({{"low_hz", band.low},
                     {"high_hz", band.high},
                     {"suppression", number_json(band.ratio.value)},
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
                      {"probability", number_json(share)},
                      {"ci95", Json::array({interval.low, interval.high})},
                      {"gaussian_tail", gaussian_tail(count.margin)}});
  }
  const FlipFit& fit = result.fit;
  return {{"points", points},
          {"fit",
           {{"offset", number_json(fit.offset)},
            {"offset_half_interval", number_json(fit.offset_half_interval)},
            {"slope", number_json(fit.slope)},
            {"slope_half_interval", number_json(fit.slope_half_interval)},
            {"flips", fit.flips}}}};
}

Json retention_json(const Suppression& result) {
  Json list = Json::array();
  for (const NoiseRetention& entry : result.retention) {
    list.push_back({{"supply", entry.environment.supply},
                    {"temperature", entry.environment.temperature},
                    {"rise", number_json(entry.loop.loop.rise)},
                    {"fall", number_json(entry.loop.loop.fall)},
                    {"sigma_in", entry.deviation},
                    {"log10_seconds_on", number_json(entry.on_exponent)},
                    {"log10_seconds_off", number_json(entry.off_exponent)}});
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
          {"failures", result.failures}};
}

}  // namespace hysteron::report
