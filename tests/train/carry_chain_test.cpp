#include "train/carry_chain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "model/inference.h"
#include "train/scan.h"

namespace hysteron::train {
namespace {

using Words = std::vector<std::uint64_t>;

std::vector<CellBand> random_bands(Random& random) {
  std::vector<CellBand> bands(kBandLanes);
  for (CellBand& band : bands) {
    band.beta_lo = static_cast<float>(random.uniform(0.2, 0.4));
    band.beta_hi = band.beta_lo + static_cast<float>(random.uniform(0.0, 0.5));
    band.initial = random.uniform(0.0, 1.0) < 0.5;
  }
  return bands;
}

/// [rows][frames], a fifth of them exactly on a threshold.
std::vector<float> random_candidates(Random& random, const std::vector<CellBand>& bands, std::size_t frames) {
  std::vector<float> candidates;
  for (const CellBand& band : bands) {
    for (std::size_t t = 0; t < frames; ++t) {
      const double draw = random.uniform(0.0, 1.0);
      const auto value = static_cast<float>(random.uniform(0.0, 1.0));
      candidates.push_back(draw < 0.1 ? band.beta_lo : (draw < 0.2 ? band.beta_hi : value));
    }
  }
  return candidates;
}

Words from_single_steps(const std::vector<float>& candidates, const std::vector<CellBand>& bands, std::size_t frames) {
  Words states(bands.size() * state_words(frames), 0);
  for (std::size_t r = 0; r < bands.size(); ++r) {
    bool on = bands[r].initial;
    for (std::size_t t = 0; t < frames; ++t) {
      on = model::next_state(candidates[r * frames + t], bands[r].beta_lo, bands[r].beta_hi, on);
      if (on) states[r * state_words(frames) + t / kWordFrames] |= std::uint64_t{1} << (t % kWordFrames);
    }
  }
  return states;
}

Words carry_chain(const std::vector<float>& candidates, const std::vector<CellBand>& bands, std::size_t frames) {
  Words states(bands.size() * state_words(frames), ~std::uint64_t{0});
  carry_chain_states(candidates.data(), bands.size(), frames, bands.data(), states.data());
  return states;
}

Words over_cells(const std::vector<float>& candidates, const std::vector<CellBand>& bands, std::size_t frames) {
  std::vector<float> by_frame(candidates.size());
  for (std::size_t j = 0; j < kBandLanes; ++j) {
    for (std::size_t t = 0; t < frames; ++t) by_frame[t * kBandLanes + j] = candidates[j * frames + t];
  }
  Words states(kBandLanes * state_words(frames), ~std::uint64_t{0});
  states_over_cells(by_frame.data(), frames, bands.data(), states.data());
  return states;
}

TEST(CarryChain, AgreesWithSingleStepsAtEveryNumberOfFrames) {
  Random random(11);
  for (const std::size_t frames : {0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 63, 64, 65, 101, 128, 200, 1000}) {
    const std::vector<CellBand> bands = random_bands(random);
    const std::vector<float> candidates = random_candidates(random, bands, frames);
    const Words expected = from_single_steps(candidates, bands, frames);
    Words scalar(expected.size(), ~std::uint64_t{0});
    scalar_states(candidates.data(), bands.size(), frames, bands.data(), scalar.data());
    EXPECT_EQ(scalar, expected) << frames << " frames, scalar";
    EXPECT_EQ(carry_chain(candidates, bands, frames), expected) << frames << " frames, carry chain";
    EXPECT_EQ(over_cells(candidates, bands, frames), expected) << frames << " frames, over cells";
  }
}

/// The cell as a linear recurrence s_t = a_t s_{t-1} + b_t, by the scan.
Words from_scan(const std::vector<float>& candidates, const std::vector<CellBand>& bands, std::size_t frames) {
  std::vector<float> a(frames * kScanLanes);
  std::vector<float> b(a.size());
  std::vector<float> s(a.size());
  std::vector<float> initial(kScanLanes);
  for (std::size_t r = 0; r < kScanLanes; ++r) {
    initial[r] = bands[r].initial ? 1.0f : 0.0f;
    for (std::size_t t = 0; t < frames; ++t) {
      const float candidate = candidates[r * frames + t];
      const bool sets = candidate >= bands[r].beta_hi;
      b[t * kScanLanes + r] = sets ? 1.0f : 0.0f;
      a[t * kScanLanes + r] = !sets && candidate >= bands[r].beta_lo ? 1.0f : 0.0f;
    }
  }
  scan_forward(a.data(), b.data(), initial.data(), s.data(), frames);
  Words states(bands.size() * state_words(frames), 0);
  for (std::size_t r = 0; r < kScanLanes; ++r) {
    for (std::size_t t = 0; t < frames; ++t) {
      if (s[t * kScanLanes + r] == 1.0f) {
        states[r * state_words(frames) + t / kWordFrames] |= std::uint64_t{1} << (t % kWordFrames);
      }
    }
  }
  return states;
}

TEST(CarryChain, AgreesWithTheScan) {
  static_assert(kScanLanes == kBandLanes);
  Random random(12);
  for (const std::size_t frames : {1, 5, 63, 64, 65, 101, 500, 2048}) {
    const std::vector<CellBand> bands = random_bands(random);
    const std::vector<float> candidates = random_candidates(random, bands, frames);
    const Words chain = carry_chain(candidates, bands, frames);
    EXPECT_EQ(chain, from_scan(candidates, bands, frames)) << frames << " frames";
  }
}

TEST(CarryChain, SetsAtTheUpperThresholdAndHoldsAtTheLower) {
  const CellBand band{0.3f, 0.6f, false};
  const std::vector<float> candidates = {std::nextafter(0.6f, 0.0f), 0.6f, 0.3f, std::nextafter(0.3f, 0.0f), 0.3f};
  EXPECT_EQ(carry_chain(candidates, {band}, candidates.size()), Words{0b00110});
}

TEST(CarryChain, HoldsTheInitialStateOverManyWords) {
  const std::vector<float> between(200, 0.5f);
  EXPECT_EQ(carry_chain(between, {{0.3f, 0.6f, false}}, 200), Words(4, 0));
  const Words on = carry_chain(between, {{0.3f, 0.6f, true}}, 200);
  EXPECT_EQ(on, (Words{~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, 0xff}));
}

TEST(CarryChain, LeavesBitsPastTheLastFrameOffWhereTheLowerThresholdIsZero) {
  EXPECT_EQ(carry_chain({0.0f, 0.0f, 0.0f}, {{0.0f, 1.0f, true}}, 3), Words{0b111});
  EXPECT_EQ(carry_chain({0.0f, 0.0f, 0.0f}, {{0.0f, 0.0f, false}}, 3), Words{0b111});
}

}  // namespace
}  // namespace hysteron::train
