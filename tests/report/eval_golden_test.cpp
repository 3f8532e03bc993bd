#include "golden.h"
#include "report/eval_report.h"

namespace hysteron::report {
namespace {

TEST(Golden, Eval) {
  studies::EvalResult result;
  result.network.labels = {"no", "yes"};
  result.split = data::Split::kValidation;
  result.evaluation.clips = 40;
  result.evaluation.accuracy = 0.95;
  result.evaluation.balanced_accuracy = 0.94;
  result.evaluation.loss = 0.21;
  result.evaluation.confusion = {{19, 1}, {1, 19}};
  result.evaluation.near_1_percent = 0.02;
  result.evaluation.near_3_percent = 0.06;
  result.dies = studies::DieScores{5, {0.9, 0.02, 0.87}, train::Spread{0.89, 0.03, 0.85}};
  result.die_file = "die.json";
  check_golden("eval", eval_table(), result);
}

TEST(Golden, EvalOfASoftwareBackbone) {
  studies::SequenceEvalResult result;
  result.network.labels = {"0", "1"};
  result.config.task = "smnist";
  result.score.sequences = 40;
  result.score.terms = 40.0;
  result.score.loss = 0.3;
  result.score.accuracy = 0.9;
  result.score.confusion = {{18, 2}, {2, 18}};
  result.dies = studies::DieScores{5, {0.8, 0.02, 0.77}, {}};
  check_golden("eval_software", sequence_eval_table(), result);
  result.score.confusion.clear();
  const nlohmann::ordered_json json = sequence_eval_table().json(result).tree();
  EXPECT_FALSE(json.contains("balanced_accuracy")) << "every frame has a target";
  EXPECT_FALSE(json.contains("clips"));
}

}  // namespace
}  // namespace hysteron::report
