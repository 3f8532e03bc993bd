#include "data/measured.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "model/safetensors.h"

namespace hysteron::data {
namespace {

class Measured : public testing::Test {
 protected:
  std::filesystem::path put(const std::string& text, const std::string& name = "bench.csv") const {
    write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }

  TemporaryDirectory folder_{"measured"};
};

TEST_F(Measured, UnitsOfTheHeaderBecomeSi) {
  const auto path =
      put("# made by hand\ntime (ms), layers.0.state[1] (nA) ,layers.0.v0[1] (mV)\r\n\n0,1.5,-20\n+2,2e0,30\r\n");
  const MeasuredRecord record = read_measured(path, 0.01);
  ASSERT_EQ(record.signals.size(), 2u);
  EXPECT_EQ(record.signals[0].name, "layers.0.state[1]");
  EXPECT_FALSE(record.signals[0].is_voltage);
  EXPECT_TRUE(record.signals[1].is_voltage);
  EXPECT_EQ(record.signals[0].place, "column 2");
  EXPECT_DOUBLE_EQ((*record.signals[0].time)[1], 2e-3);
  EXPECT_DOUBLE_EQ(record.signals[0].values[0], 1.5e-9);
  EXPECT_DOUBLE_EQ(record.signals[0].values[1], 2e-9);
  EXPECT_DOUBLE_EQ(record.signals[1].values[0], -20e-3);
}

TEST_F(Measured, HeadersOfSpreadsheetsAreRead) {
  const MeasuredRecord record = read_measured(put("\xEF\xBB\xBFtime (\xC2\xB5s),a (\xCE\xBC"
                                                  "A)\n0,1\n2,3\n"),
                                              0.01);
  EXPECT_DOUBLE_EQ((*record.signals[0].time)[1], 2e-6);
  EXPECT_DOUBLE_EQ(record.signals[0].values[1], 3e-6);
}

struct BadCsv {
  const char* name;
  const char* text;
  std::vector<std::string> parts;
};

class BadCsvs : public testing::TestWithParam<BadCsv> {};

TEST_P(BadCsvs, AreRefusedWithFileAndPlace) {
  const TemporaryDirectory folder("measured");
  write_file(folder.path() / "bench.csv", GetParam().text);
  std::string message;
  try {
    read_measured(folder.path() / "bench.csv", 0.01);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    message = error.what();
  }
  EXPECT_NE(message.find("bench.csv"), std::string::npos) << message;
  for (const std::string& part : GetParam().parts) EXPECT_NE(message.find(part), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadCsvs,
    testing::Values(BadCsv{"Empty", "", {"no header"}},
                    BadCsv{"Semicolons", "time (s);logit[0] (nA)\n0;1\n1;2\n", {"line 1", "semicolons", "commas"}},
                    BadCsv{"NoUnit", "time (s),logit[0]\n0,1\n1,2\n", {"line 1", "column 2", "'logit[0]'", "no unit"}},
                    BadCsv{"NoTimeUnit", "time,logit[0] (A)\n", {"line 1", "column 1", "no unit"}},
                    BadCsv{"UnknownUnit", "time (s),logit[0] (nW)\n", {"line 1", "column 2", "'nW'"}},
                    BadCsv{"UnknownPrefix", "time (s),logit[0] (qA)\n", {"line 1", "column 2", "'qA'"}},
                    BadCsv{"SecondsForAmpere", "time (s),logit[0] (s)\n", {"line 1", "column 2", "'s'"}},
                    BadCsv{"TimeIsNotFirst", "logit[0] (s),time (A)\n", {"line 1", "column 1", "`time`"}},
                    BadCsv{"NameTwice", "time (s),a (A),a (A)\n", {"line 1", "column 3", "twice"}},
                    BadCsv{"NoSignal", "time (s)\n0\n", {"line 1", "no column beside time"}},
                    BadCsv{"NoSamples", "time (s),a (A)\n", {"0 samples"}},
                    BadCsv{"StepBack", "time (ms),a (A)\n0,1\n2,1\n1,1\n", {"line 4", "0.002 s to 0.001 s"}},
                    BadCsv{"TimeStandsStill", "time (ms),a (A)\n0,1\n\n0,1\n", {"line 4", "increasing"}},
                    BadCsv{"Gap", "time (ms),a (A)\n0,1\n5,1\n25,1\n", {"line 4", "gap", "0.02 s"}},
                    BadCsv{"Nan", "time (ms),a (A)\n0,1\n1,nan\n", {"line 3", "column 2", "'a'", "'nan'"}},
                    BadCsv{"Infinite", "time (ms),a (A)\n0,inf\n", {"line 2", "column 2", "'inf'"}},
                    BadCsv{"Text", "time (ms),a (A)\n0,1 nA\n", {"line 2", "column 2", "'1 nA'"}},
                    BadCsv{"EmptyField", "time (ms),a (A),b (A)\n0,,1\n", {"line 2", "column 2", "''"}},
                    BadCsv{"Cut", "time (ms),a (A),b (A)\n0,1,1\n1,1", {"line 3", "2 fields", "truncated"}}),
    [](const testing::TestParamInfo<BadCsv>& bad) { return bad.param.name; });

model::Tensor curve(const std::vector<double>& values) {
  model::Tensor tensor;
  tensor.dtype = "F64";
  tensor.shape = {2, values.size() / 2};
  tensor.data.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return tensor;
}

TEST_F(Measured, WaveformsOfVerifyAreReadWithTheirOwnTimes) {
  model::TensorFile file;
  file.tensors["logit[0]"] = curve({0.0, 1.0, 1e-9, 2e-9});
  file.tensors["layers.0.v0[0]"] = curve({0.0, 0.5, 1.0, 0.1, 0.2, 0.3});
  file.metadata["hysteron.signals"] = R"({"logit[0]": {"unit": "A"}, "layers.0.v0[0]": {"unit": "V"}})";
  const auto path = folder_.path() / "clip.safetensors";
  model::write_tensors(path, file);
  const MeasuredRecord record = read_measured(path, 0.01);
  ASSERT_EQ(record.signals.size(), 2u);
  EXPECT_EQ(record.signals[0].name, "layers.0.v0[0]");
  EXPECT_TRUE(record.signals[0].is_voltage);
  EXPECT_EQ(record.signals[0].values, (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_EQ(record.signals[1].values, (std::vector<double>{1e-9, 2e-9}));

  const auto refused = [&](const char* part) {
    model::write_tensors(path, file);
    try {
      read_measured(path, 0.01);
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("clip.safetensors"), std::string::npos) << error.what();
    }
  };
  file.tensors["logit[0]"] = curve({1.0, 0.0, 1e-9, 2e-9});
  refused("time goes back at point 1");
  file.tensors["logit[0]"] = model::float_tensor({2}, std::vector<float>{0.0F, 1.0F});
  refused("F64 [2, points]");
  file.tensors["logit[0]"] = curve({0.0, 1.0, 1e-9, 2e-9});
  file.metadata["hysteron.signals"] = R"({"logit[0]": {"unit": "A"}})";
  refused("'layers.0.v0[0]' has no unit");
  file.metadata.clear();
  refused("hysteron.signals is missing");
}

}  // namespace
}  // namespace hysteron::data
