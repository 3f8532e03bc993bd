#include "golden.h"
#include "report/run_report.h"

namespace hysteron::report {
namespace {

TEST(Golden, Run) {
  studies::RunResult result;
  result.decisions = {1, 0};
  result.votes = {{0.25, 0.75}, {1.0, 0.0}};
  result.clips = {3, 17};
  result.labels = {"no", "yes"};
  result.engine = "behavioural";
  result.die = 7;
  check_golden("run", run_table(), result);
  EXPECT_FALSE(run_table().json(result).tree().contains("die_file"));
}

}  // namespace
}  // namespace hysteron::report
