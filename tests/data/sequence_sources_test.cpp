#include <zlib.h>

#include <set>

#include "data/memory_tasks.h"
#include "data/mnist.h"
#include "data/testing.h"
#include "data/text.h"

namespace hysteron::data {
namespace {

class SequenceSources : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / (std::string("hysteron-sequences-") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
    return bytes;
  }

  static std::string images(std::uint32_t count, std::uint32_t magic = 0x803) {
    std::string bytes = big_endian(magic) + big_endian(count) + big_endian(28) + big_endian(28);
    for (std::uint32_t i = 0; i < count * 784; ++i) bytes += static_cast<char>(i % 251);
    return bytes;
  }

  static std::string labels(std::uint32_t count) {
    std::string bytes = big_endian(0x801) + big_endian(count);
    for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
    return bytes;
  }

  void put_mnist() {
    put(folder_ / "train-images-idx3-ubyte", images(20));
    put(folder_ / "train-labels-idx1-ubyte", labels(20));
    put(folder_ / "t10k-images-idx3-ubyte", images(5));
    put(folder_ / "t10k-labels-idx1-ubyte", labels(5));
  }

  fs::path folder_;
};

TEST_F(SequenceSources, MnistScalesPixelsAndSetsTheLastTenthAside) {
  put_mnist();
  const auto source = make_mnist({folder_, false, 1});
  EXPECT_EQ(source->size(Split::kTrain), 18U);
  EXPECT_EQ(source->size(Split::kValidation), 2U);
  EXPECT_EQ(source->size(Split::kTest), 5U);
  const Sequence sequence = source->sequence(Split::kValidation, 1);
  EXPECT_EQ(sequence.frames, 784U);
  EXPECT_EQ(sequence.targets.front(), 9U);
  EXPECT_FLOAT_EQ(sequence.inputs[3], static_cast<float>((19 * 784 + 3) % 251) / 255.0f - 0.5f);
}

TEST_F(SequenceSources, PermutedMnistMovesPixelsTheSameWayEveryTime) {
  put_mnist();
  const Sequence plain = make_mnist({folder_, false, 1})->sequence(Split::kTest, 2);
  const Sequence once = make_mnist({folder_, true, 1})->sequence(Split::kTest, 2);
  const Sequence again = make_mnist({folder_, true, 1})->sequence(Split::kTest, 2);
  const Sequence other = make_mnist({folder_, true, 2})->sequence(Split::kTest, 2);
  EXPECT_EQ(once.inputs, again.inputs);
  EXPECT_NE(once.inputs, plain.inputs);
  EXPECT_NE(once.inputs, other.inputs);
  EXPECT_EQ(std::multiset<float>(once.inputs.begin(), once.inputs.end()),
            std::multiset<float>(plain.inputs.begin(), plain.inputs.end()));
}

TEST_F(SequenceSources, MnistReadsGzip) {
  put_mnist();
  const std::vector<float> plain = make_mnist({folder_, false, 1})->sequence(Split::kTest, 0).inputs;
  fs::remove(folder_ / "t10k-images-idx3-ubyte");
  const gzFile file = gzopen((folder_ / "t10k-images-idx3-ubyte.gz").c_str(), "wb");
  const std::string bytes = images(5);
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  EXPECT_EQ(make_mnist({folder_, false, 1})->sequence(Split::kTest, 0).inputs, plain);
  const std::string packed = read_file(folder_ / "t10k-images-idx3-ubyte.gz");
  put(folder_ / "t10k-images-idx3-ubyte.gz", packed.substr(0, packed.size() / 2));
  expect_bad_input([&] { make_mnist({folder_, false, 1}); }, {"t10k-images", "truncated"});
}

TEST_F(SequenceSources, MnistReadsTheRealFiles) {
  const fs::path real = fs::path(HYSTERON_SOURCE_DIR) / "../shared/data/mnist";
  if (!fs::exists(real)) GTEST_SKIP() << "no real data";
  const auto source = make_mnist({real, false, 1});
  EXPECT_EQ(source->size(Split::kTrain) + source->size(Split::kValidation), 10000U);
  EXPECT_EQ(source->size(Split::kTest), 10000U);
  EXPECT_EQ(source->sequence(Split::kTest, 0).targets.front(), 7U);
}

TEST_F(SequenceSources, MnistRefusesBadFilesByName) {
  put_mnist();
  const auto load = [&] { make_mnist({folder_, false, 1}); };
  put(folder_ / "train-images-idx3-ubyte", images(20, 0x802));
  expect_bad_input(load, {"train-images", "magic", "0x802", "0x803"});
  put(folder_ / "train-images-idx3-ubyte", images(20).substr(0, 1000));
  expect_bad_input(load, {"train-images", "bytes after the header"});
  put(folder_ / "train-images-idx3-ubyte", "short");
  expect_bad_input(load, {"train-images", "header"});
  put(folder_ / "train-images-idx3-ubyte", images(19));
  expect_bad_input(load, {"19 images", "20 labels"});
  put(folder_ / "train-images-idx3-ubyte", images(20));
  put(folder_ / "t10k-labels-idx1-ubyte", labels(4) + "\x0b");
  expect_bad_input(load, {"t10k-labels", "5 bytes after the header, which announces 4"});
  std::string wrong = labels(5);
  wrong.back() = '\x0b';
  put(folder_ / "t10k-labels-idx1-ubyte", wrong);
  expect_bad_input(load, {"t10k-labels", "label 4 is 11", "0 to 9"});
  put(folder_ / "t10k-images-idx3-ubyte", images(0));
  put(folder_ / "t10k-labels-idx1-ubyte", labels(0));
  expect_bad_input(load, {"20 training and 0 test images"});
  fs::remove(folder_ / "t10k-labels-idx1-ubyte");
  expect_bad_input(load, {"t10k-labels"});
}

TEST_F(SequenceSources, TextPredictsTheNextCharacterOverTheWholeTestPart) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "abc\n\x01\xc3";
  put(folder_ / "text", text);
  const auto source = make_text({folder_ / "text", 16, 1});
  EXPECT_EQ(source->inputs(), 96U);
  const std::size_t characters = 400 * 4;
  const std::size_t test = characters - characters * 90 / 100 - characters * 5 / 100;
  double targets = 0.0;
  for (std::size_t i = 0; i < source->size(Split::kTest); ++i) {
    const Sequence sequence = source->sequence(Split::kTest, i);
    for (const float mask : sequence.mask) targets += mask;
  }
  EXPECT_EQ(targets, static_cast<double>(test - 1));
  const Sequence window = source->sequence(Split::kTrain, 12345);
  for (std::size_t t = 0; t + 1 < window.frames; ++t) {
    EXPECT_EQ(window.inputs[(t + 1) * 96 + window.targets[t]], 1.0f);
  }
}

