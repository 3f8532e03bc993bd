#include "analysis/spike_plan.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace hysteron::analysis {
namespace {

using model::GateNetwork;
using model::GateState;

/// Words from one state: every order of every set of up to `longest` inputs that change, then the spikes that repeat.
std::vector<std::vector<Spike>> words_from(const GateState& state, std::size_t inputs, std::size_t longest) {
  std::vector<std::vector<Spike>> words;
  std::vector<std::vector<Spike>> open = {{}};
  while (!open.empty()) {
    std::vector<std::vector<Spike>> longer;
    for (const std::vector<Spike>& word : open) {
      if (word.size() == longest) continue;
      for (std::size_t i = 0; i < inputs; ++i) {
        if (std::any_of(word.begin(), word.end(), [&](const Spike& spike) { return spike.input == i; })) continue;
        longer.push_back(word);
        longer.back().push_back({i, !state.input(i)});
      }
    }
    words.insert(words.end(), longer.begin(), longer.end());
    open = std::move(longer);
  }
  for (std::size_t i = 0; i < inputs; ++i) words.push_back({{i, state.input(i)}});
  return words;
}

GateState after(GateState state, const std::vector<Spike>& word) {
  for (const Spike& spike : word) state.spike(spike.input, spike.positive);
  return state;
}

struct Edge {
  std::vector<Spike> word;
  std::size_t to = 0;
};

/// A state and the words from it; those before `played` were played.
struct Node {
  GateState state;
  std::vector<Edge> edges;
  std::size_t played = 0;
};

class Walk {
 public:
  Walk(const GateNetwork& network, std::size_t longest) : inputs_(network.inputs.size()) {
    index_of(GateState(network));
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (const auto& word : words_from(nodes_[i].state, inputs_, longest)) {
        const std::size_t to = index_of(after(nodes_[i].state, word));
        nodes_[i].edges.push_back({word, to});
      }
    }
  }

  SpikePlan run() {
    SpikePlan plan;
    for (;;) {
      while (nodes_[at_].played < nodes_[at_].edges.size()) play(nodes_[at_].edges[nodes_[at_].played++], plan);
      const std::vector<const Edge*> way = way_to_unplayed();
      if (way.empty()) return plan;
      for (const Edge* edge : way) play(*edge, plan);
    }
  }

 private:
  std::size_t index_of(const GateState& state) {
    const auto [found, is_new] = index_.try_emplace(state.key(), nodes_.size());
    if (is_new) nodes_.push_back({state, {}, 0});
    return found->second;
  }

  void play(const Edge& edge, SpikePlan& plan) {
    SpikeWord word;
    word.spikes = edge.word;
    GateState state = nodes_[at_].state;
    for (const Spike& spike : edge.word) {
      state.spike(spike.input, spike.positive);
      word.outputs.push_back(state.outputs());
    }
    plan.push_back(std::move(word));
    at_ = edge.to;
  }

  /// The shortest way to a state with words that were not played; empty if there is none.
  std::vector<const Edge*> way_to_unplayed() const {
    std::map<std::size_t, std::pair<std::size_t, const Edge*>> from = {{at_, {at_, nullptr}}};
    std::deque<std::size_t> open = {at_};
    while (!open.empty()) {
      const std::size_t node = open.front();
      open.pop_front();
      if (nodes_[node].played < nodes_[node].edges.size()) {
        std::vector<const Edge*> way;
        for (std::size_t i = node; i != at_; i = from.at(i).first) way.push_back(from.at(i).second);
        std::reverse(way.begin(), way.end());
        return way;
      }
      for (const Edge& edge : nodes_[node].edges) {
        if (from.try_emplace(edge.to, node, &edge).second) open.push_back(edge.to);
      }
    }
    return {};
  }

  std::size_t inputs_;
  std::deque<Node> nodes_;
  std::map<std::vector<bool>, std::size_t> index_;
  std::size_t at_ = 0;
};

}  // namespace

std::size_t longest_word(std::size_t inputs) { return inputs <= 3 ? inputs : inputs <= 5 ? 2 : 1; }

SpikePlan make_spike_plan(const GateNetwork& network, PlanDepth depth) {
  return Walk(network, depth == PlanDepth::kOrders ? longest_word(network.inputs.size()) : 1).run();
}

std::vector<SpikePlan> plans_to_states(const GateNetwork& network) {
  std::vector<std::pair<GateState, SpikePlan>> states = {{GateState(network), {}}};
  std::set<std::vector<bool>> known = {states.front().first.key()};
  for (std::size_t i = 0; i < states.size(); ++i) {
    for (std::size_t input = 0; input < network.inputs.size(); ++input) {
      GateState state = states[i].first;
      const Spike spike{input, !state.input(input)};
      state.spike(spike.input, spike.positive);
      if (!known.insert(state.key()).second) continue;
      SpikePlan plan = states[i].second;
      plan.push_back({{spike}, {state.outputs()}});
      states.emplace_back(state, std::move(plan));
    }
  }
  std::vector<SpikePlan> plans;
  for (auto& [state, plan] : states) plans.push_back(std::move(plan));
  return plans;
}

std::size_t spike_count(const SpikePlan& plan) {
  std::size_t count = 0;
  for (const SpikeWord& word : plan) count += word.spikes.size();
  return count;
}

}  // namespace hysteron::analysis
