// The command line itself: help, unknown words, the codes of the contract that need no simulator.

#include <functional>
#include <set>
#include <sstream>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Usage : public Cli {
 protected:
  /// The commands that the help of `command` (none: of the program) lists.
  std::set<std::string> commands(const Arguments& command = {}) const {
    Arguments help = command;
    help.emplace_back("--help");
    std::istringstream lines(run(help).output);
    std::set<std::string> names;
    std::string line;
    while (std::getline(lines, line) && line != "Subcommands:") continue;
    while (std::getline(lines, line) && !line.empty()) {
      std::istringstream words(line);
      std::string name;
      if (line.starts_with("  ") && line[2] != ' ' && words >> name) names.insert(name);
    }
    return names;
  }

  static const std::set<std::string>& all_commands() {
    static const std::set<std::string> names = {
        "cell",    "compare",    "compile", "corners", "demo", "eval",  "explore", "extract", "features", "gates",
        "hazards", "montecarlo", "noise",   "power",   "run",  "study", "sweep",   "train",   "verify"};
    return names;
  }

  static const std::set<std::string>& all_studies() {
    static const std::set<std::string> names = {"accumulation", "cell", "quadrant"};
    return names;
  }

  /// Calls `check` with the words of every command and of every study.
  static void visit_commands(const std::function<void(const Arguments&)>& check) {
    for (const std::string& name : all_commands()) check({name});
    for (const std::string& name : all_studies()) check({"study", name});
  }
};

TEST_F(Usage, HelpListsEveryCommand) {
  EXPECT_EQ(commands(), all_commands());
  EXPECT_EQ(commands({"study"}), all_studies());
}

TEST_F(Usage, EveryCommandHasHelpWithAnExample) {
  visit_commands([&](const Arguments& words) {
    Arguments help = words;
    help.emplace_back("--help");
    const Outcome outcome = run(help);
    EXPECT_EQ(outcome.exit_code, 0) << words.back();
    EXPECT_EQ(outcome.messages, "") << words.back();
    const bool is_group = words == Arguments{"study"};
    if (!is_group) {
      EXPECT_TRUE(has(outcome.output, "Example:\n  hysteron " + words.front())) << outcome.output;
    }
  });
}

TEST_F(Usage, EveryCommandRefusesAnUnknownFlag) {
  visit_commands([&](const Arguments& words) {
    Arguments bad = words;
    bad.emplace_back("--no-such-flag");
    expect_refusal(bad, 2, {});
  });
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
