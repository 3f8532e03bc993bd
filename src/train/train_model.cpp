#include "train/train_model.h"

#include "base/parallel.h"
#include "train/task.h"
#include "train/training_data.h"

namespace hysteron::train {

train::TrainResult train_model(const train::TrainConfig& config, Reporter& reporter, const StopFlag& stop,
                               const std::filesystem::path& resume_from) {
  train::check_output(config);  // reading the data takes a while
  ThreadPool pool(static_cast<int>(config.threads));
  const train::TrainingData data = train::load_training_data(config, pool, reporter, stop);
  return train::train(config, data, pool, reporter, stop, resume_from);
}

train::SequenceResult train_sequence_model(const train::TrainConfig& config, Reporter& reporter, const StopFlag& stop,
                                           const std::filesystem::path& resume_from) {
  train::check_output(config);
  ThreadPool pool(static_cast<int>(config.threads));
  const auto source = train::make_task(config, pool, reporter, stop);
  return train::train_sequences(config, *source, pool, reporter, stop, resume_from);
}

}  // namespace hysteron::train
