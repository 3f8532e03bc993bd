#include "hysteron/flow/demo.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <utility>

#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/data/npy.h"
#include "hysteron/flow/centring.h"
#include "hysteron/flow/netlist.h"
#include "hysteron/train/training_data.h"

namespace hysteron::flow {
namespace {

/// `count` clips of `set`, labels in equal parts and class folders taken in turn within a label, in the order of the
/// set.
std::vector<std::size_t> choose_clips(const train::ClipSet& set, std::size_t labels, std::size_t count) {
  // queues[label][group]: clips not yet chosen
  std::vector<std::map<std::uint32_t, std::vector<std::size_t>>> queues(labels);
  for (std::size_t i = set.size(); i-- > 0;) queues[set.labels[i]][set.groups[i]].push_back(i);
  std::vector<std::size_t> chosen;
  for (std::size_t round = 0; chosen.size() < std::min(count, set.size()); ++round) {
    auto& groups = queues[round % labels];
    if (groups.empty()) continue;
    auto group = std::next(groups.begin(), static_cast<std::ptrdiff_t>((round / labels) % groups.size()));
    chosen.push_back(group->second.back());
    group->second.pop_back();
    if (group->second.empty()) groups.erase(group);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

data::Features pick(const data::Features& features, const std::vector<std::size_t>& clips) {
  data::Features result{clips.size(), features.frames, features.width, {}};
  for (const std::size_t clip : clips) {
    const auto values = features.clip(clip);
    result.values.insert(result.values.end(), values.begin(), values.end());
  }
  return result;
}

}  // namespace

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

  const data::Features clips = pick(data.test.features, choose_clips(data.test, data.labels.size(), options.clips));
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
