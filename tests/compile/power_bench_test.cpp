#include "compile/power_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "compile/renamed_circuit.h"
#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

/// A small network's circuit, and what its bench with ammeters and the one without measured.
struct Measured {
  CompiledNetwork network = build_network(small_network(), shop().technology, shop().curves, {});
  std::vector<float> features = small_features();
  PowerBench bench{network, features};
  PowerProfile profile = bench.read(shop().engine.run(bench.bench()));
};

const Measured& measured() {
  static const Measured instance;
  return instance;
}

double watts(const std::string& block, PowerPart part) {
  for (const BlockPower& power : measured().profile.blocks) {
    if (power.block == block && power.part == part) return power.mean;
  }
  ADD_FAILURE() << block << " " << power_part_name(part) << ": no such ammeter";
  return 0.0;
}

TEST(PowerBench, BlocksSumToWhatTheSupplyDeliversWithoutAmmeters) {
  const Measured& m = measured();
  const sim::Testbench plain = make_clip_bench(m.network, m.features);
  const Power expected = read_clip(m.network, plain, shop().engine.run(plain)).power;
  const Power& power = m.profile.circuit.power;
  EXPECT_NEAR(power.cells / expected.cells, 1.0, 2e-3);
  EXPECT_NEAR(power.feedforward / expected.feedforward, 1.0, 2e-3);
  double sum = 0.0;
  for (const BlockPower& block : m.profile.blocks) sum += block.mean;
  EXPECT_NEAR(sum, power.total, 1e-6 * power.total);
  EXPECT_LT(watts("wells", PowerPart::kWells), 1e-3 * power.total);
}

TEST(PowerBench, AnAmmeterReadsItsOwnBlockAlone) {
  const double unit = 1.8e-9;  // watt of one unit current
  // Biases push where they are positive, whatever the clip.
  EXPECT_NEAR(watts("input", PowerPart::kBiases), 0.2 * unit, 0.02 * unit);
  EXPECT_NEAR(watts("layer0", PowerPart::kBiases), 0.25 * unit, 0.02 * unit);
  EXPECT_NEAR(watts("readout", PowerPart::kBiases), 0.3 * unit, 0.02 * unit);
  const BlockPower& reference = measured().profile.blocks.front();
  ASSERT_EQ(reference.part, PowerPart::kReference);
  EXPECT_NEAR(reference.over_time[6], 1.5 * unit, 0.02 * unit);
  EXPECT_GT(reference.over_time[0], 2.0 * unit) << "a cell that starts on: the preset line's inverter switches slowly";
  double inputs = 0.0;
  for (const float value : measured().features) inputs += std::abs(value) / 12.0;
  EXPECT_NEAR(watts("inputs", PowerPart::kInputs), inputs * unit, 0.02 * inputs * unit);
}

TEST(PowerBench, FramesMakeUpTheMean) {
  for (const BlockPower& block : measured().profile.blocks) {
    ASSERT_EQ(block.over_time.size(), 12u);
    const double mean = std::accumulate(block.over_time.begin(), block.over_time.end(), 0.0) / 12.0;
    EXPECT_NEAR(mean, block.mean, 1e-6 * measured().profile.circuit.power.total) << block.block;
  }
  // Frame 0 has inputs of zero, frame 5 has one of 1.
  const auto& blocks = measured().profile.blocks;
  const auto inputs =
      std::ranges::find_if(blocks, [](const BlockPower& block) { return block.part == PowerPart::kInputs; });
  EXPECT_NEAR(inputs->over_time[0], 0.0, 1e-12);
  EXPECT_NEAR(inputs->over_time[5], 1.8e-9, 0.05e-9);
}

TEST(PowerBench, LeavesTheCircuitItself) {
  const Measured& m = measured();
  std::set<circuit::NetId> supplies;
  for (const circuit::Transistor& device : m.network.circuit.transistors()) supplies.insert(device.source);
  EXPECT_TRUE(supplies.contains(circuit::Circuit::kSupply)) << "the ammeters are the bench's";
  EXPECT_EQ(m.bench.bench().circuit->transistors().size(), m.network.circuit.transistors().size());
}

TEST(PowerBench, KnowsPartsByWhatDevicesAreNotByTheirNames) {
  const Measured& m = measured();
  CompiledNetwork other = m.network;
  other.circuit = renamed(other.circuit);
  const PowerBench bench(other, m.features);
  const circuit::Circuit& expected = *m.bench.bench().circuit;
  const circuit::Circuit& found = *bench.bench().circuit;
  std::set<std::string> ammeters;
  for (circuit::DeviceId id = 0; id < expected.transistors().size(); ++id) {
    const circuit::NetId source = expected.transistor(id).source;
    ASSERT_EQ(found.transistor(id).source, source) << expected.full_name(id);
    if (!expected.net_name(source).starts_with("supply_")) continue;
    EXPECT_EQ(found.net_name(source), expected.net_name(source)) << expected.full_name(id);
    ammeters.insert(expected.net_name(source));
  }
  for (const char* name :
       {"supply_bias_reference", "supply_inputs_input_rails", "supply_input_legs", "supply_layer0_candidate_legs",
        "supply_layer0_output_legs", "supply_layer0_skip_legs", "supply_layer0_cells", "supply_readout_legs"}) {
    EXPECT_TRUE(ammeters.contains(name)) << name;
  }
}

}  // namespace
}  // namespace hysteron::compile
