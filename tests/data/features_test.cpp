#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "data/audio.h"
#include "data/build_features.h"
#include "data/mfcc.h"
#include "data/npy.h"

namespace hysteron::data {
namespace {

class FeatureExtraction : public ::testing::Test {
 protected:
  FeatureExtraction() {
    for (std::size_t i = 0; i < samples_.size(); ++i) samples_[i] = i % 100 < 50 ? 0.25F : -0.25F;
    write_file(audio_, data::wav_bytes(samples_));
  }

  TemporaryDirectory folder_{"features-test"};
  std::filesystem::path audio_ = folder_.path() / "a clip.wav";
  std::filesystem::path output_ = folder_.path() / "x.npy";
  std::vector<float> samples_ = std::vector<float>(8000);
  SilentReporter reporter_;
  StopFlag stop_;
};

TEST_F(FeatureExtraction, WritesOneClipAFile) {
  const FeaturesSummary summary = extract_features({{audio_, audio_, audio_}, output_}, reporter_, stop_);
  EXPECT_EQ(summary.clips, 3u);
  EXPECT_EQ(summary.frames, 101u);
  EXPECT_EQ(summary.features, 13u);
  const data::Features features = data::read_npy(output_);
  const std::vector<float> expected = data::Mfcc().compute(samples_);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), features.clip(2).begin()));
}

TEST_F(FeatureExtraction, LeavesRawCoefficientsUnscaled) {
  extract_features({{audio_}, output_, true}, reporter_, stop_);
  EXPECT_EQ(data::read_npy(output_).values, data::Mfcc(data::Normalisation::kNone).compute(samples_));
}

TEST_F(FeatureExtraction, WritesNothingWhereAFileIsBad) {
  std::ofstream(folder_.path() / "bad.wav") << "no sound";
  try {
    extract_features({{audio_, folder_.path() / "bad.wav"}, output_}, reporter_, stop_);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("bad.wav"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(output_));
}

}  // namespace
}  // namespace hysteron::data
