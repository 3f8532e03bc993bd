#include "studies/eval.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/npy.h"
#include "model/die_file.h"
#include "model/model_file.h"
#include "train/task.h"
#include "train/training_data.h"

namespace hysteron::studies {

std::optional<DieScores> die_scores(const train::PerturbedScore& score) {
  if (score.accuracy.empty()) return std::nullopt;
  DieScores scores{score.accuracy.size(), train::spread(score.accuracy), {}};
  if (!score.balanced.empty()) scores.balanced = train::spread(score.balanced);
  return scores;
}

EvalResult evaluate_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop) {
  if (!request.features.empty()) check_writable(request.features, "features");
  EvalResult result;
  result.network = model::load_model(request.model);
  if (!request.die_file.empty()) {
    result.network = model::on_die(result.network, model::read_die_file(request.die_file, result.network));
  }
  ThreadPool pool(request.jobs);
  const train::ClipSet clips = train::load_clips_for(result.network, request.data, request.corpus_seed.value_or(1),
                                                     request.split, pool, reporter, stop);
  result.evaluation = train::evaluate(result.network, clips, pool);
  result.split = request.split;
  result.die_file = request.die_file.string();
  result.dies = die_scores(
      train::score_perturbed(result.network, clips, request.perturbation, request.draws, request.die_seed, pool, stop));
  if (!request.features.empty()) data::write_npy(request.features, clips.features);
  return result;
}

namespace {

/// Puts the data that the request names in place of those of training.
void take_data(const EvalRequest& request, train::TrainConfig& config) {
  const auto refuse = [&](const char* parameter) {
    return bad_input(fmt::format("{}: {} has no effect on task {}; expected none", request.model.string(), parameter,
                                 hysteron::quoted(config.task)));
  };
  if (!request.data.empty()) {
    const bool folder = !train::is_ignored(config, "data.folder");
    if (!folder && train::is_ignored(config, "data.file")) throw refuse("data");
    (folder ? config.data_folder : config.data_file) = request.data;
  }
  if (request.corpus_seed) {
    if (train::is_ignored(config, "data.corpus_seed")) throw refuse("corpus_seed");
    config.corpus_seed = *request.corpus_seed;
  }
}

}  // namespace

SequenceEvalResult evaluate_sequence_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop) {
  SequenceEvalResult result;
  result.network = train::load_sequence_network(request.model);
  result.config = train::parse_config(result.network.config, request.model.string());
  if (!request.features.empty()) {
    throw Error(ErrorKind::kUsage,
                "features: writes the clips of a circuit backbone; this model is of a reference backbone");
  }
  if (!request.die_file.empty()) {
    throw Error(ErrorKind::kUsage,
                "die_file: is of a chip, which a circuit backbone has; this model is of a reference backbone");
  }
  if (request.perturbation.has_noise() && !train::takes_noise(result.network.shape.cell)) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format(
            "eval: noise on candidates is defined for fq_bmru, bmru, cmru, mingru and lru; this model has cell {}",
            hysteron::quoted(result.config.cell)));
  }
  take_data(request, result.config);
  ThreadPool pool(request.jobs);
  const auto source = train::make_task(result.config, pool, reporter, stop);
  if (source->inputs() != result.network.shape.inputs || source->labels() != result.network.labels) {
    throw bad_input(request.model.string() + ": the task's inputs or labels differ from the model's");
  }
  const bool endless = source->size(data::Split::kTrain) == 0;
  if (endless && (request.split == data::Split::kTrain || request.split == data::Split::kAll)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("split: the training sequences of task {} have no end; expected validation or test",
                            hysteron::quoted(result.config.task)));
  }
  const train::SequenceModel model(result.network.shape);
  for (const std::string& error : train::errors_without_effect(model.segments(), request.perturbation)) {
    reporter.warning(fmt::format("{} disturbs nothing: a cell {} has no parameter of that kind", error,
                                 hysteron::quoted(result.config.cell)));
  }
  result.score = train::score_sequences(model, result.network.parameters, *source, request.split, 0, pool);
  result.split = request.split;
  result.dies =
      die_scores(train::score_perturbed_sequences(model, result.network.parameters, *source, request.split,
                                                  request.perturbation, request.draws, request.die_seed, pool, stop));
  return result;
}

}  // namespace hysteron::studies
