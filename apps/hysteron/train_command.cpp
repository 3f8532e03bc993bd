#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "commands.h"
#include "output.h"
#include "report/train_report.h"
#include "train/checkpoint.h"
#include "train/train_model.h"

namespace {

struct Options {
  std::string config;
  bool keys = false;
  bool resume = false;
  std::string resume_from;
  OutputFlags output;
};

void declare(Command& command, Options& options) {
  command.text("config", options.config, "TOML file that says what to train; an empty file takes every default");
  command.flag("--keys", options.keys, "List every key of the file as a Markdown table and exit");
  command.flag("--resume", options.resume,
               "Resume from the checkpoint beside model.output, with the same result as an uninterrupted run");
  command.text("--resume-from", options.resume_from, "Resume from this checkpoint");
  add_require_flag(command, options.output, hysteron::report::training_table().infos());
  add_json_flag(command, options.output);
}

/// Where to go on from; empty: the run begins anew.
std::filesystem::path checkpoint_of(const Options& options, const hysteron::train::TrainConfig& config) {
  if (!options.resume_from.empty()) return options.resume_from;
  return options.resume ? hysteron::train::checkpoint_path(config) : std::filesystem::path();
}

/// Trains with `train` and prints the result by `table`.
template <typename Trained, typename Train>
int report_training(const Options& options, const hysteron::report::Table<Trained>& table, Session& session,
                    const Train& train) {
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  hysteron::report::check_requirements(requirements, print_result(options.output, "", table, train()));
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
  namespace report = hysteron::report;
  namespace train = hysteron::train;
  const std::filesystem::path checkpoint = checkpoint_of(options, config);
  if (config.backbone == "reference") {
    return report_training(options, report::sequence_training_table(), session, [&] {
      return report::SequenceTraining(config,
                                      train::train_sequence_model(config, session.reporter, session.stop, checkpoint));
    });
  }
  return report_training(options, report::training_table(), session, [&] {
    return report::Training(config, train::train_model(config, session.reporter, session.stop, checkpoint));
  });
}

}  // namespace

void add_train_command(Command& app, Session& session) {
  add_command<Options>(app, session, "train", "Train a network and save the best model",
                       "hysteron train keyword.toml\n  hysteron train keyword.toml --resume\n  hysteron train --keys",
                       declare, [&session](const Options& options) { return run(options, session); });
}
