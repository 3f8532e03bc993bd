#include "model/gate_network.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hysteron::model {
namespace {

/// Outputs of `network` with the inputs that `bits` has, input 0 the lowest bit.
std::vector<bool> outputs_of(const GateNetwork& network, std::size_t bits) {
  GateState state(network);
  for (std::size_t i = 0; i < network.inputs.size(); ++i) state.spike(i, (bits >> i & 1U) != 0);
  return state.outputs();
}

TEST(GateNetwork, EveryGateHasItsTruthTable) {
  struct Table {
    GateKind kind;
    std::string ones;  // of the first output, combination 0 first
  };
  for (const Table& table : {Table{GateKind::kNot, "10"}, Table{GateKind::kAnd, "0001"}, Table{GateKind::kOr, "0111"},
                             Table{GateKind::kNand, "1110"}, Table{GateKind::kNor, "1000"},
                             Table{GateKind::kXor, "0110"}, Table{GateKind::kXnor, "1001"},
                             Table{GateKind::kMajority, "00010111"}, Table{GateKind::kFullAdder, "01101001"}}) {
    const GateNetwork network = single_gate(table.kind);
    ASSERT_EQ(table.ones.size(), std::size_t{1} << network.inputs.size());
    for (std::size_t bits = 0; bits < table.ones.size(); ++bits) {
      EXPECT_EQ(outputs_of(network, bits)[0], table.ones[bits] == '1') << network.name << " of " << bits;
    }
  }
}

TEST(GateNetwork, FullAdderCarries) {
  const GateNetwork adder = single_gate(GateKind::kFullAdder);
  for (std::size_t bits = 0; bits < 8; ++bits) {
    const auto outputs = outputs_of(adder, bits);
    const std::size_t sum = (bits & 1U) + (bits >> 1U & 1U) + (bits >> 2U);
    EXPECT_EQ(2 * outputs[1] + outputs[0], static_cast<int>(sum));
  }
}

TEST(GateNetwork, LatchHoldsWhileSetAndResetAreEqual) {
  const GateNetwork network = single_gate(GateKind::kLatch);
  GateState state(network);
  EXPECT_FALSE(state.outputs()[0]);
  state.spike(0, true);
  EXPECT_TRUE(state.outputs()[0]);
  state.spike(0, false);
  EXPECT_TRUE(state.outputs()[0]) << "neither";
  state.spike(1, true);
  EXPECT_FALSE(state.outputs()[0]);
  state.spike(0, true);
  EXPECT_FALSE(state.outputs()[0]) << "both";
}

TEST(GateNetwork, InputRemembersThePolarityOfItsLastSpike) {
  const GateNetwork network = single_gate(GateKind::kAnd);
  GateState state(network);
  state.spike(0, true);
  state.spike(0, true);
  state.spike(1, true);
  EXPECT_TRUE(state.outputs()[0]);
  state.spike(0, false);
  EXPECT_FALSE(state.outputs()[0]);
}

TEST(GateFile, ComposesInAnyOrderOfLines) {
  const GateNetwork network = parse_gates(
      "# a half adder that says when there is nothing\n"
      "output sum carry none\n"
      "none = nor sum carry   # before its inputs\n"
      "input a b\n"
      "\n"
      "sum = xor a b\n"
      "carry = and a b\n",
      "half", "half.gates");
  ASSERT_EQ(network.gates.size(), 3u);
  EXPECT_EQ(network.gates.back().kind, GateKind::kNor);
  EXPECT_EQ(outputs_of(network, 0), (std::vector<bool>{false, false, true}));
  EXPECT_EQ(outputs_of(network, 1), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(outputs_of(network, 3), (std::vector<bool>{false, true, false}));
}

TEST(GateFile, ComesAsEditorsSaveIt) {
  const GateNetwork network = parse_gates("\xEF\xBB\xBFinput a\r\nq = not a\r\noutput q\r\n", "f", "f");
  EXPECT_EQ(outputs_of(network, 0), std::vector<bool>{true});
}

struct BadFile {
  const char* text;
  std::vector<const char*> says;
};

TEST(GateFile, RefusesWhatIsNoCircuitWithItsLine) {
  for (const BadFile& file : {
           BadFile{"input a\nq = and a b\noutput q\n", {"f:2:", "'b'", "driven by nothing"}},
           BadFile{"input a\noutput q\n", {"f:2:", "'q'", "driven by nothing"}},
           BadFile{"input a b\nq = not a\n\nq = not b\noutput q\n", {"f:4:", "'q'", "driven twice", "line 2"}},
           BadFile{"input a b\na = not b\noutput a\n", {"f:2:", "'a'", "driven twice", "line 1"}},
           BadFile{"input a a\noutput a\n", {"f:1:", "'a'", "driven twice"}},
           BadFile{"input a\nq = and a r\nr = not q\noutput q\n", {"f:2:", "loop", "q -> r -> q"}},
           BadFile{"input a\nq = or a q\noutput q\n", {"f:2:", "loop", "q -> q"}},
           BadFile{"input a b\nq = nandd a b\noutput q\n", {"f:2:", "'nandd'", "nand"}},
           BadFile{"input a b\nq = not a b\noutput q\n", {"f:2:", "not from 2 to 1", "from 1 to 1"}},
           BadFile{"input a b c\ns = full_adder a b c\noutput s\n", {"f:2:", "from 3 to 2"}},
           BadFile{"input a b\nq =\noutput q\n", {"f:2:", "is not a gate"}},
           BadFile{"input a\nq = not A\noutput q\n", {"f:2:", "'A'", "name"}},
           BadFile{"inputs a\n", {"f:1:", "'inputs'"}},
           BadFile{"input\n", {"f:1:", "without a net"}},
           BadFile{"input a\nq = not a\noutput q q\n", {"f:3:", "output already"}},
           BadFile{"input a\nq = not a\n", {"f:2:", "without an output"}},
           BadFile{"input a b c d e f g h i\noutput a\n", {"f:1:", "more than 8 inputs"}},
           BadFile{"", {"f:1:", "without an input"}},
       }) {
    try {
      parse_gates(file.text, "f", "f");
      ADD_FAILURE() << "taken: " << file.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      for (const char* part : file.says) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << " in: " << error.what();
      }
    }
  }
}

/// c = a and b, q = not c, with the gates the wrong way round.
GateNetwork filled_by_hand() {
  GateNetwork network;
  network.name = "nand";
  network.nets = {"a", "b", "c", "q"};
  network.inputs = {0, 1};
  network.outputs = {3};
  network.gates = {{GateKind::kNot, {2}, {3}, 0}, {GateKind::kAnd, {0, 1}, {2}, 0}};
  return network;
}

TEST(OrderGates, PutsGatesOfANetworkFilledByHandInOrder) {
  GateNetwork network = filled_by_hand();
  order_gates(network, "nand");
  EXPECT_EQ(network.gates.front().kind, GateKind::kAnd);
  EXPECT_EQ(outputs_of(network, 0), std::vector<bool>{true});
  EXPECT_EQ(outputs_of(network, 3), std::vector<bool>{false});
}

TEST(OrderGates, RefusesWhatIsNoCircuit) {
  struct Case {
    void (*spoil)(GateNetwork&);
    std::vector<const char*> says;
  };
  for (const Case& bad : {
           Case{[](GateNetwork& n) { n.gates[0].inputs = {3}; }, {"gate 0", "loop: q -> q"}},
           Case{[](GateNetwork& n) { n.gates[0].inputs = {7}; }, {"gate 0", "net 7", "4 there are"}},
           Case{[](GateNetwork& n) { n.gates[1].inputs = {0}; }, {"gate 1", "and from 1 to 1"}},
           Case{[](GateNetwork& n) { n.gates[1].outputs = {3}; }, {"'c'", "driven by nothing"}},
           Case{[](GateNetwork& n) { n.gates.push_back(n.gates[0]); }, {"'q'", "more than one thing"}},
           Case{[](GateNetwork& n) { n.inputs.clear(); }, {"no input"}},
           Case{[](GateNetwork& n) { n.outputs.clear(); }, {"no output"}},
           Case{[](GateNetwork& n) { n.outputs = {9}; }, {"output is net 9"}},
           Case{[](GateNetwork& n) {
                  n.outputs = {3, 3};
                },
                {"'q'", "output twice"}},
           Case{[](GateNetwork& n) { n.inputs.assign(9, 0); }, {"'a'", "input twice"}},
           Case{[](GateNetwork& n) { n.nets[1] = "a"; }, {"two nets", "'a'"}},
           Case{[](GateNetwork& n) { n.nets[1] = "B 2"; }, {"'B 2'", "not a net name"}},
           Case{[](GateNetwork& n) { n.nets[1] = ""; }, {"not a net name"}},
           Case{[](GateNetwork& n) {
                  for (std::size_t i = 0; i < 7; ++i) {
                    n.inputs.push_back(n.nets.size());
                    n.nets.push_back("d" + std::to_string(i));
                  }
                },
                {"more than 8 inputs"}},
           Case{[](GateNetwork& n) {
                  for (std::size_t i = 0; i < kMaxGates; ++i) {
                    n.gates.push_back({GateKind::kNot, {0}, {n.nets.size()}, 0});
                    n.nets.push_back("d" + std::to_string(i));
                  }
                },
                {"more than 1000 gates"}},
       }) {
    GateNetwork network = filled_by_hand();
    bad.spoil(network);
    try {
      order_gates(network, "nand");
      ADD_FAILURE() << "taken; expected: " << bad.says.back();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      for (const char* part : bad.says) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << " in: " << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace hysteron::model
