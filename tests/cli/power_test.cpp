// `power`: what grows with the width, and how.

#include <algorithm>

#include "cli/program.h"

namespace hysteron::cli {
namespace {

class Power : public Cli {};

TEST_F(Power, CellsGrowWithTheWidthAndTheirLegsWithItsSquare) {
  const auto json =
      run_json({"power", "--dims", "2,4", "--model-dims", "32,128,256,512", "--frames", "3", "--calibrate", "curves"});
  EXPECT_EQ(json["dims"], (nlohmann::json{2, 4, 32, 128, 256, 512}));
  EXPECT_NEAR(json["exponent_cells"].get<double>(), 1.0, 0.05);
  EXPECT_NEAR(json["exponent_feedforward"].get<double>(), 2.0, 0.15);
  EXPECT_GT(json["exponent_feedforward_large"], 1.8);
  EXPECT_LT(json["worst_model_error"], 0.08);
  EXPECT_EQ(json["local_exponents"].size(), 5u);
  EXPECT_TRUE(std::ranges::is_sorted(json["total_nw"].get<std::vector<double>>()));
  const auto& point = json["points"][1];
  EXPECT_NEAR(point["model_nw"]["total"].get<double>(), json["total_nw"][1].get<double>(), 1e-9);
  EXPECT_LT(point["rest_nw"]["total"], point["model_nw"]["total"]);
  EXPECT_TRUE(point.contains("spice_nw"));
  EXPECT_FALSE(json["points"][2].contains("spice_nw"));
}

TEST_F(Power, RefusesWidthsThatCannotBe) {
  expect_refusal({"power", "--dims", "3,4,8"}, 3, {"width 3", "even"});
  expect_refusal({"power", "--dims", "4,8", "--model-dims", "8"}, 3, {"none twice"});
  expect_refusal({"power", "--frames", "0"}, 3, {"--frames"});
}

}  // namespace
}  // namespace hysteron::cli
