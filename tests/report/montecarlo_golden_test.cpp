#include "golden.h"
#include "report/montecarlo_report.h"
#include "samples.h"

namespace hysteron::report {
namespace {

studies::DieFigures sample_figures(double yield) {
  return {{yield, analysis::Interval{yield - 0.1, yield + 0.05}},
          analysis::Interval{yield - 0.2, yield + 0.08},
          {1.0, analysis::Interval{0.8, 1.0}},
          analysis::Interval{1.0, 1.0},
          0.97,
          0.015};
}

/// Trimmed dies of ngspice that both engines ran, with a pair that failed and a clip that has no result.
studies::MonteCarlo sample_montecarlo() {
  studies::MonteCarlo result;
  result.prepared = sample_prepared_model();
  result.operating_point = {"gf180mcu@4", 1.8, 1e-9};
  result.seed = 7;
  result.simulator = studies::DieSimulator::kBoth;
  result.close_clips = 1;
  result.figures = sample_figures(0.75);
  studies::ClipYield clip{{3, 1, 40, 101}, "yes", 2, {0.5, analysis::Interval{0.1, 0.9}}, 0.96};
  studies::ClipYield lost{{8, 0, 2, 101}, "no", 0, {}, std::nan("")};
  lost.decision_yield.value = std::nan("");
  result.per_clip = {clip, lost};
  result.per_die = {{7, 1, {1.0, analysis::Interval{0.2, 1.0}}, 24e-9, std::vector<int>{3, -2}},
                    {8, 1, {0.0, analysis::Interval{0.0, 0.8}}, {}, {}}};
  result.cells = {{1, 0, 0.04}, {0, 3, 0.001}};
  result.margins.fit.law.offset = 0.9;
  result.margins.fit.law.slope = 4.2;
  result.margins.fit.offset = {0.5, 1.3};
  result.margins.fit.slope = {std::nan(""), std::nan("")};
  result.margins.fit.resamples = 498;
  result.margins.fit.dispersion = 1.7;
  result.margins.fit.rms_error = 0.03;
  result.margins.margin_of_1_percent = 0.34;
  studies::TrimFigures trim;
  trim.legs = {{1, 0, true, 100, 0.02}, {0, 3, false, 200, 0.01}};
  trim.clips_played = 40;
  trim.seconds_played = 80.8;
  trim.extra_transistors = 20;
  trim.storage_bits = 10;
  trim.codes_at_an_end = 0.25;
  trim.before = sample_figures(0.6);
  result.trim = trim;
  result.comparison = studies::EngineComparison{
      {3, 2.0 / 3.0, 0.98, 0.99, 0.012, 0.02}, {1, 2, 1}, {{8, {3, 1, 40, 101}, {60, 41}, {40, 61}}}};
  result.failed = {{8, 8, "ngspice ran out of time"}};
  result.seconds = 12.5;
  return result;
}

TEST(Golden, MonteCarlo) { check_golden("montecarlo", montecarlo_table(), sample_montecarlo()); }

TEST(Golden, MonteCarloWithoutAResultHasNoText) {
  studies::MonteCarlo result;
  result.figures.decision_yield.value = std::nan("");
  EXPECT_EQ(montecarlo_table().text(result), "");
  EXPECT_TRUE(montecarlo_table().json(result).tree()["decision_yield"].is_null());
  EXPECT_TRUE(montecarlo_table().json(result).tree()["ci95"].is_null());
}

}  // namespace
}  // namespace hysteron::report
