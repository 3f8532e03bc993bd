#include "behavioural/die_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "compile/calibration.h"
#include "compile/circuit_errors.h"
#include "compile/clip_bench.h"
#include "compile/leg_mismatch.h"
#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::behavioural {
namespace {

using compile::shop;

struct VariedShop {
  technology::Technology technology = compile::with_mismatch(shop().technology);
  spice::SpiceEngine engine{shop().ngspice, technology};
  DeviceStatistics statistics = measure_device_statistics(shop().technology, shop().curves, shop().engine, engine, {});
};

const VariedShop& varied_shop() {
  static const VariedShop instance;
  return instance;
}

/// The small network with calibrated cells.
const compile::CompiledNetwork& compiled() {
  static const compile::CompiledNetwork network = [] {
    auto result = compile::build_network(small_network(), shop().technology, shop().curves, {});
    SilentReporter reporter;
    compile::calibrate_network(result, shop().technology, shop().curves, shop().engine, 1, reporter);
    return result;
  }();
  return network;
}

const DieEngine& engine() {
  static const std::vector<float> features = small_features();
  static const DieEngine instance(compiled(), varied_shop().statistics, features);
  return instance;
}

Die perfect_die() { return Die(compiled().circuit.transistors().size()); }

std::size_t leg_of(const std::string& parameter) {
  for (std::size_t i = 0; i < compiled().summing.size(); ++i) {
    const compile::CompiledLeg& leg = compiled().summing_leg(i);
    if (leg.parameter && model::parameter_name(*leg.parameter) == parameter) return i;
  }
  ADD_FAILURE() << parameter;
  return 0;
}

TEST(DeviceStatistics, FollowTheCardOfTheTechnology) {
  const DeviceStatistics& statistics = varied_shop().statistics;
  for (const PolarityStatistics* part : {&statistics.n, &statistics.p}) {
    for (const technology::Geometry size : {technology::Geometry{5e-6, 5e-6}, {1e-6, 20e-6}}) {
      const double root = std::sqrt(2.0 * size.width * size.length);
      EXPECT_NEAR(part->threshold.deviation(size) / (5e-9 / root), 1.0, 0.06) << size.width;
      EXPECT_NEAR(part->mobility.deviation(size) / (1e-8 / root), 1.0, 0.06) << size.width;
    }
    // Weak inversion: 80 to 90 mV a decade, less slope where the inversion is not weak.
    EXPECT_GT(part->slope(1e-10), std::log(10.0) / 0.1);
    EXPECT_LT(part->slope(1e-10), std::log(10.0) / 0.06);
    EXPECT_LT(part->slope(1e-7), part->slope(1e-10));
  }
}

TEST(DieEngine, AsDrawnDoesWhatSoftwareDoes) {
  DieEngine::Scratch scratch;
  model::Trace trace;
  engine().run(engine().nominal(), small_features(), scratch, trace);
  const model::Trace software = model::run_clip(small_network(), small_features());
  ASSERT_EQ(trace.logits.size(), software.logits.size());
  for (std::size_t i = 0; i < software.logits.size(); ++i) EXPECT_NEAR(trace.logits[i], software.logits[i], 0.03) << i;
  for (std::size_t i = 0; i < software.states.size(); ++i) EXPECT_NEAR(trace.states[i], software.states[i], 0.01) << i;
  for (std::size_t i = 0; i < software.candidates.size(); ++i) {
    EXPECT_NEAR(trace.candidates[i], software.candidates[i], 0.02) << i;
  }
}

TEST(DieEngine, ADieWithoutShiftsIsTheCircuitAsDrawn) {
  const DieParameters parameters = engine().on_die(perfect_die());
  EXPECT_EQ(parameters.gains, engine().nominal().gains);
  for (std::size_t i = 0; i < parameters.cells.size(); ++i) {
    EXPECT_FLOAT_EQ(parameters.cells[i].rise, engine().nominal().cells[i].rise);
    EXPECT_FLOAT_EQ(parameters.cells[i].fall, engine().nominal().cells[i].fall);
  }
}

TEST(DieEngine, AWeakLegCarriesLess) {
  const std::size_t leg = leg_of("layers.0.candidate.weight[1,0]");  // negative: an N leg
  Die die = perfect_die();
  die[compiled().summing_leg(leg).device].threshold = 2e-3;
  const DieParameters parameters = engine().on_die(die);
  const double slope = varied_shop().statistics.n.slope(1e-9);
  EXPECT_NEAR(parameters.gains[leg] / engine().nominal().gains[leg], std::exp(-2e-3 * slope), 0.005);
  for (std::size_t i = 0; i < parameters.gains.size(); ++i) {
    if (i == leg) continue;
    EXPECT_EQ(parameters.gains[i], engine().nominal().gains[i]) << i;
  }
}

TEST(DieEngine, AWeakReferenceStrengthensEveryBiasAndThreshold) {
  Die die = perfect_die();
  die[compiled().values.front()].threshold = 2e-3;
  const DieParameters parameters = engine().on_die(die);
  const double factor = std::exp(2e-3 * varied_shop().statistics.n.slope(1e-9));
  const std::size_t bias = leg_of("input.bias[0]");
  EXPECT_NEAR(parameters.gains[bias] / engine().nominal().gains[bias], factor, 1e-4);
  for (std::size_t i = 0; i < parameters.cells.size(); ++i) {
    EXPECT_NEAR(parameters.cells[i].rise / engine().nominal().cells[i].rise, factor, 1e-4);
    EXPECT_NEAR(parameters.cells[i].fall / engine().nominal().cells[i].fall, factor, 1e-3);
    EXPECT_NEAR(parameters.cells[i].high / engine().nominal().cells[i].high, factor, 1e-4);
  }
}

TEST(CellCharge, GrowsWithTheCapacitorByTheSwingOfV0) {
  const CellCharges& charges = varied_shop().statistics.charges;
  // V0 falls from the supply to where M6 lets go, and rises there from ground.
  EXPECT_GT(charges.reset.swing, 0.5 * shop().technology.supply);
  EXPECT_LT(charges.reset.swing, 1.05 * shop().technology.supply);
  EXPECT_GT(charges.set.swing, 0.05 * shop().technology.supply);
  EXPECT_LT(charges.set.swing, 0.6 * shop().technology.supply);
  for (const SwitchCharge& charge : {charges.set, charges.reset}) {
    EXPECT_GT(charge.own, 0.0);
    EXPECT_LT(charge.own, 60e-15) << "the gates and junctions of a few devices at a volt";
  }
}

/// What one cell does of `candidates`, one character a frame.
std::string walk(bool starts_on, const std::vector<float>& candidates, double released = 0.0) {
  const DieParameters::Cell cell{0.6F, 0.2F, 1.0F, 0.01F, 0.03F};
  CellWalk walk(starts_on, released);
  std::string states;
  for (const float candidate : candidates) states += walk.step(candidate, cell) ? '1' : '0';
  return states;
}

TEST(CellWalk, NeedsItsChargeBeyondTheThreshold) {
  EXPECT_EQ(walk(true, {0.18F, 0.3F, 0.3F}), "111") << "too short a dip leaves a cell on";
  EXPECT_EQ(walk(true, {0.16F, 0.3F, 0.3F}), "000") << "a deeper one does not";
  EXPECT_EQ(walk(true, {0.18F, 0.18F, 0.3F}), "100") << "nor does a longer one";
  EXPECT_EQ(walk(true, {0.18F, 0.3F, 0.18F}), "111") << "V0 comes back in between";
  EXPECT_EQ(walk(false, {0.605F, 0.5F, 0.605F, 0.606F, 0.3F}), "00011");
}

TEST(CellWalk, AChangeAfterTheReadingPointIsSeenInTheNextFrame) { EXPECT_EQ(walk(true, {0.1693F, 0.3F}), "10"); }

TEST(CellWalk, StaysWhereResetHoldsIt) {
  EXPECT_EQ(walk(false, {0.611F, 0.5F}), "11");
  EXPECT_EQ(walk(false, {0.611F, 0.5F}, 0.1), "00") << "a tenth of the frame is not there to charge in";
}

TEST(CellWalk, WithoutChargeIsTheModelsStep) {
  const DieParameters::Cell cell{0.6F, 0.2F, 1.0F};
  CellWalk walk(false, 0.0);
  bool on = false;
  for (const float candidate : {0.59F, 0.6F, 0.2F, 0.1999F, 0.5F, 0.7F, 0.0F}) {
    on = model::next_state(candidate, cell.fall, cell.rise, on);
    EXPECT_EQ(walk.step(candidate, cell), on) << candidate;
  }
}

TEST(DieEngine, DrawsTheSameDieForTheSameSeed) {
  const auto& statistics = varied_shop().statistics;
  const Die first = draw_die(compiled().circuit, statistics, 7);
  const Die again = draw_die(compiled().circuit, statistics, 7);
  const Die other = draw_die(compiled().circuit, statistics, 8);
  ASSERT_EQ(first.size(), compiled().circuit.transistors().size());
  EXPECT_EQ(first[3].threshold, again[3].threshold);
  EXPECT_NE(first[3].threshold, other[3].threshold);
  double squares = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto& device = compiled().circuit.transistor(i);
    const double scale = statistics.of(device.polarity).threshold.deviation({device.width, device.length});
    squares += std::pow(first[i].threshold / scale, 2);
  }
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(first.size())), 1.0, 0.25);
}

