// hysteron sweep: points, skipping, ranks, workers that fail or are killed.

#include "cli/processes.h"
#include "cli/program.h"

namespace hysteron::cli {
namespace {

class Sweep : public Cli {
 protected:
  void put_base(int steps) const {
    put("base.toml",
        "[data]\ntask = \"flip_flop\"\nlength = 20\nsequences = 32\n[model]\nbackbone = \"reference\"\n"
        "width = 4\nlayers = 1\n[training]\nbatch = 16\nvalidation_interval = 10\nsteps = " +
            std::to_string(steps) + "\n");
  }

  void put_grid(const std::string& grid) const {
    put("grid.toml", "base = \"base.toml\"\nfolder = \"out\"\n[grid]\n" + grid);
  }

  std::size_t results() const {
    std::size_t count = 0;
    for (const fs::path& path : files()) count += path.filename() == "result.json" ? 1 : 0;
    return count;
  }
};

TEST_F(Sweep, TrainsEveryPointOnce) {
  put_base(20);
  put_grid("model.cell = [\"mingru\", \"lru\"]\ntraining.seed = [1, 2]\n");
  const auto first = run_json({"sweep", "grid.toml", "--jobs", "2"});
  EXPECT_EQ(first["points"], 4);
  EXPECT_EQ(first["skipped"], 0);
  ASSERT_EQ(first["rows"].size(), 2u);
  EXPECT_EQ(first["rows"][0]["runs"], 2);
  EXPECT_EQ(first["rows"][0]["values"]["model.cell"], "'mingru'");
  EXPECT_GT(first["rows"][0]["test_accuracy"]["mean"], 0.4);
  EXPECT_EQ(results(), 4u);
  put_grid("model.cell = [\"mingru\", \"lru\"]\ntraining.seed = [1, 2, 3]\n");
  const auto second = run_json({"sweep", "grid.toml"});
  EXPECT_EQ(second["skipped"], 4) << "only the new seeds are trained";
  EXPECT_EQ(second["rows"][0]["runs"], 3);
}

TEST_F(Sweep, BaseKeysThatAPointIgnoresAreLeftOutAndGridKeysAreRefused) {
  put_base(20);
  put_grid("data.task = [\"flip_flop\", \"copy_first\"]\ndata.symbols = [2]\n");
  expect_refusal({"sweep", "grid.toml"}, 3, {"grid.toml', line 5", "data.symbols has no effect", "flip_flop"});
  put("base.toml", read_file(folder_ / "base.toml") + "[augmentation]\nspeed = 0.2\n");
  put_grid("data.task = [\"flip_flop\", \"copy_first\"]\n");
  EXPECT_EQ(run_json({"sweep", "grid.toml"})["rows"].size(), 2u);
  for (const fs::path& path : files()) {
    if (path.filename() != "config.toml") continue;
    EXPECT_FALSE(has(read_file(path), "augmentation")) << path;
  }
}

TEST_F(Sweep, RanksShareThePoints) {
  put_base(20);
  put_grid("training.seed = [1, 2, 3]\n");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "1";
  const Outcome second = run({"sweep", "grid.toml"});
  EXPECT_EQ(second.exit_code, 0) << second.messages;
  EXPECT_EQ(second.output, "") << "rank 0 has the table";
  EXPECT_EQ(results(), 1u);
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "0";
  const auto first = run_json({"sweep", "grid.toml"});
  EXPECT_EQ(first["rows"][0]["runs"], 3);
}

TEST_F(Sweep, FirstRankDoesThePointsOfOneThatIsLost) {
  put_base(20);
  put_grid("training.seed = [1, 2, 3, 4, 5]\n");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "0";
  const Outcome outcome = run({"sweep", "grid.toml", "--patience", "1"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "waiting for rank 1 (2 to do)")) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "rank 1 has given no sign of life")) << outcome.messages;
  EXPECT_EQ(results(), 5u);
}

TEST_F(Sweep, FirstRankWaitsForOneThatIsSlowButAlive) {
  put_base(20);
  put("base.toml", read_file(folder_ / "base.toml") + "checkpoint_interval = 10\n");
  put_grid("training.steps = [20, 400000]\n");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "1";
  Program slow({"sweep", "grid.toml"}, surroundings_);
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "0";
  Program first({"sweep", "grid.toml", "--patience", "3"}, surroundings_);
  ASSERT_TRUE(first.says("waiting for rank 1 (1 to do)"));
  EXPECT_FALSE(first.says("no sign of life", std::chrono::seconds(4)));
  slow.send(SIGKILL);  // and now it is dead
  slow.wait();
  EXPECT_TRUE(first.says("rank 1 has given no sign of life"));
  first.send(SIGINT);
  EXPECT_EQ(first.wait().exit_code, 130);
}

/// Two steps of one allocation of Slurm have one job number.
TEST_F(Sweep, FailureOfAnEarlierStepIsNotTakenForThisOnes) {
  put_base(20);
  put_grid("data.task = [\"flip_flop\", \"smnist\"]\n");
  auto& environment = surroundings_.environment;
  environment["SLURM_JOB_ID"] = "7";
  environment["SLURM_NTASKS"] = "2";
  environment["SLURM_STEP_ID"] = "0";
  environment["SLURM_PROCID"] = "1";
  EXPECT_EQ(run({"sweep", "grid.toml"}).exit_code, 0);
  environment["SLURM_STEP_ID"] = "1";
  environment["SLURM_PROCID"] = "0";
  const Outcome second = run({"sweep", "grid.toml", "--patience", "1"});
  EXPECT_TRUE(has(second.messages, "waiting for rank 1")) << second.messages;
  EXPECT_EQ(second.exit_code, 3) << second.messages;
}

