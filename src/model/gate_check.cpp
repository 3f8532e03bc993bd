#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "model/gate_network.h"
#include "model/gate_rules.h"

namespace hysteron::model {
namespace {

constexpr std::size_t kLongestName = 40;

class Checker {
 public:
  Checker(GateNetwork& network, const std::string& origin) : network_(network), origin_(origin) {}

  void run() {
    check_names();
    check_terminals("input", network_.inputs);
    check_terminals("output", network_.outputs);
    if (network_.inputs.size() > kMaxSpikeInputs) fail(fmt::format("more than {} inputs", kMaxSpikeInputs));
    if (network_.gates.size() > kMaxGates) fail(fmt::format("more than {} gates", kMaxGates));
    for (std::size_t i = 0; i < network_.gates.size(); ++i) check_gate(i);
    check_drivers();
    sort();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw bad_input(fmt::format("{}: {}", origin_, what)); }

  /// Names a gate by its line or, where it was read from no text, its number.
  [[noreturn]] void fail_at(std::size_t number, const std::string& what) const {
    const std::size_t line = network_.gates[number].line;
    if (line == 0) fail(fmt::format("gate {}: {}", number, what));
    throw bad_input(fmt::format("{}:{}: {}", origin_, line, what));
  }

  void check_names() const {
    std::set<std::string> seen;
    for (const std::string& net : network_.nets) {
      if (const std::string problem = name_problem(net); !problem.empty()) fail(problem);
      if (!seen.insert(net).second) fail(fmt::format("two nets are called {}", quoted(net)));
    }
  }

  void check_terminals(const char* what, const std::vector<std::size_t>& nets) const {
    if (nets.empty()) fail(fmt::format("no {}", what));
    for (const std::size_t net : nets) {
      if (net >= network_.nets.size()) {
        fail(fmt::format("{} is net {}; expected one of the {} there are", what, net, network_.nets.size()));
      }
      if (std::count(nets.begin(), nets.end(), net) > 1) {
        fail(fmt::format("net {} is an {} twice", quoted(network_.nets[net]), what));
      }
    }
  }

  void check_gate(std::size_t number) const {
    const Gate& gate = network_.gates[number];
    if (const std::string problem = arity_problem(gate); !problem.empty()) fail_at(number, problem);
    for (const auto* nets : {&gate.inputs, &gate.outputs}) {
      for (const std::size_t net : *nets) {
        if (net >= network_.nets.size()) {
          fail_at(number, fmt::format("net {}; expected one of the {} there are", net, network_.nets.size()));
        }
      }
    }
  }

  void check_drivers() const {
    std::vector<std::size_t> drivers(network_.nets.size());
    for (const std::size_t net : network_.inputs) ++drivers[net];
    for (const Gate& gate : network_.gates) {
      for (const std::size_t net : gate.outputs) ++drivers[net];
    }
    for (std::size_t net = 0; net < drivers.size(); ++net) {
      if (drivers[net] == 1) continue;
      fail(fmt::format("net {} is driven by {}", quoted(network_.nets[net]),
                       drivers[net] == 0 ? "nothing" : "more than one thing"));
    }
  }

  /// Puts every gate behind those that drive it.
  void sort() {
    std::set<std::size_t> known(network_.inputs.begin(), network_.inputs.end());
    std::vector<Gate> sorted;
    std::vector<std::size_t> left(network_.gates.size());
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
    while (!left.empty()) {
      std::vector<std::size_t> waiting;
      for (const std::size_t number : left) {
        const Gate& gate = network_.gates[number];
        const bool ready =
            std::all_of(gate.inputs.begin(), gate.inputs.end(), [&](std::size_t net) { return known.contains(net); });
        if (!ready) {
          waiting.push_back(number);
          continue;
        }
        known.insert(gate.outputs.begin(), gate.outputs.end());
        sorted.push_back(gate);
      }
      if (waiting.size() == left.size()) name_loop(left, known);
      left = std::move(waiting);
    }
    network_.gates = std::move(sorted);
  }

  /// Walks upstream through gates that wait until one comes again.
  [[noreturn]] void name_loop(const std::vector<std::size_t>& waiting, const std::set<std::size_t>& known) const {
    const auto driver_of = [&](std::size_t net) {
      return *std::find_if(waiting.begin(), waiting.end(), [&](std::size_t number) {
        const auto& outputs = network_.gates[number].outputs;
        return std::find(outputs.begin(), outputs.end(), net) != outputs.end();
      });
    };
    std::vector<std::size_t> path;  // nets, each driven from the next
    std::size_t net = network_.gates[waiting.front()].outputs.front();
    while (std::find(path.begin(), path.end(), net) == path.end()) {
      path.push_back(net);
      const auto& inputs = network_.gates[driver_of(net)].inputs;
      net = *std::find_if(inputs.begin(), inputs.end(), [&](std::size_t input) { return !known.contains(input); });
    }
    std::string names = network_.nets[net];
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      names += " -> " + network_.nets[*at];
      if (*at == net) break;
    }
    fail_at(driver_of(net), "loop: " + names);
  }

  GateNetwork& network_;
  const std::string& origin_;
};

}  // namespace

std::string name_problem(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool good =
      !name.empty() && name.size() <= kLongestName && is_letter(name.front()) &&
      std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
  if (good) return {};
  return fmt::format("{} is not a net name; expected up to {} of a-z, 0-9 and _, a letter first", quoted(name),
                     kLongestName);
}

std::string arity_problem(const Gate& gate) {
  const GateType& type = gate_types()[static_cast<std::size_t>(gate.kind)];
  if (gate.inputs.size() == type.inputs && gate.outputs.size() == type.outputs) return {};
  return fmt::format("{} from {} to {} nets; expected from {} to {}", type.name, gate.inputs.size(),
                     gate.outputs.size(), type.inputs, type.outputs);
}

void order_gates(GateNetwork& network, const std::string& origin) { Checker(network, origin).run(); }

}  // namespace hysteron::model
