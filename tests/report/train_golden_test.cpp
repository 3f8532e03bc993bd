#include "golden.h"
#include "report/sweep_report.h"
#include "report/train_report.h"

namespace hysteron::report {
namespace {

const train::PerturbedScore kDies = {{0.9, 0.8}, {0.88, 0.78}};

TEST(Golden, Train) {
  train::TrainResult result;
  result.test.clips = 40;
  result.test.accuracy = 0.95;
  result.test.balanced_accuracy = 0.94;
  result.validation = result.test;
  result.validation.loss = 0.2;
  result.validation.near_1_percent = 0.02;
  result.validation.near_3_percent = 0.06;
  result.robustness = {0.99, 0.98, 0.01};
  result.perturbed = kDies;
  result.steps = 600;
  result.restarts = 2;
  result.best_step = 550;
  result.seconds = 21.5;
  train::TrainConfig config;
  config.output = "model.safetensors";
  check_golden("train", training_table(), Training(config, result));
}

TEST(Golden, TrainOfASoftwareBackbone) {
  train::SequenceResult result;
  result.test = {40, 40.0, 0.3, 0.9, {{18, 2}, {2, 18}}};
  result.validation = {40, 4000.0, 0.4, 0.85, {}};
  result.perturbed = kDies;
  result.parameters = 1234;
  result.steps = 600;
  result.best_step = 550;
  result.seconds = 21.5;
  train::TrainConfig config;
  config.output = "model.safetensors";
  config.task = "smnist";
  config.cell = "mingru";
  check_golden("train_software", sequence_training_table(), SequenceTraining(config, result));
}

TEST(Golden, Sweep) {
  explore::SweepResult result;
  explore::SweepEntry done;
  done.folder = "sweep/width-8";
  done.done = true;
  explore::SweepEntry failed;
  failed.folder = "sweep/width-3";
  failed.problem = "exit code 3: width 3";
  result.entries = {done, failed};
  explore::SweepRow row;
  row.values = {{"model.width", "8"}};
  row.runs = 2;
  row.figures = {{"test_accuracy", {0.95, 0.01, 0.94}}, {"seconds", {20.0, 1.0, 19.0}}};
  explore::SweepRow none;
  none.values = {{"model.width", "3"}};
  result.rows = {row, none};
  result.skipped = 1;
  result.failed = 1;
  check_golden("sweep", sweep_table(), result);
}

}  // namespace
}  // namespace hysteron::report
