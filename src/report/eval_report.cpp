#include "report/eval_report.h"

#include "report/die_tables.h"

namespace hysteron::report {
namespace {

using studies::EvalResult;
using studies::SequenceEvalResult;

template <typename Result>
std::string split_name(const Result& result) {
  switch (result.split) {
    case data::Split::kTrain:
      return "train";
    case data::Split::kValidation:
      return "validation";
    case data::Split::kTest:
      return "test";
    default:
      return "all";
  }
}

std::string balanced_text(double accuracy) { return fmt::format("balanced accuracy   {:.2f} %\n", 100.0 * accuracy); }

std::string confusion_text(const train::Confusion& confusion, const std::vector<std::string>& labels) {
  std::string text = fmt::format("\n{:<16}", "of / as");
  for (const std::string& label : labels) text += fmt::format("{:>12}", label);
  text += "\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += fmt::format("{:<16}", labels[i]);
    for (const std::size_t count : confusion[i]) text += fmt::format("{:>12}", count);
    text += "\n";
  }
  return text;
}

std::string eval_text(const EvalResult& result) {
  const train::Evaluation& evaluation = result.evaluation;
  return fmt::format("accuracy            {:.2f} % of {} clips{}\n", 100.0 * evaluation.accuracy, evaluation.clips,
                     result.die_file.empty() ? "" : ", on the chip of " + result.die_file) +
         balanced_text(evaluation.balanced_accuracy) + die_scores_text(result.dies) +
         confusion_text(evaluation.confusion, result.network.labels);
}

std::string sequence_text(const SequenceEvalResult& result) {
  const train::SequenceScore& score = result.score;
  const auto balanced = score.balanced_accuracy();
  return fmt::format("accuracy            {:.2f} % of {:.0f} targets in {} sequences of task {}\n",
                     100.0 * score.accuracy, score.terms, score.sequences, result.config.task) +
         fmt::format("cross-entropy       {:.4f} bits a target\n", score.bits()) +
         (balanced ? balanced_text(*balanced) : "") + die_scores_text(result.dies) +
         (balanced ? confusion_text(score.confusion, result.network.labels) : "");
}

/// A figure of scores whose sequences have one label each; left out of others.
template <typename Get>
auto of_labels(Get get) {
  return [get](const SequenceEvalResult& result) {
    using Value = std::decay_t<decltype(std::invoke(get, result.score))>;
    return result.score.balanced_accuracy() ? std::optional<Value>(std::invoke(get, result.score)) : std::nullopt;
  };
}

}  // namespace

const Table<EvalResult>& eval_table() {
  static const auto table =
      Table<EvalResult>()
          .figure("accuracy", Better::kHigher, "share of the clips decided right",
                  [](const EvalResult& result) { return result.evaluation.accuracy; })
          .figure("balanced_accuracy", Better::kHigher, "mean of the recalls",
                  [](const EvalResult& result) { return result.evaluation.balanced_accuracy; })
          .figure("clips", "", [](const EvalResult& result) { return result.evaluation.clips; })
          .figure("confusion", "clips of a label (row) decided as another (column)",
                  [](const EvalResult& result) { return result.evaluation.confusion; })
          .figure("labels", "", [](const EvalResult& result) { return result.network.labels; })
          .figure("split", "`train`, `validation`, `test` or `all`", split_name<EvalResult>)
          .figure("loss", Better::kLower, "cross-entropy of a frame, nats",
                  [](const EvalResult& result) { return result.evaluation.loss; })
          .figure("near_1_percent", Better::kLower, "share of candidates within 1 % of a threshold",
                  [](const EvalResult& result) { return result.evaluation.near_1_percent; })
          .figure("near_3_percent", Better::kLower, "within 3 %",
                  [](const EvalResult& result) { return result.evaluation.near_3_percent; })
          .figure("die_file", "of the chip that was scored",
                  [](const EvalResult& result) {
                    return result.die_file.empty() ? std::nullopt : std::optional(result.die_file);
                  })
          .object("dies", "of `--draws`", die_scores_table(), &EvalResult::dies)
          .text(eval_text);
  return table;
}

const Table<SequenceEvalResult>& sequence_eval_table() {
  using train::SequenceScore;
  static const auto table =
      Table<SequenceEvalResult>()
          .figure("accuracy", Better::kHigher, "share of the targets with the largest logit",
                  [](const SequenceEvalResult& result) { return result.score.accuracy; })
          .figure("balanced_accuracy", Better::kHigher, "mean of the recalls; where a sequence has one label",
                  [](const SequenceEvalResult& result) { return result.score.balanced_accuracy(); })
          .figure("clips", "sequences; as above", of_labels(&SequenceScore::sequences))
          .figure("confusion", "sequences of a label (row) decided as another (column); as above",
                  of_labels(&SequenceScore::confusion))
          .figure("labels", "", [](const SequenceEvalResult& result) { return result.network.labels; })
          .figure("loss", Better::kLower, "cross-entropy of a target, nats",
                  [](const SequenceEvalResult& result) { return result.score.loss; })
          .figure("bits", Better::kLower, "the same in bits",
                  [](const SequenceEvalResult& result) { return result.score.bits(); })
          .figure("targets", "frames that count, or sequences",
                  [](const SequenceEvalResult& result) { return result.score.terms; })
          .figure("sequences", "", [](const SequenceEvalResult& result) { return result.score.sequences; })
          .figure("task", "", [](const SequenceEvalResult& result) { return result.config.task; })
          .figure("split", "`validation` or `test`", split_name<SequenceEvalResult>)
          .object("dies", "of `--draws`", die_scores_table(), &SequenceEvalResult::dies)
          .text(sequence_text);
  return table;
}

}  // namespace hysteron::report
