#include "studies/corners.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
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

TEST(CornersReport, CountsLostAndFailedClipsOfCountedPointsAlone) {
  Corners corners;
  corners.clips = {{3, 0, 5}, {8, 1, 77}};
  corners.points = {point(true, {3}), point(true, {}, {8}), point(true, {3, 8}), point(false, {8})};
  const nlohmann::json json = corners_json(corners);
  EXPECT_EQ(json["decision_agreement"], 2.0 / 6.0);
  EXPECT_EQ(json["failed_clips"], 1);
  EXPECT_EQ(json["points"][2]["lost_clips"], nlohmann::json({3, 8}));
  EXPECT_EQ(json["worst"]["lost_clips"], nlohmann::json({3, 8}));
  EXPECT_EQ(json["per_clip"][0],
            nlohmann::json({{"clip", 3}, {"software", 0}, {"margin_votes", 5}, {"lost_points", 2}}));
  EXPECT_EQ(json["per_clip"][1]["lost_points"], 2) << "a point beside is not counted";
  EXPECT_EQ(json["points"][1]["failed_clips"], nlohmann::json{8});
  EXPECT_EQ(json["points"][1]["decision_agreement"], 0.5) << "a clip that failed does not agree";
}

}  // namespace
}  // namespace hysteron::studies
