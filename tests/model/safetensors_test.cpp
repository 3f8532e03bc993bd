#include "model/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::model {
namespace {

/// A file with `header` and `data_bytes` zero bytes; `length` lies about the header when given.
std::string file_bytes(const std::string& header, std::size_t data_bytes, std::int64_t length = -1) {
  const std::uint64_t claimed = length < 0 ? header.size() : static_cast<std::uint64_t>(length);
  std::string bytes(sizeof claimed, '\0');
  std::memcpy(bytes.data(), &claimed, sizeof claimed);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string message_of(const std::string& bytes) {
  try {
    parse_tensors(bytes, "model.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "";
}

TensorFile sample() {
  TensorFile file;
  file.tensors["b"] = float_tensor({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  file.tensors["a"] = float_tensor({2}, std::vector<float>{-1, 0.5f});
  file.tensors["wide"] = {"I64", {1}, std::string(8, '\1')};
  file.tensors["scalar"] = {"U8", {}, "x"};
  file.tensors["none"] = {"F32", {0, 4}, ""};
  file.metadata = {{"key", "value \"with\" quotes"}, {"other", "é"}};
  return file;
}

TEST(Safetensors, ReadsBackWhatItWrote) {
  const std::string bytes = format_tensors(sample(), "x");
  const TensorFile back = parse_tensors(bytes, "x");
  EXPECT_EQ(back.metadata, sample().metadata);
  ASSERT_EQ(back.tensors.size(), 5u);
  EXPECT_EQ(float_values(back.tensors.at("b"), "x", "b"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(back.tensors.at("scalar").data, "x");
  EXPECT_EQ(back.tensors.at("none").count(), 0u);
  EXPECT_EQ(format_tensors(back, "x"), bytes) << "the same content must give the same bytes";
}

TEST(Safetensors, AcceptsAnyTensorOrderAndHeaderPadding) {
  const std::string header =
      R"({"z":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}}   )";
  EXPECT_EQ(parse_tensors(file_bytes(header, 8), "x").tensors.size(), 2u);
}

TEST(Safetensors, AcceptsAFileWithoutTensors) { EXPECT_TRUE(parse_tensors(file_bytes("{}", 0), "x").tensors.empty()); }

struct BadFile {
  const char* name;
  std::string bytes;
  const char* expected;
};

class BadSafetensors : public testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedByName) {
  const std::string message = message_of(GetParam().bytes);
  EXPECT_NE(message.find(GetParam().expected), std::string::npos) << message;
  EXPECT_NE(message.find("model.safetensors"), std::string::npos) << message;
}

std::string one(const std::string& body) { return "{\"t\":{" + body + "}}"; }

const std::string kTwoFloats = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";

INSTANTIATE_TEST_SUITE_P(
    Files, BadSafetensors,
    testing::Values(
        BadFile{"Empty", "", "too few"}, BadFile{"SevenBytes", "1234567", "too few"},
        BadFile{"HeaderLengthLies", file_bytes("{}", 0, 1000), "claims 1000 bytes"},
        BadFile{"HeaderLengthHuge", file_bytes("{}", 0, 0x7fffffffffffffff), "claims"},
        BadFile{"HeaderEmpty", file_bytes("", 4), "begin with '{'"},
        BadFile{"NoJson", file_bytes("{\"t\":", 0), "not valid JSON"},
        BadFile{"HeaderCutShort", file_bytes("{\"t\":1}", 0, 4), "not valid JSON"},
        BadFile{"TensorNoObject", file_bytes("{\"t\":1}", 0), "tensor 't'"},
        BadFile{"DuplicateTensor", file_bytes("{\"t\":{" + kTwoFloats + "},\"t\":{" + kTwoFloats + "}}", 8), "twice"},
        BadFile{"DuplicateField", file_bytes(one(kTwoFloats + ",\"dtype\":\"F32\""), 8), "twice"},
        BadFile{"MetadataNoObject", file_bytes(R"({"__metadata__":[]})", 0), "__metadata__"},
        BadFile{"MetadataNoString", file_bytes(R"({"__metadata__":{"k":1}})", 0), "metadata 'k'"},
        BadFile{"NoType", file_bytes(one(R"("shape":[2],"data_offsets":[0,8])"), 8), "no dtype"},
        BadFile{"NoShape", file_bytes(one(R"("dtype":"F32","data_offsets":[0,8])"), 8), "no shape"},
        BadFile{"NoOffsets", file_bytes(one(R"("dtype":"F32","shape":[2])"), 8), "no data_offsets"},
        BadFile{"UnknownType", file_bytes(one(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), 8), "F31"},
        BadFile{"NegativeShape", file_bytes(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8), "'-2'"},
        BadFile{"FractionalShape", file_bytes(one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), 8), "shape"},
        BadFile{"ShapeOverflows",
                file_bytes(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0),
                "overflows"},
        BadFile{"SizeMismatch", file_bytes(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), 8), "12 bytes"},
        BadFile{"OffsetsReversed", file_bytes(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), 8), "[8, 0]"},
        BadFile{"ThreeOffsets", file_bytes(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), 8), "two"},
        BadFile{"Truncated", file_bytes(one(kTwoFloats), 7), "run past the 7 bytes"},
        BadFile{"TrailingBytes", file_bytes(one(kTwoFloats), 9), "1 bytes after"},
        BadFile{"Gap", file_bytes(one(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])"), 12), "gap"},
        BadFile{"Overlap",
                file_bytes("{\"t\":{" + kTwoFloats + R"(},"u":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
                "overlap"}),
    [](const testing::TestParamInfo<BadFile>& bad) { return bad.param.name; });

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = format_tensors(sample(), "x");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse_tensors(bytes.substr(0, size), "x"), Error) << size;
  }
}

TEST(Safetensors, RefusesFloatsOfAnotherType) {
  const Tensor tensor{"F64", {1}, std::string(8, '\0')};
  EXPECT_THROW(float_values(tensor, "x", "t"), Error);
}

TEST(Safetensors, RefusesMetadataThatIsNoText) {
  TensorFile file;
  file.metadata["key"] = "\xff\xfe";
  EXPECT_THROW(format_tensors(file, "x"), Error);
}

TEST(Safetensors, LeavesNothingWhereItCannotWrite) {
  const TemporaryDirectory folder("safetensors");
  EXPECT_THROW(write_tensors(folder.path() / "missing" / "m.safetensors", sample()), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace hysteron::model
