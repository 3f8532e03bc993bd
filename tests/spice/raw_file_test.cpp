#include "spice/raw_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"

namespace hysteron::spice {
namespace {

std::string doubles(const std::vector<double>& values) {
  std::string bytes(values.size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string header(const std::string& flags, const std::string& points) {
  return "Title: * t\nDate: today\nPlotname: Transient Analysis\nFlags: " + flags +
         "\nNo. Variables: 2\nNo. Points: " + points +
         "       \nVariables:\n\t0\ttime\ttime\n\t1\tV(Out)\tvoltage\nBinary:\n";
}

const std::string kReal = header("real", "3") + doubles({0.0, 1.0, 0.5, 2.0, 1.0, 4.0});
const std::string kComplex = header("complex", "2") + doubles({1.0, 0.0, 0.5, -0.5, 2.0, 0.0, 0.25, -0.75});

RawFile parse(const std::string& bytes) { return parse_raw(bytes, "out.raw"); }

std::string error_of(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSimulator);
    return error.what();
  }
  return "";
}

TEST(RawFile, ReadsRealPlot) {
  const RawFile raw = parse(kReal);
  ASSERT_EQ(raw.plots.size(), 1U);
  const Plot& plot = raw.plot("transient");
  EXPECT_EQ(plot.points(), 3U);
  EXPECT_EQ(plot["time"], (std::vector<double>{0.0, 0.5, 1.0}));
  EXPECT_EQ(plot["V(OUT)"], (std::vector<double>{1.0, 2.0, 4.0}));
  EXPECT_EQ(plot.variables[1].name, "v(out)");
  EXPECT_EQ(plot.variables[1].type, "voltage");
  EXPECT_EQ(plot.last("v(out)"), 4.0);
}

TEST(RawFile, ReadsComplexPlot) {
  const Plot plot = parse(kComplex).plots.at(0);
  EXPECT_TRUE(plot.is_complex);
  EXPECT_EQ(plot.complex_column("v(out)")[1], std::complex<double>(0.25, -0.75));
}

TEST(RawFile, ReadsSeveralPlotsInOrder) {
  const RawFile raw = parse(kComplex + kReal + "\n");
  ASSERT_EQ(raw.plots.size(), 2U);
  EXPECT_TRUE(raw.plots[0].is_complex);
  EXPECT_FALSE(raw.plots[1].is_complex);
}

TEST(RawFile, AcceptsUnpaddedFlag) {
  EXPECT_EQ(parse(header("real unpadded", "1") + doubles({0, 1})).plots.at(0).points(), 1U);
}

TEST(RawFile, FindsDeviceParameterWithAndWithoutWrapper) {
  std::string bytes = kReal;
  bytes.replace(bytes.find("V(Out)"), 6, "i(@m.xl.m0[id])");
  const Plot plot = parse(bytes).plots.at(0);
  EXPECT_EQ(plot["@m.xl.m0[id]"].size(), 3U);
  EXPECT_EQ(plot["i(@M.XL.M0[id])"].size(), 3U);
  EXPECT_FALSE(plot.has("m.xl.m0[id]"));
}

TEST(RawFile, NamesTheMissingSignalAndPlot) {
  const RawFile raw = parse(kReal);
  try {
    static_cast<void>(raw.plots[0]["v(nowhere)"]);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'v(nowhere)'"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("v(out)"), std::string::npos);
  }
  EXPECT_FALSE(raw.has_plot("ac"));
  EXPECT_THROW(static_cast<void>(raw.plot("ac")), Error);
}

TEST(RawFile, RefusesEveryTruncation) {
  const std::string two = kReal + kComplex;
  for (std::size_t size = 0; size < two.size(); ++size) {
    if (size == kReal.size()) continue;
    EXPECT_THROW(parse(two.substr(0, size)), Error) << size;
  }
}

TEST(RawFile, RefusesWhatIsNotWhole) {
  struct Case {
    std::string bytes;
    std::string expected;
  };
  const std::string no_counts = "Title: t\nVariables:\n\t0\ttime\ttime\nBinary:\n";
  std::string twice = kReal;
  twice.replace(twice.find("V(Out)"), 6, "TIME");
  std::string shuffled = kReal;
  shuffled.replace(shuffled.find("\t1\t"), 3, "\t7\t");
  const Case cases[] = {
      {"", "empty"},
      {"\n\n", "empty"},
      {std::string(300, '\xff'), "cut short in a header"},
      {"garbage\n" + kReal, "has no ':'"},
      {no_counts, "without 'No. Variables'"},
      {header("real", "0"), "0 points: the run did not finish"},
      {header("real", "-3"), "expected a count"},
      {header("real", "99999999999999999999999"), "expected a count"},
      {header("real", "9999999999999999"), "cut short"},
      {header("imaginary", "1") + doubles({0, 1}), "unknown flag 'imaginary'"},
      {twice, "comes twice"},
      {shuffled, "expected variable 1 of 2"},
      {kReal + "left over", "cut short in a header"},
  };
  for (const Case& c : cases) EXPECT_NE(error_of(c.bytes).find(c.expected), std::string::npos) << error_of(c.bytes);
}

}  // namespace
}  // namespace hysteron::spice
