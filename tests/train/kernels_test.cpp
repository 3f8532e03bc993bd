#include "train/kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "model/inference.h"
#include "train/noise.h"

namespace hysteron::train {
namespace {

std::vector<float> random_values(std::size_t size, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  Random random(seed);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
  return values;
}

struct Size {
  std::size_t rows;
  std::size_t columns;
  std::size_t n;
};

// Around the block sizes of the kernels, and past the size from which OpenBLAS takes over.
const std::vector<Size> kSizes = {{1, 1, 16}, {4, 13, 48}, {3, 5, 16}, {7, 4, 272}, {2, 16, 1616}, {30, 33, 48}};

TEST(Products, AgreeWithPlainLoops) {
  for (const auto& [rows, columns, n] : kSizes) {
    const auto weight = random_values(rows * columns, 1);
    const auto bias = random_values(rows, 2);
    const auto x = random_values(columns * n, 3);
    std::vector<float> y(rows * n);
    affine_forward(weight.data(), bias.data(), x.data(), y.data(), rows, columns, n);
    for (std::size_t j = 0; j < rows; ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        double sum = bias[j];
        for (std::size_t i = 0; i < columns; ++i) sum += static_cast<double>(weight[j * columns + i]) * x[i * n + k];
        ASSERT_NEAR(y[j * n + k], sum, 1e-5) << rows << "x" << columns << " at " << j << ", " << k;
      }
    }
  }
}

TEST(Products, TransposedAgreesWithPlainLoops) {
  for (const auto& [rows, columns, n] : kSizes) {
    const auto weight = random_values(rows * columns, 1);
    const auto dy = random_values(rows * n, 2);
    std::vector<float> dx(columns * n);
    std::vector<float> scratch(rows * columns);
    affine_backward(weight.data(), dy.data(), dx.data(), scratch.data(), rows, columns, n);
    for (std::size_t i = 0; i < columns; ++i) {
      for (std::size_t k = 0; k < n; ++k) {
        double sum = 0.0;
        for (std::size_t j = 0; j < rows; ++j) sum += static_cast<double>(weight[j * columns + i]) * dy[j * n + k];
        ASSERT_NEAR(dx[i * n + k], sum, 1e-5);
      }
    }
  }
}

TEST(Products, WeightGradientAddsToWhatIsThere) {
  for (const auto& [rows, columns, n] : kSizes) {
    const auto dy = random_values(rows * n, 1);
    const auto x = random_values(columns * n, 2);
    std::vector<float> dweight(rows * columns, 1.0f);
    std::vector<float> dbias(rows, 2.0f);
    affine_gradient(dy.data(), x.data(), dweight.data(), dbias.data(), rows, columns, n);
    for (std::size_t j = 0; j < rows; ++j) {
      double bias = 2.0;
      for (std::size_t k = 0; k < n; ++k) bias += dy[j * n + k];
      ASSERT_NEAR(dbias[j], bias, 1e-3);
      for (std::size_t i = 0; i < columns; ++i) {
        double sum = 1.0;
        for (std::size_t k = 0; k < n; ++k) sum += static_cast<double>(dy[j * n + k]) * x[i * n + k];
        ASSERT_NEAR(dweight[j * columns + i], sum, 1e-3);
      }
    }
  }
}

CellRow cell_row(std::size_t frames, float epsilon) {
  static const std::array<float, kLanes> kWeights = [] {
    std::array<float, kLanes> ones{};
    ones.fill(1.0f);
    return ones;
  }();
  CellRow row{};
  row.frames = frames;
  row.beta_lo = 0.3f;
  row.beta_hi = 0.6f;
  row.epsilon = epsilon;
  row.lane_weights = kWeights.data();
  return row;
}

TEST(CellScan, AgreesWithTheReferenceStepWhenResetIsComplete) {
  constexpr std::size_t kFrames = 60;
  const CellRow row = cell_row(kFrames, 0.0f);
  const auto sums = random_values(kFrames * kLanes, 4);
  std::vector<float> candidate = sums;
  std::vector<float> state(sums.size());
  cell_forward(row, candidate.data(), state.data());
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    bool on = false;
    for (std::size_t t = 0; t < kFrames; ++t) {
      const std::size_t n = t * kLanes + lane;
      ASSERT_EQ(candidate[n], std::max(sums[n], 0.0f));
      on = model::next_state(candidate[n], row.beta_lo, row.beta_hi, on);
      ASSERT_EQ(state[n], on ? 1.0f : 0.0f) << "frame " << t << ", lane " << lane;
    }
  }
}

