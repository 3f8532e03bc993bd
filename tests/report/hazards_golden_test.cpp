#include "golden.h"
#include "report/hazards_report.h"
#include "samples.h"

namespace hysteron::report {
namespace {

/// One clip with glitches, a mitigation that was tried, a searched frame rate and a clip that failed.
studies::HazardStudy sample_hazards() {
  const studies::Verification verification = sample_verification();
  studies::HazardStudy study;
  study.rails = {{"candidate, N rail", 8, {1e-4, 2e-3, 4e-3, 0.001}, "xlayer0.xcell3.dn"}};
  study.diodes = {{"xlayer0.xcell3.dn", "candidate, N rail", {2e-4, 3e-3, 4e-3, 0.002}}};
  for (std::size_t i = 0; i < 21; ++i) {
    study.glitches.emplace_back(
        3, analysis::Glitch{1, 40, 0.4, i % 4, i % 2 == 0, 0.5 / static_cast<double>(i + 1), 0.002, true, i == 0});
  }
  study.counts = {30, 21, 1, 0.5, 0.002};
  study.divergence = verification.divergence;
  study.agreement = verification.agreement;
  study.advice.verdict = "1 glitch flipped its cell";
  study.advice.mitigations = {{"--cell-capacitance", "95f", "takes in all", {}}};
  study.advice.cells = {{1, 0, 1, 60e-15, 420e-15}};
  study.advice.largest_charge = 60e-15;
  study.advice.capacitance = 80e-15;
  study.advice.overdrive = 0.012;
  study.advice.switches = 50;
  study.advice.late = 2;
  study.advice.largest_capacitance = 110e-15;
  study.trial = studies::MitigationTrial{study.advice.mitigations[0], {9, 2, 0, 0.1, 0.001}, {}, study.agreement, 1};
  study.trial->divergence.bits = 1;
  study.rates = {{0.01, 0.995, 0.01, true, true, 0}, {0.005, 0.8, 0.2, false, false, 1}};
  study.failed = {7};
  study.fastest_frame = 0.01;
  study.highest_rate = 100.0;
  study.target_agreement = 0.99;
  return study;
}

TEST(Golden, Hazards) { check_golden("hazards", hazards_table(), sample_hazards()); }

TEST(Golden, HazardsWithoutASearchOrASwitchingHaveNoFiguresOfThem) {
  const studies::HazardStudy study;
  const nlohmann::ordered_json json = hazards_table().json(study).tree();
  EXPECT_FALSE(json.contains("trial"));
  EXPECT_FALSE(json.contains("frame_rates"));
  EXPECT_TRUE(json["advice"]["largest_capacitance_f"].is_null());
}

}  // namespace
}  // namespace hysteron::report
