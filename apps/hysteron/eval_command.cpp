#include <optional>
#include <string>

#include "base/error.h"
#include "commands.h"
#include "output.h"
#include "report/eval_report.h"
#include "studies/eval.h"

namespace {

struct Options {
  std::string model;
  std::string data;
  std::string split = "test";
  std::string features;
  std::optional<std::uint64_t> corpus_seed;
  hysteron::train::Perturbation perturbation;
  double all_static = 0.0;
  std::size_t draws = 0;
  std::uint64_t die_seed = 1;
  std::string die_file;
  int jobs = 0;
  OutputFlags output;
};

void declare(Command& command, Options& options) {
  command.text("model", options.model, "Model file").required();
  command.text("--data", options.data,
               "Folder of class folders, or espeak for the built-in corpus; reference backbones score on the task they "
               "were trained on unless this names another folder or file of it");
  command.choice("--split", options.split, {"train", "validation", "test", "all"}, "Split to score").shown();
  command.text("--features", options.features, "Also write the clips' features to this NumPy file");
  command.seed("--corpus-seed", options.corpus_seed, "the built-in corpus; default: 1, or that of the training");
  auto& p = options.perturbation;
  const std::string dies_and_noise = "Dies and noise";
  const auto share = [&](const char* name, double& value, const char* help) {
    command.number(name, value, help).range(0.0, 3.0).group(dies_and_noise);
  };
  const Option draws =
      command.count("--draws", options.draws, "Also score this many dies with the errors and noise set below");
  draws.range(0, 1000000).group(dies_and_noise);
  command.when_parsed([&options, draws] {
    if (draws.is_given() && options.draws == 0) throw hysteron::bad_input("--draws is 0; expected at least one die");
  });
  share("--static", options.all_static,
        "Relative error of every weight, threshold, width and gain, at three standard deviations");
  share("--weights", p.weights, "The same, for weights and biases only");
  share("--thresholds", p.thresholds, "The same, for beta_hi only");
  share("--widths", p.widths, "The same, for beta_hi - beta_lo only");
  share("--gains", p.gains, "The same, for alpha only");
  share("--additive", p.additive,
        "Standard deviation of the noise in every frame on the input of a cell: on the candidate, relative to beta_hi "
        "(fq_bmru; bmru, "
        "cmru: the mean of abs(beta)); mingru, lru: on W_h x + b_h and B u, relative to their root mean square for "
        "independent inputs of unit variance");
  share("--multiplicative", p.multiplicative,
        "Standard deviation of the noise on the candidate, relative to the candidate");
  command.count("--bits", p.bits, "Weights have 2^bits - 1 levels").range(2, 8).group(dies_and_noise);
  command.text("--technology", p.technology, "Round weights to the widths that this technology can realise")
      .group(dies_and_noise);
  command.seed("--die-seed", options.die_seed, "errors and noise").group(dies_and_noise);
  command.text("--die-file", options.die_file, "Score the chip described by this die file, written by compare")
      .group(dies_and_noise);
  command.shared(hysteron::parameters::kJobs, options.jobs);
  add_require_flag(command, options.output, hysteron::report::eval_table().infos());
  add_json_flag(command, options.output);
}

/// The errors and noise asked for; --static stands for the four kinds of static error.
hysteron::train::Perturbation perturbation_of(const Options& options) {
  hysteron::train::Perturbation result = options.perturbation;
  for (double* value : {&result.weights, &result.thresholds, &result.widths, &result.gains}) {
    if (*value == 0.0) *value = options.all_static;
  }
  if (options.draws == 0 && (result.has_errors() || result.has_noise() || result.has_grid())) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "eval: errors and noise require --draws N, the number of dies");
  }
  return result;
}

/// Scores with `score` and prints it by `table`.
template <typename Result, typename Score>
int report_score(const Options& options, const hysteron::report::Table<Result>& table, Session& session,
                 const Score& score) {
  const auto requirements = read_requirements(options.output, table.infos(), session.reporter);
  hysteron::report::check_requirements(requirements, print_result(options.output, "", table, score()));
  return 0;
}

int run(const Options& options, Session& session) {
  hysteron::studies::EvalRequest request;
  request.model = options.model;
  request.data = options.data;
  request.corpus_seed = options.corpus_seed;
  request.split = hysteron::data::parse_split(options.split, "--split");
  request.features = options.features;
  request.perturbation = perturbation_of(options);
  request.draws = options.draws;
  request.die_seed = options.die_seed;
  request.die_file = options.die_file;
  request.jobs = options.jobs;
  namespace report = hysteron::report;
  namespace studies = hysteron::studies;
  if (hysteron::train::is_sequence_network(options.model)) {
    return report_score(options, report::sequence_eval_table(), session,
                        [&] { return studies::evaluate_sequence_model(request, session.reporter, session.stop); });
  }
  if (options.data.empty()) {
    throw hysteron::Error(hysteron::ErrorKind::kUsage, "eval: expected --data; see hysteron eval --help");
  }
  return report_score(options, report::eval_table(), session,
                      [&] { return studies::evaluate_model(request, session.reporter, session.stop); });
}

}  // namespace

void add_eval_command(Command& app, Session& session) {
  add_command<Options>(app, session, "eval", "Score a model on labelled data",
                       "hysteron eval model.safetensors --data speech_commands --split test\n"
                       "  hysteron eval model.safetensors --data speech_commands --draws 100 --static 0.1\n"
                       "  hysteron eval model.safetensors --data speech_commands --die-file die.json",
                       declare, [&session](const Options& options) { return run(options, session); });
}
