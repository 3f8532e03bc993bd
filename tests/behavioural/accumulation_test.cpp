#include "behavioural/accumulation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace hysteron::behavioural {
namespace {

AccumulationRequest small_request() {
  AccumulationRequest request;
  request.frames = 200;
  request.layers = 3;
  request.chains = 400;
  return request;
}

Accumulation run(Memory memory, const AccumulationRequest& request, int jobs = 2) {
  ThreadPool pool(jobs);
  const StopFlag stop;
  return accumulate_noise(memory, request, pool, stop);
}

/// Of layer `layer`, from 1, after the last frame.
double last_error(const Accumulation& result, std::size_t layer) {
  return result.error(layer - 1, result.frames.size() - 1);
}

TEST(Accumulation, ReadsRoundNumbersOfFrames) {
  EXPECT_EQ(round_numbers(1), (std::vector<std::size_t>{1}));
  EXPECT_EQ(round_numbers(200), (std::vector<std::size_t>{1, 2, 5, 10, 20, 50, 100, 200}));
  EXPECT_EQ(round_numbers(30), (std::vector<std::size_t>{1, 2, 5, 10, 20, 30}));
}

TEST(Accumulation, ACellsErrorIsThatOfItsLastMirrorHoweverLongItHolds) {
  const AccumulationRequest request = small_request();
  const Accumulation result = run(Memory::kFqBmru, request);
  ASSERT_EQ(result.errors.size(), 3 * 8u);
  for (std::size_t place = 0; place < result.errors.size(); ++place) {
    EXPECT_NEAR(result.errors[place], request.noise, 0.2 * request.noise) << place;
    EXPECT_EQ(result.wrong_bits[place], 0.0);
  }
}

TEST(Accumulation, ALeakyMemorysErrorGrowsWithTheRootOfTime) {
  const AccumulationRequest request = small_request();
  const Accumulation result = run(Memory::kLeaky, request);
  // One mirror a frame, one to write and one to read.
  EXPECT_NEAR(result.errors[0], request.noise * std::sqrt(3.0), 0.15 * request.noise * std::sqrt(3.0));
  EXPECT_NEAR(last_error(result, 1), request.noise * std::sqrt(202.0), 0.15 * request.noise * std::sqrt(202.0));
  EXPECT_GT(last_error(run(Memory::kLru, request), 1), 5.0 * request.noise);
}

/// What reaches layer L went on from layer to layer in frames of all choices, and their mirrors' errors average out.
TEST(Accumulation, ALeakyChainAveragesOverTheFramesInWhichTheValueWentOn) {
  AccumulationRequest request = small_request();
  request.chains = 2000;
  request.frames = 500;
  const Accumulation result = run(Memory::kLeaky, request);
  EXPECT_NEAR(last_error(result, 2) / last_error(result, 1), std::sqrt(2.0 / 3.0), 0.04);
  EXPECT_NEAR(last_error(result, 3) / last_error(result, 1), std::sqrt(8.0 / 15.0), 0.04);
}

TEST(Accumulation, LargeNoiseCostsBits) {
  AccumulationRequest request = small_request();
  request.noise = 0.2;
  const Accumulation result = run(Memory::kFqBmru, request);
  EXPECT_GT(result.wrong_bits[7], 0.1);
  EXPECT_GE(result.wrong_bits[7], result.wrong_bits[0]);
}

/// Every layer holds: bits that are lost below do not take those above with them, and an error with them is that of a
/// share of the bits.
TEST(Accumulation, EveryLayerIsAMemoryOfItsOwn) {
  AccumulationRequest request = small_request();
  request.noise = 0.08;
  request.frames = 50;
  request.chains = 2000;
  const Accumulation result = run(Memory::kFqBmru, request);
  const std::size_t last = result.frames.size() - 1;
  const double first_wrong = result.wrong_bits[last];
  EXPECT_GT(first_wrong, 0.2) << "0.25 from either threshold is 2.4 deviations";
  EXPECT_LT(result.wrong_bits[result.frames.size() + last], 0.8 * first_wrong) << "0.3 is 2.9 of them";
  for (const std::size_t place : {std::size_t{0}, last}) {
    const double lost = result.wrong_bits[place];  // of all bits, half of which were on
    EXPECT_NEAR(result.all_errors[place], std::sqrt(2.0 * lost), 0.1 + 0.1 * std::sqrt(2.0 * lost)) << place;
    EXPECT_LT(result.errors[place], 0.12);
  }
}

TEST(Accumulation, StopsWhenAsked) {
  AccumulationRequest request = small_request();
  request.chains = 1000000;
  request.frames = 1000000;
  ThreadPool pool(2);
  StopFlag stop;
  stop.request();
  EXPECT_THROW(accumulate_noise(Memory::kLru, request, pool, stop), Error);
}

TEST(Accumulation, OneChainHasAnError) {
  AccumulationRequest request = small_request();
  request.chains = 1;
  for (const Memory memory : kMemories) {
    for (const double error : run(memory, request).errors) EXPECT_GT(error, 0.0) << name_of(memory);
  }
}

TEST(Accumulation, HoldsNoMoreThanTheFramesThatAreRead) {
  AccumulationRequest request = small_request();
  request.chains = 1;
  request.frames = 100000;
  const Accumulation result = run(Memory::kLeaky, request);
  EXPECT_EQ(result.errors.size(), 3 * 16u);
  EXPECT_EQ(result.frames.back(), 100000u);
}

TEST(Accumulation, HasNoErrorWhereEveryBitThatWasOnIsLost) {
  AccumulationRequest request = small_request();
  request.noise = 1.0;
  request.chains = 1;
  const Accumulation result = run(Memory::kFqBmru, request);
  bool lost = false;
  for (std::size_t i = 0; i < result.errors.size(); ++i) {
    EXPECT_EQ(std::isnan(result.errors[i]), result.wrong_bits[i] == 1.0) << i;
    lost = lost || result.wrong_bits[i] == 1.0;
  }
  EXPECT_TRUE(lost);
}

TEST(Accumulation, IsTheSameAtAnyNumberOfThreads) {
  AccumulationRequest request = small_request();
  request.frames = 20;
  request.chains = 4000;  // more parts than are held at once
  EXPECT_EQ(run(Memory::kLru, request, 1).errors, run(Memory::kLru, request, 3).errors);
}

}  // namespace
}  // namespace hysteron::behavioural
