// One training step of the hardware backbone as the trainer makes it, on two threads.

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "train/backbone.h"
#include "train/batches.h"
#include "train/optimiser.h"

namespace {

using namespace hysteron;
using namespace hysteron::train;

constexpr std::size_t kBatch = 256;
constexpr std::size_t kFrames = 101;
constexpr std::size_t kInputs = 13;
constexpr std::size_t kClips = 1024;
constexpr std::size_t kShards = kBatch / kShardClips;
constexpr int kThreads = 2;

ClipSet random_clips() {
  Random random(1);
  ClipSet set;
  set.features.clips = kClips;
  set.features.frames = kFrames;
  set.features.width = kInputs;
  set.features.values.resize(kClips * kFrames * kInputs);
  for (float& value : set.features.values) value = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < kClips; ++i) {
    set.labels.push_back(static_cast<std::uint32_t>(i % 2));
    set.groups.push_back(static_cast<std::uint32_t>(i % 2));
  }
  return set;
}

/// The recipe as published: dropout 0.2, no noise, no margin loss, no vote loss; a reset that is half complete.
PassOptions published_options() {
  PassOptions options;
  options.epsilon = 0.5f;
  options.dropout = 0.2f;
  options.scale = 1.0f / static_cast<float>(kBatch * kFrames);
  options.seed = 1;
  return options;
}

/// As Trainer in src/train/trainer.cpp, with figures and schedules left out.
class Step {
 public:
  explicit Step(std::size_t width)
      : pool_(kThreads),
        clips_(random_clips()),
        backbone_({kInputs, width, width, 2, 2}),
        optimiser_(backbone_.segments(), backbone_.parameters(), 1e-4),
        sampler_(clips_, 2, {}, Random(2)),
        parameters_(backbone_.initial_parameters(Random(3))),
        gradient_(backbone_.parameters()) {}

  void run() {
    const std::vector<Draw> draws = sampler_.next(kBatch);
    PassOptions options = published_options();
    options.seed = ++number_;
    pool_.run(kShards, [&](std::size_t i) { pass(draws, options, i); });
    std::ranges::fill(gradient_, 0.0f);
    for (const std::vector<float>& part : shard_gradients_) {
      for (std::size_t k = 0; k < gradient_.size(); ++k) gradient_[k] += part[k];
    }
    clip_gradient(gradient_, 1.0);
    optimiser_.step(gradient_, 1e-3, parameters_);
    apply_bounds(backbone_.segments(), {}, parameters_);
  }

 private:
  void pass(const std::vector<Draw>& draws, const PassOptions& options, std::size_t i) {
    thread_local Backbone::Workspace workspace;
    thread_local Shard shard;
    const std::size_t begin = i * kShardClips;
    fill_shard(clips_, draws, begin, begin + kShardClips, shard);
    shard.first_column = static_cast<std::uint32_t>(begin * kFrames);
    shard_gradients_[i].assign(parameters_.size(), 0.0f);
    backbone_.pass(parameters_, shard, options, workspace, shard_gradients_[i]);
  }

  ThreadPool pool_;
  ClipSet clips_;
  Backbone backbone_;
  AdamW optimiser_;
  BatchSampler sampler_;
  std::vector<float> parameters_;
  std::vector<float> gradient_;
  std::array<std::vector<float>, kShards> shard_gradients_;
  std::uint32_t number_ = 0;
};

/// Largest resident set of this process so far, MiB.
double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void training_step(benchmark::State& state) {
  Step step(static_cast<std::size_t>(state.range(0)));
  step.run();
  for ([[maybe_unused]] auto _ : state) step.run();
  state.counters["peak_rss_mib"] = peak_mebibytes();
}

BENCHMARK(training_step)->Arg(4)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
