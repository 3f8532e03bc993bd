#include "model/model_file.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "model/model_testing.h"

namespace hysteron::model {
namespace {

void set_value(TensorFile& file, const std::string& name, std::size_t index, float value) {
  std::vector<float> values = float_values(file.tensors.at(name), "test", name);
  values.at(index) = value;
  file.tensors[name] = float_tensor(file.tensors.at(name).shape, values);
}

std::string message_of(const TensorFile& file) {
  try {
    network_from_tensors(file, "some.safetensors");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "";
}

TEST(ModelFile, ReadsBackWhatItWrote) {
  const TemporaryDirectory folder("model");
  Network network = random_network(1);
  network.training = R"({"steps":5})";
  network.classes = R"({"yes":["yes"],"other":["no","up"]})";
  network.feature_mean = Vector::Constant(3, 0.1f);
  network.feature_deviation = Vector::Constant(3, 2.0f);
  const auto path = folder.path() / "m.safetensors";
  save_model(path, network);
  const Network back = load_model(path);
  EXPECT_EQ(back.input.weight, network.input.weight);
  ASSERT_EQ(back.layers.size(), 2u);
  EXPECT_EQ(back.layers[1].beta_hi, network.layers[1].beta_hi);
  EXPECT_EQ(back.layers[1].initial_state, network.layers[1].initial_state);
  EXPECT_EQ(back.labels, network.labels);
  EXPECT_EQ(back.frame_seconds, network.frame_seconds);
  EXPECT_EQ(back.classes, network.classes);
  EXPECT_EQ(back.training, network.training);
  EXPECT_EQ(back.feature_mean, network.feature_mean);
  const std::string first = read_file(path);
  save_model(path, back);
  EXPECT_EQ(read_file(path), first) << "the same network must give the same bytes";
}

TEST(ModelFile, LoadsAFileWithForeignMetadataAndTensors) {
  TensorFile file = tensors_from_network(random_network(1));
  file.metadata["format"] = "pt";
  file.metadata["hysteron.note"] = "not ours";
  file.tensors["optimizer.step"] = {"I64", {1}, std::string(8, '\0')};
  EXPECT_EQ(message_of(file), "");
}

TEST(ModelFile, LoadsMoreThanTenLayersInOrder) {
  Network network = random_network(1);
  for (int i = 2; i < 12; ++i) network.layers.push_back(random_network(static_cast<std::uint64_t>(i)).layers[0]);
  const Network back = network_from_tensors(tensors_from_network(network), "test");
  ASSERT_EQ(back.layers.size(), 12u);
  EXPECT_EQ(back.layers[11].alpha, network.layers[11].alpha);
}

struct BadModel {
  const char* name;
  std::function<void(TensorFile&)> damage;
  std::vector<std::string> expected;
};

class BadModelFile : public testing::TestWithParam<BadModel> {};

TEST_P(BadModelFile, IsRefusedByName) {
  TensorFile file = tensors_from_network(random_network(1));
  GetParam().damage(file);
  const std::string message = message_of(file);
  EXPECT_NE(message.find("some.safetensors"), std::string::npos) << message;
  for (const std::string& part : GetParam().expected) EXPECT_NE(message.find(part), std::string::npos) << message;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

BadModel metadata(const char* name, const std::string& key, const std::string& value,
                  std::vector<std::string> expected = {}) {
  expected.push_back(key);
  return {name, [key, value](TensorFile& file) { file.metadata[key] = value; }, expected};
}

BadModel value(const char* name, const std::string& tensor, std::size_t index, float number,
               std::vector<std::string> expected) {
  expected.push_back(tensor);
  return {name, [=](TensorFile& file) { set_value(file, tensor, index, number); }, expected};
}

BadModel shape(const char* name, const std::string& tensor, const std::vector<std::size_t>& extents,
               std::vector<std::string> expected) {
  expected.push_back(tensor);
  return {name,
          [=](TensorFile& file) {
            std::size_t count = 1;
            for (const std::size_t extent : extents) count *= extent;
            file.tensors[tensor] = float_tensor(extents, std::vector<float>(count, 0.5f));
          },
          expected};
}

std::vector<BadModel> bad_models() {
  std::vector<BadModel> cases;
  for (const auto& entry : tensors_from_network(random_network(1)).tensors) {
    const std::string name = entry.first;
    cases.push_back({"MissingTensor", [name](TensorFile& file) { file.tensors.erase(name); }, {name, "missing"}});
  }
  for (const char* key : {"hysteron.format", "hysteron.cell", "hysteron.labels", "hysteron.frame_seconds"}) {
    cases.push_back({"MissingKey", [key](TensorFile& file) { file.metadata.erase(key); }, {key, "missing"}});
  }
  const std::string lo = "layers.1.beta_lo";
  cases.insert(cases.end(),
               {metadata("Format", "hysteron.format", "2", {"'2'", "'1'"}),
                metadata("Cell", "hysteron.cell", "gru", {"'gru'", "fq_bmru"}),
                metadata("LabelsNoJson", "hysteron.labels", "yes,no"),
                metadata("LabelsNoList", "hysteron.labels", "{}"),
                metadata("LabelsNoStrings", "hysteron.labels", "[1,2]"),
                metadata("OneLabel", "hysteron.labels", R"(["yes"])", {"1 labels", "expected 2"}),
                metadata("LabelTwice", "hysteron.labels", R"(["yes","yes"])", {"twice"}),
                metadata("FrameSecondsText", "hysteron.frame_seconds", "10 ms"),
                metadata("FrameSecondsZero", "hysteron.frame_seconds", "0"),
                metadata("FrameSecondsInfinite", "hysteron.frame_seconds", "inf"),
                metadata("FrameSecondsNan", "hysteron.frame_seconds", "nan"),
                metadata("ClassesNoJson", "hysteron.classes", "{"),
                metadata("ClassesUnknownLabel", "hysteron.classes", R"({"no":["no"]})", {"'no'"}),
                metadata("ClassesNoFolders", "hysteron.classes", R"({"yes":"yes"})"),
                metadata("TrainingNoJson", "hysteron.training", "{"),
                {"MeanOnly",
                 [](TensorFile& file) { file.metadata["hysteron.feature_mean"] = "[0,0,0]"; },
                 {"hysteron.feature_deviation"}},
                metadata("MeanNoNumbers", "hysteron.feature_mean", "[\"a\"]"),
                value("NanWeight", "input.weight", 5, kNan, {"[1, 2]", "nan"}),
                value("InfiniteBias", "layers.0.candidate.bias", 2, kInfinity, {"[2]", "inf"}),
                value("NegativeLower", lo, 3, -0.25f, {"[3]", "-0.25"}),
                value("NanLower", lo, 0, kNan, {"[0]", "nan"}),
                value("NegativeGain", "layers.0.alpha", 0, -1.0f, {"[0]", "-1", "not negative"}),
                value("ThresholdsCross", "layers.0.beta_hi", 4, 0.0f, {"[4]", "at least beta_lo"}),
                value("HalfState", "layers.0.initial_state", 1, 0.5f, {"[1]", "0.5", "0 or 1"}),
                shape("WeightTooWide", "layers.0.candidate.weight", {5, 9}, {"[5, 9]", "[5, 4]"}),
                shape("WeightIsVector", "readout.weight", {8}, {"[8]", "2 dimensions"}),
                shape("TooFewThresholds", "layers.0.beta_hi", {4}, {"[4]", "[5]"}),
                shape("NoInputs", "input.weight", {0, 3}, {"[0, 3]"}),
                {"DoublePrecision",
                 [](TensorFile& file) {
                   file.tensors["input.bias"] = {"F64", {4}, std::string(32, '\0')};
                 },
                 {"input.bias", "F64", "F32"}},
                {"LayerGap",
                 [](TensorFile& file) {
                   for (const auto& [name, tensor] : TensorFile(file).tensors) {
                     if (!name.starts_with("layers.1.")) continue;
                     file.tensors["layers.2." + name.substr(9)] = tensor;
                     file.tensors.erase(name);
                   }
                 },
                 {"layers.2.", "without a gap"}},
                {"UnknownLayerTensor",
                 [](TensorFile& file) { file.tensors["layers.0.gate"] = float_tensor({1}, std::vector<float>{1}); },
                 {"layers.0.gate", "not part of the format"}}});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Models, BadModelFile, testing::ValuesIn(bad_models()),
                         [](const testing::TestParamInfo<BadModel>& bad) {
                           return bad.param.name + std::to_string(bad.index);
                         });

TEST(ModelFile, RefusesToSaveWhatItCouldNotLoad) {
  const TemporaryDirectory folder("model");
  Network network = random_network(1);
  network.layers[0].alpha[0] = kNan;
  EXPECT_THROW(save_model(folder.path() / "m.safetensors", network), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace hysteron::model
