#include "compile/current_reference.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "compile/shop.h"

namespace hysteron::compile {
namespace {

const CurrentReference& reference() {
  static const CurrentReference instance = size_reference(shop().technology, shop().curves, {}, shop().engine);
  return instance;
}

double current(const std::string& corner, double supply, double temperature) {
  return reference_currents(reference(), shop().curves, corner, supply, temperature, shop().engine).output;
}

TEST(CurrentReference, MakesTheUnitCurrentWhereItIsSized) { EXPECT_NEAR(current("", 1.8, 27.0), 1e-9, 0.02e-9); }

TEST(CurrentReference, StartsAndDriftsAtEveryCorner) {
  for (const char* corner : {"tt", "ff", "ss", "fs", "sf"}) {
    for (const double temperature : {-40.0, 85.0}) {
      const double found = current(corner, 1.62, temperature);
      EXPECT_GT(found, 0.6e-9) << corner << " " << temperature;
      EXPECT_LT(found, 1.4e-9) << corner << " " << temperature;
    }
  }
  EXPECT_GT(current("ss", 1.8, 85.0), 1.05 * current("ss", 1.8, -40.0)) << "it rises with temperature";
  EXPECT_NEAR(current("", 1.98, 27.0) / current("", 1.62, 27.0), 1.0, 0.05) << "and hardly with the supply";
}

TEST(CurrentReference, TakesThreeBranchesBesideItsOutput) {
  const auto [output, own] = reference_currents(reference(), shop().curves, "", 1.8, 27.0, shop().engine);
  EXPECT_NEAR(own / output, 3.0, 0.15);
  EXPECT_NE(own, 3.0 * output) << "measured, not counted";
}

TEST(CurrentReference, RefusesACurrentThatItCannotMake) {
  Conditions conditions;
  conditions.unit_current = 2e-6;
  EXPECT_THROW(size_reference(shop().technology, shop().curves, conditions, shop().engine), Error);
}

}  // namespace
}  // namespace hysteron::compile
