#include <gtest/gtest.h>

#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "compile/clip_bench.h"
#include "compile/small_network.h"
#include "design/context.h"
#include "design/netlist.h"
#include "studies/run.h"
#include "studies/verification.h"

namespace hysteron::studies {
namespace {

using namespace design;

namespace fs = std::filesystem;

const fs::path kPdkRoot = fs::path(HYSTERON_SOURCE_DIR) / "../shared/pdk";

data::Features small_clip() { return {1, 12, 2, small_features()}; }

class CircuitFlow : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    options_.technology = GetParam();
    options_.pdk_root = kPdkRoot;
    if (options_.technology == "gf180mcu" && !fs::exists(kPdkRoot)) GTEST_SKIP() << "../shared/pdk is not here";
  }

  CircuitOptions options_;
  SilentReporter reporter_;
  StopFlag stop_;
};

TEST_P(CircuitFlow, CircuitDoesWhatTheSoftwareDoes) {
  const model::Network network = small_network();
  const DesignContext context(options_, reporter_, stop_);
  const Verification result = verify(build_design(context, {network, small_clip(), {0}}, reporter_), {}, reporter_);
  EXPECT_EQ(result.failed, 0u);
  EXPECT_EQ(result.agreement.frame_agreement, 1.0);
  EXPECT_EQ(result.agreement.state_mismatch, 0.0);
  EXPECT_LT(result.agreement.candidate_relative_rms, 0.03);
  EXPECT_GT(result.agreement.power.total, 1e-9);
  EXPECT_NEAR(result.agreement.power.total, result.agreement.power.cells + result.agreement.power.feedforward, 1e-15);
}

TEST_P(CircuitFlow, BothPolaritiesMakeTheLeastWeightOfTheDescription) {
  const DesignContext context(options_, reporter_, stop_);
  const technology::Technology& technology = context.technology();
  for (const auto polarity : {circuit::Polarity::kN, circuit::Polarity::kP}) {
    const compile::LegSize leg = compile::size_leg(context.curves(), technology, polarity, technology.min_weight, 0.9,
                                                   compile::DriftLimit::moving(technology));
    EXPECT_NEAR(leg.gain, technology.min_weight, 0.02 * technology.min_weight);
  }
  const double nothing = 0.01 * technology.min_weight;
  const double least = compile::size_leg(context.curves(), technology, circuit::Polarity::kN, nothing, 0.9,
                                         compile::DriftLimit::moving(technology))
                           .gain;
  EXPECT_NEAR(least, technology.min_weight, 0.03 * technology.min_weight) << "no smaller than it has to be";
}

TEST_P(CircuitFlow, ACellOfAHighRiseAndALowFallIsCalibrated) {
  model::Network software = small_network();
  software.layers[0].beta_hi.setConstant(3.5628F);
  software.layers[0].beta_lo.setConstant(0.07405F);
  options_.calibration = CalibrationLevel::kCells;
  const DesignContext context(options_, reporter_, stop_);
  const compile::CompiledNetwork network = build_design(context, {software}, reporter_).compiled;
  for (const compile::CompiledCell& cell : network.cells[0]) {
    EXPECT_LT(std::abs(cell.errors.rise), 0.005);
    EXPECT_LT(std::abs(cell.errors.fall), 0.005) << "0.4 pA of 3.5 nA";
  }
}

/// A clip's bench that starts from node voltages drawn at random instead of an operating point.
sim::Testbench power_up_bench(const compile::CompiledNetwork& network, std::span<const float> features,
                              std::uint64_t seed) {
  sim::Testbench bench = compile::make_clip_bench(network, features);
  Random random(seed);
  for (circuit::NetId net = circuit::Circuit::kCellSupply + 1; net < network.circuit.net_count(); ++net) {
    bench.initial_voltages[net] = random.uniform(0.0, network.supply);
  }
  bench.starts_from_initial_voltages = true;
  return bench;
}

compile::CircuitTrace play_from_anywhere(const DesignContext& context, const compile::CompiledNetwork& network,
                                         std::span<const float> features, std::uint64_t seed) {
  const sim::Testbench bench = power_up_bench(network, features, seed);
  return compile::read_clip(network, bench, context.engine().run(bench));
}

/// In the slow corner at nine tenths of the supply, where rails take longer than the pulse of a clip's bench: `reset`
/// is held for half of the first frame.
compile::CircuitTrace play_in_the_slow_corner(const DesignContext& context, const compile::CompiledNetwork& network,
                                              std::span<const float> features, std::uint64_t seed) {
  sim::Testbench bench = power_up_bench(network, features, seed);
  bench.corner = "ss";
  bench.supply *= 0.9;
  for (sim::VoltageSource& source : bench.voltage_sources) {
    if (source.net != network.reset) continue;
    const double released = 0.5 * network.frame_seconds;
    source.voltage = {{0.0, bench.supply}, {released, bench.supply}, {released + 1e-6, 0.0}};
  }
  return compile::read_clip(network, bench, context.engine().run(bench));
}

