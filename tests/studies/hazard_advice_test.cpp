#include "studies/hazard_advice.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hysteron::studies {
namespace {

constexpr double kNano = 1e-9;
constexpr double kFrame = 0.01;

using Glitches = std::vector<std::pair<std::size_t, analysis::Glitch>>;

/// Of layer `layer` cell 0, `size` unit currents for `seconds`.
analysis::Glitch glitch(double size, double seconds, bool flipped, std::size_t layer = 1, bool is_upper = false) {
  return {layer, 5, 5 * kFrame, 0, is_upper, size, seconds, true, flipped};
}

compile::HazardMitigations with_capacitor(double farad) {
  compile::HazardMitigations mitigations;
  mitigations.cell_capacitance = farad;
  return mitigations;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(HazardAdvice, OffersNothingWhereThereAreNoGlitches) {
  const HazardAdvice advice = advise({}, {0.5F}, {}, kNano, kFrame);
  EXPECT_TRUE(advice.mitigations.empty());
  EXPECT_TRUE(has(advice.verdict, "no glitch on a cell that could flip: nothing to mitigate")) << advice.verdict;
}

TEST(HazardAdvice, OffersNothingWhereNoGlitchFlipsItsCell) {
  const HazardAdvice advice = advise({{0, glitch(0.2, 3e-4, false)}}, {0.5F}, with_capacitor(0.0), kNano, kFrame);
  EXPECT_TRUE(advice.mitigations.empty());
  EXPECT_NEAR(advice.largest_charge, 60e-15, 1e-20);
  EXPECT_TRUE(has(advice.verdict, "nothing to mitigate")) << advice.verdict;
  EXPECT_TRUE(has(advice.verdict, "60 fC")) << advice.verdict;
}

TEST(HazardAdvice, SizesTheCapacitorByTheChargeButNeverBelowTheDefault) {
  struct {
    double size, seconds, unit;
    const char* value;
  } const cases[] = {
      {0.4, 3e-4, 1e-9, "100f"},       // 120 fC over 1.2 V
      {0.25, 4.1e-4, 1e-9, "86f"},     // 102.5 fC: 85.4 fF
      {0.1, 3e-4, 1e-9, "80f"},        // 25 fF: the default
      {0.1, 3e-4, 300e-12, "24f"},     // the default at 300 pA
      {0.25, 4.1e-4, 300e-12, "26f"},  // 30.75 fC: 25.6 fF
  };
  for (const auto& one : cases) {
    const HazardAdvice advice =
        advise({{0, glitch(one.size, one.seconds, true)}}, {0.5F}, with_capacitor(0.0), one.unit, kFrame);
    ASSERT_FALSE(advice.mitigations.empty());
    EXPECT_EQ(advice.mitigations[0].flag, "--cell-capacitance");
    EXPECT_EQ(advice.mitigations[0].value, one.value);
  }
}

TEST(HazardAdvice, OffersNoLargerCapacitorThanWasMeasuredToLoseNothing) {
  const Glitches glitches = {{0, glitch(0.5, 1e-3, true)}};  // 500 fC: 420 fF
  HazardAdvice advice = advise(glitches, {0.5F}, {}, kNano, kFrame);
  ASSERT_EQ(advice.mitigations.size(), 1u);
  EXPECT_EQ(advice.mitigations[0].value, "110f");
  EXPECT_TRUE(has(advice.mitigations[0].why, "420 fF")) << advice.mitigations[0].why;
  EXPECT_NEAR(advice.cells.at(0).capacitance, 420e-15, 1e-18);
  EXPECT_EQ(advise(glitches, {0.5F}, {}, kNano, 2 * kFrame).mitigations.at(0).value, "220f")
      << "as much charge a frame";
  advice = advise(glitches, {0.5F}, with_capacitor(110e-15), kNano, kFrame);
  EXPECT_TRUE(advice.mitigations.empty()) << "it is in place";
  EXPECT_TRUE(has(advice.verdict, "none of the flags")) << advice.verdict;
}

TEST(HazardAdvice, SaysWhichSwitchingsACapacitorMakesLate) {
  // 100 fF by 1.2 V in 10 ms are 12 pA.
  const HazardAdvice advice = advise({}, {0.3F, 0.005F, 0.0121F}, {}, kNano, kFrame);
  EXPECT_NEAR(advice.overdrive, 0.012, 1e-9);
  EXPECT_EQ(advice.switches, 3u);
  EXPECT_EQ(advice.late, 1u);
  EXPECT_NEAR(advice.largest_capacitance, 0.0121e-9 * kFrame / 1.2 - 20e-15, 1e-20);
  const HazardAdvice larger = advise({{0, glitch(0.4, 3e-4, true)}}, {0.3F, 0.005F, 0.0121F}, {}, kNano, kFrame);
  EXPECT_TRUE(has(larger.mitigations.at(0).why, "2 of 3 switchings")) << larger.mitigations.at(0).why;
}

TEST(HazardAdvice, OffersSlowInputsForOvershootsOfTheFirstLayerAlone) {
  const auto offers_ramp = [](const analysis::Glitch& one, const compile::HazardMitigations& mitigations) {
    const HazardAdvice advice = advise({{0, one}}, {}, mitigations, kNano, kFrame);
    return std::any_of(advice.mitigations.begin(), advice.mitigations.end(), [](const Mitigation& mitigation) {
      return mitigation.flag == "--input-ramp" && mitigation.value == "1000u";
    });
  };
  EXPECT_TRUE(offers_ramp(glitch(0.2, 3e-4, true, 0, true), {}));
  EXPECT_FALSE(offers_ramp(glitch(0.2, 3e-4, true, 0, false), {})) << "a dip";
  EXPECT_FALSE(offers_ramp(glitch(0.2, 3e-4, true, 1, true), {})) << "a later layer";
  compile::HazardMitigations slow;
  slow.input_ramp = 1e-3;
  EXPECT_FALSE(offers_ramp(glitch(0.2, 3e-4, true, 0, true), slow)) << "it is in place";
}

TEST(HazardAdvice, OffersAPedestalOnlyWhereCellsHaveNoCapacitor) {
  const auto offers_pedestal = [](const compile::HazardMitigations& mitigations) {
    const HazardAdvice advice = advise({{0, glitch(0.2, 3e-4, true)}}, {}, mitigations, kNano, kFrame);
    return !advice.mitigations.empty() && advice.mitigations.back().flag == "--input-pedestal";
  };
  EXPECT_TRUE(offers_pedestal(with_capacitor(0.0)));
  EXPECT_FALSE(offers_pedestal({}));
}

TEST(HazardAdvice, ListsTheCellsThatFlippedByTheirCharge) {
  const Glitches glitches = {{0, glitch(0.2, 3e-4, true, 0)},
                             {1, glitch(0.1, 3e-4, true, 0)},
                             {1, glitch(0.5, 3e-4, true, 1)},
                             {2, glitch(0.9, 3e-4, false, 2)}};
  const HazardAdvice advice = advise(glitches, {}, with_capacitor(0.0), kNano, kFrame);
  ASSERT_EQ(advice.cells.size(), 2u);
  EXPECT_EQ(advice.cells[0].layer, 1u);
  EXPECT_EQ(advice.cells[1].flips, 2u);
  EXPECT_NEAR(advice.cells[1].charge, 60e-15, 1e-20);
  EXPECT_NEAR(advice.cells[0].capacitance, 130e-15, 1e-18);
  EXPECT_EQ(advice.largest_capacitance, 0.0) << "no cell switches";
}

}  // namespace
}  // namespace hysteron::studies
