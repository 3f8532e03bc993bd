#include "behavioural/trimming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "compile/calibration.h"
#include "compile/leg_mismatch.h"
#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::behavioural {
namespace {

using compile::shop;

constexpr std::size_t kFrames = 12;

/// The small network with a cell whose beta_lo lies right below where its candidate rests.
struct Rig {
  model::Network network = small_network();
  compile::CompiledNetwork compiled;
  DeviceStatistics statistics;
  data::Features features{1, kFrames, 2, small_features()};
  std::optional<DieEngine> engine;

  Rig() {
    network.layers[0].beta_lo(0) = lowest_held() - 0.004F;
    SilentReporter reporter;
    compiled = compile::build_network(network, shop().technology, shop().curves, {});
    compile::calibrate_network(compiled, shop().technology, shop().curves, shop().engine, 1, reporter);
    const technology::Technology mismatched = compile::with_mismatch(shop().technology);
    const spice::SpiceEngine mismatch_engine(shop().ngspice, mismatched);
    statistics = measure_device_statistics(shop().technology, shop().curves, shop().engine, mismatch_engine, {});
    engine.emplace(compiled, statistics, features.values);
  }

  /// The lowest candidate that cell 0 stays on at.
  float lowest_held() const {
    const model::Trace trace = model::run_clip(network, features.values);
    float lowest = network.layers[0].beta_hi(0);
    for (std::size_t t = 0; t < kFrames; ++t) {
      if (trace.state(0, t, 0) > 0.0F) lowest = std::min(lowest, trace.candidate(0, t, 0));
    }
    return lowest;
  }

  /// Wrong bits of the cells on `die`.
  std::size_t wrong_bits(const Die& die) const {
    DieEngine::Scratch scratch;
    model::Trace trace;
    engine->run(engine->on_die(die), features.values, scratch, trace);
    const model::Trace expected = model::run_clip(network, features.values);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < trace.states.size(); ++i) {
      wrong += (trace.states[i] > 0.1F) == (expected.states[i] > 0.1F) ? 0 : 1;
    }
    return wrong;
  }
};

const Rig& rig() {
  static const Rig instance;
  return instance;
}

std::vector<TrimLeg> legs_of(const Trimmer& trimmer, std::size_t count) {
  ThreadPool pool(2);
  return trimmer.choose_legs(count, rig().statistics, 1000, pool);
}

TEST(Trimming, ChoosesTheLegOfTheThresholdThatDiesMiss) {
  const Trimmer trimmer(*rig().engine, rig().network, rig().features, {});
  const std::vector<TrimLeg> legs = legs_of(trimmer, 1);
  ASSERT_EQ(legs.size(), 1u);
  EXPECT_EQ(legs[0].cell, 0u);
  EXPECT_TRUE(legs[0].is_width) << "delta sets beta_lo";
  EXPECT_EQ(legs[0].device, rig().compiled.cells[0][0].m[7]);
  EXPECT_GT(legs[0].wrong_bits, 0.01);
  for (const TrimLeg& leg : legs_of(trimmer, 100)) EXPECT_GT(leg.wrong_bits, 0.0);
  EXPECT_TRUE(legs_of(trimmer, 0).empty());
}

TEST(Trimming, TakesWrongBitsFromDiesWithinItsRange) {
  const Trimmer trimmer(*rig().engine, rig().network, rig().features, {});
  const std::vector<TrimLeg> legs = legs_of(trimmer, 1);
  std::size_t before = 0;
  std::size_t after = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    Die die = draw_die(rig().compiled.circuit, rig().statistics, seed);
    before += rig().wrong_bits(die);
    const Die drawn = die;
    const std::vector<int> codes = trimmer.trim(legs, die);
    ASSERT_EQ(codes.size(), 1u);
    const circuit::DeviceId m8 = legs[0].device;
    EXPECT_NEAR(die[m8].mobility, drawn[m8].mobility * (1.0 + 0.01 * codes[0]), 1e-12);
    EXPECT_EQ(die[m8].threshold, drawn[m8].threshold);
    after += rig().wrong_bits(die);
  }
  EXPECT_GT(before, 20u);
  EXPECT_LT(after, before / 4);
}

TEST(Trimming, ADieThatIsRightStaysInTheMiddleOfWhatIsRight) {
  const Trimmer trimmer(*rig().engine, rig().network, rig().features, {4, 0.05});
  const std::vector<TrimLeg> legs = {{0, 1, false, rig().compiled.cells[0][1].m[1], 0.0}};
  Die die(rig().compiled.circuit.transistors().size());
  const int code = trimmer.trim(legs, die)[0];
  EXPECT_LT(std::abs(code), 6) << "not at an end of the range";
  EXPECT_EQ(rig().wrong_bits(die), rig().wrong_bits(Die(die.size())));
}

}  // namespace
}  // namespace hysteron::behavioural
