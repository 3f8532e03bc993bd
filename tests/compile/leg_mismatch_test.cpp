#include "compile/leg_mismatch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "spice/spice_engine.h"

namespace hysteron::compile {
namespace {

const std::filesystem::path kPdkRoot = std::filesystem::path(HYSTERON_SOURCE_DIR) / "../shared/pdk";

class LegMismatch : public testing::TestWithParam<const char*> {};

TEST_P(LegMismatch, IsAboutThreePercentAndTheSameEveryTime) {
  const std::string name = GetParam();
  if (name == "gf180mcu" && !std::filesystem::exists(kPdkRoot)) GTEST_SKIP() << "../shared/pdk is not here";
  const technology::Technology technology = technology::load_technology(name, kPdkRoot);
  const technology::Technology mismatched = with_mismatch(technology);
  const spice::Ngspice ngspice;
  const spice::SpiceEngine engine(ngspice, mismatched);
  const double mismatch = measure_leg_mismatch(technology, engine, {});
  EXPECT_GT(mismatch, 0.01);
  EXPECT_LT(mismatch, 0.05);
  EXPECT_EQ(measure_leg_mismatch(technology, engine, {}), mismatch);
}

TEST_P(LegMismatch, IsNothingWhereItIsSwitchedOff) {
  const std::string name = GetParam();
  if (name == "gf180mcu" && !std::filesystem::exists(kPdkRoot)) GTEST_SKIP() << "../shared/pdk is not here";
  const technology::Technology technology = technology::load_technology(name, kPdkRoot);
  const spice::Ngspice ngspice;
  const spice::SpiceEngine engine(ngspice, technology);
  EXPECT_LT(measure_leg_mismatch(technology, engine, {}), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Technologies, LegMismatch, testing::Values("generic180", "gf180mcu"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace hysteron::compile
