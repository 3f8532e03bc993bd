#include "compile/pruning.h"

#include <gtest/gtest.h>

#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

TEST(Prune, DropsSmallWeightsAndBiasesAndNothingElse) {
  ThreadPool pool(1);
  const model::Network network = small_network();
  const Pruning pruning = prune(network, 0.25, {1, 12, 2, small_features()}, pool);
  EXPECT_EQ(pruning.network.input.bias[0], 0.0F);
  EXPECT_EQ(pruning.network.input.weight(0, 1), -0.3F);
  EXPECT_EQ(pruning.network.layers[0].beta_lo[0], 0.15F);
  EXPECT_EQ(pruning.dropped, 2u + 2u + 2u + 2u);  // biases, and no weight
}

TEST(Prune, SaysWhatItChangesInSoftware) {
  ThreadPool pool(1);
  const model::Network network = small_network();
  const Pruning nothing = prune(network, 0.01, {1, 12, 2, small_features()}, pool);
  EXPECT_EQ(nothing.dropped, 0u);
  EXPECT_EQ(nothing.effect.frame_change, 0.0);
  EXPECT_EQ(nothing.effect.clips, 1u);
  const Pruning everything = prune(network, 10.0, {1, 12, 2, small_features()}, pool);
  EXPECT_GT(everything.effect.frame_change, 0.0);
  EXPECT_EQ(everything.network.readout.weight.norm(), 0.0F);
}

}  // namespace
}  // namespace hysteron::compile