/// Centering's equations against the engine: the spread of candidates over dies, without what their own copies add.
TEST(DieEngine, DiesSpreadAsCenteringExpects) {
  const model::Network network = small_network();
  const auto frames = static_cast<Eigen::Index>(small_features().size() / 2);
  const std::vector<float> features = small_features();
  const model::Matrix x = Eigen::Map<const model::Matrix>(features.data(), frames, 2);
  const double mismatch = compile::measure_leg_mismatch(shop().technology, varied_shop().engine, {});
  compile::ErrorModel errors = compile::error_model(shop().technology, mismatch);
  errors.systematic = 0.0;
  const compile::CircuitErrors expected(network, errors);
  const model::Matrix v = (x * network.input.weight.transpose()).rowwise() + network.input.bias.transpose();
  const model::Layer& layer = network.layers[0];
  const model::Matrix candidates =
      ((v.cwiseMax(0.0F) * layer.candidate.weight.transpose()).rowwise() + layer.candidate.bias.transpose())
          .cwiseMax(0.0F);
  const model::Matrix none = model::Matrix::Zero(frames, 2);
  const model::Matrix variance =
      expected.candidates(0, v, expected.input(x), candidates) -
      (expected.candidates(0, v * 0.0F, none, candidates) - expected.candidates(0, v * 0.0F, none, none));
  constexpr int kDies = 1000;
  model::Matrix squares = model::Matrix::Zero(frames, 2);
  DieEngine::Scratch scratch;
  model::Trace trace;
  model::Trace drawn;
  engine().run(engine().nominal(), small_features(), scratch, drawn);
  for (unsigned seed = 1; seed <= kDies; ++seed) {
    const Die die = draw_die(compiled().circuit, varied_shop().statistics, seed);
    engine().run(engine().on_die(die), small_features(), scratch, trace);
    for (Eigen::Index t = 0; t < frames; ++t) {
      for (Eigen::Index j = 0; j < 2; ++j) {
        const auto place = static_cast<std::size_t>(t * 2 + j);
        squares(t, j) += std::pow(trace.candidates[place] - drawn.candidates[place], 2.0F) / kDies;
      }
    }
  }
  int compared = 0;
  for (Eigen::Index t = 0; t < frames; ++t) {
    for (Eigen::Index j = 0; j < 2; ++j) {
      if (candidates(t, j) < 0.15F) continue;  // the rectifier cuts errors off
      ++compared;
      EXPECT_NEAR(std::sqrt(variance(t, j) / squares(t, j)), 1.0, 0.25) << t << " " << j;
    }
  }
  EXPECT_GT(compared, 8);
}

