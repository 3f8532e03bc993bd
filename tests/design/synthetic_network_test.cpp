// Drawn networks of twins: legs of every width carry the same, and pairs cancel.

#include "design/synthetic_network.h"

#include <gtest/gtest.h>

namespace hysteron::design {
namespace {

class TwinNetwork : public testing::TestWithParam<std::size_t> {};

/// Over many networks: the mean of the legs that push and of those that pull, each half of 0.4.
TEST_P(TwinNetwork, PushesAndPullsTheSameAtEveryWidth) {
  const std::size_t dim = GetParam();
  const std::size_t draws = 4096 / dim;
  double push = 0.0;
  double pull = 0.0;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    for (const model::Layer& layer : synthetic_network(dim, draw + 1).layers) {
      for (const model::Matrix& weight : {layer.candidate.weight, layer.output.weight}) {
        push += weight.cwiseMax(0.0F).mean();
        pull += (-weight).cwiseMax(0.0F).mean();
      }
    }
  }
  const auto maps = static_cast<double>(4 * draws);
  EXPECT_NEAR(push / maps, 0.2, 0.002);
  EXPECT_NEAR(pull / maps, push / maps, 1e-6);
}

/// A synthetic pair of another channel adds nothing; the own pair adds 0.6 or, where the channel inverts, takes it, and
/// the bias makes up for that.
TEST_P(TwinNetwork, RowsAddUpToTheOwnPair) {
  const model::Network network = synthetic_network(GetParam(), 3);
  const model::Affine& candidate = network.layers[1].candidate;
  const model::Vector sums = candidate.weight.rowwise().sum();
  for (Eigen::Index i = 0; i < sums.size(); ++i) {
    const bool inverts = (i / 2) % 2 == 1;
    EXPECT_NEAR(sums[i], inverts ? -0.6F : 0.6F, 1e-5F);
    EXPECT_NEAR(candidate.bias[i], inverts ? 0.7F : 0.1F, 1e-6F);
    EXPECT_EQ(candidate.weight.row(i), candidate.weight.row(i - i % 2)) << "twins";
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, TwinNetwork, testing::Values(4, 8, 64, 256));

}  // namespace
}  // namespace hysteron::design
