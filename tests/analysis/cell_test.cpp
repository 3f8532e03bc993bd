#include <gtest/gtest.h>

#include <cmath>

#include "analysis/cell_characterisation.h"
#include "analysis/cell_study.h"
#include "analysis/suppression.h"
#include "analysis/tuned_bench.h"
#include "base/error.h"

namespace hysteron::analysis {
namespace {

/// Made once for all tests.
const TunedBench& bench() {
  static const TunedBench instance({300e-12, 150e-12, 200e-12});
  return instance;
}

/// The tuned cell with one leg's gain multiplied.
compile::CellSizes with_leg(double compile::CellGains::*leg, double factor) {
  const CellTestSetup& lab = bench().lab;
  compile::CellGains gains = compile::gains_of(bench().cell.sizes, lab.curves, lab.cell_setup().supply());
  gains.*leg *= factor;
  return compile::draw_cell(gains, lab.technology, lab.curves, lab.conditions);
}

TEST(FitLine, FindsSlopeOffsetAndWorstResidual) {
  const LineFit fit = fit_line({1.0, 2.0, 3.0, 4.0}, {3.1, 4.9, 6.9, 9.1});
  EXPECT_NEAR(fit.slope, 2.0, 1e-12);
  EXPECT_NEAR(fit.offset, 1.0, 1e-12);
  EXPECT_NEAR(fit.worst_residual, 0.1, 1e-12);
}

TEST(FitLine, LeavesOutPointsThatAreMissing) {
  const LineFit fit = fit_line({1.0, 2.0, 3.0}, {1.0, std::nan(""), 3.0});
  EXPECT_EQ(fit.points, 2u);
  EXPECT_NEAR(fit.slope, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(fit_line({1.0, 1.0}, {1.0, 2.0}).slope));
}

/// Its own, slower measurement agrees with the calibrator's.
TEST(CellLoop, CalibrationBringsCurrentsWithinItsTolerance) {
  const MeasuredLoop& loop = bench().cell.loop;
  ASSERT_TRUE(loop.good()) << loop.problem;
  EXPECT_NEAR(loop.loop.rise, 300e-12, compile::kCellTolerance * 300e-12);
  EXPECT_NEAR(loop.loop.fall, 150e-12, compile::kCellTolerance * 150e-12);
  EXPECT_NEAR(loop.loop.high, 200e-12, compile::kCellTolerance * 200e-12);
  EXPECT_LT(loop.loop.low, 1e-12);
}

TEST(CellLoop, SlowerRampsFindTheSameThresholds) {
  LoopProtocol slower;
  slower.slow_seconds *= 4.0;
  const compile::CellLoop& loop = bench().cell.loop.loop;
  const LoopRequest request{
      bench().cell.sizes, {loop.rise, loop.fall, loop.high}, bench().lab.nominal_environment(), true};
  const MeasuredLoop again = measure_loops(bench().lab, {request}, slower).front();
  EXPECT_NEAR(again.loop.rise, loop.rise, 0.5e-12);
  EXPECT_NEAR(again.loop.fall, loop.fall, 0.5e-12);
}

TEST(CellLoop, NeighboursOnABenchDoNotMatter) {
  const compile::CellLoop& loop = bench().cell.loop.loop;
  std::vector<LoopRequest> requests;
  for (const double scale : {1.0, 3.0, 0.3}) {
    requests.push_back({with_leg(&compile::CellGains::output, scale),
                        {loop.rise, loop.fall, loop.high},
                        bench().lab.nominal_environment(),
                        false});
  }
  const std::vector<MeasuredLoop> loops = measure_loops(bench().lab, requests);
  EXPECT_NEAR(loops[0].loop.rise, loop.rise, 0.2e-12);
  EXPECT_NEAR(loops[0].loop.high, loop.high, 0.2e-12);
}

TEST(CellLoop, WrongGuessesAreFoundWide) {
  LoopRequest request{bench().cell.sizes, {270e-12, 170e-12, 200e-12}, bench().lab.nominal_environment(), true};
  const MeasuredLoop found = measure_loops(bench().lab, {request}).front();
  EXPECT_NEAR(found.loop.rise, bench().cell.loop.loop.rise, 0.3e-12);
  EXPECT_NEAR(found.loop.fall, bench().cell.loop.loop.fall, 0.3e-12);
}

TEST(CellLoop, ACellThatNeverResetsSaysSo) {
  const compile::CellSizes sizes = with_leg(&compile::CellGains::width, 3.0);
  const MeasuredLoop stuck =
      measure_loops(bench().lab, {{sizes, bench().cell.target, bench().lab.nominal_environment(), false}}).front();
  EXPECT_EQ(stuck.problem, "never resets");
  EXPECT_TRUE(stuck.solved);
  EXPECT_TRUE(std::isnan(stuck.loop.fall));
}

TEST(CellLoop, ACellWithoutThresholdSetsWithoutACandidate) {
  const compile::CellSizes sizes = with_leg(&compile::CellGains::threshold, 2e-6);
  const CellTestSetup& lab = bench().lab;
  const MeasuredLoop set = measure_loops(lab, {{sizes, bench().cell.target, {"ff", 1.8, 125.0}, false}}).front();
  EXPECT_EQ(set.problem, "sets without a candidate");
  EXPECT_TRUE(std::isnan(set.loop.rise));
}

TEST(CellLoop, AFailingEngineCostsItsCellsAlone) {
  spice::RunOptions impatient;
  impatient.time_limit = std::chrono::milliseconds(1);
  impatient.retries.clear();
  const spice::SpiceEngine engine(bench().ngspice, bench().technology, impatient);
  CellTestSetup lab{bench().technology, bench().curves, {}, engine, 1};
  const MeasuredLoop lost =
      measure_loops(lab, {{bench().cell.sizes, bench().cell.target, lab.nominal_environment(), false}}).front();
  EXPECT_FALSE(lost.solved);
  EXPECT_FALSE(lost.problem.empty());
}

TEST(CellLoop, AnUnknownCornerIsNamed) {
  const LoopRequest request{bench().cell.sizes, bench().cell.target, {"warm", 1.8, 27.0}, false};
  const MeasuredLoop lost = measure_loops(bench().lab, {request}).front();
  EXPECT_FALSE(lost.solved);
  EXPECT_NE(lost.problem.find("'warm'"), std::string::npos) << lost.problem;
}

TEST(CellCharacterisation, EachCurrentTurnsItsOwnQuantity) {
  const Sensitivities s = measure_sensitivities(bench().lab, {is_nominal(bench().lab, bench().cell)}).front();
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) EXPECT_NEAR(s[row][column], row == column ? 1.0 : 0.0, 0.05);
  }
}

