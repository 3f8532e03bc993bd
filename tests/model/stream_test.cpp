#include "model/stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "model/inference.h"
#include "model/model_testing.h"

namespace hysteron::model {
namespace {

std::vector<float> random_features(std::size_t size) {
  Random random(9);
  std::vector<float> features(size);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

/// Frames of `features` whose states or logits differ from run_clip's.
std::size_t differing_frames(const Network& network, Stream& stream, const std::vector<float>& features) {
  const Trace trace = run_clip(network, features);
  std::size_t differing = 0;
  for (std::size_t t = 0; t < trace.frames; ++t) {
    const auto logits = stream.step(std::span(features).subspan(t * network.inputs(), network.inputs()));
    bool same = true;
    for (std::size_t k = 0; k < trace.outputs; ++k) {
      const float expected = trace.logits[t * trace.outputs + k];
      same = same && std::abs(logits[k] - expected) <= 1e-5f * (1.0f + std::abs(expected));
    }
    for (std::size_t layer = 0; layer < trace.layers; ++layer) {
      for (std::size_t j = 0; j < network.layers[layer].cells(); ++j) {
        same = same && stream.on(layer, j) == (trace.state(layer, t, j) != 0.0f);
      }
    }
    differing += same ? 0 : 1;
  }
  return differing;
}

TEST(Stream, AgreesWithRunClipFrameByFrame) {
  for (const auto& [inputs, width, cells] : {std::tuple{3, 4, 5}, {13, 4, 4}, {13, 33, 17}}) {
    const Network network = random_network(3, inputs, width, cells);
    Stream stream(network);
    EXPECT_EQ(differing_frames(network, stream, random_features(200 * network.inputs())), 0u);
  }
}

TEST(Stream, StartsAgainAfterReset) {
  const Network network = random_network(4);
  Stream stream(network);
  const std::vector<float> features = random_features(50 * network.inputs());
  EXPECT_EQ(differing_frames(network, stream, features), 0u);
  stream.reset();
  EXPECT_EQ(differing_frames(network, stream, features), 0u);
}

TEST(Stream, RefusesFramesThatAreNone) {
  Stream stream(random_network(4));
  const std::vector<float> infinite = {0.0f, std::numeric_limits<float>::infinity(), 0.0f};
  EXPECT_THROW(stream.step(std::vector<float>(2)), Error);
  EXPECT_THROW(stream.step(infinite), Error);
}

}  // namespace
}  // namespace hysteron::model
