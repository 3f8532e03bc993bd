#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "compile/calibration.h"
#include "compile/clip_bench.h"
#include "compile/compiled_network.h"
#include "compile/hazard_mitigations.h"
#include "compile/network_builder.h"
#include "compile/shop.h"
#include "compile/small_network.h"
#include "spice/spice_engine.h"

namespace hysteron::compile {
namespace {

CellSetup cell_setup() { return {shop().technology, shop().curves, {}, shop().engine, 1}; }

TEST(BuildNetwork, MapsEveryParameterOfTheModel) {
  const CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  std::map<std::string, int> instances;
  for (const CompiledLeg& leg : compiled.legs) {
    if (leg.parameter) ++instances[model::parameter_name(*leg.parameter)];
  }
  EXPECT_EQ(instances["input.weight[1,0]"], 2);  // one leg for each sign of the input
  EXPECT_EQ(instances["input.bias[0]"], 1);
  EXPECT_EQ(instances["layers.0.candidate.weight[0,1]"], 1);  // a unipolar source takes one transistor
  EXPECT_EQ(instances["layers.0.beta_hi[1]"], 1);
  EXPECT_EQ(instances["layers.0.delta[0]"], 1);
  EXPECT_EQ(instances["layers.0.alpha[0]"], 1);
  EXPECT_EQ(instances["layers.0.output.weight[1,1]"], 1);
  EXPECT_EQ(instances["readout.weight[0,0]"], 2);
  EXPECT_EQ(instances["readout.bias[1]"], 1);
  EXPECT_EQ(instances.size(), 4u + 2u + 4u + 2u + 6u + 4u + 2u + 4u + 2u);
}

TEST(BuildNetwork, PositiveWeightsArePLegsOnPRails) {
  const CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  std::map<bool, std::size_t> compared;  // positive or not
  for (const CompiledLeg& leg : compiled.legs) {
    const circuit::Transistor& device = compiled.circuit.transistor(leg.device);
    if (device.role != circuit::Role::kLeg && device.role != circuit::Role::kBiasLeg) continue;
    EXPECT_EQ(device.polarity == circuit::Polarity::kP, leg.value > 0.0) << device.name;
    ++compared[leg.value > 0.0];
  }
  EXPECT_GE(compared[true], 10u);
  EXPECT_GE(compared[false], 3u);
}

TEST(BuildNetwork, SizingErrorIsWhatTheGridCosts) {
  const CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  for (const CompiledLeg& leg : compiled.legs) {
    EXPECT_LT(std::abs(leg.sizing_error), 0.01) << compiled.circuit.full_name(leg.device);
  }
}

TEST(CellLeg, LengthTakesUpWhatTheGridOfWidthsLeaves) {
  const technology::Technology& technology = shop().technology;
  const GainCurves& curves = shop().curves;
  for (const CellLeg which : kCellLegs) {
    for (const double gain : {0.113, 0.1717, 0.31, 0.77}) {
      const LegSize size = cell_leg_size(curves, technology, technology.supply, which, gain);
      const auto at = curves.find_length(size.geometry.length);
      ASSERT_TRUE(at.has_value());
      const double drawn = curves.lengths[*at];
      EXPECT_LE(std::abs(size.geometry.length / drawn - 1.0), kMaxTrim + 1e-9);
      EXPECT_NEAR(std::remainder(size.geometry.length, technology.size_grid), 0.0, 1e-12);
      EXPECT_NEAR(size.gain, gain, 6e-4 * gain)
          << static_cast<int>(which) << " " << gain;  // half a step of 5 um, and a little
      const double voltage = cell_leg_voltage(curves, technology.supply, which);
      const double by_width = curves.gain(circuit::Polarity::kN, *at, size.geometry.width, voltage);
      EXPECT_LE(std::abs(size.gain - gain), std::abs(by_width - gain) + 1e-9 * gain);
    }
  }
}

TEST(BuildNetwork, LeavesOutZerosAndNamesWhatItDrops) {
  model::Network network = small_network();
  network.input.weight(0, 0) = 0.0F;
  network.input.weight(0, 1) = 1e-5F;
  const CompiledNetwork compiled = build_network(network, shop().technology, shop().curves, {});
  EXPECT_EQ(compiled.dropped_parameters(), 1u) << "one parameter, though a signed input has two legs";
  std::size_t rows = 0;
  for (const CompiledLeg& leg : compiled.legs) {
    const std::string name = leg.parameter ? model::parameter_name(*leg.parameter) : "skip path";
    const bool left_out = name == "input.weight[0,0]" || name == "input.weight[0,1]";
    rows += left_out ? 1 : 0;
    EXPECT_EQ(leg.dropped, left_out) << name;
  }
  EXPECT_EQ(rows, 4u) << "every parameter is there, also those without a transistor";
}

TEST(BuildNetwork, BuildsNoRailThatNothingReads) {
  model::Network network = small_network();
  const std::size_t all = build_network(network, shop().technology, shop().curves, {}).circuit.transistors().size();
  network.readout.weight.setZero();
  const std::size_t without = build_network(network, shop().technology, shop().curves, {}).circuit.transistors().size();
  // Eight legs, and the rails of the last values that only they read.
  EXPECT_LE(without + 8 + 8, all);
}

TEST(Calibration, BringsThresholdsAndLevelWithinHalfAPercent) {
  SilentReporter reporter;
  const std::vector<CellTarget> targets = {{0.5e-9, 0.2e-9, 1e-9},
                                           {1e-9, 0.9e-9, 0.1e-9},
                                           {0.1e-9, 0.04e-9, 0.3e-9},
                                           {2.37e-9, 0.05e-9, 0.64e-9},
                                           {1.06e-9, 0.05e-9, 0.51e-9}};
  const auto cells = calibrate_cells(targets, cell_setup(), reporter);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_LT(cells[i].worst_error, 0.005) << i;
    EXPECT_NEAR(cells[i].loop.rise, targets[i].rise, 0.005 * targets[i].rise);
    EXPECT_NEAR(cells[i].loop.fall, targets[i].fall, 0.005 * targets[i].rise);
    EXPECT_LT(cells[i].loop.low, 1e-4 * 1e-9 * 10);
  }
}

TEST(Calibration, AnOutputThatNoLegMakesLeavesTheThresholdsRight) {
  SilentReporter reporter;
  const double least =
      cell_leg_size(shop().curves, shop().technology, shop().technology.supply, CellLeg::kGain, 1e-12).gain;
  const CellTarget target = {1.06e-9, 0.05e-9, 0.6 * least * 1e-9};
  const CalibratedCell cell = calibrate_cells({target}, cell_setup(), reporter)[0];
  EXPECT_GT(cell.worst_error, 0.05) << "of the output";
  EXPECT_NEAR(cell.loop.rise, target.rise, kCellTolerance * target.rise);
  EXPECT_NEAR(cell.loop.fall, target.fall, kCellTolerance * target.fall);
}

TEST(Calibration, ALowerThresholdOfZeroIsNeverSeen) {
  SilentReporter reporter;
  model::Network software = small_network();
  software.layers[0].beta_lo.setZero();
  CompiledNetwork network = build_network(software, shop().technology, shop().curves, {});
  calibrate_network(network, shop().technology, shop().curves, shop().engine, 1, reporter);
  for (const CompiledCell& cell : network.cells[0]) {
    EXPECT_EQ(cell.errors.fall, 0.0);
    for (const CellLeg leg : kCellLegs) EXPECT_TRUE(std::isfinite(network.legs[cell.legs[leg]].sizing_error));
  }
}

TEST(Calibration, IsNeededForALowerThresholdIsTheDifferenceOfTwoLargerCurrents) {
  const CellTarget target = {0.5e-9, 0.2e-9, 1e-9};
  const auto loops = measure_cells({draw_cell(nominal_gains(target, {}), shop().technology, shop().curves, {})},
                                   {{0.4e-9, 0.6e-9, 0.3e-9, 0.1e-9}}, cell_setup());
  EXPECT_GT(std::abs(loops[0].fall - target.fall), 0.01 * target.fall);
}

TEST(Calibration, FindsThresholdsFarFromWhereCurvesExpectThem) {
  SilentReporter reporter;
  GainCurves wrong = shop().curves;
  for (double& gain : wrong.gains) gain *= 1.2;  // legs come out a sixth too small
  const auto cells =
      calibrate_cells({{0.5e-9, 0.2e-9, 1e-9}}, {shop().technology, wrong, {}, shop().engine, 1}, reporter);
  EXPECT_LT(cells[0].worst_error, 0.005);
}

TEST(Calibration, ItsRampsAreSlowEnoughForTheLowerThreshold) {
  SilentReporter reporter;
  for (const CellTarget& target : {CellTarget{0.3e-9, 0.05e-9, 0.3e-9}, CellTarget{0.6e-9, 0.05e-9, 0.3e-9}}) {
    const CellSizes sizes = calibrate_cells({target}, cell_setup(), reporter)[0].sizes;
    const auto fall_on_ramp = [&](double half) {
      const RampWindow window{target.rise - half, target.rise + half, target.fall + half, target.fall - half};
      return measure_cells({sizes}, {window}, cell_setup())[0].fall;
    };
    // A threshold is met late by the square root of the ramp's rate: twice as late at four times the rate.
    const double standing = 2.0 * fall_on_ramp(1e-12) - fall_on_ramp(4e-12);
    EXPECT_NEAR(standing, target.fall, kCellTolerance * target.fall) << "rise " << target.rise;
  }
}

TEST(ClipBench, InputsRampToEveryFrameAndSplitBySign) {
  const CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  const std::vector<float> features = {1.0F, 0.0F, -2.0F, 0.0F};
  const sim::Testbench bench = make_clip_bench(compiled, features);
  EXPECT_DOUBLE_EQ(bench.stop_time, 0.02);
  const auto& positive = bench.current_sources[1].current;
  const auto& negative = bench.current_sources[2].current;
  EXPECT_DOUBLE_EQ(positive.front().value, 1e-9);
  EXPECT_DOUBLE_EQ(positive.back().value, 0.0);
  EXPECT_DOUBLE_EQ(positive.back().time, 0.01 + kDefaultInputRamp);
  EXPECT_DOUBLE_EQ(negative.back().value, 2e-9);
  EXPECT_EQ(bench.voltage_sources.back().net, compiled.reset);
  EXPECT_EQ(bench.voltage_sources.back().voltage.front().value, compiled.supply);
  EXPECT_EQ(bench.voltage_sources.back().voltage.back().value, 0.0);
}

TEST(HazardMitigations, SlowInputsRaiseThemAndLoadEveryCell) {
  CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  const std::size_t transistors = compiled.circuit.transistors().size();
  apply_mitigations(compiled, {1e-3, 0.1, 5e-14});
  const std::vector<float> features = {1.0F, 0.0F, -2.0F, 0.0F};
  const sim::Testbench bench = make_clip_bench(compiled, features);
  const auto& positive = bench.current_sources[1].current;
  const auto& negative = bench.current_sources[2].current;
  EXPECT_NEAR(positive.front().value, 1.1e-9, 1e-15);
  EXPECT_NEAR(positive.back().value, 0.1e-9, 1e-15);
  EXPECT_DOUBLE_EQ(positive.back().time, 0.011);
  EXPECT_NEAR(negative.back().value, 2.1e-9, 1e-15);
  ASSERT_EQ(compiled.circuit.capacitors().size(), 2u);
  EXPECT_EQ(compiled.circuit.capacitors()[1].net, compiled.cells[0][1].v0);
  EXPECT_EQ(compiled.circuit.capacitors()[1].block, "layer0/cell1");
  EXPECT_EQ(compiled.circuit.transistors().size(), transistors);
}

TEST(HazardMitigations, TheCapacitorFollowsTheUnitCurrentUnlessOneIsAskedFor) {
  const auto capacitance = [](double unit_current, const HazardMitigations& mitigations) {
    CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {unit_current});
    apply_mitigations(compiled, mitigations);
    return compiled.circuit.capacitors().empty() ? 0.0 : compiled.circuit.capacitors().front().capacitance;
  };
  EXPECT_DOUBLE_EQ(capacitance(1e-9, {}), 80e-15);
  EXPECT_DOUBLE_EQ(capacitance(0.3e-9, {}), 24e-15);
  HazardMitigations asked;
  asked.cell_capacitance = 50e-15;
  EXPECT_DOUBLE_EQ(capacitance(0.3e-9, asked), 50e-15);
  asked.cell_capacitance = 0.0;
  EXPECT_DOUBLE_EQ(capacitance(0.3e-9, asked), 0.0);
}

