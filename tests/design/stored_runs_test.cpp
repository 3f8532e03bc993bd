#include "design/stored_runs.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"

namespace hysteron::design {
namespace {

namespace fs = std::filesystem;

/// Gives the supply of a testbench as its only waveform; a supply of 13 V fails, one of 130 V interrupts.
class CountingEngine : public sim::Engine {
 public:
  void run_each(std::span<const sim::Testbench> benches, int, const OnOutcome& on_outcome) const override {
    for (std::size_t i = 0; i < benches.size(); ++i) {
      if (benches[i].supply == 130.0) throw Error(ErrorKind::kInterrupted, "interrupted");
      ++runs;
      sim::Outcome outcome;
      if (benches[i].supply == 13.0) {
        outcome.error = simulator_error("bad luck");
      } else {
        outcome.waveforms = sim::Waveforms{{0.0, 1.0 / 3.0}, {{benches[i].supply, 1e-19 / 3.0}}, 0.5};
      }
      on_outcome(i, std::move(outcome));
    }
  }
  std::string version() const override { return "counting"; }
  std::string fingerprint(const sim::Testbench& bench) const override { return std::to_string(bench.supply); }

  mutable int runs = 0;
};

sim::Testbench bench(double supply) {
  sim::Testbench result;
  result.supply = supply;
  result.probes.resize(1);
  return result;
}

class KeptRunsTest : public testing::Test {
 protected:
  TemporaryDirectory root_{"kept"};
  fs::path folder_ = root_.path() / "runs";
  CountingEngine engine_;
  StoredRuns kept_{engine_, folder_};
};

TEST_F(KeptRunsTest, RunsNothingTwiceAndGivesEveryBitBack) {
  const std::vector<sim::Testbench> benches = {bench(1.0), bench(2.0), bench(3.0)};
  kept_.run_all({&benches[0], 2}, 1, {});
  EXPECT_EQ(engine_.runs, 2);
  const auto outcomes = StoredRuns(engine_, folder_).run_all(benches, 1, {});
  EXPECT_EQ(engine_.runs, 3) << "one that is new";
  for (std::size_t i = 0; i < benches.size(); ++i) {
    const sim::Waveforms& waves = outcomes[i].value();
    EXPECT_EQ(waves.time, (std::vector<double>{0.0, 1.0 / 3.0}));
    EXPECT_EQ(waves.values, (std::vector<std::vector<double>>{{benches[i].supply, 1e-19 / 3.0}}));
    EXPECT_EQ(waves.seconds, 0.5);
  }
}

TEST_F(KeptRunsTest, TriesAgainWhatFailedOrIsNotWhole) {
  kept_.run_all(std::vector{bench(13.0), bench(1.0)}, 1, {});
  for (const auto& file : fs::directory_iterator(folder_)) fs::resize_file(file.path(), fs::file_size(file.path()) - 1);
  const auto outcomes = kept_.run_all(std::vector{bench(13.0), bench(1.0)}, 1, {});
  EXPECT_EQ(engine_.runs, 4);
  EXPECT_TRUE(outcomes[0].error.has_value());
  EXPECT_EQ(outcomes[1].value().values[0][0], 1.0);
}

TEST_F(KeptRunsTest, DoesNotTakeAnotherBenchsRunForItsOwn) {
  kept_.run(bench(1.0));
  fs::rename(folder_ / "1.000000.safetensors", folder_ / "2.000000.safetensors");
  EXPECT_EQ(kept_.run(bench(2.0)).values[0][0], 2.0);
  EXPECT_EQ(engine_.runs, 2);
}

TEST_F(KeptRunsTest, SaysHowMuchIsKeptWhenItIsInterrupted) {
  try {
    kept_.run_all(std::vector{bench(1.0), bench(2.0), bench(130.0)}, 1, {});
    FAIL() << "not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
    EXPECT_NE(std::string(error.what()).find("2 runs are kept in"), std::string::npos) << error.what();
  }
  kept_.run_all(std::vector{bench(1.0), bench(2.0)}, 1, {});
  EXPECT_EQ(engine_.runs, 2);
}

}  // namespace
}  // namespace hysteron::design
