#include "spice/deck_map.h"

#include <gtest/gtest.h>

#include <string>

#include "spice/simulator_log.h"

namespace hysteron::spice {
namespace {

const Deck kDeck = {
    "* title m1 line\n"
    ".include 'models.sp'\n"
    ".lib 'lib.sp' typ\n"
    ".subckt cell a b\n"
    "xm1 a b FET W=5u\n"
    "+ L=5u\n"
    "r1 a b 1k\n"
    ".ends\n"
    "xLeg.3 in OUT cell\n"
    "xleg out 0 cell\n"
    "v1 in 0 1\n"
    ".save @r9[i]\n"
    ".end\n",
    {{"models.sp", "* models\n.subckt fet a b\nm0 a b 0 0 nmod w={width}\n.ends\n"}},
    {},
    {}};

TEST(DeckMap, FindsTheLineAMessageIsAbout) {
  struct Case {
    const char* message;
    const char* expected;
  };
  const Case cases[] = {
      {"Error on line 11 or its substitute:\n  v1 in 0 1\nbad", "netlist line 11: v1 in 0 1"},
      {"Error on line 3 or its substitute:\n  v1 in 0 1\nbad", "netlist line 11: v1 in 0 1"},
      {"Error: unknown subckt: xleg out 0 cell", "netlist line 10: xleg out 0 cell"},
      {"Error on line:\n  m.xleg.3.xm1.m0 in out 0 0 nmod", "netlist line 5: xm1 a b FET W=5u  L=5u"},
      {"trouble with nmod:m.xleg.3.xm1.m0 instance m.xleg.3.xm1.m0", "netlist line 5: xm1 a b FET W=5u  L=5u"},
      {"r.xleg.r1: bad", "netlist line 10: xleg out 0 cell"},
      {"singular matrix:  check node v1#branch", "netlist line 11: v1 in 0 1"},
      {"trouble with node \"out\"", "netlist line 9: xLeg.3 in OUT cell"},
      {"trouble with node \"xleg.mid\"", "netlist line 10: xleg out 0 cell"},
      {"Netlist line no. 0:\nUndefined parameter [width]", "models.sp line 3: m0 a b 0 0 nmod w={width}"},
      {"Error: Could not find include file models.sp", "netlist line 2: .include 'models.sp'"},
      {"library file lib.sp, section definition typ not found", "netlist line 3: .lib 'lib.sp' typ"},
      {"Warning: unrecognized variable - @r9[i]", "netlist line 12: .save @r9[i]"},
      {"something else went wrong", ""},
      {"", ""},
  };
  const DeckMap map(kDeck);
  for (const Case& c : cases) EXPECT_EQ(map.locate(c.message), c.expected) << c.message;
}

TEST(DeckMap, ShowsNoControlCharacters) {
  const Deck deck = {"* t\nr1 a\tb\x1b[31m 1k\n.end\n", {}, {}, {}};
  EXPECT_EQ(DeckMap(deck).locate("check node a"), "netlist line 2: r1 a b [31m 1k");
}

TEST(SimulatorLog, TellsConvergenceFromOtherErrors) {
  const auto log = [](const std::string& errors) { return read_log("", errors, kDeck); };
  EXPECT_TRUE(log("doAnalyses: TRAN:  Timestep too small; time = 4e-08: trouble with node \"out\"\n").is_convergence);
  EXPECT_TRUE(log("\nrun simulation(s) aborted\n").is_convergence);
  EXPECT_FALSE(log("Error: unknown subckt: xleg out 0 cell\n").is_convergence);
}

TEST(SimulatorLog, HasNothingToSayAboutAGoodRun) {
  const SimulatorLog log = read_log(
      "Note: No compatibility mode selected!\nDoing analysis at TEMP = 27\nNode   Voltage\nerror_1     0.5\nv1#branch  "
      "1e-9\n",
      "Note: Starting dynamic gmin stepping\nTrying gmin = 1e-3 Note: One successful gmin step\n", kDeck);
  EXPECT_EQ(log.error, "");
  EXPECT_TRUE(log.warnings.empty());
}

TEST(SimulatorLog, KeepsEachWarningOnce) {
  std::string errors;
  for (int i = 0; i < 1000; ++i) errors += "Warning: singular matrix:  check node out\n\n";
  const SimulatorLog log = read_log("", errors, kDeck);
  ASSERT_EQ(log.warnings.size(), 1U);
  EXPECT_NE(log.warnings[0].find("netlist line 9"), std::string::npos);
  EXPECT_EQ(log.error, "");
}

}  // namespace
}  // namespace hysteron::spice
