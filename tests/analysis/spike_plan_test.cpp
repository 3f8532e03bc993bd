#include "analysis/spike_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

namespace hysteron::analysis {
namespace {

using model::GateKind;

using Word = std::vector<std::pair<std::size_t, bool>>;

/// The words that `plan` plays from each combination of inputs, and whether its outputs are those of software.
std::map<std::vector<bool>, std::set<Word>> played(const model::GateNetwork& network, const SpikePlan& plan) {
  std::map<std::vector<bool>, std::set<Word>> words;
  model::GateState state(network);
  for (const SpikeWord& word : plan) {
    std::vector<bool> from;
    for (std::size_t i = 0; i < network.inputs.size(); ++i) from.push_back(state.input(i));
    Word spikes;
    for (std::size_t k = 0; k < word.spikes.size(); ++k) {
      state.spike(word.spikes[k].input, word.spikes[k].positive);
      spikes.emplace_back(word.spikes[k].input, word.spikes[k].positive);
      EXPECT_EQ(word.outputs[k], state.outputs());
    }
    words[from].insert(spikes);
  }
  return words;
}

TEST(SpikePlan, PlaysEveryOrderOfEveryChangeFromEveryCombination) {
  // Changes of k of n inputs in every order, and a spike that repeats on each.
  const std::map<GateKind, std::size_t> expected = {
      {GateKind::kNot, 1 + 1}, {GateKind::kXor, 2 + 2 + 2}, {GateKind::kFullAdder, 3 + 6 + 6 + 3}};
  for (const auto& [kind, count] : expected) {
    const model::GateNetwork network = model::single_gate(kind);
    const auto words = played(network, make_spike_plan(network, PlanDepth::kOrders));
    EXPECT_EQ(words.size(), std::size_t{1} << network.inputs.size()) << network.name;
    for (const auto& [from, some] : words) EXPECT_EQ(some.size(), count) << network.name;
  }
}

TEST(SpikePlan, NeighboursAreSingleSpikes) {
  const model::GateNetwork network = model::single_gate(GateKind::kFullAdder);
  const SpikePlan plan = make_spike_plan(network, PlanDepth::kNeighbours);
  for (const SpikeWord& word : plan) EXPECT_EQ(word.spikes.size(), 1u);
  const auto words = played(network, plan);
  EXPECT_EQ(words.size(), 8u);
  for (const auto& [from, some] : words) EXPECT_EQ(some.size(), 6u);
}

TEST(SpikePlan, MeetsALatchInBothStates) {
  const model::GateNetwork network = model::single_gate(GateKind::kLatch);
  std::set<std::vector<bool>> states;
  model::GateState state(network);
  for (const SpikeWord& word : make_spike_plan(network, PlanDepth::kOrders)) {
    for (const Spike& spike : word.spikes) {
      state.spike(spike.input, spike.positive);
      states.insert(state.key());
    }
  }
  EXPECT_EQ(states.size(), 6u) << "set alone and reset alone know their output, equal ones do not";
}

}  // namespace
}  // namespace hysteron::analysis
