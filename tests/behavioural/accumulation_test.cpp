#include "hysteron/behavioural/accumulation.h"

#include <gtest/gtest.h>

#include <cmath>

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
  return accumulate_noise(memory, request, pool);
}

TEST(Accumulation, ACellsErrorIsThatOfItsLastMirrorHoweverLongItHolds) {
  const AccumulationRequest request = small_request();
  const Accumulation result = run(Memory::kFqBmru, request);
  for (const std::size_t place : {1UL, 200UL, 2 * 201UL + 1, 2 * 201UL + 200}) {
    EXPECT_NEAR(result.errors[place], request.noise, 0.15 * request.noise) << place;
    EXPECT_EQ(result.wrong_bits[place], 0.0);
  }
}

TEST(Accumulation, ALeakyMemorysErrorGrowsWithTheRootOfTime) {
  const AccumulationRequest request = small_request();
  const Accumulation result = run(Memory::kLeaky, request);
  // One mirror a frame, one to write and one to read.
  EXPECT_NEAR(result.errors[1], request.noise * std::sqrt(3.0), 0.15 * request.noise * std::sqrt(3.0));
  EXPECT_NEAR(result.errors[200], request.noise * std::sqrt(202.0), 0.15 * request.noise * std::sqrt(202.0));
  EXPECT_GT(run(Memory::kLru, request).errors[200], 5.0 * request.noise);
}

TEST(Accumulation, LargeNoiseCostsBits) {
  AccumulationRequest request = small_request();
  request.noise = 0.2;
  const Accumulation result = run(Memory::kFqBmru, request);
  EXPECT_GT(result.wrong_bits[200], 0.1);
  EXPECT_GE(result.wrong_bits[200], result.wrong_bits[1]);
}

TEST(Accumulation, IsTheSameAtAnyNumberOfThreads) {
  const AccumulationRequest request = small_request();
  EXPECT_EQ(run(Memory::kLru, request, 1).errors, run(Memory::kLru, request, 3).errors);
}

}  // namespace
}  // namespace hysteron::behavioural