TEST_F(SequenceSources, TextWithoutPrintableCharactersIsRefused) {
  put(folder_ / "binary", std::string(1000, '\x01'));
  expect_bad_input([&] { make_text({folder_ / "binary", 16, 1}); }, {"binary", "printable"});
  put(folder_ / "lines", std::string(20000, '\n'));
  expect_bad_input([&] { make_text({folder_ / "lines", 16, 1}); }, {"lines", "printable"});
  put(folder_ / "short", "abc");
  expect_bad_input([&] { make_text({folder_ / "short", 16, 1}); }, {"short", "3 printable"});
}

TEST_F(SequenceSources, MemoryTasksHoldWhatTheyAskFor) {
  const Sequence copy = make_copy_first({50, 4, 8, 1})->sequence(Split::kTest, 3);
  EXPECT_EQ(copy.inputs[copy.targets.back()], 1.0f);
  EXPECT_EQ(copy.mask.back(), 1.0f);
  const auto parity = make_parity({40, 0, 8, 1});
  for (std::size_t i = 0; i < 8; ++i) {
    const Sequence sequence = parity->sequence(Split::kTrain, i);
    double pulses = 0.0;
    for (const float value : sequence.inputs) pulses += value;
    EXPECT_EQ(static_cast<std::uint32_t>(pulses) % 2, sequence.targets.back());
  }
  const Sequence flip = make_flip_flop({30, 0, 8, 1})->sequence(Split::kValidation, 0);
  std::uint32_t state = 0;
  for (std::size_t t = 0; t < flip.frames; ++t) {
    if (flip.inputs[t * 3] > 0.0f) state = 1;
    if (flip.inputs[t * 3 + 1] > 0.0f) state = 0;
    EXPECT_EQ(flip.targets[t], state);
  }
  const Sequence denoising = make_denoising({40, 4, 8, 1})->sequence(Split::kTest, 1);
  std::vector<std::uint32_t> seen;
  for (std::size_t t = 0; t < 34; ++t) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      if (denoising.inputs[t * 5 + i] == 1.0f) seen.push_back(i);
    }
  }
  EXPECT_EQ(seen, std::vector<std::uint32_t>(denoising.targets.end() - 5, denoising.targets.end()));
  expect_bad_input([] { make_parity({2, 0, 0, 1}); }, {"parity", "length", "2"});
}

TEST_F(SequenceSources, AllIsEverySplitAndWhatHasNoEndHasNone) {
  put_mnist();
  const auto digits = make_mnist({folder_, false, 1});
  ASSERT_EQ(digits->size(Split::kAll), 25U);
  EXPECT_EQ(digits->sequence(Split::kAll, 19).inputs, digits->sequence(Split::kValidation, 1).inputs);
  EXPECT_EQ(digits->sequence(Split::kAll, 24).inputs, digits->sequence(Split::kTest, 4).inputs);
  put(folder_ / "text", std::string(1000, 'a'));
  EXPECT_THROW(make_text({folder_ / "text", 16, 1})->size(Split::kAll), Error);
  EXPECT_THROW(make_parity({})->size(Split::kAll), Error);
}

TEST_F(SequenceSources, SplitsAndIndicesHaveStreamsOfTheirOwn) {
  const auto source = make_denoising({});
  EXPECT_EQ(source->sequence(Split::kTrain, 5).inputs, make_denoising({})->sequence(Split::kTrain, 5).inputs);
  EXPECT_NE(source->sequence(Split::kTrain, 5).inputs, source->sequence(Split::kTrain, 6).inputs);
  EXPECT_NE(source->sequence(Split::kTrain, 5).inputs, source->sequence(Split::kTest, 5).inputs);
}

}  // namespace
}  // namespace hysteron::data