TEST(CellCharacterisation, MoreOverdriveSwitchesSooner) {
  const PlacedCell placed = is_nominal(bench().lab, bench().cell);
  const std::vector<Response> responses = measure_responses(bench().lab, placed, {0.1, 0.8});
  for (const Response& response : responses) {
    EXPECT_GT(response.set_switch, 0.0) << response.problem;
    EXPECT_GT(response.set_output, 0.0);
    EXPECT_GT(response.reset_switch, 0.0);
  }
  EXPECT_LT(responses[1].set_switch, responses[0].set_switch);
  EXPECT_LT(responses[1].reset_switch, responses[0].reset_switch);
}

TEST(CellCharacterisation, OnDrawsOutputAndFeedbackMoreThanOff) {
  const CellCurrents currents = measure_currents(bench().lab, bench().cell);
  EXPECT_TRUE(currents.problem.empty()) << currents.problem;
  EXPECT_LT(currents.off_at_zero, 5e-12);
  EXPECT_NEAR(currents.off_in_band, 225e-12, 10e-12);                   // M1 alone
  EXPECT_NEAR(currents.on_in_band, (300 + 200 + 150) * 1e-12, 50e-12);  // M2's pull, the output, the feedback
  EXPECT_GT(currents.set_peak, currents.on_in_band);
  EXPECT_GT(currents.set_charge, 0.0);
  EXPECT_GT(currents.reset_charge, 0.0);
}

TEST(CellCharacterisation, HoldsBothStatesInTheBandAndNoneAboveIt) {
  const PlacedCell placed = is_nominal(bench().lab, bench().cell);
  const std::vector<Retention> held = measure_retention(bench().lab, {{placed, 0.5}, {placed, 1.2}}, 5.0);
  EXPECT_TRUE(held[0].held);
  EXPECT_TRUE(held[1].held);
  EXPECT_FALSE(held[2].held) << "a candidate above the band sets";
  EXPECT_TRUE(held[3].held);
}

TEST(CellStudy, EnvironmentsAreEachAxisAndTheExtremes) {
  CellStudyRequest request;
  request.supplies = {1.2, 1.8};
  request.temperatures = {27.0, 125.0};
  request.corners = {"tt", "ff"};
  const auto list = study_environments(request, {"", 1.8, 27.0}, bench().technology);
  // Home, the other supply, temperature and corner, and 2 x 4 extremes, four of which are among those already.
  EXPECT_EQ(list.size(), 8u);
}

TEST(CellStudy, ExtremesAreTheEndsOfEachAxisWithoutHome) {
  CellStudyRequest request;
  request.supplies = {1.2, 1.6, 1.8, 1.98};
  request.temperatures = {-40.0, 27.0, 125.0};
  request.corners = {"tt", "ff", "ss"};
  const auto list = study_extremes(request, {"", 1.8, 27.0}, bench().technology);
  const std::vector<compile::CellEnvironment> expected = {{"", 1.2, 27.0},  {"", 1.98, 27.0},  {"", 1.8, -40.0},
                                                          {"", 1.8, 125.0}, {"ff", 1.8, 27.0}, {"ss", 1.8, 27.0}};
  EXPECT_EQ(list, expected);
}

