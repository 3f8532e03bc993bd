// `gates`: spike logic from a file to a proof in ngspice.

#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

#include "analysis/spike_plan.h"
#include "base/process.h"
#include "cli/watched.h"
#include "model/gate_network.h"

namespace hysteron::cli {
namespace {

class Gates : public Cli {};

TEST_F(Gates, ProvesACircuitOfAFile) {
  put("half adder.gates", "# both bits\ninput a b\nsum = xor a b\ncarry = and a b\noutput sum carry\n");
  const auto json = run_json({"gates", "half adder.gates", "-o", "half"});
  EXPECT_EQ(json["right"], true);
  EXPECT_DOUBLE_EQ(json["unit_current_a"].get<double>(), 1e-10);
  ASSERT_EQ(json["gates"].size(), 1u);
  const auto& gate = json["gates"][0];
  EXPECT_EQ(gate["name"], "half adder");
  EXPECT_EQ(gate["right"], true);
  EXPECT_EQ(gate["cells"], 2);
  EXPECT_GT(gate["spikes"], 31);
  ASSERT_EQ(gate["spacings"].size(), 4u);
  EXPECT_EQ(gate["spacings"][0]["readings"], 2 * gate["spikes"].get<int>()) << "both outputs after every spike";
  EXPECT_EQ(gate["spacings"][3]["spacing_s"], 0.0);
  for (const auto& spacing : gate["spacings"]) EXPECT_EQ(spacing["wrong"], 0);
  const double most = gate["static_power_w"]["most"];
  EXPECT_GT(most, 1e-9);
  EXPECT_LT(most, 5e-9);
  EXPECT_GT(gate["energy_j"].get<double>(), 0.3 * most * json["period_s"].get<double>());
  EXPECT_LT(gate["energy_j"].get<double>(), 1.2 * most * json["period_s"].get<double>());
  EXPECT_LT(gate["highest_low_a"], 1e-11);
  EXPECT_GT(gate["lowest_high_a"], 0.9e-10);
  for (const char* file : {"gates.json", "circuit.spice", "circuit_bench.spice", "generic180.spice"}) {
    EXPECT_TRUE(fs::exists(folder_ / "half" / file)) << file;
  }
  EXPECT_TRUE(has(read_file(folder_ / "half" / "circuit.spice"), "xxor_sum"));
}

TEST_F(Gates, ABuiltInGateGoesByItsName) {
  const auto gates = run_json({"gates", "nor"})["gates"];
  ASSERT_EQ(gates.size(), 1u);
  EXPECT_EQ(gates[0]["name"], "nor");
  EXPECT_EQ(gates[0]["right"], true);
  put("nor", "input a\nq = not a\noutput q\n");
  EXPECT_EQ(run_json({"gates", "nor"})["gates"][0]["inputs"], 1) << "a file of that name comes first";
  expect_refusal({"gates", "nxor"}, 3, {"'nxor' is neither a file nor a gate", "xnor"});
  std::filesystem::remove(folder_ / "nor");
  std::filesystem::create_directories(folder_ / "nor");
  EXPECT_EQ(run_json({"gates", "nor"})["gates"][0]["inputs"], 2) << "a folder is no file";
}

TEST_F(Gates, EveryBuiltInGateIsRight) {
  const auto json = run_json({"gates", "--all"});
  std::set<std::string> names;
  for (const auto& gate : json["gates"]) {
    names.insert(gate["name"]);
    EXPECT_EQ(gate["right"], true) << gate;
    EXPECT_EQ(gate["longest_word"], gate["inputs"]) << "every order";
  }
  EXPECT_EQ(names, (std::set<std::string>{"not", "and", "or", "nand", "nor", "xor", "xnor", "majority", "latch",
                                          "full_adder"}));
}

TEST_F(Gates, CornersAreAllVisited) {
  put("n.gates", "input a\nq = not a\noutput q\n");
  const auto gate = run_json({"gates", "n.gates", "--corners"})["gates"][0];
  EXPECT_EQ(gate["corners"]["points"], 45) << "five corners, three supplies, three temperatures";
  EXPECT_EQ(gate["corners"]["right"], 45) << gate["corners"];
}

TEST_F(Gates, AreRightOnTheRealPdk) {
  const char* root = std::getenv("PDK_ROOT");
  if (root == nullptr || !fs::exists(root)) GTEST_SKIP() << "$PDK_ROOT names no folder with the gf180mcu PDK";
  put("half.gates", "input a b\nsum = xor a b\ncarry = and a b\noutput sum carry\n");
  EXPECT_EQ(run_json({"gates", "half.gates", "--pdk", "gf180mcu"})["right"], true);
}

TEST_F(Gates, TheBenchRunsInPlainNgspiceAndAgreesWithTheSoftware) {
  put("half.gates", "input a b\nsum = xor a b\ncarry = and a b\noutput sum carry\n");
  const auto gate = run_json({"gates", "half.gates", "-o", "half"})["gates"][0];
  Program::Surroundings inside = surroundings_;
  inside.folder = folder_ / "half";
  const char* path = std::getenv("PATH");
  Program simulator(find_program("ngspice", path == nullptr ? "" : path).string(), {"-b", "circuit_bench.spice"},
                    inside);
  const Outcome outcome = simulator.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output << outcome.messages;
  // The words are those of the proof; software says what the outputs are after each of their spikes.
  const model::GateNetwork network = model::parse_gates(read_file(folder_ / "half.gates"), "half", "half.gates");
  std::vector<std::vector<bool>> expected;
  for (const auto& word : analysis::make_spike_plan(network, analysis::PlanDepth::kOrders)) {
    expected.insert(expected.end(), word.outputs.begin(), word.outputs.end());
  }
  std::istringstream lines(read_file(inside.folder / "circuit_bench.csv"));
  std::string line;
  std::getline(lines, line);
  std::size_t row = 0;
  for (; std::getline(lines, line); ++row) {
    ASSERT_LT(row, expected.size());
    double time = 0.0;
    double sum = 0.0;
    double carry = 0.0;
    char comma = 0;
    std::istringstream(line) >> time >> comma >> sum >> comma >> carry;
    EXPECT_NEAR(std::abs(sum), expected[row][0] ? 1.0 : 0.0, 0.25) << line;
    EXPECT_NEAR(std::abs(carry), expected[row][1] ? 1.0 : 0.0, 0.25) << line;
  }
  EXPECT_EQ(row, gate["spikes"].get<std::size_t>());
}

TEST_F(Gates, OfManyInputsSayWhichOrdersAreNotPlayed) {
  put("four.gates", "input a b c d\nx = and a b\ny = and c d\nq = or x y\noutput q\n");
  const Outcome outcome = run({"gates", "four.gates", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "four: of 4 inputs, orders of up to 2 changes")) << outcome.messages;
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["gates"][0]["longest_word"], 2);
}

TEST_F(Gates, SaysWhichLevelIsWrongWhenSpikesAreTooFast) {
  put("q.gates", "input a b\nq = xor a b\noutput q\n");
  const Outcome outcome = run({"gates", "q.gates", "--period", "100u", "--json"});
  EXPECT_EQ(outcome.exit_code, 5);
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["right"], false);
  EXPECT_TRUE(has(json["gates"][0]["spacings"][0]["first_wrong"], "q is "));
  EXPECT_TRUE(has(outcome.messages, "1 of 1 circuits"));
}

