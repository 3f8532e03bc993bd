#include "design/netlist.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "base/file.h"
#include "compile/small_network.h"
#include "design/context.h"

namespace hysteron::design {
namespace {

namespace fs = std::filesystem;

const fs::path kPdkRoot = fs::path(HYSTERON_SOURCE_DIR) / "../shared/pdk";

class ExtractFlow : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    options_.technology = GetParam();
    options_.pdk_root = kPdkRoot;
    options_.jobs = 1;
    if (options_.technology == "gf180mcu" && !fs::exists(kPdkRoot)) GTEST_SKIP() << "../shared/pdk is not here";
  }

  CircuitOptions options_;
  SilentReporter reporter_;
  StopFlag stop_;
};

/// Cells calibrated in ngspice: what extract finds of M2, M8 and M5 is what the last measured loop said.
TEST_P(ExtractFlow, RoundTripOfACalibratedCircuitEqualsItsSizingErrors) {
  model::Network network = small_network();
  network.input.weight(0, 1) = 1e-5F;
  const DesignContext context(options_, reporter_, stop_);
  const Design dut = build_design(context, {network}, reporter_);
  const TemporaryDirectory folder("extract");
  write_circuit(dut, folder.path());
  const ExtractResult result = extract(folder.path(), "", kPdkRoot, reporter_, stop_);
  std::map<std::string, std::map<bool, double>> errors;  // by the leg's part of a signed value
  for (const compile::CompiledLeg& leg : dut.compiled.legs) {
    if (!leg.parameter) continue;  // equal legs share the value
    errors[model::parameter_name(*leg.parameter)][leg.mirrored] += leg.share_of(leg.sizing_error);
  }
  for (const auto& parameter : result.extraction.parameters) {
    if (parameter.derived) continue;
    double error = 0.0;
    for (const auto& [part, value] : errors.at(parameter.name)) {
      error += value / static_cast<double>(errors[parameter.name].size());
    }
    EXPECT_NEAR(parameter.extracted / parameter.model - 1.0, error, 2e-6) << parameter.name;
  }
  EXPECT_EQ(result.errors.dropped, 1U);
  EXPECT_EQ(result.extraction.realised.input.weight(0, 1), 0.0F);
  for (const Eigen::Index j : {0, 1}) {
    EXPECT_NEAR(result.extraction.realised.layers[0].beta_lo[j], network.layers[0].beta_lo[j], 0.005);
  }
}

INSTANTIATE_TEST_SUITE_P(Technologies, ExtractFlow, testing::Values("generic180", "gf180mcu"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace hysteron::design
