#include "golden.h"
#include "report/quadrant_report.h"

namespace hysteron::report {
namespace {

studies::QuadrantStudy sample_study() {
  studies::QuadrantStudy study;
  study.steps = 1000;
  study.seeds = 1;
  study.noise = {0.1, 0.4};
  study.rows = {
      {"copy_first", 8, "bmru", 0.97, 0.97, 0.96, 0.96, 350.0, {0.02, 0.125, 0.25}, {std::nullopt, 140.4}},
      {"flip_flop", 8, "fq_bmru", 0.99, 0.98, std::nullopt, std::nullopt, 200.0, {0.1, 0.0, 0.0}, {1e4, 90.0}}};
  studies::QuadrantRun run;
  run.task = "copy_first";
  run.width = 8;
  run.cell = "bmru";
  run.seed = 1;
  run.test_accuracy = 0.97;
  run.curve = {{50, 0.9, 0.4, 0.8, std::nullopt}, {100, 0.8, 0.3, 0.9, 0.88}};
  run.steps_to_95 = 350;
  run.activity = {0.02, 0.125, 0.25};
  run.retention = {std::nullopt, 140.4};
  study.runs = {run};
  return study;
}

TEST(Golden, QuadrantStudy) { check_golden("quadrant", quadrant_table(), {sample_study(), "quadrant.json"}); }

TEST(Golden, QuadrantStudyFile) {
  check_file("tests/report/golden/quadrant_file.json",
             json_text(quadrant_table().json({sample_study(), std::nullopt}), 1) + "\n");
}

}  // namespace
}  // namespace hysteron::report
