#include "studies/corners.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace hysteron::studies {
namespace {

CornerPoint point(bool counted, std::vector<std::size_t> lost, std::vector<std::size_t> failed = {}) {
  CornerPoint result;
  result.corner = "tt";
  result.counted = counted;
  result.agreement.clips = 2 - failed.size();
  result.lost = std::move(lost);
  result.failed = std::move(failed);
  return result;
}

TEST(Corners, CountsLostAndFailedClipsOfCountedPointsAlone) {
  Corners corners;
  corners.clips = {{3, 0, 5, 0}, {8, 1, 77, 0}};
  corners.points = {point(true, {3}), point(true, {}, {8}), point(true, {3, 8}), point(false, {8})};
  count_corners(corners);
  EXPECT_EQ(corners.decision_agreement, 2.0 / 6.0);
  EXPECT_EQ(corners.counted_points, 3u);
  EXPECT_EQ(corners.failed, 1u);
  EXPECT_EQ(corners.worst, 2u);
  EXPECT_EQ(corners.clips[0].lost_points, 2u);
  EXPECT_EQ(corners.clips[1].lost_points, 2u) << "a point beside is not counted";
  EXPECT_EQ(corners.points[1].decision_agreement, 0.5) << "a clip that failed does not agree";
}

}  // namespace
}  // namespace hysteron::studies
