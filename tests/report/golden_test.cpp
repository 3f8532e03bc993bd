#include "golden.h"

#include "report/compile_report.h"
#include "report/demo_report.h"
#include "report/pick_report.h"
#include "report/verify_report.h"
#include "samples.h"

namespace hysteron::report {
namespace {

TEST(Golden, Verify) { check_golden("verify", verify_table(), sample_verification()); }

TEST(Golden, Compile) {
  const CompileResult result{sample_summary(), "circuit", {"network.spice", "summary.json"}};
  check_golden("compile", compile_table(), result);
}

TEST(Golden, Demo) {
  studies::DemoResult result;
  result.circuit = sample_summary();
  result.verification = sample_verification();
  result.training.test.accuracy = 0.96;
  result.training.test.balanced_accuracy = 0.95;
  result.training.test.clips = 400;
  result.training.seconds = 21.0;
  result.seconds = 80.0;
  check_golden("demo", demo_table(), result);
}

}  // namespace
}  // namespace hysteron::report
