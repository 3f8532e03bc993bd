#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/units.h"

namespace hysteron {
namespace {

namespace fs = std::filesystem;

TEST(Units, FormatsWithThePrefixThatFits) {
  EXPECT_EQ(format_si(1.5e-9, "A"), "1.5 nA");
  EXPECT_EQ(format_si(999.9996e-12, "A"), "1 nA");
  EXPECT_EQ(format_si(0.0, "W"), "0 W");
  EXPECT_EQ(format_si(-2.5e-6, "V"), "-2.5 uV");
  EXPECT_EQ(format_si(42.0, "s"), "42 s");
}

TEST(Units, ReadsPrefixesAndRefusesTheRest) {
  EXPECT_DOUBLE_EQ(parse_si("100p", "x"), 100e-12);
  EXPECT_DOUBLE_EQ(parse_si("1.5nA", "x"), 1.5e-9);
  EXPECT_DOUBLE_EQ(parse_si("2e-9", "x"), 2e-9);
  EXPECT_DOUBLE_EQ(parse_si("3m", "x"), 3e-3);
  for (const char* text : {"", "n", "1x", "1nn", "nan", "1 n", "1nAA"}) {
    EXPECT_THROW(parse_si(text, "x"), Error) << text;
  }
}

TEST(Random, StreamsDependOnNamesAndNotOnDraws) {
  Random a(7);
  Random b(7);
  b.bits();
  EXPECT_EQ(a.child("die", 3).bits(), b.child("die", 3).bits());
  EXPECT_NE(a.child("die", 3).bits(), a.child("die", 4).bits());
  EXPECT_NE(a.child("x").bits(), a.child("y").bits());
}

TEST(Random, NormalHasMeanZeroAndDeviationOne) {
  Random random(1);
  double sum = 0.0;
  double squares = 0.0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.02);
  EXPECT_NEAR(std::sqrt(squares / kDraws), 1.0, 0.02);
}

TEST(Random, ShuffleKeepsEveryValue) {
  std::vector<int> values(100);
  for (int i = 0; i < 100; ++i) values[static_cast<std::size_t>(i)] = i;
  Random(3).shuffle(values);
  EXPECT_EQ(std::set<int>(values.begin(), values.end()).size(), 100u);
  EXPECT_NE(values[0] + values[1] + values[2], 3);
}

TEST(ThreadPool, RunsEveryIndexOnce) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> counts(1000);
  for (int round = 0; round < 20; ++round) pool.run(counts.size(), [&](std::size_t i) { ++counts[i]; });
  for (const auto& count : counts) EXPECT_EQ(count, 20);
}

TEST(ThreadPool, RethrowsTheFirstErrorAndStaysUsable) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.run(100,
                        [](std::size_t i) {
                          if (i == 5) throw bad_input("five");
                        }),
               Error);
  std::atomic<int> count = 0;
  pool.run(10, [&](std::size_t) { ++count; });
  EXPECT_EQ(count, 10);
}

TEST(File, AppearsWholeOrNotAtAll) {
  const TemporaryDirectory folder("file");
  const fs::path path = folder.path() / "a 'b'\n.txt";
  write_file(path, "one");
  write_file(path, "two");
  EXPECT_EQ(read_file(path), "two");
  EXPECT_THROW(write_file(folder.path() / "no" / "such", "x"), Error);
  EXPECT_THROW(write_file(folder.path(), "x"), Error);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 1u);
}

TEST(File, DoesNotReplaceDevices) {
  EXPECT_THROW(write_file("/dev/null", "x"), Error);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(Error, QuotesWhatCouldBreakALine) { EXPECT_EQ(quoted("a'b\nc\x01"), "'a\\'b\\nc\\x01'"); }

}  // namespace
}  // namespace hysteron
