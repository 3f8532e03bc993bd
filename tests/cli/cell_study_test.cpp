// `study cell` from end to end, on a grid small enough for a test.

#include "cli/program.h"

namespace hysteron::cli {
namespace {

using nlohmann::json;

class CellStudyCommand : public Cli {};

double number(const json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

TEST_F(CellStudyCommand, MeasuresLinesLimitsAndCurrentsInSiUnits) {
  const json study = run_json({"study",
                               "cell",
                               "--pdk",
                               "generic180",
                               "--currents",
                               "300p",
                               "--linearity",
                               "100p,250p,400p",
                               "--supplies",
                               "1.8",
                               "--temperatures",
                               "85",
                               "--corners",
                               "tt",
                               "--supply-step",
                               "0.35",
                               "--retention",
                               "0.5",
                               "-o",
                               "cell.json"});
  EXPECT_EQ(study["unit_current"], 1e-9);
  EXPECT_EQ(study["supply"], 1.8);
  EXPECT_EQ(study["temperature"], 27.0);
  for (const char* name : {"threshold", "width", "gain"}) {
    const json& line = study["linearity"][name];
    EXPECT_NEAR(number(line["slope"]), 1.0, 0.002) << name;
    EXPECT_LT(std::abs(number(line["offset"])), 0.5e-12) << name;
    EXPECT_LT(number(line["worst_residual"]), 0.5e-12) << name;
    EXPECT_EQ(line["points"], 3);
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(number(study["independence"]["matrix"][i][i]), 1.0, 0.05);

  ASSERT_EQ(study["anchors"].size(), 5U);
  const json& anchor = study["anchors"][2];
  EXPECT_NEAR(number(anchor["i_thresh"]), 300e-12, 1e-18);
  EXPECT_NEAR(number(anchor["rise"]), 300e-12, 1e-12);
  EXPECT_NEAR(number(anchor["currents"]["off_in_band"]), 225e-12, 15e-12) << "a copy of the candidate";
  EXPECT_GT(number(anchor["currents"]["set_charge"]), 1e-15);
  EXPECT_LT(number(anchor["currents"]["set_charge"]), 1e-12);
  EXPECT_GT(number(anchor["response"][0]["set_output"]), 1e-4);
  for (const char* limit : {"smallest_switching_supply", "smallest_holding_supply"}) {
    EXPECT_GE(number(anchor[limit]), 0.4) << limit;
    EXPECT_LE(number(anchor[limit]), 1.1) << limit;
  }
  EXPECT_EQ(study["retention"]["seconds"], 0.5);
  EXPECT_EQ(study["retention"]["held"], study["retention"]["of"]);
  EXPECT_EQ(study["environments"].size(), 2U) << "home and 85 degrees";

  // The file has the points of the sweeps too.
  const json file = json::parse(read_file(folder_ / "cell.json"));
  ASSERT_EQ(file["sweeps"]["gain"]["cells"].size(), 1U);
  EXPECT_NEAR(number(file["sweeps"]["gain"]["cells"][0]["high"]), 300e-12, 1e-12);
  EXPECT_EQ(file["low_supplies"].size(), 5U) << "1.8 to 0.4 V";

  ASSERT_EQ(study["extremes"].size(), 1U);
  const json& hot = study["extremes"][0];
  EXPECT_EQ(hot["temperature"], 85.0);
  EXPECT_EQ(hot["corner"], "tt");
  for (const char* name : {"threshold", "width", "gain"}) {
    const json& line = hot["linearity"][name];
    EXPECT_NEAR(number(line["slope"]), 1.0, 0.1) << name;
    EXPECT_EQ(line["points"], 3);
    EXPECT_TRUE(line["worst_residual"].is_number());
    EXPECT_NE(line["slope"], study["linearity"][name]["slope"]) << "measured there, not at home";
  }
  ASSERT_EQ(hot["currents"].size(), 5U);
  EXPECT_GT(number(hot["currents"][2]["off_at_zero"]), 2.0 * number(anchor["currents"]["off_at_zero"])) << "leakage";
  EXPECT_GT(number(hot["currents"][2]["set_charge"]), 1e-15);
  // 10 pA are less than a hot cell leaks: it has no band, and no figure.
  const json& drowned = hot["currents"][0];
  EXPECT_TRUE(drowned["on_in_band"].is_null() && drowned["set_charge"].is_null()) << drowned;
  EXPECT_EQ(drowned["problem"], "its thresholds are not known");
}

}  // namespace
}  // namespace hysteron::cli
