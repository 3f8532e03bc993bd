#include "hysteron/flow/corners.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace hysteron::flow {
namespace {

CornerPoint point(bool counted, std::vector<std::size_t> lost, std::size_t failed = 0) {
  CornerPoint result;
  result.corner = "tt";
  result.counted = counted;
  result.agreement.clips = 2 - failed;
  result.lost = std::move(lost);
  result.failed = failed;
  return result;
}

TEST(CornersReport, CountsLostAndFailedClipsOfCountedPointsAlone) {
  Corners corners;
  corners.clips = {{3, 0, 5}, {8, 1, 77}};
  corners.points = {point(true, {3}), point(true, {}, 1), point(true, {3, 8}), point(false, {8})};
  const nlohmann::json json = corners_json(corners);
  EXPECT_EQ(json["decision_agreement"], 2.0 / 6.0);
  EXPECT_EQ(json["failed_clips"], 1);
  EXPECT_EQ(json["points"][2]["lost_clips"], nlohmann::json({3, 8}));
  EXPECT_EQ(json["worst"]["lost_clips"], nlohmann::json({3, 8}));
  EXPECT_EQ(json["per_clip"][0],
            nlohmann::json({{"clip", 3}, {"software", 0}, {"margin_votes", 5}, {"lost_points", 2}}));
  EXPECT_EQ(json["per_clip"][1]["lost_points"], 1) << "a point beside is not counted";
}

}  // namespace
}  // namespace hysteron::flow
