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
  EXPECT_EQ(study["unit_current_a"], 1e-9);
  EXPECT_EQ(study["supply_v"], 1.8);
  EXPECT_EQ(study["temperature"], 27.0);
  for (const char* name : {"threshold", "width", "gain"}) {
    const json& line = study["linearity"][name];
    EXPECT_NEAR(number(line["slope"]), 1.0, 0.002) << name;
    EXPECT_LT(std::abs(number(line["offset"])), 0.5e-12) << name;
    EXPECT_LT(number(line["worst_residual"]), 0.5e-12) << name;
    EXPECT_EQ(line["points"], 3);
  }
  EXPECT_EQ(study["independence"]["columns"], json({"i_thresh", "i_width", "i_gain"}));

  ASSERT_EQ(study["anchors"].size(), 5U);
  const json& anchor = study["anchors"][2];
  EXPECT_NEAR(number(anchor["i_thresh"]), 300e-12, 1e-18);
  EXPECT_NEAR(number(anchor["rise"]), 300e-12, 1e-12);
  EXPECT_NEAR(number(anchor["currents"]["off_in_band"]), 225e-12, 15e-12) << "a copy of the candidate";
  EXPECT_GT(number(anchor["currents"]["set_charge"]), 1e-15);
  EXPECT_LT(number(anchor["currents"]["set_charge"]), 1e-12);
  EXPECT_GT(number(anchor["response"][0]["set_output"]), 1e-4);
  for (const json& each : study["anchors"]) {
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(number(each["independence"][i][i]), 1.0, 0.1);
  }
  for (const char* limit : {"smallest_switching_supply", "smallest_holding_supply"}) {
    EXPECT_GT(number(anchor[limit]), 0.2) << limit << ": no cell works with that";
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
  ASSERT_EQ(hot["anchors"].size(), 5U);
  const json& warm = hot["anchors"][2];
  EXPECT_GT(number(warm["currents"]["off_at_zero"]), 2.0 * number(anchor["currents"]["off_at_zero"])) << "leakage";
  EXPECT_GT(number(warm["currents"]["set_charge"]), 1e-15);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(number(warm["independence"][i][i]), 1.0, 0.1);
    EXPECT_NE(warm["independence"][i][i], anchor["independence"][i][i]) << "measured there, not at home";
  }
  EXPECT_EQ(warm["response"].size(), anchor["response"].size());
  EXPECT_GT(number(warm["response"][0]["set_output"]), 1e-4);
  EXPECT_NE(warm["response"][0]["set_output"], anchor["response"][0]["set_output"]);
  EXPECT_TRUE(warm["holds"]["off"].get<bool>() && warm["holds"]["on"].get<bool>());
  EXPECT_LE(number(warm["smallest_switching_supply"]), 1.3);

  ASSERT_EQ(study["small_widths"].size(), 18U) << "six widths of three thresholds";
  ASSERT_EQ(hot["small_widths"].size(), 18U);
  EXPECT_TRUE(study["small_widths"][11]["holds"]) << "50 of 300 pA";
  EXPECT_NEAR(number(study["small_widths"][11]["width"]), 50e-12, 1e-12);
  EXPECT_NE(hot["small_widths"][11]["width"], study["small_widths"][11]["width"]) << "measured there";

  // 10 pA are less than a hot cell leaks: it has no band, and no figure.
  const json& drowned = hot["anchors"][0];
  EXPECT_TRUE(drowned["currents"]["on_in_band"].is_null() && drowned["currents"]["set_charge"].is_null()) << drowned;
  EXPECT_EQ(drowned["currents"]["problem"], "its thresholds are not known");
  EXPECT_TRUE(drowned["response"][0]["set_output"].is_null());
  EXPECT_TRUE(drowned["response"][0].contains("problem"));
  EXPECT_TRUE(drowned["smallest_switching_supply"].is_null());
  EXPECT_TRUE(drowned["holds"]["on"].is_null()) << "not measured is not lost";
  EXPECT_TRUE(drowned["holds"]["problem"].is_string());
}

}  // namespace
}  // namespace hysteron::cli