/// Deviation of every candidate of the first frame over a frame, by the small-signal noise of all transistors in
/// ngspice but the candidate's own diode, which belongs to the cell.
std::vector<double> candidate_noise_of_ngspice(std::span<const float> frame) {
  std::vector<double> result;
  for (const compile::CompiledCell& cell : compiled().cells[0]) {
    sim::Testbench bench = compile::make_clip_bench(compiled(), frame);
    bench.stop_time = 0.0;
    sim::NoiseAnalysis noise;
    noise.outputs = {{sim::Probe::Kind::kVoltage, compiled().circuit.transistor(cell.candidate_diode).drain}};
    noise.low = kNoiseLow;
    noise.high = 1.0;
    noise.points_per_decade = 1;
    bench.noise = noise;
    bench.probes = {{sim::Probe::Kind::kTransconductance, cell.candidate_diode}};
    const auto outcomes = shop().engine.run_all({{bench}}, 1, {});
    const double squared = std::pow(outcomes[0].value().values[0].front() / 1e-9, 2);
    const double seconds = compiled().frame_seconds;
    double variance = 0.0;
    for (circuit::DeviceId id = 0; id < outcomes[0].noise->devices.size(); ++id) {
      if (id == cell.candidate_diode) continue;
      const sim::DeviceNoise& device = outcomes[0].noise->devices[id];
      variance += squared * (device.thermal.front() / (2.0 * seconds) +
                             device.flicker.front() * kNoiseLow * std::log(0.5 / seconds / kNoiseLow));
    }
    result.push_back(std::sqrt(variance));
  }
  return result;
}