TEST(CellCharacterisation, ACellWithoutABandHasNoCurrentsInIt) {
  MeasuredLoop lost;
  lost.loop = {std::nan(""), std::nan(""), std::nan(""), std::nan("")};
  const CellTestSetup& lab = bench().lab;
  const auto currents = measure_currents(lab, bench().cell, {lab.nominal_environment(), lab.nominal_environment()},
                                         {lost, bench().cell.loop});
  for (const double value : {currents[0].off_in_band, currents[0].on_in_band, currents[0].set_charge,
                             currents[0].reset_charge, currents[0].set_peak}) {
    EXPECT_TRUE(std::isnan(value)) << "no figure, not 0";
  }
  EXPECT_FALSE(currents[0].problem.empty());
  EXPECT_TRUE(currents[1].problem.empty()) << currents[1].problem;
  EXPECT_GT(currents[1].set_charge, 0.0);
}

TEST(CellFloor, LeakageAndTheSmallestLegSetIt) {
  const compile::CellFloor floor =
      compile::measure_cell_floor(bench().technology, bench().curves, {}, 27.0, bench().engine);
  EXPECT_GT(floor.leakage, 0.0);
  EXPECT_LE(floor.threshold(), 10e-12);
  const compile::CellFloor hot =
      compile::measure_cell_floor(bench().technology, bench().curves, {}, 125.0, bench().engine);
  EXPECT_GT(hot.leakage, 10.0 * floor.leakage);
}

/// A small study of noise, made once for all tests.
const Suppression& noise_study() {
  static const Suppression result = [] {
    SuppressionRequest request;
    request.deviations = {0.02, 0.2};
    request.places = {0.5, 0.75};
    request.trials = 3;
    request.samples = 120;
    request.supplies.clear();
    request.temperatures = {85.0};
    return measure_suppression(bench().lab, request);
  }();
  return result;
}

TEST(SuppressionStudy, AHeldStateKeepsItsNoiseFromTheOutput) {
  const Suppression& result = noise_study();
  ASSERT_EQ(result.points.size(), 8u);
  EXPECT_TRUE(result.failures.empty());
  for (const HeldPoint& point : result.points) {
    if (point.deviation > 0.1) continue;
    EXPECT_EQ(point.flips, 0u);
    EXPECT_EQ(point.samples, 360u);
    EXPECT_NEAR(point.input / result.cell.loop.loop.rise, 0.02, 0.004);
    EXPECT_GT(point.suppression.value, point.on ? 50.0 : 500.0);
    EXPECT_LT(point.suppression.low, point.suppression.value);
    EXPECT_GT(point.suppression.high, point.suppression.value);
    EXPECT_GT(point.floor, point.suppression.value);
    for (const BandRatio& band : point.bands) {
      if (band.low < 10.0) continue;  // a trial of 60 ms has two lines below that
      EXPECT_GT(band.ratio.value, 50.0) << band.low << " Hz";
    }
  }
  ASSERT_TRUE(result.points[0].on && result.points[0].place == 0.5 && result.points[1].on);
  EXPECT_LT(result.points[0].suppression.value, result.points[1].suppression.value) << "on, 50 and 75 % of the band";
}

TEST(SuppressionStudy, LargeNoiseFlipsStatesAndTheFlipsSayHowLongABitLasts) {
  const Suppression& result = noise_study();
  std::size_t flips = 0;
  for (const FlipCount& count : result.flips) flips += count.margin < 2.0 ? count.flips : 0;
  EXPECT_GT(flips, 5u) << "of 12 trials with the threshold 0.6 to 1.9 deviations away";
  ASSERT_EQ(result.retention.size(), 4u) << "27 and 85 degrees, two deviations";
  EXPECT_GT(result.retention[0].on_exponent, result.retention[1].on_exponent + 10.0);
  EXPECT_LT(result.retention[1].off_exponent, 1.0);
}

/// At 85 degrees both thresholds are lower: an off state is nearer to its own, an on state farther away.
TEST(SuppressionStudy, CountsTheFlipsOfOtherTemperatures) {
  const Suppression& result = noise_study();
  ASSERT_EQ(result.counted.size(), 4u) << "27 and 85 degrees, on and off";
  for (const CountedRetention& counted : result.counted) {
    EXPECT_EQ(counted.unheld + counted.failed, 0u);
    EXPECT_GT(counted.samples, 0u);
    EXPECT_LE(counted.interval.low, counted.exponent);
    EXPECT_GE(counted.interval.high, counted.exponent);
  }
  const auto& retention = result.retention[3];  // 85 degrees, the larger deviation
  EXPECT_EQ(result.counted[2].environment.temperature, retention.environment.temperature);
  EXPECT_EQ(result.counted[2].deviation, retention.deviation);
  EXPECT_GT(retention.on_exponent, retention.off_exponent);
  EXPECT_GT(result.counted[2].exponent, result.counted[3].exponent);
  EXPECT_NEAR(result.counted[3].exponent, retention.off_exponent, 1.0) << "a law of 27 degrees with those thresholds";
}

}  // namespace
}  // namespace hysteron::analysis
