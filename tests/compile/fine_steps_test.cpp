#include "compile/fine_steps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compile/network_builder.h"
#include "compile/shop.h"

namespace hysteron::compile {
namespace {

const CellTarget kTarget = {1.2e-9, 0.05e-9, 1e-9};

/// A cell whose fall is off by `fall_error` ampere, with the legs the curves suggest.
CalibratedCell cell_off_by(double fall_error) {
  const CellSizes sizes = draw_cell(nominal_gains(kTarget, {}), shop().technology, shop().curves, {});
  return {sizes, {kTarget.rise, kTarget.fall + fall_error, kTarget.high, 0.0}, std::abs(fall_error) / kTarget.fall};
}

CellSizes steps_from(const CalibratedCell& cell, const std::vector<CellSizes>& measured) {
  return fine_steps(cell, measured, kTarget, {shop().technology, shop().curves, {}, shop().engine, 1});
}

/// The loop that the curves predict for `sizes`, whose legs were those of `cell`.
CellLoop predicted(const CalibratedCell& cell, const CellSizes& sizes) {
  const auto ratio = [&](CellLeg which) {
    const double voltage = cell_leg_voltage(shop().curves, shop().technology.supply, which);
    return shop().curves.gain_of(circuit::Polarity::kN, sizes[which], voltage) /
           shop().curves.gain_of(circuit::Polarity::kN, cell.sizes[which], voltage);
  };
  const double rise = cell.loop.rise * ratio(CellLeg::kThreshold);
  return {rise, rise - (cell.loop.rise - cell.loop.fall) * ratio(CellLeg::kWidth), cell.loop.high, 0.0};
}

TEST(FineSteps, BringAFallNearerThanOneStepOfTheGridCould) {
  const double one_step = shop().technology.size_grid / 5e-6 * kTarget.rise;
  for (const double error : {-1.7e-12, -0.9e-12, 0.4e-12, 1.3e-12}) {
    const CalibratedCell cell = cell_off_by(error);
    const CellLoop loop = predicted(cell, steps_from(cell, {cell.sizes}));
    EXPECT_LT(std::abs(loop.fall - kTarget.fall), 0.2 * one_step) << error;
    EXPECT_LT(std::abs(loop.rise - kTarget.rise), kCellTolerance * kTarget.rise) << error;
  }
}

TEST(FineSteps, StayOnTheGridAndLeaveTheOutputAlone) {
  const CalibratedCell cell = cell_off_by(1e-12);
  const CellSizes sizes = steps_from(cell, {cell.sizes});
  const double grid = shop().technology.size_grid;
  for (const CellLeg leg : kCellLegs) {
    const technology::Geometry& size = sizes[leg];
    EXPECT_NEAR(std::remainder(size.width, grid), 0.0, 1e-13);
    EXPECT_NEAR(std::remainder(size.length, grid), 0.0, 1e-13);
  }
  EXPECT_EQ(sizes.gain.width, cell.sizes.gain.width);
  EXPECT_EQ(sizes.gain.length, cell.sizes.gain.length);
}

TEST(FineSteps, NeverSuggestWhatWasMeasured) {
  const CalibratedCell cell = cell_off_by(0.3e-12);
  std::vector<CellSizes> measured = {cell.sizes};
  for (int pass = 0; pass < 5; ++pass) {
    const CellSizes sizes = steps_from(cell, measured);
    for (const CellSizes& one : measured) {
      const double moved = std::abs(one.threshold.width - sizes.threshold.width) +
                           std::abs(one.threshold.length - sizes.threshold.length) +
                           std::abs(one.width.width - sizes.width.width) +
                           std::abs(one.width.length - sizes.width.length);
      EXPECT_GT(moved, 1e-9) << pass;
    }
    measured.push_back(sizes);
  }
}

}  // namespace
}  // namespace hysteron::compile
