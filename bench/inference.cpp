// One frame through a stored model of two layers, as a stream and as part of a whole clip.

#include "model/inference.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "model/model_file.h"
#include "model/stream.h"
#include "train/backbone.h"

namespace {

using namespace hysteron;

constexpr std::size_t kFrames = 101;
constexpr std::size_t kInputs = 13;

/// Written to a model file and read back.
model::Network stored_network(std::size_t width) {
  const train::Backbone backbone({kInputs, width, width, 2, 2});
  model::Network network = backbone.to_network(backbone.initial_parameters(Random(1)));
  network.labels = {"yes", "other"};
  const TemporaryDirectory folder("bench");
  const auto file = folder.path() / "model.safetensors";
  model::save_model(file, network);
  return model::load_model(file);
}

std::vector<float> random_features() {
  Random random(2);
  std::vector<float> features(kFrames * kInputs);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

/// Time per iteration is time per frame.
void stream_frame(benchmark::State& state) {
  model::Stream stream(stored_network(static_cast<std::size_t>(state.range(0))));
  const std::vector<float> features = random_features();
  std::size_t t = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(stream.step(std::span(features).subspan(t * kInputs, kInputs)).data());
    t = t + 1 == kFrames ? 0 : t + 1;
  }
}

void clip_of_101_frames(benchmark::State& state) {
  const model::Network network = stored_network(static_cast<std::size_t>(state.range(0)));
  const std::vector<float> features = random_features();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(model::run_clip(network, features).logits.data());
}

BENCHMARK(stream_frame)->Arg(4)->Arg(64)->Unit(benchmark::kNanosecond);
BENCHMARK(clip_of_101_frames)->Arg(4)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace
