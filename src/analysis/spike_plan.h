#pragma once

#include <cstddef>
#include <vector>

#include "model/gate_network.h"

// Which spikes prove a circuit of gates (docs/gates.md).

namespace hysteron::analysis {

struct Spike {
  std::size_t input = 0;
  bool positive = false;

  bool operator==(const Spike&) const = default;
};

/// Spikes on different inputs, one after another, and the outputs after each.
struct SpikeWord {
  std::vector<Spike> spikes;
  std::vector<std::vector<bool>> outputs;  ///< [spikes][outputs]
};

/// Words that follow one another from the first state on, all inputs low.
using SpikePlan = std::vector<SpikeWord>;

/// How much of the state graph a plan walks.
enum class PlanDepth {
  kNeighbours,  ///< single spikes alone
  kOrders       ///< words that change several inputs, in every order
};

/// The most inputs that one word of a circuit with `inputs` changes: all of up to three, two of four and five, else
/// one.
std::size_t longest_word(std::size_t inputs);

/// A walk in which from every state (levels of the inputs, bits of the latches) that can be reached every word is
/// played at least once: a spike that repeats the last polarity on its input, one that changes it, and with kOrders
/// every set of up to longest_word changes in every order.
SpikePlan make_spike_plan(const model::GateNetwork& network, PlanDepth depth);

/// For every state that can be reached, the first one among them, the shortest plan of single spikes that leads there.
std::vector<SpikePlan> plans_to_states(const model::GateNetwork& network);

std::size_t spike_count(const SpikePlan& plan);

}  // namespace hysteron::analysis
