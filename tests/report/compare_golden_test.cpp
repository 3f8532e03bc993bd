#include <limits>

#include "golden.h"
#include "report/compare_report.h"

namespace hysteron::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr analysis::Estimate kUnknown = {kNan, {kNan, kNan}};

studies::Comparison sample_comparison() {
  studies::Comparison c;
  c.begins = {0.0, 0.0125};
  c.agreement.clips = 2;
  c.agreement.blocks = 10;
  c.agreement.decision_agreement = {1.0, {0.34, 1.0}};
  c.agreement.frame_agreement = {0.99, {0.9, 1.0}};
  c.agreement.state_mismatch = {0.005, {0.0, 0.02}};
  c.agreement.candidate_rms = {0.01, {0.008, 0.012}};
  c.agreement.candidate_relative_rms = {0.02, {0.015, 0.025}};
  c.agreement.state_rms = {0.003, {kNan, kNan}};
  c.agreement.state_relative_rms = kUnknown;
  c.agreement.logit_rms = kUnknown;
  c.agreement.candidate_max = 0.05;
  c.agreement.state_max = kNan;
  c.growth.rms = {0.002, {0.001, 0.003}};
  c.growth.slope = c.growth.growth = kUnknown;
  c.growth.holds = 5;
  c.growth.longest = 40;
  c.suppression.cells = {{0, 1, true, 8, {24.0, 21.0, 27.0}}, {0, 1, false, 2, {kNan, kNan, kNan}}};
  c.suppression.claim = analysis::Verdict::kConfirmed;
  c.suppression_cells = c.suppression_known = 1;
  studies::ComparedCell cell;
  cell.constants = {0, 1, {0.72, {0.7, 0.74}}, {0.01, {0.0, 0.02}}, {1.01, {1.0, 1.02}}, kUnknown, 3, 0};
  cell.beta_hi = 0.75F;
  cell.alpha = 1.0F;
  c.cells = {cell};
  c.sets = {0.01, 0.5, 0.002};
  c.resets = {0.0, 0.5, kNan};
  c.rails = {{false, 0, 1, {1.01, {1.0, 1.02}}, {0.0, {-0.01, 0.01}}, 80}, {true, 0, 0, kUnknown, kUnknown, 4}};
  c.fit.frames = 80;
  c.fit.before = 0.02;
  c.fit.after = 0.003;
  c.fit.missing = {"layers.0.width[1]"};
  c.power = compile::Power{9e-9, 4e-9, 5e-9};
  return c;
}

TEST(Golden, Compare) { check_golden("compare", compare_table(), sample_comparison()); }

TEST(Golden, CompareOfFewSignals) {
  studies::Comparison c = sample_comparison();
  c.power.reset();
  c.fit.before = c.fit.after = kNan;
  check_golden("compare_few_signals", compare_table(), c);
}

TEST(Golden, CompareStimulus) {
  const studies::WrittenStimulus written = {
      "bench", 800, 2, 0.01, 8.0, 1e-9, 1e-4, 1e-3, {{0, 1, true, 10, 50}}, {{1, 0, false, 0, 0}}};
  check_golden("compare_stimulus", stimulus_table(), written);
}

}  // namespace
}  // namespace hysteron::report
