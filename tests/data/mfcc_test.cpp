#include "data/mfcc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "data/audio.h"
#include "data/npy.h"
#include "data/testing.h"

namespace hysteron::data {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::size_t kSize = Mfcc::kFrames * Mfcc::kCoefficients;

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

TEST(MfccOfRealSpeech, AgreesWithAnIndependentImplementation) {
  const fs::path shared = fs::path(HYSTERON_SOURCE_DIR) / ".." / "shared" / "data";
  if (!fs::is_directory(shared / "golden")) GTEST_SKIP() << (shared / "golden") << " is absent";
  const Mfcc mfcc;
  std::size_t compared = 0;
  for (const auto& entry : fs::directory_iterator(shared / "golden")) {
    if (entry.path().extension() != ".npy") continue;
    // CLASS__FILE.npy; CLASS may begin and end with '_'.
    const std::string stem = entry.path().stem().string();
    const std::size_t parting = stem.find("__", 1) + (stem.starts_with('_') ? 1 : 0);
    const fs::path audio = shared / "speech_commands" / stem.substr(0, parting) / (stem.substr(parting + 2) + ".wav");
    const double error = largest_difference(mfcc.compute(read_audio(audio)), read_npy(entry.path()).values);
    EXPECT_LE(error, Mfcc::kErrorBound) << audio;
    RecordProperty("error_of_" + stem, fmt::format("{:.1e}", error));
    ++compared;
  }
  EXPECT_EQ(compared, 5u);
}

/// The sounds of tests/data/golden/make_mfcc.py.
std::vector<float> golden_sound(std::size_t which) {
  std::uint64_t state = 12345 + which;
  std::vector<float> samples;
  for (std::size_t n = 0; n < Mfcc::kSamples; ++n) {
    const double t = static_cast<double>(n) / kSampleRate;
    state = (1103515245 * state + 12345) % 2147483648;
    const double noise = static_cast<double>(state) / 1073741824.0 - 1.0;
    double value = 0.4 * std::sin(2.0 * kPi * (200.0 * t + 1500.0 * t * t)) + 0.01 * noise;
    if (which == 1) {
      double tones = 0.0;
      for (const int k : {1, 2, 3, 5}) tones += std::sin(2.0 * kPi * 440.0 * k * t) / k;
      value = 0.3 * std::exp(-4.0 * t) * tones + 0.002 * noise;
    }
    samples.push_back(static_cast<float>(value));
  }
  return samples;
}

TEST(Mfcc, AgreesWithASecondImplementation) {
  const Features golden = read_npy(fs::path(HYSTERON_SOURCE_DIR) / "tests/data/golden/mfcc.npy");
  ASSERT_EQ(golden.clips, 2u);
  for (std::size_t which = 0; which < 2; ++which) {
    EXPECT_LE(largest_difference(Mfcc().compute(golden_sound(which)), golden.clip(which)), Mfcc::kErrorBound) << which;
  }
}

TEST(Mfcc, OfDigitalSilenceIsExactlyZero) {
  const std::vector<float> features = Mfcc().compute(std::vector<float>(Mfcc::kSamples, 0.0F));
  EXPECT_EQ(features, std::vector<float>(kSize, 0.0F));
}

TEST(Mfcc, OfOneClickIsFinite) {
  std::vector<float> click(Mfcc::kSamples, 0.0F);
  click[8000] = 1.0F;
  for (const float value : Mfcc().compute(click)) EXPECT_TRUE(std::isfinite(value));
}

TEST(Mfcc, PadsShortClipsAndCutsLongOnes) {
  const Mfcc mfcc;
  const std::vector<float> speech = sine(500.0, kSampleRate, 2.0);
  std::vector<float> padded(speech.begin(), speech.begin() + 5000);
  const std::vector<float> of_short = mfcc.compute(padded);
  padded.resize(Mfcc::kSamples, 0.0F);
  EXPECT_EQ(of_short, mfcc.compute(padded));
  EXPECT_EQ(mfcc.compute(speech), mfcc.compute(std::span(speech).first(Mfcc::kSamples)));
  EXPECT_EQ(mfcc.compute({}), std::vector<float>(kSize, 0.0F));
}

TEST(Mfcc, NormalisedByClipHasMeanZeroAndDeviationOne) {
  const std::vector<float> features = Mfcc().compute(sine(700.0, kSampleRate, 0.4));
  for (std::size_t c = 0; c < Mfcc::kCoefficients; ++c) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t t = 0; t < Mfcc::kFrames; ++t) {
      const double value = features[t * Mfcc::kCoefficients + c];
      sum += value;
      squares += value * value;
    }
    EXPECT_NEAR(sum / Mfcc::kFrames, 0.0, 1e-6);
    EXPECT_NEAR(squares / Mfcc::kFrames, 1.0, 1e-5);
  }
}

TEST(Mfcc, ZeroCoefficientFollowsTheLevelInDecibel) {
  // Ten times the amplitude is 20 dB in every band, and coefficient 0 is sqrt(128) times their mean.
  const Mfcc mfcc(Normalisation::kNone);
  std::vector<float> samples(Mfcc::kSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = (i * 7919) % 101 < 50 ? 0.05F : -0.05F;
  const std::vector<float> quiet = mfcc.compute(samples);
  for (float& sample : samples) sample *= 10.0F;
  const std::vector<float> loud = mfcc.compute(samples);
  const std::size_t middle = 50 * Mfcc::kCoefficients;
  EXPECT_NEAR(loud[middle] - quiet[middle], 20.0 * std::sqrt(128.0), 1.0);
  EXPECT_NEAR(loud[middle + 1], quiet[middle + 1], 1.0);
}

TEST(Mfcc, FixedNormalisationEqualsNormalisingTheRawFeatures) {
  const std::vector<float> speech = sine(500.0, kSampleRate, 0.7);
  Features raw{1, Mfcc::kFrames, Mfcc::kCoefficients, Mfcc(Normalisation::kNone).compute(speech)};
  const FeatureStatistics statistics = feature_statistics(raw);
  const std::vector<float> fixed = Mfcc(Normalisation::kFixed, statistics).compute(speech);
  normalise(raw, statistics);
  EXPECT_LT(largest_difference(fixed, raw.values), 1e-4);
  EXPECT_LT(largest_difference(fixed, Mfcc().compute(speech)), 1e-4);  // one clip: its statistics are its own
}

TEST(Mfcc, FixedNormalisationNeedsAStatisticPerCoefficient) {
  expect_bad_input([] { Mfcc(Normalisation::kFixed, {}); }, {"expected 13"});
  Features features{1, 1, 2, {1.0F, 2.0F}};
  expect_bad_input([&] { normalise(features, {{1.0F}, {1.0F}}); }, {"expected 2"});
}

TEST(Mfcc, OneObjectServesManyThreads) {
  const Mfcc mfcc;
  const std::vector<float> speech = sine(900.0, kSampleRate, 0.5);
  const std::vector<float> expected = mfcc.compute(speech);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (auto& result : results) threads.emplace_back([&] { result = mfcc.compute(speech); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, expected);
}

}  // namespace
}  // namespace hysteron::data
