#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "commands.h"
#include "die_accuracy.h"
#include "train/checkpoint.h"
#include "train/train_model.h"

namespace {

struct Options {
  std::string config;
  bool keys = false;
  bool resume = false;
  std::string resume_from;
  bool json = false;
};

void declare(Command& command, Options& options) {
  command.text("config", options.config, "TOML file that says what to train; an empty file takes every default");
  command.flag("--keys", options.keys, "List every key of the file as a Markdown table and stop");
  command.flag("--resume", options.resume, "Go on from the checkpoint beside model.output, to the same bytes");
  command.text("--resume-from", options.resume_from, "Go on from this checkpoint");
  command.shared(hysteron::parameters::kJson, options.json);
}

void print_json(const hysteron::train::TrainConfig& config, const hysteron::train::TrainResult& result) {
  nlohmann::ordered_json json = {{"model", config.output},
                                 {"test_accuracy", result.test.accuracy},
                                 {"test_balanced_accuracy", result.test.balanced_accuracy},
                                 {"test_clips", result.test.clips},
                                 {"validation_accuracy", result.validation.accuracy},
                                 {"validation_balanced_accuracy", result.validation.balanced_accuracy},
                                 {"validation_loss", result.validation.loss},
                                 {"validation_clips", result.validation.clips},
                                 {"steps", result.steps},
                                 {"restarts", result.restarts},
                                 {"best_step", result.best_step},
                                 {"seconds", result.seconds},
                                 {"near_1_percent", result.validation.near_1_percent},
                                 {"near_3_percent", result.validation.near_3_percent},
                                 {"robustness",
                                  {{"deviation", hysteron::train::kRobustnessDeviation},
                                   {"copies", hysteron::train::kRobustnessCopies},
                                   {"decision_agreement", result.robustness.decision_agreement},
                                   {"frame_agreement", result.robustness.frame_agreement},
                                   {"state_mismatch", result.robustness.state_mismatch}}}};
  if (!result.perturbed.accuracy.empty()) json["test_dies"] = dies_json(result.perturbed);
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_text(const hysteron::train::TrainConfig& config, const hysteron::train::TrainResult& result) {
  const auto accuracy = [](const char* name, const hysteron::train::Evaluation& evaluation) {
    fmt::print("{:<22}{:.2f} % of {} clips, {:.2f} % balanced over labels\n", name, 100.0 * evaluation.accuracy,
               evaluation.clips, 100.0 * evaluation.balanced_accuracy);
  };
  accuracy("test accuracy", result.test);
  print_dies(result.perturbed);
  accuracy("validation accuracy", result.validation);
  fmt::print("{:<22}{} from each of {} starts in {:.1f} s, best after {}\n", "steps", result.steps, result.restarts,
             result.seconds, result.best_step);
  fmt::print("{:<22}{:.2f} % of candidates within 1 % of a threshold, {:.2f} % within 3 %\n", "margins",
             100.0 * result.validation.near_1_percent, 100.0 * result.validation.near_3_percent);
  fmt::print("{:<22}with 1 % errors {:.2f} % of decisions, {:.2f} % of frames and {:.2f} % of state bits stay\n",
             "robustness", 100.0 * result.robustness.decision_agreement, 100.0 * result.robustness.frame_agreement,
             100.0 * (1.0 - result.robustness.state_mismatch));
  fmt::print("{:<22}{}\n", "model", config.output);
}

/// Where to go on from; empty: the run begins anew.
std::filesystem::path checkpoint_of(const Options& options, const hysteron::train::TrainConfig& config) {
  if (!options.resume_from.empty()) return options.resume_from;
  return options.resume ? hysteron::train::checkpoint_path(config) : std::filesystem::path();
}

nlohmann::ordered_json software_json(const hysteron::train::TrainConfig& config,
                                     const hysteron::train::SequenceResult& result) {
  nlohmann::ordered_json json = {{"model", config.output}, {"task", config.task}, {"cell", config.cell}};
  const auto score = [&](const std::string& split, const hysteron::train::SequenceScore& part) {
    json[split + "_accuracy"] = part.accuracy;
    if (const auto balanced = part.balanced_accuracy()) json[split + "_balanced_accuracy"] = *balanced;
    json[split + "_loss"] = part.loss;
    json[split + "_bits"] = part.bits();
    json[split + "_sequences"] = part.sequences;
  };
  score("test", result.test);
  score("validation", result.validation);
  json["parameters"] = result.parameters;
  json["steps"] = result.steps;
  json["best_step"] = result.best_step;
  json["seconds"] = result.seconds;
  if (!result.perturbed.accuracy.empty()) json["test_dies"] = dies_json(result.perturbed);
  return json;
}

int train_software(const Options& options, const hysteron::train::TrainConfig& config, Session& session) {
  const auto result =
      hysteron::train::train_sequence_model(config, session.reporter, session.stop, checkpoint_of(options, config));
  if (options.json) {
    fmt::print("{}\n", software_json(config, result).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  const auto score = [](const char* name, const hysteron::train::SequenceScore& part) {
    const auto balanced = part.balanced_accuracy();
    fmt::print("{:<22}{:.2f} % of {:.0f} targets in {} sequences, {}{:.4f} bits a target\n", name,
               100.0 * part.accuracy, part.terms, part.sequences,
               balanced ? fmt::format("{:.2f} % balanced over labels, ", 100.0 * *balanced) : "", part.bits());
  };
  score("test accuracy", result.test);
  print_dies(result.perturbed);
  score("validation accuracy", result.validation);
  fmt::print("{:<22}{} of {} parameters in {:.1f} s, best after {}\n", "steps", result.steps, result.parameters,
             result.seconds, result.best_step);
  fmt::print("{:<22}{}\n", "model", config.output);
  return 0;
}

int run(const Options& options, Session& session) {
  if (options.keys) {
    fmt::print("{}", hysteron::train::config_table());
    return 0;
  }
  if (options.config.empty()) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage,
                          "train: expected a configuration file; see hysteron train --help");
  }
  const hysteron::train::TrainConfig config = hysteron::train::read_config(options.config);
  for (const std::string& deprecation : config.deprecations) session.reporter.warning(deprecation);
  hysteron::train::check_used(config, options.config);
  if (config.output.empty()) {
    throw hysteron::bad_input(fmt::format("{}: model.output is empty; expected the file to save the model in",
                                          hysteron::quoted(options.config)));
  }
  if (config.backbone == "reference") return train_software(options, config, session);
  const auto result =
      hysteron::train::train_model(config, session.reporter, session.stop, checkpoint_of(options, config));
  if (options.json) {
    print_json(config, result);
  } else {
    print_text(config, result);
  }
  return 0;
}

}  // namespace

void add_train_command(Command& app, Session& session) {
  add_command<Options>(app, session, "train", "Train a network and save the best model",
                       "hysteron train keyword.toml\n  hysteron train keyword.toml --resume\n  hysteron train --keys",
                       declare, [&session](const Options& options) { return run(options, session); });
}
