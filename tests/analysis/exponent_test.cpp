#include "hysteron/analysis/exponent.h"

#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace hysteron::analysis
