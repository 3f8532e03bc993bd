#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "model/gate_network.h"
#include "model/gate_rules.h"

namespace hysteron::model {
namespace {

class Parser {
 public:
  Parser(const std::string& name, std::string origin) : origin_(std::move(origin)) { network_.name = name; }

  GateNetwork parse(std::string_view text) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
      ++line_;
      read_line(line.substr(0, line.find('#')));
    }
    check();
    order_gates(network_, origin_);
    return std::move(network_);
  }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& what) const {
    throw bad_input(fmt::format("{}:{}: {}", origin_, line, what));
  }

  void read_line(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.empty()) return;
    const auto equals = std::find(words.begin(), words.end(), "=");
    if (equals != words.end()) {
      read_gate({words.begin(), equals}, {equals + 1, words.end()});
    } else if (words.front() == "input" || words.front() == "output") {
      read_terminals(words);
    } else {
      fail(line_, fmt::format("{}; expected \"input NET...\", \"output NET...\" or \"NET... = GATE NET...\"",
                              quoted(words.front())));
    }
  }

  void read_terminals(const std::vector<std::string>& words) {
    const bool is_input = words.front() == "input";
    if (words.size() == 1) fail(line_, fmt::format("{} without a net", words.front()));
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t net = net_of(words[i]);
      if (is_input) {
        drive(net);
        network_.inputs.push_back(net);
        if (network_.inputs.size() > kMaxSpikeInputs) {
          fail(line_, fmt::format("more than {} inputs", kMaxSpikeInputs));
        }
      } else {
        if (std::find(network_.outputs.begin(), network_.outputs.end(), net) != network_.outputs.end()) {
          fail(line_, fmt::format("{} is an output already", quoted(words[i])));
        }
        use(net);
        network_.outputs.push_back(net);
      }
    }
  }

  void read_gate(const std::vector<std::string>& outputs, std::vector<std::string> inputs) {
    const GateType& type = type_of(inputs.empty() ? "" : inputs.front());
    inputs.erase(inputs.begin());
    Gate gate{type.kind, {}, {}, line_};
    for (const std::string& word : inputs) gate.inputs.push_back(net_of(word));
    for (const std::string& word : outputs) gate.outputs.push_back(net_of(word));
    if (const std::string problem = arity_problem(gate); !problem.empty()) fail(line_, problem);
    for (const std::size_t net : gate.inputs) use(net);
    for (const std::size_t net : gate.outputs) drive(net);
    if (network_.gates.size() == kMaxGates) fail(line_, fmt::format("more than {} gates", kMaxGates));
    network_.gates.push_back(std::move(gate));
  }

  const GateType& type_of(const std::string& word) const {
    std::vector<std::string> names;
    for (const GateType& type : gate_types()) {
      if (type.name == word) return type;
      names.push_back(type.name);
    }
    fail(line_, fmt::format("{} is not a gate; expected one of {}", quoted(word), fmt::join(names, ", ")));
  }

  std::size_t net_of(const std::string& word) {
    if (const std::string problem = name_problem(word); !problem.empty()) fail(line_, problem);
    const auto [found, is_new] = by_name_.try_emplace(word, network_.nets.size());
    if (is_new) {
      network_.nets.push_back(word);
      driven_.emplace_back();
      used_.emplace_back();
    }
    return found->second;
  }

  void drive(std::size_t net) {
    if (driven_[net]) {
      fail(line_,
           fmt::format("net {} is driven twice; line {} drives it too", quoted(network_.nets[net]), *driven_[net]));
    }
    driven_[net] = line_;
  }

  void use(std::size_t net) {
    if (!used_[net]) used_[net] = line_;
  }

  void check() const {
    const std::size_t last = std::max<std::size_t>(line_, 1);
    if (network_.inputs.empty()) fail(last, "the file ends without an input");
    if (network_.outputs.empty()) fail(last, "the file ends without an output");
    for (std::size_t net = 0; net < network_.nets.size(); ++net) {
      if (!driven_[net]) fail(*used_[net], fmt::format("net {} is driven by nothing", quoted(network_.nets[net])));
    }
  }

  GateNetwork network_;
  std::string origin_;
  std::size_t line_ = 0;
  std::map<std::string, std::size_t> by_name_;
  std::vector<std::optional<std::size_t>> driven_;  // [nets], line
  std::vector<std::optional<std::size_t>> used_;    // [nets], line of the first use
};

}  // namespace

GateNetwork parse_gates(std::string_view text, const std::string& name, const std::string& origin) {
  return Parser(name, origin).parse(text);
}

}  // namespace hysteron::model
