#include "compile/gain_curves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "compile/compiled_network.h"
#include "compile/ideal_curves.h"
#include "spice/spice_engine.h"

namespace hysteron::compile {
namespace {

using circuit::Polarity;

TEST(GainCurves, InterpolatesBetweenMeasuredPoints) {
  const GainCurves curves = ideal_curves();
  EXPECT_NEAR(curves.gain(Polarity::kN, 1, 3.3e-6, 0.75), 0.33 * 1.0375, 1e-6);
  EXPECT_NEAR(curves.gain(Polarity::kP, 0, 40e-6, 1.8), 8.0 * 1.09, 1e-6);
}

TEST(GainCurves, ATrimmedLengthFollowsTheThresholdVoltageThatGoesWithIt) {
  constexpr double kShift = 1.2e-6;  // metres: the gain goes as exp(-shift / L) / L
  GainCurves curves = ideal_curves();
  std::size_t at = 0;
  for (int polarity = 0; polarity < 2; ++polarity) {
    for (const double length : curves.lengths) {
      for (std::size_t i = 0; i < curves.voltages.size() * curves.widths.size(); ++i) {
        curves.gains[at++] *= std::exp(-kShift / length);
      }
    }
  }
  const auto exact = [](double length) { return 5e-6 / length * std::exp(-kShift / length) * 1.03; };
  for (const double length : {4.9e-6, 5.1e-6, 10.2e-6, 49e-6}) {
    EXPECT_NEAR(curves.gain_of(Polarity::kN, {5e-6, length}, 0.6), exact(length), 3e-4 * exact(length)) << length;
  }
}

TEST(GainCurves, WidthInvertsGain) {
  const GainCurves curves = ideal_curves();
  for (const double target : {0.07, 0.5, 1.0, 7.0}) {
    const double width = curves.width_for(Polarity::kN, 0, target, 0.9);
    EXPECT_NEAR(curves.gain(Polarity::kN, 0, width, 0.9), target, 1e-6 * target);
  }
}

TEST(SizeLeg, TakesALongerChannelBelowTheNarrowestLeg) {
  const technology::Technology technology = technology::load_technology("generic180");
  const GainCurves curves = ideal_curves();
  const LegSize wide = size_leg(curves, technology, Polarity::kN, 0.5, 0.6, DriftLimit::moving(technology));
  EXPECT_DOUBLE_EQ(wide.geometry.length, 5e-6);
  const LegSize narrow = size_leg(curves, technology, Polarity::kN, 0.06, 0.6, DriftLimit::moving(technology));
  EXPECT_DOUBLE_EQ(narrow.geometry.length, 10e-6);
  EXPECT_GE(narrow.geometry.width, technology.narrowest_leg);
  EXPECT_NEAR(narrow.gain, 0.06, 0.01 * 0.06);
}

/// Reads `current` of every N device and nothing of a P device, as from an inner device that carries none.
class PartlySilentEngine : public sim::Engine {
 public:
  void run_each(std::span<const sim::Testbench> benches, int /*jobs*/, const OnOutcome& on_outcome) const override {
    for (std::size_t i = 0; i < benches.size(); ++i) {
      sim::Waveforms waves;
      waves.time = {0.0};
      for (const sim::Probe& probe : benches[i].probes) {
        const bool is_n = benches[i].circuit->transistor(probe.index).polarity == Polarity::kN;
        waves.values.push_back({is_n ? 1e-9 : 0.0});
      }
      on_outcome(i, {waves, {}, {}});
    }
  }
  std::string version() const override { return "partly silent"; }
  std::string fingerprint(const sim::Testbench& /*bench*/) const override { return "partly silent"; }
};

TEST(MeasureGainCurves, CurrentsThatAreNoneNameTheInnerDevice) {
  technology::Technology technology = technology::load_technology("generic180");
  technology.p.inner = "m7";
  try {
    measure_gain_curves(technology, PartlySilentEngine(), {});
    FAIL() << "curves of no current were taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    const std::string message = error.what();
    for (const char* part : {"generic180", "pfet.inner is 'm7'", "pfet_g180"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

TEST(SizeLeg, DrawsOnTheGridAndSaysWhatThatCosts) {
  const technology::Technology technology = technology::load_technology("generic180");
  const GainCurves curves = ideal_curves();
  for (const double gain : {0.031, 0.123, 0.777, 3.3}) {
    const LegSize size = size_leg(curves, technology, Polarity::kP, gain, 0.9, DriftLimit::moving(technology));
    const double steps = size.geometry.width / technology.size_grid;
    EXPECT_NEAR(steps, std::round(steps), 1e-6);
    EXPECT_NEAR(size.gain, gain, 0.01 * gain);
  }
}

TEST(SizeLeg, SplitsLargeWeights) {
  const technology::Technology technology = technology::load_technology("generic180");
  const GainCurves curves = ideal_curves();
  EXPECT_EQ(size_leg(curves, technology, Polarity::kN, 25.0, 0.6, DriftLimit::moving(technology)).instances, 3);
}

/// Curves that temperature moves: by -10 % at the first length, then -2, +1 and +4 %, whatever the width.
GainCurves drifting_curves() {
  GainCurves curves = ideal_curves();
  for (int polarity = 0; polarity < 2; ++polarity) {
    for (const double drift : {-0.1, -0.02, 0.01, 0.04}) {
      curves.drifts.insert(curves.drifts.end(), curves.widths.size(), drift);
    }
  }
  return curves;
}

TEST(SizeLeg, TakesTheShortestChannelThatKeepsTheDriftLimit) {
  technology::Technology technology = technology::load_technology("generic180");
  technology.leg_drift = 0.012;
  const GainCurves curves = drifting_curves();
  const auto length_of = [&](double gain, const DriftLimit& limit) {
    return size_leg(curves, technology, Polarity::kN, gain, 0.6, limit).geometry.length;
  };
  EXPECT_DOUBLE_EQ(length_of(0.11, DriftLimit::moving(technology)), 5e-6);  // 0.011 unit currents
  EXPECT_DOUBLE_EQ(length_of(0.5, DriftLimit::moving(technology)), 10e-6);  // 0.050, then 0.010
  EXPECT_DOUBLE_EQ(length_of(1.1, DriftLimit::moving(technology)), 20e-6);  // 0.022, then 0.011
  EXPECT_DOUBLE_EQ(length_of(2.0, DriftLimit::moving(technology)), 20e-6);  // none keeps it: the nearest
  EXPECT_DOUBLE_EQ(length_of(0.11, DriftLimit::still(technology)), 20e-6);  // speed does not matter: the least
  EXPECT_DOUBLE_EQ(length_of(0.5, DriftLimit::still(technology, -0.1)), 5e-6);
}

TEST(SizeLeg, LooksAtWidthsAloneWithoutADriftLimit) {
  const technology::Technology technology = technology::load_technology("generic180");
  for (const DriftLimit& limit : {DriftLimit::moving(technology), DriftLimit::still(technology, 0.3)}) {
    EXPECT_DOUBLE_EQ(size_leg(drifting_curves(), technology, Polarity::kN, 0.5, 0.6, limit).geometry.length, 5e-6);
  }
}

TEST(GainCurves, MeasureDriftsWhereTheTechnologyLimitsThem) {
  technology::Technology technology = technology::load_technology("generic180");
  const spice::Ngspice ngspice;
  const spice::SpiceEngine engine(ngspice, technology);
  EXPECT_TRUE(measure_gain_curves(technology, engine, {}).drifts.empty());
  technology.leg_drift = 0.01;
  const GainCurves curves = measure_gain_curves(technology, engine, {});
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    EXPECT_NEAR(curves.drift(polarity, 0, technology.reference.width), 0.0, 0.01);
    const double of_long = curves.drift(polarity, 2, technology.reference.width);
    EXPECT_GT(std::abs(of_long), 1e-5);  // measured, not left at zero
    EXPECT_LT(std::abs(of_long), 0.2);
  }
  Conditions coldest;
  coldest.temperature = technology.temperature_low;
  const GainCurves cold = measure_gain_curves(technology, engine, coldest);
  const double expected = cold.gain(Polarity::kN, 2, 1e-6, 0.6) / curves.gain(Polarity::kN, 2, 1e-6, 0.6) - 1.0;
  EXPECT_NEAR(curves.drift(Polarity::kN, 2, 1e-6), expected, 0.005);
}

/// An engine that must not be asked.
class NoEngine : public sim::Engine {
 public:
  void run_each(std::span<const sim::Testbench>, int, const OnOutcome&) const override {
    throw std::logic_error("measured again");
  }
  std::string fingerprint(const sim::Testbench&) const override { return ""; }
  std::string version() const override { return version_; }
  std::string version_;
};

TEST(GainCurves, AreStoredUnderTechnologyEngineAndConditions) {
  const TemporaryDirectory cache("cache");
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string restore = before == nullptr ? "" : before;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  const technology::Technology technology = technology::load_technology("generic180");
  const spice::Ngspice ngspice;
  const spice::SpiceEngine engine(ngspice, technology);
  SilentReporter reporter;
  const GainCurves measured = load_gain_curves(technology, engine, {}, reporter);
  NoEngine stored;
  stored.version_ = engine.version();
  EXPECT_EQ(load_gain_curves(technology, stored, {}, reporter).gains, measured.gains);
  Conditions other;
  other.unit_current = 2e-9;
  EXPECT_THROW(load_gain_curves(technology, stored, other, reporter), std::logic_error);
  stored.version_ = "another";
  EXPECT_THROW(load_gain_curves(technology, stored, {}, reporter), std::logic_error);
  // The reference device itself must come out at a gain near 1, both polarities.
  EXPECT_NEAR(measured.gain(Polarity::kN, 0, 5e-6, measured.operating.n_diode), 1.0, 0.01);
  EXPECT_NEAR(measured.gain(Polarity::kP, 0, 5e-6, 1.8 - measured.operating.p_diode), 1.0, 0.01);
  if (before == nullptr) {
    unsetenv("XDG_CACHE_HOME");
  } else {
    setenv("XDG_CACHE_HOME", restore.c_str(), 1);
  }
}

}  // namespace
}  // namespace hysteron::compile