TEST_F(Gates, StudiesALatch) {
  put("l.gates", "input s r\nq = latch s r\noutput q\n");
  const auto json =
      run_json({"gates", "l.gates", "--fastest", "--margins", "--hold", "3600", "--dies", "3", "--seed", "5"});
  const auto& gate = json["gates"][0];
  EXPECT_EQ(gate["cells"], 3);
  EXPECT_LT(gate["fastest"]["period_s"], json["period_s"]);
  EXPECT_LT(gate["fastest"]["spacing_s"], json["spike_width_s"]);
  EXPECT_GT(gate["fastest"]["spacing_s"], 1e-6) << "an order needs time";
  EXPECT_EQ(gate["fastest"]["failed"], 0);
  EXPECT_GE(gate["fastest"]["together_period_s"], gate["fastest"]["period_s"]);
  EXPECT_LE(gate["fastest"]["together_period_s"], json["period_s"]);
  EXPECT_GE(gate["fastest"]["together_spacing_s"], gate["fastest"]["spacing_s"]);
  EXPECT_LT(gate["fastest"]["together_energy_j"], 0.5 * gate["energy_j"].get<double>()) << "it is nearly all static";
  // Between rest and the thresholds lie 0.3 unit currents.
  EXPECT_NEAR(gate["noise_margin"]["line"]["current_a"].get<double>(), 3e-11, 5e-12);
  EXPECT_EQ(gate["noise_margin"]["runs"], 6 * 3) << "six states, two lines and the latch";
  EXPECT_EQ(gate["hold"]["points"], 6 * 2) << "typical, and where most leaks";
  EXPECT_EQ(gate["hold"]["right"], 6 * 2) << gate["hold"];
  EXPECT_EQ(gate["hold"]["seconds"], 3600.0);
  EXPECT_LT(gate["hold"]["highest_low_a"], 1e-11);
  EXPECT_GT(gate["hold"]["lowest_high_a"], 0.9e-10);
  EXPECT_EQ(gate["dies"]["points"], 3);
  EXPECT_EQ(gate["dies"]["failed"], 0);
  EXPECT_EQ(gate["dies"]["right"], 3);
  EXPECT_EQ(gate["dies"]["yield"], 1.0);
}