TEST(CellScan, HysteresisEdgesAreExact) {
  const CellRow row = cell_row(5, 0.0f);
  const std::array<float, 5> inputs = {std::nextafter(0.6f, 0.0f), 0.6f, 0.3f, std::nextafter(0.3f, 0.0f), 0.3f};
  const std::array<float, 5> expected = {0, 1, 1, 0, 0};
  std::vector<float> candidate(5 * kLanes);
  std::vector<float> state(5 * kLanes);
  for (std::size_t t = 0; t < 5; ++t) std::fill_n(candidate.begin() + static_cast<long>(t * kLanes), kLanes, inputs[t]);
  cell_forward(row, candidate.data(), state.data());
  for (std::size_t n = 0; n < state.size(); ++n) EXPECT_EQ(state[n], expected[n / kLanes]) << n / kLanes;
}

TEST(CellScan, CountsWhileResetIsOpen) {
  const CellRow row = cell_row(4, 1.0f);
  std::vector<float> candidate(4 * kLanes, 1.0f);
  std::fill_n(candidate.begin() + 2 * kLanes, kLanes, 0.0f);
  std::vector<float> state(4 * kLanes);
  cell_forward(row, candidate.data(), state.data());
  for (const auto& [t, count] : {std::pair{0, 1.0f}, {1, 2.0f}, {2, 2.0f}, {3, 3.0f}}) {
    EXPECT_EQ(state[static_cast<std::size_t>(t) * kLanes], count);
  }
}

TEST(Noise, VectorFormIsTheScalarForm) {
  std::vector<float> values(10 * kLanes, 0.0f);
  add_noise(1.0f, 77, 1000, values.data(), values.size());
  for (std::size_t n = 0; n < values.size(); ++n) {
    EXPECT_FLOAT_EQ(values[n], noise_normal(77, 1000 + static_cast<std::uint32_t>(n)));
  }
}

TEST(Noise, IsNearlyStandardNormal) {
  double sum = 0.0;
  double squares = 0.0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const double value = noise_normal(5, static_cast<std::uint32_t>(i));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0.0, 0.01);
  EXPECT_NEAR(squares / kCount, 1.0, 0.01);
}

TEST(Dropout, DropsItsShareAndScalesTheRest) {
  constexpr std::size_t kCount = 100 * kLanes;
  std::vector<float> output(kCount, 1.0f);
  std::vector<float> v(kCount, -0.5f);
  std::vector<float> u(kCount);
  output_forward({0.2f, 42, 7}, output.data(), v.data(), u.data(), kCount);
  std::size_t dropped = 0;
  for (std::size_t n = 0; n < kCount; ++n) {
    const bool kept = dropout_keeps(42, 7 + static_cast<std::uint32_t>(n), 0.2f);
    EXPECT_FLOAT_EQ(output[n], kept ? 1.25f : 0.0f);
    EXPECT_FLOAT_EQ(u[n], kept ? 0.75f : 0.0f);
    dropped += kept ? 0 : 1;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / kCount, 0.2, 0.03);
}

TEST(CrossEntropyLoss, MatchesHandComputedValues) {
  std::vector<float> logits(2 * kLanes, 0.0f);
  logits[0] = 2.0f;  // clip 0: label 0, logits 2 and 0
  std::array<std::uint32_t, kLanes> labels{};
  std::array<float, kLanes> weights{};
  weights[0] = 1.0f;
  const CrossEntropy loss = cross_entropy(logits.data(), 2, 1, labels.data(), weights.data(), 0.0f, 1.0f);
  const double p = 1.0 / (1.0 + std::exp(-2.0));
  EXPECT_NEAR(loss.frame_loss, -std::log(p), 1e-6);
  EXPECT_NEAR(loss.vote_loss, -std::log(p), 1e-6);
  EXPECT_EQ(loss.right, 1.0);
  EXPECT_NEAR(logits[0], p - 1.0, 1e-6);
  EXPECT_NEAR(logits[kLanes], 1.0 - p, 1e-6);
  EXPECT_EQ(logits[1], 0.0f) << "a lane without a clip has no gradient";
}

}  // namespace
}  // namespace hysteron::train
