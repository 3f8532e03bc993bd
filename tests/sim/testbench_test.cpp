#include "sim/testbench.h"

#include <gtest/gtest.h>

namespace hysteron::sim {
namespace {

TEST(PiecewiseLinear, IsLinearBetweenBreakpointsAndConstantOutside) {
  const PiecewiseLinear wave = {{1.0, 2.0}, {3.0, 6.0}, {4.0, 0.0}};
  EXPECT_DOUBLE_EQ(value_at(wave, 0.0), 2.0);
  EXPECT_DOUBLE_EQ(value_at(wave, 1.5), 3.0);
  EXPECT_DOUBLE_EQ(value_at(wave, 3.0), 6.0);
  EXPECT_DOUBLE_EQ(value_at(wave, 3.75), 1.5);
  EXPECT_DOUBLE_EQ(value_at(wave, 9.0), 0.0);
}

}  // namespace
}  // namespace hysteron::sim
