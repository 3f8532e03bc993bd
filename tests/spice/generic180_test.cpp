// The generic180 card in ngspice: the figures circuits rely on. docs/notes/generic180.md has all of them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/file.h"
#include "spice/ngspice.h"

namespace hysteron::spice {
namespace {

struct Setting {
  std::string corner = "tt";
  std::string switches = "sw_mismatch=0 sw_process=0";
  int seed = 1;
};

Plot run(const std::string& lines, const Setting& setting = {}) {
  static const std::string kCard =
      read_file(std::string(HYSTERON_SOURCE_DIR) + "/technologies/generic180/generic180.spice");
  Deck deck;
  deck.files["generic180.spice"] = kCard;
  deck.text = "* card\n.param " + setting.switches + "\n.lib 'generic180.spice' " + setting.corner +
              "\n.options gmin=1e-18 abstol=1e-18 reltol=1e-6 seed=" + std::to_string(setting.seed) + "\n" + lines +
              ".end\n";
  RunResult result = Ngspice().run(deck);
  EXPECT_TRUE(result.messages.empty()) << result.messages[0];
  EXPECT_EQ(result.attempts, 1);
  return result.raw.plots.at(0);
}

struct Kind {
  std::string device;
  int sign;
};

const Kind kKinds[] = {{"nfet_g180", 1}, {"pfet_g180", -1}};

// Currents of two legs at 1 nA and W=L=5 um, the first as `first` says; drains at 0.4 V and `drain`.
std::vector<double> legs(const Kind& kind, const std::string& first, double drain, const Setting& setting = {}) {
  const auto volts = [&](double value) { return std::to_string(kind.sign * value); };
  const std::string device = " r 0 0 " + kind.device + " w=5u l=5u ";
  const Plot plot =
      run("iref 0 r " + std::to_string(kind.sign) + "n\nxd r" + device + "\nv1 d1 0 " + volts(0.4) + "\nx1 d1" +
              device + first + "\nv2 d2 0 " + volts(drain) + "\nx2 d2" + device + "\n.save i(v1) i(v2)\n.op\n",
          setting);
  return {std::abs(plot.last("i(v1)")), std::abs(plot.last("i(v2)"))};
}

TEST(Generic180, DrainVoltageMovesALegByLessThan3Percent) {
  for (const Kind& kind : kKinds) {
    const std::vector<double> currents = legs(kind, "", 1.4);
    EXPECT_NEAR(currents[0], 1e-9, 0.02e-9);
    EXPECT_GT(currents[1] / currents[0], 1.0);
    EXPECT_LT(currents[1] / currents[0], 1.03);
  }
}

// Voltage of a W=L=5 um diode at `current`, written as SPICE writes it.
double rail(const Kind& kind, const std::string& current, const Setting& setting = {}) {
  const std::string sign = kind.sign > 0 ? "" : "-";
  const Plot plot =
      run(fmt::format("i1 0 a {}{}\nxa a a 0 0 {} w=5u l=5u\n.save v(a)\n.op\n", sign, current, kind.device), setting);
  return std::abs(plot.last("v(a)"));
}

TEST(Generic180, SwingIs80To90MillivoltPerDecade) {
  for (const Kind& kind : kKinds) {
    const double swing = (rail(kind, "1n") - rail(kind, "10p")) / 2.0;
    EXPECT_GT(swing, 0.080);
    EXPECT_LT(swing, 0.090);
  }
}

TEST(Generic180, OffDeviceLeaksLessThanAPicoamperePerMicrometre) {
  for (const Kind& kind : kKinds) {
    const std::string supply = kind.sign > 0 ? "1.8" : "-1.8";
    const Plot plot = run("v1 d 0 " + supply + "\nx1 d 0 0 0 " + kind.device + " w=1u l=0.18u\n.save i(v1)\n.op\n");
    EXPECT_LT(std::abs(plot.last("i(v1)")), 1e-12);
  }
}

TEST(Generic180, GivenMismatchLowersOrRaisesTheCurrentOfEitherKind) {
  for (const Kind& kind : kKinds) {
    const double nominal = legs(kind, "", 0.4)[0];
    EXPECT_NEAR(legs(kind, "dvt=1m", 0.4)[0] / nominal, 0.9735, 0.002);
    EXPECT_NEAR(legs(kind, "dbeta=0.02", 0.4)[0] / nominal, 1.02, 0.001);
  }
}

TEST(Generic180, MismatchDiffersByDeviceAndSeedAndRepeats) {
  const Setting on{"tt", "sw_mismatch=1 sw_process=0", 1};
  const Setting other{"tt", "sw_mismatch=1 sw_process=0", 2};
  for (const Kind& kind : kKinds) {
    const std::vector<double> first = legs(kind, "", 0.4, on);
    EXPECT_NE(first[0], first[1]);
    EXPECT_EQ(first, legs(kind, "", 0.4, on));
    EXPECT_NE(first[0], legs(kind, "", 0.4, other)[0]);
    const std::vector<double> off = legs(kind, "", 0.4);
    EXPECT_EQ(off[0], off[1]);
  }
}

TEST(Generic180, ProcessVariationIsOneDrawForAllDevices) {
  const Setting on{"tt", "sw_mismatch=0 sw_process=1", 3};
  const std::string devices =
      "v1 d 0 1\nvg g 0 0.3\nx1 d g 0 0 nfet_g180 w=5u l=5u\nx2 d g 0 0 nfet_g180 w=5u l=5u\n.save @m.x1.m0[id] "
      "@m.x2.m0[id]\n.op\n";
  const Plot drawn = run(devices, on);
  EXPECT_EQ(drawn.last("@m.x1.m0[id]"), drawn.last("@m.x2.m0[id]"));
  EXPECT_NE(drawn.last("@m.x1.m0[id]"), run(devices).last("@m.x1.m0[id]"));
}

TEST(Generic180, CornersOrderTheRailVoltages) {
  const auto at_corner = [](const Kind& kind, const std::string& corner) {
    return rail(kind, "1n", {corner, "sw_mismatch=0 sw_process=0", 1});
  };
  for (const Kind& kind : kKinds) {
    EXPECT_LT(at_corner(kind, "ff") + 0.03, at_corner(kind, "tt"));
    EXPECT_GT(at_corner(kind, "ss") - 0.03, at_corner(kind, "tt"));
  }
  EXPECT_LT(at_corner(kKinds[0], "fs"), at_corner(kKinds[0], "sf"));
  EXPECT_GT(at_corner(kKinds[1], "fs"), at_corner(kKinds[1], "sf"));
}

TEST(Generic180, SwitchesMustBeGiven) {
  Deck deck;
  deck.files["generic180.spice"] =
      read_file(std::string(HYSTERON_SOURCE_DIR) + "/technologies/generic180/generic180.spice");
  deck.text =
      "* t\n.param sw_process=0\n.lib 'generic180.spice' tt\nv1 a 0 1\nx1 a a 0 0 nfet_g180 w=5u l=5u\n.op\n.end\n";
  EXPECT_THROW(Ngspice().run(deck), Error);
}

}  // namespace
}  // namespace hysteron::spice
