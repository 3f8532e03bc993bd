#include "analysis/noise_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "analysis/ratio.h"
#include "spice/ngspice.h"

namespace hysteron::analysis {
namespace {

constexpr double kSample = 5e-4;
constexpr std::size_t kSamples = 8192;
constexpr std::size_t kSources = 24;

/// Half the mean squared difference of the means of neighbouring blocks (Allan 1966): of flicker noise K/f it is
/// 2 ln 2 K at any length, of white noise S / (2 seconds).
double allan_variance(const std::vector<double>& samples, std::size_t block) {
  double sum = 0.0;
  double last = 0.0;
  const std::size_t blocks = samples.size() / block;
  for (std::size_t b = 0; b < blocks; ++b) {
    double mean = 0.0;
    for (std::size_t i = 0; i < block; ++i) mean += samples[b * block + i] / static_cast<double>(block);
    if (b > 0) sum += 0.5 * (mean - last) * (mean - last);
    last = mean;
  }
  return sum / static_cast<double>(blocks - 1);
}

double mean_variance(const std::vector<std::vector<double>>& sources, std::size_t block) {
  double sum = 0.0;
  for (const auto& samples : sources) sum += allan_variance(samples, block) / static_cast<double>(sources.size());
  return sum;
}

std::vector<std::vector<double>> drawn(const NoiseDensity& density) {
  std::vector<std::vector<double>> result;
  for (std::size_t i = 0; i < kSources; ++i) {
    result.push_back(draw_noise(density, 0.1, kSample, kSamples, Random(7).child("source", i)));
  }
  return result;
}

/// The same from ngspice's trnoise. Its numbers differ in every run, whatever the seed.
std::vector<std::vector<double>> from_trnoise(const std::string& parameters) {
  spice::Deck deck;
  deck.text = "* sources\n";
  for (std::size_t i = 0; i < kSources; ++i) {
    deck.text += fmt::format("i{0} 0 n{0} dc 0 trnoise({1})\nr{0} n{0} 0 1\n", i, parameters);
  }
  const double stop = kSample * static_cast<double>(kSamples);
  deck.text += fmt::format(".options reltol=1e-6 abstol=1e-18 vntol=1e-18\n.tran {0} {1} 0 {0}\n.end\n", kSample, stop);
  const spice::RunResult run = spice::Ngspice().run(deck);
  const spice::Plot& plot = run.raw.plot("transient");
  std::vector<std::vector<double>> result;
  for (std::size_t i = 0; i < kSources; ++i) {
    const std::vector<double>& values = plot[fmt::format("v(n{})", i)];
    std::vector<double> samples;
    for (std::size_t k = 0, at = 0; k < kSamples; ++k) {
      const double time = kSample * static_cast<double>(k);
      while (at + 1 < values.size() && plot["time"][at] < time * (1.0 - 1e-9)) ++at;
      samples.push_back(values[at]);
    }
    result.push_back(std::move(samples));
  }
  return result;
}

TEST(NoiseSource, HasTheDensityAskedFor) {
  const auto white = drawn({2e-28, 0.0});
  for (const std::size_t block : {1u, 16u, 128u}) {
    const double expected = 2e-28 / (2.0 * kSample * static_cast<double>(block));
    EXPECT_NEAR(mean_variance(white, block) / expected, 1.0, 0.1) << block;
  }
  const auto flicker = drawn({0.0, 3e-26});
  for (const std::size_t block : {4u, 16u, 64u, 256u}) {
    EXPECT_NEAR(mean_variance(flicker, block) / (2.0 * std::numbers::ln2 * 3e-26), 1.0, 0.1) << block;
  }
}

TEST(NoiseSource, AgreesWithTrnoise) {
  const double white_density = 2e-18;
  const double flicker_density = 1e-18;
  const auto white = from_trnoise(fmt::format("{} {} 0 0", std::sqrt(0.5 * white_density / kSample), kSample));
  const auto flicker = from_trnoise(fmt::format("0 {} 1 {}", kSample, std::sqrt(std::numbers::pi * flicker_density)));
  for (const std::size_t block : {1u, 16u, 128u}) {
    EXPECT_NEAR(mean_variance(drawn({white_density, 0.0}), block) / mean_variance(white, block), 1.0, 0.25) << block;
  }
  for (const std::size_t block : {4u, 16u, 64u}) {
    EXPECT_NEAR(mean_variance(drawn({0.0, flicker_density}), block) / mean_variance(flicker, block), 1.0, 0.25)
        << block;
  }
}

TEST(NoiseSource, SameStreamSameNumbers) {
  const NoiseDensity density{2e-28, 3e-26};
  EXPECT_EQ(draw_noise(density, 0.1, kSample, 100, Random(3)), draw_noise(density, 0.1, kSample, 100, Random(3)));
  EXPECT_NE(draw_noise(density, 0.1, kSample, 100, Random(3)), draw_noise(density, 0.1, kSample, 100, Random(4)));
}

TEST(NoiseSource, DeviationIsTheIntegralOfTheDensity) {
  std::vector<double> frequency;
  std::vector<double> flicker;
  std::vector<double> white;
  for (int i = 0; i <= 210; ++i) {
    frequency.push_back(0.1 * std::pow(10.0, i / 30.0));
    flicker.push_back(4.0 / frequency.back());
    white.push_back(9.0);
  }
  EXPECT_NEAR(deviation_of(frequency, flicker, 0.1, 1e3), std::sqrt(4.0 * std::log(1e4)), 1e-6);
  EXPECT_NEAR(deviation_of(frequency, flicker, 3.0, 50.0), std::sqrt(4.0 * std::log(50.0 / 3.0)), 1e-6);
  EXPECT_NEAR(deviation_of(frequency, white, 0.1, 1e6) / 3e3, 1.0, 1e-3);
}

TEST(NoiseSource, LinesBetweenSamplesKeepTwoThirdsOfThePower) {
  // White noise of deviation 1, looked at over a long window: the mean over time of (1 - u)² + u².
  std::vector<double> frequency;
  std::vector<double> density;
  for (int i = 0; i <= 6000; ++i) {
    frequency.push_back(1.0 + 3.0 * i);
    density.push_back(2.0 * kSample * sampled_share(frequency.back(), kSample, 10.0));
  }
  EXPECT_NEAR(std::pow(deviation_of(frequency, density, 1.0, 18000.0), 2), 2.0 / 3.0, 0.01);
  EXPECT_NEAR(sampled_share(0.01, kSample, 1.0), 0.0, 1e-3);
}

TEST(Ratio, IsOfTheSumsWithAnIntervalFromThreeTrials) {
  const Ratio ratio = ratio_of({4.0, 4.4, 3.6}, {1.0, 1.0, 1.0}, 1.0, Random(1));
  EXPECT_NEAR(ratio.value, 2.0, 1e-12);
  EXPECT_DOUBLE_EQ(ratio.low, std::sqrt(3.6)) << "of 27 draws, one is three times the least";
  EXPECT_DOUBLE_EQ(ratio.high, std::sqrt(4.4));
  EXPECT_TRUE(std::isnan(ratio_of({4.0, 4.0}, {1.0, 1.0}, 1.0, Random(1)).low));
  EXPECT_TRUE(std::isnan(ratio_of({}, {}, 1.0, Random(1)).value));
}

TEST(Ratio, ItsIntervalIsThatOfTheSumsWhereOneTrialOutweighsAll) {
  // The geometric mean of the trials' ratios is near 1; that of the sums is 0.1, and no interval of the one holds it.
  std::vector<double> bottom(16, 1.0);
  bottom[5] = 1585.0;
  const Ratio ratio = ratio_of(std::vector<double>(16, 1.0), bottom, 1.0, Random(7));
  EXPECT_NEAR(ratio.value, 0.1, 1e-3);
  EXPECT_LT(ratio.low, ratio.value);
  EXPECT_DOUBLE_EQ(ratio.high, 1.0) << "a third of the draws are without that trial";
}

TEST(Ratio, ItsIntervalHoldsTheTruthNearlyAsOftenAsItSays) {
  constexpr int kTimes = 400;
  int held = 0;
  for (int i = 0; i < kTimes; ++i) {
    Random random = Random(3).child("times", static_cast<std::uint64_t>(i));
    std::vector<double> top(16);
    std::vector<double> bottom(16);
    for (std::size_t k = 0; k < top.size(); ++k) {
      top[k] = 1.0 + 0.07 * random.normal();
      bottom[k] = 1.0 + 0.07 * random.normal();
    }
    const Ratio ratio = ratio_of(top, bottom, 3.0, random.child("resampling"));
    held += ratio.low <= 3.0 && ratio.high >= 3.0 ? 1 : 0;
  }
  EXPECT_GE(held, 0.89 * kTimes);
  EXPECT_LE(held, 0.97 * kTimes);
}

TEST(Ratio, IsTheSameInEveryRun) {
  const std::vector<double> top = {4.0, 4.4, 3.6, 5.0};
  const std::vector<double> bottom = {1.0, 1.1, 1.0, 0.7};
  EXPECT_EQ(ratio_of(top, bottom, 1.0, Random(5)).low, ratio_of(top, bottom, 1.0, Random(5)).low);
}

}  // namespace
}  // namespace hysteron::analysis
