#include "report/train_report.h"

#include "report/die_tables.h"

namespace hysteron::report {
namespace {

using train::Evaluation;
using train::SequenceScore;

std::string accuracy_text(const char* name, const Evaluation& evaluation) {
  return fmt::format("{:<22}{:.2f} % of {} clips, {:.2f} % balanced over labels\n", name, 100.0 * evaluation.accuracy,
                     evaluation.clips, 100.0 * evaluation.balanced_accuracy);
}

std::string training_text(const Training& of) {
  const train::TrainResult& result = of.result;
  std::string text = accuracy_text("test accuracy", result.test) + die_scores_text(of.test_dies) +
                     accuracy_text("validation accuracy", result.validation);
  text += fmt::format("{:<22}{} from each of {} starts in {:.1f} s, best after {}\n", "steps", result.steps,
                      result.restarts, result.seconds, result.best_step);
  text += fmt::format("{:<22}{:.2f} % of candidates within 1 % of a threshold, {:.2f} % within 3 %\n", "margins",
                      100.0 * result.validation.near_1_percent, 100.0 * result.validation.near_3_percent);
  text +=
      fmt::format("{:<22}with 1 % errors {:.2f} % of decisions, {:.2f} % of frames and {:.2f} % of state bits stay\n",
                  "robustness", 100.0 * result.robustness.decision_agreement, 100.0 * result.robustness.frame_agreement,
                  100.0 * (1.0 - result.robustness.state_mismatch));
  return text + fmt::format("{:<22}{}\n", "model", of.config.output);
}

std::string score_text(const char* name, const SequenceScore& score) {
  const auto balanced = score.balanced_accuracy();
  return fmt::format("{:<22}{:.2f} % of {:.0f} targets in {} sequences, {}{:.4f} bits a target\n", name,
                     100.0 * score.accuracy, score.terms, score.sequences,
                     balanced ? fmt::format("{:.2f} % balanced over labels, ", 100.0 * *balanced) : "", score.bits());
}

std::string sequence_text(const SequenceTraining& of) {
  const train::SequenceResult& result = of.result;
  return score_text("test accuracy", result.test) + die_scores_text(of.test_dies) +
         score_text("validation accuracy", result.validation) +
         fmt::format("{:<22}{} of {} parameters in {:.1f} s, best after {}\n", "steps", result.steps, result.parameters,
                     result.seconds, result.best_step) +
         fmt::format("{:<22}{}\n", "model", of.config.output);
}

const Table<train::Robustness>& robustness_table() {
  using train::Robustness;
  static const auto table =
      Table<Robustness>()
          .figure("deviation", "of every parameter, relative",
                  [](const Robustness&) { return train::kRobustnessDeviation; })
          .figure("copies", "", [](const Robustness&) { return train::kRobustnessCopies; })
          .figure("decision_agreement", Better::kHigher, "share of the validation clips",
                  &Robustness::decision_agreement)
          .figure("frame_agreement", Better::kHigher, "share of frames", &Robustness::frame_agreement)
          .figure("state_mismatch", Better::kLower, "share of state bits", &Robustness::state_mismatch);
  return table;
}

/// The figures of a split, their keys beginning with its name.
template <SequenceScore train::SequenceResult::*kSplit>
Table<SequenceTraining> split_table(const std::string& split) {
  const auto score = [](const SequenceTraining& of) -> const SequenceScore& { return of.result.*kSplit; };
  return Table<SequenceTraining>()
      .figure(split + "_accuracy", "", Better::kHigher, "share of the targets with the largest logit",
              [score](const SequenceTraining& of) { return score(of).accuracy; })
      .figure(split + "_balanced_accuracy", "", Better::kHigher, "mean of the recalls; where a sequence has one label",
              [score](const SequenceTraining& of) { return score(of).balanced_accuracy(); })
      .figure(split + "_loss", "", Better::kLower, "cross-entropy of a target, nats",
              [score](const SequenceTraining& of) { return score(of).loss; })
      .figure(split + "_bits", "", Better::kLower, "the same in bits",
              [score](const SequenceTraining& of) { return score(of).bits(); })
      .figure(split + "_sequences", "", Better::kNeither, "",
              [score](const SequenceTraining& of) { return score(of).sequences; });
}

/// A figure of the scores of TrainResult.
template <typename Part, typename Get>
auto score_of(Part part, Get get) {
  return [part, get](const Training& of) { return std::invoke(get, std::invoke(part, of.result)); };
}

template <typename Get>
auto of_result(Get get) {
  return [get](const auto& of) { return std::invoke(get, of.result); };
}

const SequenceTraining& itself(const SequenceTraining& of) { return of; }

}  // namespace

const Table<Training>& training_table() {
  using train::TrainResult;
  static const auto table =
      Table<Training>()
          .figure("model", "its file", [](const Training& of) { return of.config.output; })
          .figure("test_accuracy", Better::kHigher, "share of the test clips decided right",
                  score_of(&TrainResult::test, &Evaluation::accuracy))
          .figure("test_balanced_accuracy", Better::kHigher, "mean of the recalls",
                  score_of(&TrainResult::test, &Evaluation::balanced_accuracy))
          .figure("test_clips", "", score_of(&TrainResult::test, &Evaluation::clips))
          .figure("validation_accuracy", Better::kHigher, "of the validation clips",
                  score_of(&TrainResult::validation, &Evaluation::accuracy))
          .figure("validation_balanced_accuracy", Better::kHigher, "as above",
                  score_of(&TrainResult::validation, &Evaluation::balanced_accuracy))
          .figure("validation_loss", Better::kLower, "cross-entropy of a frame, nats",
                  score_of(&TrainResult::validation, &Evaluation::loss))
          .figure("validation_clips", "", score_of(&TrainResult::validation, &Evaluation::clips))
          .figure("steps", "from each start", of_result(&TrainResult::steps))
          .figure("restarts", "number of starts", of_result(&TrainResult::restarts))
          .figure("best_step", "after which the best network was found", of_result(&TrainResult::best_step))
          .figure("seconds", "s", Better::kLower, "of training", of_result(&TrainResult::seconds))
          .figure("near_1_percent", Better::kLower, "share of candidates within 1 % of a threshold",
                  score_of(&TrainResult::validation, &Evaluation::near_1_percent))
          .figure("near_3_percent", Better::kLower, "within 3 %",
                  score_of(&TrainResult::validation, &Evaluation::near_3_percent))
          .object("robustness", "agreement with copies that have errors", robustness_table(),
                  [](const Training& of) -> const train::Robustness& { return of.result.robustness; })
          .object("test_dies", "of `test_noise.draws` in the configuration", die_scores_table(), &Training::test_dies)
          .text(training_text);
  return table;
}

const Table<SequenceTraining>& sequence_training_table() {
  using train::SequenceResult;
  static const auto table =
      Table<SequenceTraining>()
          .figure("model", "its file", [](const SequenceTraining& of) { return of.config.output; })
          .figure("task", "", [](const SequenceTraining& of) { return of.config.task; })
          .figure("cell", "", [](const SequenceTraining& of) { return of.config.cell; })
          .merge(split_table<&SequenceResult::test>("test"), itself)
          .merge(split_table<&SequenceResult::validation>("validation"), itself)
          .figure("parameters", Better::kLower, "of the network", of_result(&SequenceResult::parameters))
          .figure("steps", "", of_result(&SequenceResult::steps))
          .figure("best_step", "after which the best network was found", of_result(&SequenceResult::best_step))
          .figure("seconds", "s", Better::kLower, "of training", of_result(&SequenceResult::seconds))
          .object("test_dies", "of `test_noise.draws` in the configuration", die_scores_table(),
                  &SequenceTraining::test_dies)
          .text(sequence_text);
  return table;
}

}  // namespace hysteron::report
