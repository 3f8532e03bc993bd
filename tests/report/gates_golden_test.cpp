#include <limits>

#include "golden.h"
#include "report/gates_report.h"

namespace hysteron::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

studies::GateResult sample_gate() {
  studies::GateResult gate;
  gate.name = "latch";
  gate.is_right = true;
  gate.run = {48, 0, "", 1e-13, 0.99e-10, 2e-9, 3e-9, 1.5e-9, 1e-11, 2e-12};
  gate.inputs = 2;
  gate.outputs = 1;
  gate.transistors = 78;
  gate.cells = 3;
  gate.longest_word = 2;
  gate.words = 12;
  gate.spikes = 24;
  gate.spacings = {{0.02, gate.run}};
  gate.readings = 48;
  gate.highest_low = 1e-13;
  gate.lowest_high = 0.99e-10;
  return gate;
}

studies::GatePoint point(const std::string& corner, std::size_t wrong, const std::string& error) {
  studies::GatePoint at;
  at.environment = {corner, 1.62, 85.0};
  at.seed = 7;
  at.run = sample_gate().run;
  at.run.wrong = wrong;
  if (wrong > 0) at.run.first_wrong = "q is 0.04 of 1 unit current at 0.35 s";
  at.error = error;
  return at;
}

studies::GatesResult sample_gates() {
  studies::GatesResult result;
  result.operating_point = {"generic180", 1.8, 1e-10};
  result.period = 0.02;
  result.spike_width = 0.01;
  result.levels = {0.6e-10, 0.9e-10, 0.3e-10, 1.2e-10, 0.0, 1e-10};
  result.is_right = true;
  result.gates = {sample_gate()};
  return result;
}

TEST(Golden, Gates) {
  studies::GatesResult result = sample_gates();
  studies::GateResult wrong = sample_gate();
  wrong.name = "not";
  wrong.is_right = result.is_right = false;
  wrong.spacings[0].run.wrong = 3;
  wrong.spacings[0].run.first_wrong = "q is 0.04 of 1 unit current at 0.35 s";
  wrong.lowest_high = std::numeric_limits<double>::infinity();
  result.gates.push_back(wrong);
  EXPECT_EQ(result.wrong(), 1U);
  check_golden("gates", gates_table(), result);
}

TEST(Golden, GatesStudied) {
  studies::GatesResult result = sample_gates();
  studies::GateStudy& study = result.gates[0].study;
  study.fastest = studies::FastestSpikes{0.002, 500.0, kNan, 0.0022, 1 / 0.0022, kNan, 4e-12, 1};
  study.margins = studies::GateMargins{{3e-11, "s", 0}, {std::numeric_limits<double>::infinity(), "", 0}, 18, 2};
  study.hold = studies::GateHold{3600.0, studies::count_points({point("tt", 0, ""), point("ff", 0, "")})};
  study.corners = studies::count_points({point("tt", 0, ""), point("ss", 2, ""), point("ff", 0, "timed out")});
  study.dies = studies::GateDies{studies::count_points({point("", 0, ""), point("", 1, "")}), 0.5, {0.09, 0.91}};
  EXPECT_EQ(result.failed(), 1U + 2U + 1U);
  check_golden("gates_studied", gates_table(), result);
}

}  // namespace
}  // namespace hysteron::report
