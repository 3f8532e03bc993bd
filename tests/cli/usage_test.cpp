// The command line itself: help, unknown words, the codes of the contract that need no simulator.

#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Usage : public Cli {
 protected:
  /// The commands that --help lists.
  std::vector<std::string> commands() const {
    std::istringstream help(run({"--help"}).output);
    std::vector<std::string> names;
    std::string line;
    while (std::getline(help, line) && line != "Subcommands:") continue;
    while (std::getline(help, line) && !line.empty()) {
      std::istringstream words(line);
      std::string name;
      if (line.starts_with("  ") && line[2] != ' ' && words >> name) names.push_back(name);
    }
    return names;
  }
};

TEST_F(Usage, HelpListsTheCommandsOfTheContract) {
  const std::vector<std::string> found = commands();
  const std::set<std::string> names(found.begin(), found.end());
  for (const char* name : {"features", "train", "eval", "run", "compile", "cell", "verify", "demo"}) {
    EXPECT_TRUE(names.count(name) == 1) << name;
  }
}

TEST_F(Usage, EveryCommandHasHelpWithAnExample) {
  for (const std::string& name : commands()) {
    const Outcome outcome = run({name, "--help"});
    EXPECT_EQ(outcome.exit_code, 0) << name;
    EXPECT_TRUE(has(outcome.output, "Example:\n  hysteron " + name)) << outcome.output;
    EXPECT_EQ(outcome.messages, "") << name;
  }
}

TEST_F(Usage, EveryCommandRefusesAnUnknownFlag) {
  for (const std::string& name : commands()) expect_refusal({name, "--no-such-flag"}, 2, {});
}

TEST_F(Usage, WrongCallsExitWithTwo) {
  put("m.safetensors", tiny_model());
  put("x.npy", tiny_features());
  const Arguments verify = {"verify", "m.safetensors", "--input", "x.npy"};
  const auto with = [](Arguments base, const Arguments& more) {
    base.insert(base.end(), more.begin(), more.end());
    return base;
  };
  expect_refusal({}, 2, {});
  expect_refusal({"no-such-command"}, 2, {"no-such-command", "features, train"});
  expect_refusal({"study", "no-such-study"}, 2, {"no-such-study", "quadrant, cell"});
  expect_refusal({"run", "m.safetensors"}, 2, {"--input"});
  expect_refusal({"run", "m.safetensors", "--input", "x.npy", "--engine", "abacus"}, 2, {"--engine"});
  expect_refusal({"eval", "m.safetensors", "--data", ".", "--split", "most"}, 2, {"--split"});
  expect_refusal({"cell", "--i-thresh", "much", "--i-width", "1n", "--i-gain", "1n"}, 2, {"--i-thresh"});
  expect_refusal(with(verify, {"--fail-under", "beauty=1"}), 2, {"beauty", "frame_agreement"});
  expect_refusal(with(verify, {"--jobs", "-1"}), 2, {"--jobs"});
  expect_refusal(with(verify, {"--jobs", "2000"}), 2, {"--jobs", "2000; expected 0 to 1024"});
  expect_refusal(with(verify, {"--clips", "-1"}), 2, {"--clips", "a whole number from 0, not -1"});
  expect_refusal(with(verify, {"--unit-current", "3"}), 2, {"--unit-current", "3; expected 1p to 1u A"});
  expect_refusal(with(verify, {"--unit-current", "much"}), 2, {"--unit-current", "'much'"});
  expect_refusal(with(verify, {"--supply", "9"}), 2, {"--supply", "0.5 to 6 V"});
}

TEST_F(Usage, VersionGoesToStdout) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(has(outcome.output, ".")) << outcome.output;
}

}  // namespace
}  // namespace hysteron::cli
