#include "hysteron/flow/demo.h"

#include <chrono>
#include <numeric>
#include <utility>

#include "flow/chosen_clips.h"
#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/netlist.h"
#include "hysteron/train/training_data.h"

namespace hysteron::flow {

DemoResult run_demo(const DemoOptions& options, Reporter& reporter, const StopFlag& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const Workshop workshop(options.circuit, reporter, stop);  // first: a missing simulator is found before the training
  train::TrainConfig config;
  config.data_folder = options.data;
  config.width = options.width;
  config.steps = options.steps;
  config.output = (options.output / "model.safetensors").string();
  ThreadPool pool(options.circuit.jobs);
  const train::TrainingData data = train::load_training_data(config, pool, reporter, stop);
  make_directories(options.output);  // after the data, so that bad ones leave nothing behind
  DemoResult result;
  result.labels = data.labels;
  result.training = train::train(config, data, pool, reporter, stop);
  const model::Network& network = result.training.network;

  const data::Features clips = chosen_clips(data.test, data.labels.size(), options.clips);
  data::write_npy(options.output / "test.npy", clips);

  const Target target = make_target(workshop, network, {}, reporter, stop, &clips);
  const compile::CompiledNetwork compiled = workshop.compile(target.network, reporter);
  write_circuit(compiled, target, workshop.technology(), workshop.curves(), options.output / "circuit");
  result.circuit = summarise(compiled, workshop.technology());

  std::vector<std::size_t> all(clips.clips);
  std::iota(all.begin(), all.end(), std::size_t{0});
  result.verification = verify(workshop, network, compiled, clips, all, {}, reporter);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace hysteron::flow