TEST(DieEngine, NoiseOfCandidatesIsThatOfNgspice) {
  constexpr std::size_t kFrames = 2000;
  const std::vector<float> frame = {0.6F, 1.4F};
  std::vector<float> features;
  for (std::size_t t = 0; t < kFrames; ++t) features.insert(features.end(), frame.begin(), frame.end());
  const std::vector<double> expected = candidate_noise_of_ngspice(frame);
  DieEngine::Scratch scratch;
  model::Trace trace;
  Random random(7);
  engine().run(engine().nominal(), features, scratch, trace, &random);
  for (std::size_t j = 0; j < expected.size(); ++j) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t t = 0; t < kFrames; ++t) {
      const double value = trace.candidate(0, t, j);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kFrames;
    ASSERT_GT(mean, 0.1) << "the rectifier cuts noise off";
    EXPECT_NEAR(std::sqrt(squares / kFrames - mean * mean) / expected[j], 1.0, 0.25) << j;
  }
}

/// Mean and deviation of some values.
struct Spread {
  double mean = 0.0;
  double deviation = 0.0;

  explicit Spread(const std::vector<double>& values) {
    const auto count = static_cast<double>(values.size());
    for (const double value : values) mean += value / count;
    for (const double value : values) deviation += (value - mean) * (value - mean) / count;
    deviation = std::sqrt(deviation);
  }
};

/// The standard normal value that the share `p` of draws is above.
double normal_above(double p) {
  double low = -5.0;
  double high = 5.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(middle / std::numbers::sqrt2) > p ? low : high) = middle;
  }
  return low;
}

/// A cell whose threshold lies one deviation of a mirror from its candidate: how often it flips in a frame tells the
/// noise of its threshold, once the candidate's own is taken off. Two mirrors or three make a threshold.
TEST(DieEngine, NoiseOfThresholdsAndOutputsIsThatOfTheirMirrors) {
  constexpr int kClips = 4000;
  const std::vector<float> features = {0.6F, 1.4F, 0.6F, 1.4F};  // two frames
  const double mirror = mirror_noise(varied_shop().statistics, shop().technology, 1e-9, compiled().frame_seconds);
  DieEngine::Scratch scratch;
  model::Trace trace;
  engine().run(engine().nominal(), features, scratch, trace);
  const float candidate = trace.candidate(0, 0, 0);
  ASSERT_GT(candidate, 0.1F);
  const auto distance = static_cast<float>(mirror * candidate);
  for (const bool sets : {true, false}) {
    DieParameters parameters = engine().nominal();
    parameters.cells[0].set_charge = parameters.cells[0].reset_charge = 0.0F;
    parameters.cells[0].rise = sets ? candidate + distance : 0.5F * candidate;  // on from the first frame
    parameters.cells[0].fall = sets ? 0.1F * candidate : candidate - distance;
    Random random(11);
    std::vector<double> candidates;
    std::vector<double> highs;
    int flips = 0;
    for (int clip = 0; clip < kClips; ++clip) {
      engine().run(parameters, features, scratch, trace, &random);
      const std::size_t frame = sets ? 0 : 1;
      candidates.push_back(trace.candidate(0, frame, 0));
      const bool on = trace.state(0, frame, 0) > 0.5F * parameters.cells[0].high;
      if (on) highs.push_back(trace.state(0, frame, 0) / parameters.cells[0].high);
      flips += on == sets ? 1 : 0;
    }
    const double all = distance / normal_above(static_cast<double>(flips) / kClips);
    const double own = Spread(candidates).deviation;
    ASSERT_GT(all, own) << "flips tell more noise than the candidate has";
    const double threshold = std::sqrt(all * all - own * own) / candidate;
    EXPECT_GT(threshold, 1.0 * mirror) << sets;
    EXPECT_LT(threshold, 2.5 * mirror) << sets;
    EXPECT_NEAR(Spread(highs).deviation / mirror, 1.0, 0.3) << sets;
  }
}