TEST(HazardMitigations, ARampTakesAtMostAFrameAndEndsWhereTheNextBegins) {
  CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  apply_mitigations(compiled, {1.0, 0.0, 0.0});
  const std::vector<float> features = {1.0F, 0.0F, -2.0F, 0.0F, 3.0F, 0.0F, 4.0F, 0.0F};
  const sim::PiecewiseLinear current = make_clip_bench(compiled, features).current_sources[1].current;
  EXPECT_DOUBLE_EQ(current.back().time, 0.04);
  for (std::size_t i = 1; i < current.size(); ++i) EXPECT_GT(current[i].time - current[i - 1].time, 1e-3);
}

TEST(ClipProbes, FollowTheBench) {
  const CompiledNetwork compiled = build_network(small_network(), shop().technology, shop().curves, {});
  const std::vector<float> features = {1.0F, 0.0F};
  const sim::Testbench bench = make_clip_bench(compiled, features);
  const ClipProbes probes(compiled);
  EXPECT_EQ(bench.probes[probes.candidate(0, 1)].index, compiled.cells[0][1].candidate_diode);
  EXPECT_EQ(bench.probes[probes.state(0, 1)].index, compiled.cells[0][1].m[3]);
  EXPECT_EQ(bench.probes[probes.logit(1)].kind, sim::Probe::Kind::kSourceCurrent);
  EXPECT_EQ(bench.probes[probes.cell_supply()].index, circuit::Circuit::kCellSupply);
  EXPECT_EQ(bench.probes[probes.v0(0, 1)].index, compiled.cells[0][1].v0);
}

}  // namespace
}  // namespace hysteron::compile
