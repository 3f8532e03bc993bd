#include "data/npy.h"

#include <cstring>
#include <limits>

#include "data/testing.h"

namespace hysteron::data {
namespace {

std::string header(const std::string& text, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(text.size() & 0xFF);
  bytes += static_cast<char>(text.size() >> 8);
  if (version > 1) bytes.append(2, '\0');
  return bytes + text;
}

std::string described(const std::string& type, const std::string& order, const std::string& shape) {
  return header("{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n");
}

std::string floats(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class NpyFile : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "x y.npy"; }
  Features read(const std::string& bytes) const {
    put(file(), bytes);
    return read_npy(file());
  }
  void expect_refused(const std::string& bytes, const std::vector<std::string>& parts) const {
    put(file(), bytes);
    expect_bad_input([&] { read_npy(file()); }, parts);
  }

  TemporaryDirectory folder_{"npy-test"};
};

TEST_F(NpyFile, WrittenFeaturesReadBack) {
  const Features features{2, 3, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -12.5F}};
  write_npy(file(), features);
  const Features back = read_npy(file());
  EXPECT_EQ(back.clips, 2u);
  EXPECT_EQ(back.frames, 3u);
  EXPECT_EQ(back.width, 2u);
  EXPECT_EQ(back.values, features.values);
}

TEST_F(NpyFile, WrittenDataBeginAtAMultipleOf64) {
  write_npy(file(), Features{1, 1, 1, {1.0F}});
  EXPECT_EQ((read_file(file()).size() - sizeof(float)) % 64, 0u);
}

TEST_F(NpyFile, RankTwoIsOneClip) {
  const Features features = read(described("<f4", "False", "(3, 2)") + floats({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(features.clips, 1u);
  EXPECT_EQ(features.frames, 3u);
  EXPECT_EQ(features.width, 2u);
}

TEST_F(NpyFile, ReadsVersionsTwoAndThreeAndAnyOrderOfKeys) {
  for (const char version : {char{2}, char{3}}) {
    const std::string text = "{\"shape\":(1,1,2),\"fortran_order\":False,\"descr\":\"<f4\"}   \n";
    EXPECT_EQ(read(header(text, version) + floats({1, 2})).values, (std::vector<float>{1, 2}));
  }
}

TEST_F(NpyFile, RefusesWhatItCannotUseByName) {
  struct Case {
    const char* claim;
    std::string bytes;
    std::vector<std::string> parts;
  };
  const std::string data = floats({1, 2, 3, 4});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::string good = described("<f4", "False", "(2, 2)");
  const std::vector<Case> cases = {
      {"empty file", "", {"empty"}},
      {"no npy", "PK\x03\x04 something else entirely", {"not a NumPy"}},
      {"unknown version", header("{}", 9), {"version 9"}},
      {"Fortran order", described("<f4", "True", "(2, 2)") + data, {"Fortran order"}},
      {"big-endian", described(">f4", "False", "(2, 2)") + data, {"big-endian"}},
      {"double", described("<f8", "False", "(1, 2)") + data, {"'<f8'", "float32"}},
      {"integer", described("<i4", "False", "(2, 2)") + data, {"'<i4'", "float32"}},
      {"object", described("|O", "False", "(2, 2)") + data, {"'|O'"}},
      {"structured",
       header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2)}") + data,
       {"structured"}},
      {"rank 0", described("<f4", "False", "()") + floats({1}), {"shape is []"}},
      {"rank 1", described("<f4", "False", "(4,)") + data, {"shape is [4]"}},
      {"rank 4", described("<f4", "False", "(1, 1, 2, 2)") + data, {"shape is [1, 1, 2, 2]"}},
      {"zero size", described("<f4", "False", "(0, 2, 2)"), {"size of zero"}},
      {"truncated data", good + data.substr(0, 13), {"truncated", "16 bytes", "13"}},
      {"no data", good, {"truncated"}},
      {"trailing bytes", good + data + "x", {"after the data"}},
      {"overflow", described("<f4", "False", "(4294967296, 4294967296, 16)") + data, {"too large"}},
      {"overflow to a fit", described("<f4", "False", "(2305843009213693952, 2, 2)") + data, {"too large"}},
      {"size beyond 64 bits", described("<f4", "False", "(99999999999999999999999, 2)") + data, {"too large"}},
      {"absurd size", described("<f4", "False", "(1000000000, 1000, 13)") + data, {"truncated"}},
      {"negative size", described("<f4", "False", "(-2, 2)") + data, {"shape"}},
      {"NaN", described("<f4", "False", "(1, 2, 2)") + floats({1, 2, 3, nan}), {"clip 0, frame 1, feature 1", "nan"}},
      {"infinity", good + floats({1, -infinity, 3, 4}), {"frame 0, feature 1", "inf"}},
      {"missing key", header("{'descr': '<f4', 'fortran_order': False}") + data, {"lacks"}},
      {"unknown key", header("{'descr': '<f4', 'order': False}") + data, {"'order'"}},
      {"no dictionary", header("[1, 2]") + data, {"malformed"}},
      {"text after the dictionary",
       header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} x") + data,
       {"malformed"}},
      {"unclosed text", header("{'descr") + data, {"malformed"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.claim);
    std::vector<std::string> parts = c.parts;
    parts.emplace_back("x y.npy");
    expect_refused(c.bytes, parts);
  }
}

TEST_F(NpyFile, RefusesHeaderTruncatedAnywhere) {
  const std::string whole = described("<f4", "False", "(1, 1)");
  for (std::size_t length = 1; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    expect_refused(whole.substr(0, length), {"x y.npy"});
  }
}

TEST_F(NpyFile, RefusesMissingFile) {
  expect_bad_input([] { read_npy("/nowhere/none.npy"); }, {"/nowhere/none.npy", "No such file"});
}

TEST(NpyWriter, SaysWhyItCannotWrite) {
  expect_bad_input([] { write_npy("/nowhere/x.npy", Features{1, 1, 1, {0.0F}}); }, {"/nowhere/x.npy"});
}

}  // namespace
}  // namespace hysteron::data
