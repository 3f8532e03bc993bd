// What a person at a terminal sees, through script(1), which gives the program one.

#include <regex>

#include "cli/program.h"
#include "cli/samples.h"

namespace hysteron::cli {
namespace {

class Terminal : public Cli {
 protected:
  /// What the terminal got of a training with this program.
  std::string shown(const std::string& config) const {
    put("c.toml", config);
    const std::string command = std::string("'") + HYSTERON_PROGRAM + "' train c.toml";
    const Outcome outcome =
        Program("/usr/bin/script", {"--quiet", "--return", "--command", command, "/dev/null"}, surroundings_).wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return outcome.output;
  }
};

TEST_F(Terminal, TrainingShowsABarWithLossAccuracyAndTimeLeft) {
  put_tones(folder_ / "tones");
  const std::string software =
      "[data]\ntask = \"flip_flop\"\nlength = 20\nsequences = 64\n[model]\nbackbone = \"reference\"\nwidth = 4\n"
      "output = \"m\"\n[training]\nbatch = 16\nsteps = 300\n";
  const std::string hardware = tiny_training("tones", "m", "steps = 300\nrestarts = 1\n");
  for (const auto& [config, accuracy] : {std::pair{software, "accuracy"}, std::pair{hardware, "frames right"}}) {
    const std::string output = shown(config);
    const std::string figures = std::string(R"( loss \d+\.\d{3}, )") + accuracy + R"( \d+\.\d %)";
    EXPECT_TRUE(
        std::regex_search(output, std::regex(R"(training \[=* +\] \d+/300)" + figures + R"([^\r\n]* \d+:\d\d left)")))
        << output;
    EXPECT_TRUE(std::regex_search(output, std::regex(R"(training \[={24}\] 300/300)" + figures))) << output;
  }
}

TEST_F(Terminal, WithoutOneThereIsNoBar) {
  put("c.toml",
      "[data]\ntask = \"flip_flop\"\nlength = 20\nsequences = 16\n[model]\nbackbone = \"reference\"\nwidth = 4\n"
      "output = \"m\"\n[training]\nbatch = 16\nsteps = 20\n");
  const Outcome outcome = run({"train", "c.toml"});
  EXPECT_TRUE(has(outcome.messages, "training ...")) << outcome.messages;
  EXPECT_FALSE(has(outcome.messages, "[=")) << outcome.messages;
}

}  // namespace
}  // namespace hysteron::cli
