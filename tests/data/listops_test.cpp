#include "data/listops.h"

#include <algorithm>

#include "data/testing.h"

namespace hysteron::data {
namespace {

std::uint32_t value(const std::string& text) { return evaluate_listops(parse_listops(text, "here"), "here"); }

TEST(ListOps, EvaluatesEveryOperator) {
  EXPECT_EQ(value("[MAX 2 9 [MIN 4 7 ] 0 ]"), 9U);
  EXPECT_EQ(value("[MIN 2 9 [MAX 4 7 ] ]"), 2U);
  EXPECT_EQ(value("[SM 5 8 [SM 9 9 ] ]"), 1U);
  EXPECT_EQ(value("[MED 1 9 4 ]"), 4U);
  EXPECT_EQ(value("[MED 1 9 4 7 ]"), 5U);
  EXPECT_EQ(value("( ( ( [MAX 3 ) 4 ) ] )"), 4U);
}

TEST(ListOps, RefusesWhatIsNoExpression) {
  for (const char* text : {"[MAX 2 9", "2 9", "]", "", "[MAX ]"}) {
    expect_bad_input([&] { value(text); }, {"here"});
  }
  expect_bad_input([] { value("[MAX 2 x ]"); }, {"here", "x"});
}

std::vector<ListOpsToken> tokens_of(const Sequence& sequence) {
  std::vector<ListOpsToken> tokens;
  for (std::size_t t = 0; t < sequence.frames; ++t) {
    for (std::size_t k = 0; k < kListOpsTokens; ++k) {
      if (sequence.inputs[t * kListOpsTokens + k] == 1.0f) tokens.push_back(static_cast<ListOpsToken>(k));
    }
  }
  return tokens;
}

TEST(ListOps, GeneratesExpressionsOfTheirLengthWithTheirValue) {
  ListOpsOptions options;
  options.min_length = 20;
  options.max_length = 100;
  const auto source = make_listops(options);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Sequence sequence = source->sequence(Split::kTrain, i);
    EXPECT_GE(sequence.frames, 20U);
    EXPECT_LE(sequence.frames, 100U);
    EXPECT_EQ(evaluate_listops(tokens_of(sequence), "generated"), sequence.targets.front());
    EXPECT_EQ(source->sequence(Split::kTrain, i).inputs, sequence.inputs);
  }
}

/// Levels of the tree, that of the digits included, and the most arguments of any of them, read off the tokens' names.
struct Extent {
  std::size_t depth = 0;
  std::size_t arguments = 0;
};

Extent extent(const std::vector<ListOpsToken>& tokens) {
  Extent result;
  std::vector<std::size_t> open;  // arguments so far
  for (const ListOpsToken token : tokens) {
    if (token == ListOpsToken::kEnd) {
      result.arguments = std::max(result.arguments, open.back());
      open.pop_back();
      continue;
    }
    if (!open.empty()) ++open.back();
    if (token < ListOpsToken::kEnd) open.push_back(0);
    const std::size_t digit = token >= ListOpsToken::kDigit0 ? 1 : 0;
    result.depth = std::max(result.depth, open.size() + digit);
  }
  return result;
}

TEST(ListOps, GeneratesWithinThePublishedLimitsByDefault) {
  const auto source = make_listops({});
  std::size_t deepest = 0;
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const Sequence sequence = source->sequence(Split::kTrain, i);
    EXPECT_GE(sequence.frames, 500U);
    EXPECT_LE(sequence.frames, 2000U);
    const std::vector<ListOpsToken> tokens = tokens_of(sequence);
    ASSERT_EQ(tokens.size(), sequence.frames);
    EXPECT_EQ(evaluate_listops(tokens, "generated"), sequence.targets.front());
    const Extent found = extent(tokens);
    deepest = std::max(deepest, found.depth);
    most = std::max(most, found.arguments);
  }
  EXPECT_LE(deepest, 10U);
  EXPECT_GE(deepest, 5U);
  EXPECT_LE(most, 10U);
  EXPECT_GE(most, 8U);
}

TEST(ListOps, ReadsLongRangeArenaFilesAndNamesTheLineThatIsWrong) {
  const fs::path folder = fs::temp_directory_path() / "hysteron-listops";
  const std::string good = "Source\tTarget\n( [MAX 3 ) 4 ]\t4\n[MIN 1 2 ]\t1\n";
  ListOpsOptions options;
  options.train_file = folder / "basic_train.tsv";
  options.validation_file = folder / "basic_val.tsv";
  options.test_file = folder / "basic_test.tsv";
  for (const fs::path& file : {options.train_file, options.validation_file, options.test_file}) put(file, good);
  const auto source = make_listops(options);
  EXPECT_EQ(source->size(Split::kTest), 2U);
  EXPECT_EQ(source->sequence(Split::kTest, 1).targets.front(), 1U);
  put(options.test_file, "Source\tTarget\n[MIN 1 2 ]\t2\n");
  expect_bad_input([&] { make_listops(options); }, {"basic_test.tsv", "2"});
  put(options.test_file, "Source\tTarget\n[MIN 1 2 ]\t1\n[MIN 1\t1\n");
  expect_bad_input([&] { make_listops(options); }, {"basic_test.tsv", "3"});
  fs::remove_all(folder);
}

}  // namespace
}  // namespace hysteron::data
