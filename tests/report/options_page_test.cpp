#include <gtest/gtest.h>

#include <string>

#include "base/parameters.h"
#include "base/units.h"
#include "design/context.h"
#include "golden.h"

namespace hysteron::report {
namespace {

TEST(Docs, SharedOptionsAreThoseOfTheCode) {
  check_file("docs/options.md",
             "# Shared options\n\n"
             "What several commands take. The flag of a parameter is its name with dashes: `unit_current` is "
             "`--unit-current`; `-j` is short for\n"
             "`--jobs`. The keys of `[hardware]` in a search space ([explore.md](explore.md)) have the same names and "
             "ranges, and messages of errors\n"
             "name parameters. Numbers may have an SI prefix: `300p`, `1.5n`, `80f`, `2e-9`. "
             "`hysteron COMMAND --help` lists all options of a\n"
             "command. The page is written from the table in `src/base/parameters.h` by\n"
             "`HYSTERON_UPDATE_GOLDEN=1 build/release/tests/report_test`.\n\n" +
                 parameter_table());
}

TEST(Docs, DefaultsOfSharedOptionsAreThoseOfCircuits) {
  const auto number = [](const Parameter& parameter) {
    return parse_si(std::string(parameter.default_value), "default");
  };
  const design::CircuitOptions options;
  EXPECT_EQ(options.technology, parameters::kTechnology.default_value);
  EXPECT_DOUBLE_EQ(options.conditions.unit_current, number(parameters::kUnitCurrent));
  EXPECT_DOUBLE_EQ(options.mitigations.input_ramp, number(parameters::kInputRamp));
  EXPECT_DOUBLE_EQ(options.mitigations.input_pedestal, number(parameters::kInputPedestal));
  EXPECT_DOUBLE_EQ(options.drop_below, number(parameters::kDropBelow));
  EXPECT_DOUBLE_EQ(options.time_limit, number(parameters::kTimeLimit));
  EXPECT_EQ(options.jobs, number(parameters::kJobs));
}

}  // namespace
}  // namespace hysteron::report
