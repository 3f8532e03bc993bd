#include "sim/compression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace hysteron::sim {
namespace {

/// Largest distance of the points from the straight lines through the kept ones.
double worst_error(const std::vector<double>& time, const std::vector<double>& values,
                   const std::vector<std::size_t>& kept) {
  double worst = 0.0;
  for (std::size_t k = 1; k < kept.size(); ++k) {
    const std::size_t a = kept[k - 1];
    const std::size_t b = kept[k];
    for (std::size_t i = a + 1; i < b; ++i) {
      const double share = (time[i] - time[a]) / (time[b] - time[a]);
      worst = std::max(worst, std::abs(values[a] + share * (values[b] - values[a]) - values[i]));
    }
  }
  return worst;
}

TEST(KeptPoints, AStraightLineNeedsItsEnds) {
  EXPECT_EQ(stored_points(std::vector<double>{0, 1, 2, 3.5}, std::vector<double>{1, 3, 5, 8}, 1e-9),
            (std::vector<std::size_t>{0, 3}));
}

TEST(KeptPoints, CornersAreKept) {
  EXPECT_EQ(stored_points(std::vector<double>{0, 1, 2, 3, 4}, std::vector<double>{0, 1, 2, 1, 0}, 0.01),
            (std::vector<std::size_t>{0, 2, 4}));
}

TEST(KeptPoints, StayWithinTheTolerance) {
  Random random(5);
  std::vector<double> time;
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) {
    time.push_back((time.empty() ? 0.0 : time.back()) + 1e-3 * (0.01 + random.uniform()));
    values.push_back(std::sin(7.0 * time.back()) + 0.003 * random.normal());
  }
  std::size_t before = time.size() + 1;
  for (const double tolerance : {1e-4, 1e-2, 0.1}) {
    const auto kept = stored_points(time, values, tolerance);
    EXPECT_LE(worst_error(time, values, kept), tolerance * (1.0 + 1e-9));
    EXPECT_EQ(kept.front(), 0u);
    EXPECT_EQ(kept.back(), time.size() - 1);
    EXPECT_LT(kept.size(), before);
    before = kept.size();
  }
  EXPECT_LT(before, 60u);
}

TEST(KeptPoints, EdgesAndJumps) {
  EXPECT_TRUE(stored_points({}, {}, 1.0).empty());
  EXPECT_EQ(stored_points(std::vector<double>{3}, std::vector<double>{1}, 1.0), std::vector<std::size_t>{0});
  EXPECT_EQ(stored_points(std::vector<double>{0, 1, 1, 2}, std::vector<double>{0, 0, 5, 5}, 0.1),
            (std::vector<std::size_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace hysteron::sim
