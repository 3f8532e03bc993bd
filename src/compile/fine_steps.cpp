#include "compile/fine_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "compile/network_builder.h"

namespace hysteron::compile {
namespace {

using technology::Geometry;

// Steps of the grid on either side that are tried in width and in length.
constexpr int kMaxSteps = 4;

// What is not known of the change a step makes, as a share of it.
constexpr double kStepDoubt = 0.03;

/// A size near the one a leg has: by what share it changes the leg's current, and how far the steps go.
struct Step {
  Geometry geometry;
  double change = 0.0;
  double moved = 0.0;  ///< sum of the magnitudes of both steps' changes
};

bool is_drawable(const Geometry& geometry, const technology::Device& device) {
  return geometry.width >= device.minimum_width && geometry.width <= device.maximum_width &&
         geometry.length >= device.minimum_length && geometry.length <= device.maximum_length;
}

std::vector<Step> steps_of(const Geometry& from, const technology::Technology& technology, const GainCurves& curves,
                           double voltage) {
  const double grid = technology.size_grid;
  const double gain = curves.gain_of(circuit::Polarity::kN, from, voltage);
  const auto on_grid = [&](double size, int step) { return (std::round(size / grid) + step) * grid; };
  std::vector<Step> steps;
  for (int w = -kMaxSteps; w <= kMaxSteps; ++w) {
    for (int l = -kMaxSteps; l <= kMaxSteps; ++l) {
      const Geometry geometry = {on_grid(from.width, w), on_grid(from.length, l)};
      if (!is_drawable(geometry, technology.n) || !curves.find_length(geometry.length)) continue;
      const auto change = [&](const Geometry& to) {
        return curves.gain_of(circuit::Polarity::kN, to, voltage) / gain - 1.0;
      };
      const double moved =
          std::abs(change({geometry.width, from.length})) + std::abs(change({from.width, geometry.length}));
      steps.push_back({geometry, change(geometry), moved});
    }
  }
  return steps;
}

}  // namespace

bool is_same_size(const Geometry& a, const Geometry& b) {
  constexpr double kNothing = 1e-12;  // metres, far below a grid
  return std::abs(a.width - b.width) < kNothing && std::abs(a.length - b.length) < kNothing;
}

CellSizes fine_steps(const CalibratedCell& cell, const std::vector<CellSizes>& measured, const CellTarget& target,
                     const CellSetup& setup) {
  const double unit_current = setup.conditions.unit_current;
  const CellSizes& sizes = cell.sizes;
  const CellLoop& loop = cell.loop;
  const auto is_measured = [&](const Geometry& m2, const Geometry& m8) {
    return std::any_of(measured.begin(), measured.end(), [&](const CellSizes& one) {
      return is_same_size(one.threshold, m2) && is_same_size(one.width, m8);
    });
  };
  const auto steps = [&](CellLeg leg) {
    return steps_of(sizes[leg], setup.technology, setup.curves, cell_leg_voltage(setup.curves, setup.supply(), leg));
  };
  const std::vector<Step> of_threshold = steps(CellLeg::kThreshold);
  const std::vector<Step> of_width = steps(CellLeg::kWidth);
  const double width = loop.rise - loop.fall;
  CellSizes best = sizes;
  double least = std::numeric_limits<double>::infinity();
  for (const Step& m2 : of_threshold) {
    for (const Step& m8 : of_width) {
      const double rise = loop.rise * (1.0 + m2.change);
      const double fall = rise - width * (1.0 + m8.change);
      const double doubt = kStepDoubt * (loop.rise * m2.moved + width * m8.moved);
      const double error =
          std::max(counted_error(rise, target.rise, unit_current), counted_error(fall, target.fall, unit_current)) +
          counted_error(target.fall + doubt, target.fall, unit_current);
      if (!(error < least) || is_measured(m2.geometry, m8.geometry)) continue;
      least = error;
      best.threshold = m2.geometry;
      best.width = m8.geometry;
    }
  }
  return best;
}

}  // namespace hysteron::compile
