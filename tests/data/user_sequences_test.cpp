#include "data/user_sequences.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "data/npy.h"

namespace hysteron::data {
namespace {

class UserSequences : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) const { write_file(folder_.path() / name, text); }

  std::string refusal() const {
    try {
      make_user_sequences(folder_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  void expect_refusal(const std::string& train, const std::string& says) const {
    put("train.csv", train);
    EXPECT_NE(refusal().find(says), std::string::npos) << refusal();
  }

  TemporaryDirectory folder_{"user-sequences"};
};

const std::string kTrain =
    "sequence,label,x,y\n"
    "a,up,0.5,1\na,up,1.5,2\n"
    "b,down,-1,3\n";

TEST_F(UserSequences, ReadsCsvOfUnequalLengths) {
  put("train.csv", kTrain);
  put("validation.csv", kTrain);
  put("test.csv", "sequence,label,x,y\r\nc,down,7,8\r\n");
  const auto source = make_user_sequences(folder_.path());
  EXPECT_EQ(source->labels(), (std::vector<std::string>{"down", "up"}));
  EXPECT_FALSE(source->per_frame());
  EXPECT_EQ(source->inputs(), 2u);
  const Sequence first = source->sequence(Split::kTrain, 0);
  EXPECT_EQ(first.frames, 2u);
  EXPECT_EQ(first.inputs, (std::vector<float>{0.5f, 1.0f, 1.5f, 2.0f}));
  EXPECT_EQ(first.targets, std::vector<std::uint32_t>{1});
  EXPECT_EQ(source->sequence(Split::kTest, 0).inputs, (std::vector<float>{7.0f, 8.0f}));
}

TEST_F(UserSequences, LabelsThatNoModelFileCanHoldAreRefusedByLine) {
  for (const char* name : {"validation.csv", "test.csv"}) put(name, "sequence,label,x\na,up,0\n");
  expect_refusal("sequence,label,x\na,up,0\nb,\xc3(,1\n", "line 3: a label is not valid UTF-8");
  expect_refusal("sequence,label,x\na,\xff,0\nb,up,1\n", "line 2: a label is not valid UTF-8");
  expect_refusal("sequence,label,x\na,\xe2\x82\xac,0\na,\xe2\x82,1\n", "line 2: a label is not valid UTF-8");
}

TEST_F(UserSequences, LabelsThatChangeAreTargetsOfFrames) {
  put("train.csv", "sequence,label,x\na,up,0\na,down,1\nb,up,2\n");
  put("validation.csv", "sequence,label,x\na,up,0\n");
  put("test.csv", "sequence,label,x\na,up,0\n");
  const auto source = make_user_sequences(folder_.path());
  EXPECT_TRUE(source->per_frame());
  EXPECT_EQ(source->sequence(Split::kTrain, 0).targets, (std::vector<std::uint32_t>{1, 0}));
}

TEST_F(UserSequences, ReadsArraysAndSplitsOffATenth) {
  Features features{20, 3, 2, std::vector<float>(120)};
  for (std::size_t i = 0; i < features.values.size(); ++i) features.values[i] = static_cast<float>(i);
  std::string labels;
  for (int i = 0; i < 20; ++i) labels += i % 2 == 0 ? "even\n" : "odd\n";
  for (const char* split : {"train", "test"}) {
    write_npy(folder_.path() / (std::string(split) + ".npy"), features);
    put(std::string(split) + ".labels", labels);
  }
  const auto source = make_user_sequences(folder_.path());
  EXPECT_EQ(source->size(Split::kTrain), 18u);
  EXPECT_EQ(source->size(Split::kValidation), 2u);
  EXPECT_EQ(source->sequence(Split::kValidation, 1).inputs.front(), 19 * 6.0f);
  EXPECT_EQ(source->sequence(Split::kTest, 1).targets, std::vector<std::uint32_t>{1});
  put("test.labels", "even\n");
  EXPECT_NE(refusal().find("1 labels for the 20 sequences"), std::string::npos) << refusal();
}

TEST_F(UserSequences, BadFilesAreNamedWithTheirLine) {
  EXPECT_NE(refusal().find("no train.csv and no train.npy"), std::string::npos);
  put("test.csv", kTrain);
  put("validation.csv", kTrain);
  expect_refusal("sequence,label,x,y\na,up,1,2\na,up,1\n", "train.csv', line 3: 3 fields; expected 4");
  expect_refusal("sequence,label,x,y\na,up,1,two\n", "line 2: y is 'two'");
  expect_refusal("sequence,label,x,y\na,up,1,nan\n", "line 2: y is 'nan'");
  expect_refusal("sequence,label,x,y\na,up,1,2\nb,down,1,2\na,up,1,2\n", "line 4: sequence 'a' continues");
  expect_refusal("name,label,x\n", "line 1: expected the names");
  expect_refusal("sequence,label,x,y\na,up,1,2\nb,up,1,2\n", "one label");
  expect_refusal("sequence,label,x,y\na,left,1,2\nb,up,1,2\n", "label 'down' is not among");
  expect_refusal("sequence,label,x\na,up,1\nb,down,1\n", "2 values a frame; the training sequences have 1");
}

}  // namespace
}  // namespace hysteron::data