TEST(DieEngine, WithoutNoiseFramesOfOneInputAreAlike) {
  const std::vector<float> features = {0.6F, 1.4F, 0.6F, 1.4F, 0.6F, 1.4F};
  DieEngine::Scratch scratch;
  model::Trace trace;
  engine().run(engine().nominal(), features, scratch, trace);
  EXPECT_EQ(trace.candidate(0, 1, 0), trace.candidate(0, 2, 0));
  Random random(7);
  engine().run(engine().nominal(), features, scratch, trace, &random);
  EXPECT_NE(trace.candidate(0, 1, 0), trace.candidate(0, 2, 0));
}

TEST(SettleRail, FollowsARailInNgspice) {
  const technology::Technology& technology = varied_shop().technology;
  const double unit = 1e-9;
  const double frame = 2e-4;
  const std::vector<float> target = {1.0F, 0.0F, 0.0F, 0.5F, 0.05F, 0.02F, 2.0F, 0.0F};
  for (const circuit::Polarity polarity : {circuit::Polarity::kN, circuit::Polarity::kP}) {
    const bool is_n = polarity == circuit::Polarity::kN;
    const circuit::NetId source = is_n ? circuit::Circuit::kGround : circuit::Circuit::kSupply;
    const circuit::NetId far = is_n ? circuit::Circuit::kSupply : circuit::Circuit::kGround;
    circuit::Circuit rail;
    const circuit::NetId gate = rail.net("rail");
    const technology::Geometry size = technology.reference;
    const auto add = [&](const std::string& name, circuit::NetId drain) {
      return rail.add({name, "", polarity, circuit::Role::kRail, drain, gate, source, size.width, size.length});
    };
    const auto diode = add("diode", gate);
    for (int i = 0; i < 5; ++i) add("leg" + std::to_string(i), far);
    sim::PiecewiseLinear current = {{0.0, unit * target[0]}};
    for (std::size_t t = 1; t < target.size(); ++t) {
      const double begin = static_cast<double>(t) * frame;
      current.push_back({begin, unit * target[t - 1]});
      current.push_back({begin + 1e-3 * frame, unit * target[t]});
    }
    sim::Testbench bench;
    bench.circuit = &rail;
    bench.supply = technology.supply;
    bench.current_sources.push_back({is_n ? far : gate, is_n ? gate : far, current});
    bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, diode});
    bench.stop_time = frame * static_cast<double>(target.size());
    bench.maximum_step = frame / 100.0;
    const sim::Waveforms waves = varied_shop().engine.run(bench);
    const PolarityStatistics& statistics = varied_shop().statistics.of(polarity);
    const double capacitance = 6.0 * size.width * size.length * statistics.gate_capacitance;
    const double tau = capacitance / (statistics.slope(unit * size.length / size.width) * unit);
    std::vector<float> values = target;
    settle_rail(values.data(), values.size(), static_cast<float>(frame / tau), 0.0F);
    EXPECT_GT(values[1], 0.02F) << "a rail that is switched off takes its time";
    for (std::size_t t = 0; t < values.size(); ++t) {
      const double found = std::abs(waves.at(0, (static_cast<double>(t) + compile::kReadAt) * frame)) / unit;
      EXPECT_NEAR(values[t], found, 0.06 * found + 5e-4) << "frame " << t << (is_n ? " N" : " P");
    }
  }
}

