#include "studies/demo.h"

#include <chrono>
#include <numeric>
#include <utility>

#include "base/file.h"
#include "base/parallel.h"
#include "data/npy.h"
#include "design/chosen_clips.h"
#include "design/netlist.h"
#include "design/prepared_model.h"
#include "train/training_data.h"

namespace hysteron::studies {

DemoResult run_demo(const DemoOptions& options, Reporter& reporter, const StopFlag& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const design::DesignContext context(options.circuit, reporter,
                                      stop);  // first: a missing simulator is found before the training
  train::TrainConfig config;
  config.data_folder = options.data;
  config.width = options.width;
  config.steps = options.steps;
  config.output = (options.output / "model.safetensors").string();
  ThreadPool pool(options.circuit.jobs);
  const train::TrainingData data = train::load_training_data(config, pool, reporter, stop);
  make_directories(options.output);  // after the data, so that bad ones leave nothing behind
  DemoResult result;
  result.options = options;
  result.labels = data.labels;
  result.training = train::train(config, data, pool, reporter, stop);
  const model::Network& network = result.training.network;

  const data::Features clips = design::chosen_clips(data.test, data.labels.size(), options.clips);
  data::write_npy(options.output / "test.npy", clips);

  design::DesignRequest request{network, clips, design::all_clips(clips)};
  const design::Design design = design::build_design(context, std::move(request), reporter);
  design::write_circuit(design, options.output / "circuit");
  result.circuit = design::summarise(design);
  result.verification = verify(design, {}, reporter);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace hysteron::studies