TEST_F(Sweep, OtherRanksLeaveFailuresToTheFirst) {
  put_base(20);
  put_grid("data.task = [\"flip_flop\", \"smnist\"]\n");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "1";
  const Outcome second = run({"sweep", "grid.toml"});
  EXPECT_EQ(second.exit_code, 0) << second.messages;
  EXPECT_TRUE(has(second.messages, "smnist")) << second.messages;
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "0";
  EXPECT_EQ(run({"sweep", "grid.toml"}).exit_code, 3);
}

TEST_F(Sweep, FailedPointsAreNamedAndDoNotHoldUpTheOthers) {
  put_base(20);
  put_grid("data.task = [\"flip_flop\", \"smnist\"]\n");  // there are no images
  const Outcome outcome = run({"sweep", "grid.toml"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(has(outcome.messages, "1 of 2 training runs failed")) << outcome.messages;
  EXPECT_EQ(results(), 1u);
}

TEST_F(Sweep, KilledWorkerIsReportedAndGoesOnFromItsCheckpoint) {
  put_base(8000);
  put("base.toml", read_file(folder_ / "base.toml") + "checkpoint_interval = 10\n");
  put_grid("training.seed = [1]\n");
  Program program({"sweep", "grid.toml"}, surroundings_);
  const pid_t worker = child_of(program.pid());
  ASSERT_GT(worker, 0);
  fs::path checkpoint;
  for (int attempt = 0; attempt < 3000 && checkpoint.empty(); ++attempt) {
    for (const fs::path& path : files()) {
      if (path.filename() == "model.safetensors.checkpoint") checkpoint = path;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_FALSE(checkpoint.empty());
  ::kill(worker, SIGKILL);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(has(outcome.messages, "signal 9")) << outcome.messages;
  EXPECT_TRUE(fs::exists(checkpoint));
  EXPECT_EQ(run_json({"sweep", "grid.toml"})["rows"][0]["runs"], 1);

  const fs::path folder = checkpoint.parent_path();
  const std::string resumed = read_file(folder / "model.safetensors");
  surroundings_.folder = folder;
  run_json({"train", "config.toml"});
  EXPECT_EQ(read_file(folder / "model.safetensors"), resumed) << "the bytes of a run that was never killed";
}

TEST_F(Sweep, InterruptionLetsWorkersSaveTheirCheckpoints) {
  put_base(400000);
  put("base.toml", read_file(folder_ / "base.toml") + "checkpoint_interval = 0\n");
  put_grid("training.seed = [1]\n");
  Program program({"sweep", "grid.toml"}, surroundings_);
  const auto has = [&](const char* name) {
    const auto all = files();
    return std::ranges::any_of(all, [&](const fs::path& path) { return path.filename() == name; });
  };
  EXPECT_TRUE(comes_true([&] { return has("metrics.jsonl"); }, std::chrono::seconds(30)));
  EXPECT_FALSE(has("model.safetensors.checkpoint"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  EXPECT_TRUE(has("model.safetensors.checkpoint"));
}

TEST_F(Sweep, FailureOnOneRankOfMpirunDoesNotEndTheOthers) {
  const fs::path mpirun = "/usr/bin/mpirun";
  if (!fs::exists(mpirun)) GTEST_SKIP() << "there is no " << mpirun;
  put_base(2000);
  // Ranks take points in turn: rank 1 fails at once on the second while rank 0 and rank 2 have work to do.
  put_grid("data.task = [\"flip_flop\", \"smnist\", \"copy_first\"]\n");
  surroundings_.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
  surroundings_.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  const Outcome outcome =
      Program(mpirun, {"--oversubscribe", "-n", "3", HYSTERON_PROGRAM, "sweep", "grid.toml", "--jobs", "1"},
              surroundings_)
          .wait();
  EXPECT_EQ(outcome.exit_code, 3) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "1 of 3 training runs failed")) << outcome.messages;
  EXPECT_TRUE(has(outcome.output, "'copy_first' | 1 |")) << outcome.output;
  EXPECT_EQ(results(), 2u);
}

TEST_F(Sweep, BadFilesAreRefused) {
  put_base(20);
  const auto refused = [&](const std::string& grid, const std::vector<std::string>& parts) {
    put("grid.toml", grid);
    expect_refusal({"sweep", "grid.toml"}, 3, parts);
  };
  refused("base = \"base.toml\"\n", {"grid.toml", "[grid] is missing"});
  refused("base = \"base.toml\"\n[grid]\nmodel.wdth = [1]\n", {"grid.toml', line 3", "model.wdth"});
  refused("base = \"base.toml\"\n[grid]\nmodel.width = [4, \"x\"]\n", {"line 3", "model.width is"});
  refused("base = \"base.toml\"\n[grid]\nmodel.width = 4\n", {"line 3", "not a list"});
  refused("base = \"none.toml\"\n[grid]\nmodel.width = [4]\n", {"none.toml"});
  refused("jobs = 2\n[grid]\nmodel.width = [4]\n", {"line 1", "jobs"});
}

}  // namespace
}  // namespace hysteron::cli
