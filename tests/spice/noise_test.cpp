// Small-signal noise through the engine: what a transistor's noise must be.

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "spice/netlist.h"
#include "spice/spice_engine.h"

namespace hysteron::spice {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using circuit::Role;
using Kind = sim::Probe::Kind;

constexpr double kCharge = 1.602177e-19;  // coulomb

/// An N diode that carries 1 nA and a copy of it into an ideal source.
struct Mirror {
  Circuit circuit;
  NetId input = circuit.net("in");
  NetId output = circuit.net("out");
  circuit::DeviceId diode = 0;
  circuit::DeviceId copy = 0;
  technology::Technology technology = technology::load_technology("generic180");
  Ngspice ngspice;
  sim::Testbench bench;

  Mirror() {
    diode = circuit.add({"d", "", Polarity::kN, Role::kRail, input, input, Circuit::kGround, 5e-6, 5e-6});
    copy = circuit.add({"c", "", Polarity::kN, Role::kRail, output, input, Circuit::kGround, 5e-6, 5e-6});
    bench.circuit = &circuit;
    bench.supply = 1.8;
    bench.current_sources = {{Circuit::kSupply, input, {{0.0, 1e-9}}}};
    bench.voltage_sources = {{output, {{0.0, 0.9}}}};
    bench.probes = {{Kind::kTransconductance, diode}};
    bench.noise = sim::NoiseAnalysis{{{Kind::kSourceCurrent, 0}}, 0, 0.1, 1e7, 40};
  }

  sim::Outcome run() const { return SpiceEngine(ngspice, technology).run_all({&bench, 1}, 1, {}).front(); }
};

TEST(NoiseAnalysis, MirrorCopiesTheShotNoiseOfItsDiodeAndAddsItsOwn) {
  const sim::Outcome outcome = Mirror().run();
  ASSERT_TRUE(outcome.noise) << outcome.error->what();
  const sim::NoiseSpectrum& noise = *outcome.noise;
  ASSERT_EQ(noise.devices.size(), 2U);
  EXPECT_NEAR(noise.frequency.front(), 0.1, 1e-9);
  EXPECT_NEAR(noise.frequency.back(), 1e7, 1e-2 * 1e7);
  const double shot = 2.0 * kCharge * 1e-9;
  for (const sim::DeviceNoise& device : noise.devices) {
    EXPECT_NEAR(device.thermal.front() / shot, 1.0, 0.06) << "two diodes' worth of 2qI, the copy's 1.5 % stronger";
    EXPECT_NEAR(device.flicker[0] / device.flicker[40], 10.0, 0.01) << "a decade of 1/f";
  }
  for (std::size_t i = 0; i < noise.frequency.size(); ++i) {
    double sum = 0.0;
    for (const sim::DeviceNoise& device : noise.devices) sum += device.thermal[i] + device.flicker[i];
    EXPECT_NEAR(sum / noise.output[i], 1.0, 1e-6) << noise.frequency[i] << " Hz";
  }
  EXPECT_NEAR(noise.output[0] / noise.input[0], 1.03, 0.03) << "the gain squared";
}

TEST(NoiseAnalysis, ADiodeOnACapacitorHasTheNoiseOfItsCharge) {
  // Shot noise 2qI into conductance g and C: variance 2qI / (4 g C), whatever the bandwidth.
  Mirror mirror;
  const double farad = 1e-12;
  mirror.circuit.add(circuit::Capacitor{"c", "", mirror.input, farad});
  mirror.bench.noise->outputs = {{Kind::kVoltage, mirror.input}};
  const sim::Outcome outcome = mirror.run();
  ASSERT_TRUE(outcome.noise) << outcome.error->what();
  const sim::NoiseSpectrum& noise = *outcome.noise;
  double variance = 0.0;
  for (std::size_t i = 1; i < noise.frequency.size(); ++i) {
    const double step = noise.frequency[i] - noise.frequency[i - 1];
    variance += 0.5 * step * (noise.devices[0].thermal[i] + noise.devices[0].thermal[i - 1]);
  }
  const double conductance = outcome.waveforms->values[0][0];
  const double expected = 2.0 * kCharge * 1e-9 / (4.0 * conductance * farad);
  EXPECT_NEAR(variance / expected, 0.92, 0.08) << "the gates' own 0.1 pF comes on top";
}

TEST(NoiseAnalysis, OutputsAddUp) {
  Mirror mirror;
  const double once = mirror.run().noise->output.back();
  mirror.bench.noise->outputs.push_back({Kind::kSourceCurrent, 0});
  EXPECT_NEAR(mirror.run().noise->output.back() / once, 4.0, 1e-6);
}

TEST(NoiseAnalysis, FingerprintChangesWithIt) {
  Mirror mirror;
  const SpiceEngine engine(mirror.ngspice, mirror.technology);
  const std::string before = engine.fingerprint(mirror.bench);
  mirror.bench.noise->high = 1e6;
  EXPECT_NE(engine.fingerprint(mirror.bench), before);
  mirror.bench.noise.reset();
  EXPECT_FALSE(mirror.run().noise);
}

}  // namespace
}  // namespace hysteron::spice
