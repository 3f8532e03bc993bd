#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "commands.h"
#include "hysteron/base/error.h"
#include "hysteron/flow/eval.h"

namespace {

struct Options {
  std::string model;
  std::string data;
  std::string split = "test";
  std::string features;
  std::uint64_t corpus_seed = 1;
  int jobs = 0;
  bool json = false;
};

void declare(CLI::App& command, Options& options) {
  command.add_option("model", options.model, "model file")->required();
  command.add_option(
      "--data", options.data,
      "folder of class folders, or espeak for the built-in corpus; "
      "software backbones score on the task they were trained on unless this names another folder or file");
  command.add_option("--split", options.split, "clips to score")
      ->check(CLI::IsMember({"train", "validation", "test", "all"}))
      ->capture_default_str();
  command.add_option("--features", options.features, "also write the clips' features to this NumPy file");
  command.add_option("--corpus-seed", options.corpus_seed, "seed of the built-in corpus")->capture_default_str();
  command.add_option("-j,--jobs", options.jobs, "threads; 0 takes all")->check(CLI::Range(0, 1024));
  command.add_flag("--json", options.json, "print one JSON object on stdout and nothing else there");
}

void print_text(const hysteron::flow::EvalResult& result) {
  const auto& evaluation = result.evaluation;
  fmt::print("accuracy            {:.2f} % of {} clips\n", 100.0 * evaluation.accuracy, evaluation.clips);
  fmt::print("balanced accuracy   {:.2f} %\n", 100.0 * evaluation.balanced_accuracy);
  fmt::print("\n{:<16}", "clips of / as");
  for (const std::string& label : result.network.labels) fmt::print("{:>12}", label);
  fmt::print("\n");
  for (std::size_t i = 0; i < result.network.labels.size(); ++i) {
    fmt::print("{:<16}", result.network.labels[i]);
    for (const std::size_t count : evaluation.confusion[i]) fmt::print("{:>12}", count);
    fmt::print("\n");
  }
}

int score_software(const Options& options, const hysteron::flow::EvalRequest& request, Session& session) {
  const auto result = hysteron::flow::evaluate_sequence_model(request, session.reporter, session.stop);
  if (options.json) {
    const nlohmann::ordered_json json = {{"accuracy", result.score.accuracy},
                                         {"loss", result.score.loss},
                                         {"bits", result.score.bits()},
                                         {"targets", result.score.terms},
                                         {"sequences", result.score.sequences},
                                         {"task", result.config.task},
                                         {"split", options.split}};
    fmt::print("{}\n", json.dump());
    return 0;
  }
  fmt::print("accuracy            {:.2f} % of {:.0f} targets in {} sequences of task {}\n",
             100.0 * result.score.accuracy, result.score.terms, result.score.sequences, result.config.task);
  fmt::print("cross-entropy       {:.4f} bits a target\n", result.score.bits());
  return 0;
}

int run(const Options& options, Session& session) {
  const hysteron::flow::EvalRequest request{options.model,       options.data,
                                            options.corpus_seed, hysteron::data::parse_split(options.split, "--split"),
                                            options.features,    options.jobs};
  if (hysteron::train::is_sequence_network(options.model)) return score_software(options, request, session);
  if (options.data.empty()) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "eval: expected --data; see hysteron eval --help");
  }
  const auto result = hysteron::flow::evaluate_model(request, session.reporter, session.stop);
  if (!options.json) {
    print_text(result);
    return 0;
  }
  const nlohmann::ordered_json json = {{"accuracy", result.evaluation.accuracy},
                                       {"balanced_accuracy", result.evaluation.balanced_accuracy},
                                       {"clips", result.evaluation.clips},
                                       {"confusion", result.evaluation.confusion},
                                       {"labels", result.network.labels},
                                       {"split", options.split},
                                       {"loss", result.evaluation.loss},
                                       {"near_1_percent", result.evaluation.near_1_percent},
                                       {"near_3_percent", result.evaluation.near_3_percent}};
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Session& session) {
  add_command<Options>(app, session, "eval", "Score a model on labelled data",
                       "hysteron eval model.safetensors --data speech_commands --split test", declare,
                       [&session](const Options& options) { return run(options, session); });
}