TEST(SettleRail, IsNeverBelowTheLeakage) {
  std::vector<float> values = {0.0F, 1.0F, 0.0F, 0.0F, 0.0F};
  settle_rail(values.data(), values.size(), 1e5F, 1e-4F);
  EXPECT_EQ(values[0], 1e-4F);
  EXPECT_EQ(values[4], 1e-4F);
}

TEST(DeviceStatistics, LeakageGrowsWithTemperature) {
  compile::Conditions hot;
  hot.temperature = 85.0;
  const DeviceStatistics& home = varied_shop().statistics;
  const DeviceStatistics warm =
      measure_device_statistics(shop().technology, shop().curves, shop().engine, varied_shop().engine, hot);
  EXPECT_GT(home.n.leakage, 1e-16);
  EXPECT_LT(home.n.leakage, 1e-12);
  EXPECT_GT(warm.n.leakage, 5.0 * home.n.leakage);
  EXPECT_GT(warm.p.leakage, 5.0 * home.p.leakage);
}

TEST(DieEngine, SettlingTakesTheChargeOfRailsOverTheirCurrent) {
  const DeviceStatistics& statistics = varied_shop().statistics;
  const double seconds = engine().settling_time(statistics, small_features());
  EXPECT_GT(seconds, 20e-6);
  EXPECT_LT(seconds, 10e-3);
  compile::CompiledNetwork slow = compiled();
  slow.conditions.unit_current /= 4.0;
  slow.frame_seconds *= 4.0;  // cells then switch in the same frames
  for (compile::CompiledLeg& leg : slow.legs) leg.nominal_current /= 4.0;
  const DieEngine slower(slow, statistics, small_features());
  EXPECT_NEAR(slower.settling_time(statistics, small_features()) / seconds, 4.0, 0.1);
  compile::CompiledNetwork heavy = compiled();
  for (std::size_t j = 0; j < heavy.cells[0].size(); ++j) {
    const circuit::Transistor& diode = heavy.circuit.transistor(heavy.cells[0][j].candidate_diode);
    heavy.circuit.add(circuit::Capacitor{"load" + std::to_string(j), diode.block, diode.gate, 1e-12});
  }
  const DieEngine loaded(heavy, statistics, small_features());
  EXPECT_GT(loaded.settling_time(statistics, small_features()), seconds + 20e-6);
}

/// The conformance of both engines on dies that ngspice drew.
TEST(DieEngine, DoesWhatNgspiceDoesOnTheSameDie) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    sim::Testbench bench = compile::make_clip_bench(compiled(), small_features());
    bench.seed = seed;
    const compile::CircuitTrace circuit = compile::read_clip(compiled(), bench, varied_shop().engine.run(bench));
    const Die die = read_die(bench, varied_shop().engine, seed);
    DieEngine::Scratch scratch;
    model::Trace trace;
    engine().run(engine().on_die(die), small_features(), scratch, trace);
    double errors = 0.0;
    double errors_as_drawn = 0.0;
    double squares = 0.0;
    model::Trace drawn;
    engine().run(engine().nominal(), small_features(), scratch, drawn);
    for (std::size_t i = 0; i < trace.candidates.size(); ++i) {
      EXPECT_EQ(trace.states[i] > 0.2F, circuit.trace.states[i] > 0.2F) << i;
      errors += std::pow(trace.candidates[i] - circuit.trace.candidates[i], 2);
      errors_as_drawn += std::pow(drawn.candidates[i] - circuit.trace.candidates[i], 2);
      squares += std::pow(circuit.trace.candidates[i], 2);
    }
    EXPECT_LT(std::sqrt(errors / squares), 0.02) << seed;
    EXPECT_LT(errors, 0.25 * errors_as_drawn) << "the die's own shifts explain what it does";
  }
}

}  // namespace
}  // namespace hysteron::behavioural