TEST_F(Gates, OfOneInputHaveARateAndNoSpacing) {
  put("n.gates", "input a\nq = not a\noutput q\n");
  const auto fastest = run_json({"gates", "n.gates", "--fastest"})["gates"][0]["fastest"];
  EXPECT_TRUE(fastest["spacing_s"].is_null()) << "no word has two spikes";
  EXPECT_GT(fastest["rate_hz"], 100.0);
  EXPECT_EQ(fastest["together_rate_hz"], fastest["rate_hz"]);
}

using FailingGates = WatchedCli;

TEST_F(FailingGates, DiesThatNgspiceCannotSolveAreCountedAndEndWithFour) {
  const FakeProgram fake(
      "if [ -e deck.cir ] && [ -e \"$(dirname \"$0\")/broken\" ]; then echo 'Error: the moon is full' >&2; exit 1; fi\n"
      "exec ngspice \"$@\"");
  use(fake);
  put("n.gates", "input a\nq = not a\noutput q\n");
  EXPECT_EQ(run({"gates", "n.gates", "-o", "out"}).exit_code, 0);
  write_file(fake.folder() / "broken", "");
  const Outcome outcome = run({"gates", "n.gates", "--dies", "2", "-o", "out", "--json"});
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "2 runs could not be simulated")) << outcome.messages;
  const auto gate = nlohmann::json::parse(outcome.output)["gates"][0];
  EXPECT_EQ(gate["dies"]["failed"], 2);
  EXPECT_TRUE(has(gate["dies"]["not_right"][0]["error"].dump(), "moon"));
}

TEST_F(Gates, RefusesWhatIsNoCircuit) {
  put("loop.gates", "input a\nq = or a r\nr = not q\noutput q\n");
  put("open.gates", "input a\n\nq = and a b\noutput q\n");
  put("twice.gates", "input a b\nq = not a\nq = not b\noutput q\n");
  put("word.gates", "input a\nq = invert a\noutput q\n");
  put("empty.gates", "");
  put("q.gates", "input a\nq = not a\noutput q\n");
  expect_refusal({"gates", "loop.gates"}, 3, {"'loop.gates':", "loop: q -> r -> q"});
  expect_refusal({"gates", "open.gates"}, 3, {"'open.gates':3:", "'b'", "nothing"});
  expect_refusal({"gates", "twice.gates"}, 3, {"'twice.gates':3:", "'q'", "twice", "line 2"});
  expect_refusal({"gates", "word.gates", "-o", "out"}, 3, {"'word.gates':2:", "'invert'", "majority"});
  expect_refusal({"gates", "empty.gates"}, 3, {"'empty.gates':1:"});
  expect_refusal({"gates", "missing.gates"}, 3, {"missing.gates"});
  expect_refusal({"gates", "q.gates", "--period", "0"}, 3, {"period: 0"});
  expect_refusal({"gates", "q.gates", "--hold", "-1"}, 3, {"hold: -1"});
  expect_refusal({"gates", "q.gates", "--hold", "0"}, 3, {"--hold is 0"});
  expect_refusal({"gates", "q.gates", "--dies", "2", "--seed", "0"}, 3, {"seed: 0"});
  expect_refusal({"gates", "q.gates", "--all"}, 2, {"--all"});
  expect_refusal({"gates"}, 2, {"--all"});
}

}  // namespace
}  // namespace hysteron::cli
