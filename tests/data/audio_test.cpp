#include "data/audio.h"

#include <cmath>
#include <limits>

#include "data/testing.h"

namespace hysteron::data {
namespace {

double rms_difference(const std::vector<float>& a, const std::vector<float>& b, std::size_t margin) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0.0;
  for (std::size_t i = margin; i + margin < a.size(); ++i) sum += std::pow(static_cast<double>(a[i] - b[i]), 2.0);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

class AudioFile : public ::testing::Test {
 protected:
  fs::path file(const std::string& name = "a.wav") const { return folder_.path() / name; }
  void expect_refused(const std::vector<std::string>& parts, const std::string& name = "a.wav") const {
    expect_bad_input([&] { read_audio(file(name)); }, parts);
  }

  TemporaryDirectory folder_{"audio-test"};
};

TEST_F(AudioFile, KeepsSixteenBitSamplesAsSharesOfFullScale) {
  const std::string samples("\x00\x40\x00\x80\x01\x00\x00\x20", 8);  // 16384, -32768, 1, 8192
  put(file(), wav_bytes(std::vector<float>(4, 0.0F)).substr(0, 44) + samples);
  EXPECT_EQ(read_audio(file()), (std::vector<float>{0.5F, -1.0F, 1.0F / 32768.0F, 0.25F}));
}

TEST_F(AudioFile, ReadsEverySampleFormatAlike) {
  struct Case {
    const char* name;
    int format;
    double bound;  // quantisation step
  };
  const std::vector<float> expected = sine(440.0, kSampleRate);
  for (const Case& c :
       {Case{"8-bit", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 1.0 / 128}, Case{"16-bit", kWav16, 1.0 / 32768},
        Case{"24-bit", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 2e-7}, Case{"32-bit", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 2e-7},
        Case{"float", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0.0}, Case{"double", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 0.0},
        Case{"extensible", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 2e-7},
        Case{"RF64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 1.0 / 32768},
        Case{"FLAC", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1.0 / 32768},
        Case{"FLAC 24-bit", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 2e-7}}) {
    SCOPED_TRACE(c.name);
    put_sound(file(c.name), expected, c.format);
    EXPECT_LE(rms_difference(read_audio(file(c.name)), expected, 0), c.bound);
  }
}

TEST_F(AudioFile, AveragesChannels) {
  put_sound(file(), {0.5F, 0.25F, -0.5F, 0.0F}, kWav16, kSampleRate, 2);
  EXPECT_EQ(read_audio(file()), (std::vector<float>{0.375F, -0.25F}));
  put_sound(file("six.wav"), sine(300.0, kSampleRate, 0.5, 6), SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, kSampleRate, 6);
  EXPECT_LT(rms_difference(read_audio(file("six.wav")), sine(300.0, kSampleRate, 0.5), 0), 1e-7);
}

TEST_F(AudioFile, ResamplesEveryRateToSixteenKilohertz) {
  for (const int rate : {8000, 11025, 22050, 44100, 48000, 96000}) {
    SCOPED_TRACE(rate);
    put_sound(file(), sine(1000.0, rate), SF_FORMAT_WAV | SF_FORMAT_FLOAT, rate);
    EXPECT_LT(rms_difference(read_audio(file()), sine(1000.0, kSampleRate), 400), 1e-3);
  }
}

TEST_F(AudioFile, RemovesWhatLiesAboveEightKilohertz) {
  put_sound(file(), sine(12000.0, 48000), SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48000);
  const std::vector<float> silence(kSampleRate, 0.0F);
  EXPECT_LT(rms_difference(read_audio(file()), silence, 400), 1e-4);
}

TEST_F(AudioFile, ReadsAFileOfOneSample) {
  put_sound(file(), {0.5F}, kWav16, 48000);
  EXPECT_EQ(read_audio(file()).size(), 1u);
}

TEST_F(AudioFile, ReadsNamesWithSpacesQuotesAndNewlines) {
  for (const std::string name : {"two words.wav", "it's \"quoted\".wav", "line\nbreak.wav", "$(x);`y`.wav", "-o.wav"}) {
    put_sound(file(name), sine(440.0, kSampleRate), kWav16);
    EXPECT_EQ(read_audio(file(name)).size(), 16000u) << name;
  }
}

TEST_F(AudioFile, RefusesMissingFileByName) { expect_refused({"no\\nne.wav", "No such file"}, "no\nne.wav"); }

TEST_F(AudioFile, RefusesFolder) {
  fs::create_directory(file());
  expect_refused({"a.wav", "directory"});
}

TEST_F(AudioFile, RefusesEmptyFile) {
  put(file(), "");
  expect_refused({"a.wav", "empty"});
}

TEST_F(AudioFile, RefusesTextNamedWav) {
  put(file(), "this is no sound, whatever its name says, and it is long enough for a header");
  expect_refused({"a.wav", "WAV or FLAC"});
}

TEST_F(AudioFile, RefusesAudioOfAnotherContainer) {
  put_sound(file("a.aiff"), sine(440.0, kSampleRate), SF_FORMAT_AIFF | SF_FORMAT_PCM_16);
  expect_refused({"a.aiff", "AIFF", "expected WAV or FLAC"}, "a.aiff");
}

TEST_F(AudioFile, RefusesWavTruncatedAnywhere) {
  put_sound(file("whole.wav"), sine(440.0, kSampleRate, 0.01), kWav16);
  const std::string whole = read_file(file("whole.wav"));
  for (std::size_t length = 4; length < whole.size(); length += 3) {
    put(file(), whole.substr(0, length));
    expect_bad_input([&] { read_audio(file()); }, {"a.wav", length < 12 ? "WAV or FLAC" : "truncated"});
  }
}

TEST_F(AudioFile, RefusesTruncatedFlac) {
  put_sound(file("whole.flac"), sine(440.0, kSampleRate), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const std::string whole = read_file(file("whole.flac"));
  for (const double share : {0.01, 0.3, 0.6, 0.95}) {
    put(file("a.flac"), whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    expect_refused({"a.flac"}, "a.flac");
  }
}

TEST_F(AudioFile, RefusesFileWithoutSamples) {
  put(file(), wav_bytes({}));
  expect_refused({"a.wav", "no samples"});
  put_sound(file("b.wav"), {}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  expect_refused({"b.wav", "no samples"}, "b.wav");
}

TEST_F(AudioFile, RefusesNanAndInfinity) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> samples = sine(440.0, kSampleRate);
    samples[123] = value;
    put_sound(file(), samples, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    expect_refused({"a.wav", "sample 123", "finite"});
  }
}

TEST_F(AudioFile, SkipsChunksItDoesNotKnow) {
  std::string bytes = wav_bytes(std::vector<float>(10, 0.5F));
  const std::string extra("LIST\x03\x00\x00\x00xyz\x00", 12);  // of odd size, so with a byte of padding
  bytes.insert(36, extra);
  put(file(), bytes);
  EXPECT_EQ(read_audio(file()), std::vector<float>(10, 0.5F));
}

TEST_F(AudioFile, WritesWavThatReadsBack) {
  put(file(), wav_bytes(std::vector<float>{0.5F, -1.0F, 2.0F, -3.0F}));
  EXPECT_EQ(read_audio(file()), (std::vector<float>{0.5F, -1.0F, 32767.0F / 32768.0F, -1.0F}));
}

TEST(Resampling, RefusesARatioOutOfRange) {
  const std::vector<float> samples(10, 0.0F);
  expect_bad_input([&] { resample(samples, 1); }, {"1 Hz"});
  expect_bad_input([&] { resample(samples, 0); }, {"0 Hz"});
}

}  // namespace
}  // namespace hysteron::data