TEST_P(CircuitFlow, ResetBringsCellsToTheirInitialStateFromAnyNodeVoltages) {
  model::Network software = small_network();
  software.layers.push_back(software.layers.front());
  const DesignContext context(options_, reporter_, stop_);
  const compile::CompiledNetwork network = build_design(context, {software}, reporter_).compiled;
  ASSERT_EQ(network.circuit.capacitors().size(), 4u) << "with what is shipped";
  const std::vector<float> features = small_features();
  const model::Trace expected = model::run_clip(software, features);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const compile::CircuitTrace trace = play_from_anywhere(context, network, features, seed);
    for (std::size_t t = 0; t < expected.frames; ++t) {
      for (std::size_t cell = 0; cell < 4; ++cell) {
        // A cell that resets slowly may still put out a few percent at the end of a frame; on is 0.5 or 0.8.
        EXPECT_NEAR(trace.trace.state(cell / 2, t, cell % 2), expected.state(cell / 2, t, cell % 2), 0.1)
            << "seed " << seed << " layer " << cell / 2 << " frame " << t;
      }
    }
  }
}

TEST_P(CircuitFlow, CellsThatStartOnAreOnFromAnyNodeVoltages) {
  model::Network software = small_network();
  software.layers.push_back(software.layers.front());
  software.layers[0].candidate.bias[1] = 0.4F;
  software.layers[1].candidate.bias[1] = 0.05F;
  const std::vector<float> silence(3 * 2, 0.0F);
  const model::Trace expected = model::run_clip(software, silence);
  for (std::size_t l = 0; l < 2; ++l) {
    for (std::size_t j = 0; j < 2; ++j) {
      const model::Layer& layer = software.layers[l];
      const auto cell = static_cast<Eigen::Index>(j);
      ASSERT_GT(expected.candidate(l, 0, j), layer.beta_lo[cell] + 0.03F) << "nothing but reset says what a cell holds";
      ASSERT_LT(expected.candidate(l, 0, j), layer.beta_hi[cell] - 0.03F);
    }
    ASSERT_EQ(expected.state(l, 2, 1), 0.5F);
  }
  const DesignContext context(options_, reporter_, stop_);
  const compile::CompiledNetwork network = build_design(context, {software}, reporter_).compiled;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const compile::CircuitTrace trace = play_from_anywhere(context, network, silence, seed);
    for (std::size_t i = 0; i < 3 * 4; ++i) {
      const std::size_t t = i / 4;
      EXPECT_NEAR(trace.trace.state(i % 4 / 2, t, i % 2), expected.state(i % 4 / 2, t, i % 2), 0.02)
          << "seed " << seed << " layer " << i % 4 / 2 << " frame " << t;
    }
  }
  const compile::CircuitTrace slow = play_in_the_slow_corner(context, network, silence, 3);
  for (std::size_t i = 0; i < 3 * 4; ++i) {
    const std::size_t t = i / 4;
    EXPECT_NEAR(slow.trace.state(i % 4 / 2, t, i % 2), expected.state(i % 4 / 2, t, i % 2), 0.02)
        << "slow corner, layer " << i % 4 / 2 << " frame " << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Technologies, CircuitFlow, testing::Values("generic180", "gf180mcu"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(CircuitFiles, NameEveryParameterAndCountEveryTransistor) {
  SilentReporter reporter;
  StopFlag stop;
  const DesignContext context({}, reporter, stop);
  const Design dut = build_design(context, {small_network()}, reporter);
  const TemporaryDirectory folder("circuit");
  write_circuit(dut, folder.path() / "a b'c");
  const CircuitSummary summary = summarise(dut);
  const std::string flat = read_file(folder.path() / "a b'c" / "network_flat.spice");
  std::size_t devices = 0;
  std::istringstream lines(flat);
  for (std::string line; std::getline(lines, line);) devices += line.starts_with("x") ? 1 : 0;
  EXPECT_EQ(summary.transistors, devices);
  EXPECT_EQ(summary.cells, 2u);
  const std::string mapping = read_file(folder.path() / "a b'c" / "mapping.csv");
  for (const char* name : {"input.weight[0,1]", "layers.0.beta_hi[0]", "layers.0.delta[1]", "layers.0.alpha[1]",
                           "layers.0.output.bias[0]", "readout.bias[0]"}) {
    EXPECT_NE(mapping.find(name), std::string::npos) << name;
  }
  EXPECT_TRUE(fs::exists(folder.path() / "a b'c" / "network.spice"));
}

TEST(CheckClips, NamesTheClipThatIsNotThere) {
  const model::Network network = small_network();
  EXPECT_EQ(check_clips(network, small_clip(), {}, "x.npy"), std::vector<std::size_t>{0});
  EXPECT_THROW(check_clips(network, small_clip(), {1}, "x.npy"), Error);
  data::Features wide = small_clip();
  wide.width = 3;
  wide.frames = 8;
  EXPECT_THROW(check_clips(network, wide, {}, "x.npy"), Error);
}

TEST(Simulation, OneFailingClipDoesNotLoseTheOthers) {
  SilentReporter reporter;
  StopFlag stop;
  const DesignContext context({}, reporter, stop);
  const model::Network network = small_network();
  data::Features clips{2, 12, 2, small_features()};
  const std::vector<float> again = small_features();
  clips.values.insert(clips.values.end(), again.begin(), again.end());
  clips.values[24 + 5] = 1e30F;  // no circuit carries this
  const Verification result = verify(build_design(context, {network, clips, {0, 1}}, reporter), {}, reporter);
  EXPECT_EQ(result.failed, 1u);
  EXPECT_EQ(result.agreement.clips, 1u);
  EXPECT_EQ(result.agreement.frame_agreement, 1.0);
}

}  // namespace
}  // namespace hysteron::studies
