#include "base/parameters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/error.h"
#include "base/units.h"

namespace hysteron {
namespace {

TEST(Parameters, RangesAreWrittenWithTheirUnit) {
  EXPECT_EQ(range_text(parameters::kUnitCurrent), "1p to 1u A");
  EXPECT_EQ(range_text(parameters::kSupply), "0.5 to 6 V");
  EXPECT_EQ(range_text(parameters::kCellCapacitance), "0 or 10a to 1n F");
  EXPECT_EQ(range_text(parameters::kInputPedestal), "0 to 1");
  EXPECT_EQ(range_text(parameters::kDies), "1 to 1000000");
  EXPECT_EQ(range_text(parameters::kInput), "");
}

TEST(Parameters, CheckNamesParameterValueAndRange) {
  check(parameters::kSupply, 0.5);
  check(parameters::kCellCapacitance, 0.0);
  try {
    check(parameters::kDies, 0.0);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "dies: 0; expected 1 to 1000000");
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
  }
}

TEST(Parameters, NumbersAreReadAsTheyAreWritten) {
  for (const Parameter* parameter : parameters::all()) {
    for (const double value : {parameter->min, parameter->max}) {
      if (parameter->type != Parameter::Type::kNumber) continue;
      EXPECT_DOUBLE_EQ(parse_si(number_text(*parameter, value), "number"), value) << parameter->name;
    }
  }
}

TEST(Parameters, HaveNamesOfTheirOwnHelpAndDefaultsInRange) {
  std::set<std::string_view> names;
  for (const Parameter* parameter : parameters::all()) {
    EXPECT_TRUE(names.insert(parameter->name).second) << parameter->name;
    EXPECT_FALSE(parameter->help.empty()) << parameter->name;
    if (!parameter->has_number()) continue;
    EXPECT_TRUE(parameter->takes(parse_si(std::string(parameter->default_value), "default"))) << parameter->name;
  }
}

}  // namespace
}  // namespace hysteron
