#include "analysis/exponent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace hysteron::analysis {
namespace {

TEST(FitExponent, FindsThePowerLaw) {
  const Exponent fit = fit_exponent({1.0, 2.0, 4.0, 8.0}, {3.0, 12.0, 48.0, 192.0});
  EXPECT_NEAR(fit.value, 2.0, 1e-12);
  EXPECT_NEAR(fit.half_interval, 0.0, 1e-10);
}

TEST(FitExponent, ScatterWidensTheInterval) {
  const Exponent fit = fit_exponent({1.0, 2.0, 4.0}, {1.0, 2.2, 4.0});
  EXPECT_NEAR(fit.value, 1.0, 1e-12);
  // Residuals of ln y: -c, 2c, -c with c = ln(1.1) / 3; standard error sqrt(6 c^2 / (2 (ln 2)^2)); t = 12.706
  const double c = std::log(1.1) / 3.0;
  EXPECT_NEAR(fit.half_interval, 12.706 * std::sqrt(3.0) * c / std::log(2.0), 1e-9);
}

TEST(FitExponent, NeedsTwoPoints) { EXPECT_TRUE(std::isnan(fit_exponent({1.0}, {1.0}).value)); }

TEST(StudentQuantile, HasTheTablesValues) {
  EXPECT_EQ(student_quantile95(1), 12.706);
  EXPECT_EQ(student_quantile95(30), 2.042);
  EXPECT_NEAR(student_quantile95(1000), 1.96, 0.01);
  EXPECT_TRUE(std::isnan(student_quantile95(0)));
}

TEST(LocalExponent, IsThatOfTheMeansWithinTheirStandardErrors) {
  const std::vector<double> a = {0.9, 1.1, 1.0, 1.0};
  const std::vector<double> b = {4.0, 4.4, 3.6, 4.0};
  const Exponent local = local_exponent(2.0, a, 4.0, b);
  EXPECT_NEAR(local.value, 2.0, 1e-12);
  // Relative variances of the means are 0.02 / 3 / 4 each, so Welch's degrees of freedom are 6.
  EXPECT_NEAR(local.half_interval, 2.447 * std::sqrt(2.0 * 0.02 / 12.0) / std::log(2.0), 1e-9);
}

TEST(LocalExponent, CoversTheTrueSlopeInNineteenOfTwentyDraws) {
  Random random(17);
  const auto draw = [&](double mean, std::size_t count) {
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) values.push_back(mean * (1.0 + 0.1 * random.normal()));
    return values;
  };
  int covered = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Exponent local = local_exponent(8.0, draw(3.0, 16), 16.0, draw(12.0, 8));
    covered += std::abs(local.value - 2.0) < local.half_interval ? 1 : 0;
  }
  EXPECT_NEAR(covered / double{kTrials}, 0.95, 0.015);
}

TEST(LocalExponent, HasNoIntervalFromASingleSample) {
  const std::vector<double> one = {1.0};
  const std::vector<double> two = {2.0, 2.0};
  EXPECT_NEAR(local_exponent(1.0, one, 2.0, two).value, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(local_exponent(1.0, one, 2.0, two).half_interval));
  EXPECT_EQ(local_exponent(1.0, two, 2.0, two).half_interval, 0.0) << "samples that agree leave no doubt";
}

}  // namespace
}  // namespace hysteron::analysis
