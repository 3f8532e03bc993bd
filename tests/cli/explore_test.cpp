// hysteron explore: the search, bad spaces, what is left by a kill, ranks, Slurm's script, a picked point.

#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/processes.h"
#include "cli/program.h"
#include "cli/samples.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

/// The first ```toml block of the document about searches.
std::string documented_space() {
  const std::string text = read_file(fs::path(HYSTERON_SOURCE_DIR) / "docs" / "explore.md");
  const std::string fence = "```toml\n";
  const std::size_t begin = text.find(fence) + fence.size();
  return text.substr(begin, text.find("```", begin) - begin);
}

class Explore : public WatchedCli {
 protected:
  /// A space over put_tones() with `points` points of `steps` training steps each, kept in `folder`.
  std::string space(const std::string& folder, int points, int steps = 20) const {
    return "folder = \"" + folder + "\"\n[search]\npoints = " + std::to_string(points) +
           "\npopulation = 4\ndies = 2\ndie_clips = 2\n"
           "objectives = [\"accuracy\", \"power\", \"yield\", \"area\", \"settling\"]\n"
           "[variables]\nd = [2, 5]\nsparsity = [0.0, 0.3]\n"
           "training.learning_rate = {low = 1e-3, high = 1e-2, scale = \"log\"}\n"
           "[data]\nfolder = \"tones\"\n[model]\nlayers = 1\n"
           "[training]\nbatch = 8\nvalidation_interval = 5\nrestarts = 1\nsteps = " +
           std::to_string(steps) + "\n[classes]\nlow = [\"low\"]\nhigh = [\"high\"]\n";
  }

  std::size_t done(const std::string& folder) const {
    std::error_code ignored;
    const fs::path points = folder_ / folder / "points";
    if (!fs::is_directory(points, ignored)) return 0;
    std::size_t count = 0;
    for (const auto& file : fs::directory_iterator(points)) count += file.path().extension() == ".json" ? 1 : 0;
    return count;
  }

  void await_points(const std::string& folder, std::size_t count) const {
    EXPECT_TRUE(comes_true([&] { return done(folder) >= count; }, std::chrono::seconds(60)));
  }

  std::string result(const std::string& folder, const char* name) const { return read_file(folder_ / folder / name); }

  /// Searches space("search", points) with one variable more: the supply, of `choices`.
  Outcome search_supplies(int points, const std::string& choices) const {
    put_tones(folder_ / "tones");
    std::string text = space("search", points);
    const std::string variables = "[variables]\n";
    text.insert(text.find(variables) + variables.size(), "supply = {choices = [" + choices + "]}\n");
    put("space.toml", text);
    return run({"explore", "space.toml", "--json", "--jobs", "1"});
  }

  void expect_same_results(const std::string& first, const std::string& second) const {
    EXPECT_EQ(result(first, "points.jsonl"), result(second, "points.jsonl"));
    EXPECT_EQ(result(first, "pareto.md"), result(second, "pareto.md"));
  }
};

TEST_F(Explore, DesignsThatNgspiceCannotMeasureAreNamedAndTheSearchGoesOn) {
  const FakeProgram fake(
      "if [ -e deck.cir ] && grep -q '1\\.73' deck.cir; then echo 'Error: the moon is full' >&2; exit 1; fi\nexec "
      "ngspice \"$@\"");
  use(fake);
  const Outcome outcome = search_supplies(8, "1.8, 1.73");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.messages, "moon")) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["points"], 8);
  EXPECT_GT(json["failed"], 0);
  EXPECT_LT(json["failed"], 8);
}

TEST_F(Explore, ASimulatorThatNeverWorksEndsTheSearch) {
  const FakeProgram fake(
      "if [ -e deck.cir ]; then echo 'Error: the moon is full' >&2; exit 1; fi\nexec ngspice \"$@\"");
  use(fake);
  const Outcome outcome = search_supplies(4, "1.71, 1.72");
  EXPECT_EQ(outcome.exit_code, 4) << outcome.messages;
  EXPECT_EQ(done("search"), 0U) << "nothing is blamed on designs";
}

TEST_F(Explore, ScoresEveryPointAndTellsThoseThatNothingBeats) {
  put_tones(folder_ / "tones");
  put("space.toml", space("out", 6));
  const auto json = run_json({"explore", "space.toml"});
  EXPECT_EQ(json["points"], 6);
  EXPECT_EQ(json["generations"], 2);
  EXPECT_EQ(json["failed"], 0);
  ASSERT_FALSE(json["pareto"].empty());
  std::istringstream lines(result("out", "points.jsonl"));
  std::string line;
  std::size_t count = 0;
  for (; std::getline(lines, line); ++count) {
    const auto point = nlohmann::json::parse(line);
    EXPECT_EQ(point["index"], count);
    EXPECT_GT(point["power_w"].get<double>(), 1e-10);
    EXPECT_LT(point["power_w"].get<double>(), 1e-6);
    EXPECT_GT(point["area_m2"].get<double>(), 1e-10);
    EXPECT_GT(point["settling_s"].get<double>(), 1e-6);
    EXPECT_LT(point["settling_s"].get<double>(), 1.0);
    for (const char* share : {"accuracy", "test_accuracy", "software_test_accuracy", "yield"}) {
      EXPECT_GE(point[share].get<double>(), 0.0);
      EXPECT_LE(point[share].get<double>(), 1.0);
    }
    EXPECT_EQ(point["values"].size(), 3u);
    EXPECT_TRUE(fs::exists(folder_ / "out/points" / ("0000" + std::to_string(count) + ".safetensors")));
  }
  EXPECT_EQ(count, 6u);
  // A longer search of the same space goes on.
  put("space.toml", space("out", 9));
  const auto longer = run_json({"explore", "space.toml"});
  EXPECT_EQ(longer["kept"], 6);
  EXPECT_EQ(longer["points"], 9);
  put("fresh.toml", space("fresh", 9));
  run_json({"explore", "fresh.toml", "--jobs", "1"});
  expect_same_results("out", "fresh");
}

TEST_F(Explore, KilledSearchesEndInTheBytesOfOneThatWasNot) {
  put_tones(folder_ / "tones");
  put("whole.toml", space("whole", 10, 100));
  put("killed.toml", space("killed", 10, 100));
  run_json({"explore", "whole.toml"});
  for (const std::size_t points : {1u, 4u, 7u}) {
    Program program({"explore", "killed.toml"}, surroundings_);
    await_points("killed", points);
    program.send(SIGKILL);
    EXPECT_EQ(program.wait().exit_code, 128 + SIGKILL);
  }
  EXPECT_LT(done("killed"), 10u);
  const auto json = run_json({"explore", "killed.toml"});
  EXPECT_GE(json["kept"], 7);
  expect_same_results("whole", "killed");
}

TEST_F(Explore, InterruptKeepsWhatIsDone) {
  put_tones(folder_ / "tones");
  put("space.toml", space("out", 40, 400));
  Program program({"explore", "space.toml"}, surroundings_);
  const Outcome outcome = program.interrupt_when([&] { return done("out") >= 2; });
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_TRUE(has(outcome.messages, "finished points are kept in")) << outcome.messages;
  EXPECT_GE(done("out"), 2u);
}

TEST_F(Explore, DesignsThatCannotBeMadeAreSaidAndRankedLast) {
  put_tones(folder_ / "tones");
  std::string text = space("out", 4);
  const std::string rate = "training.learning_rate = {low = 1e-3, high = 1e-2, scale = \"log\"}";
  // Each will do, but a hold of 0.6 and a fall of 0.4 are longer than a training.
  text.replace(text.find(rate), rate.size(),
               "training.epsilon_hold = {choices = [0.05, 0.6]}\ntraining.epsilon_fall = {choices = [0.1, 0.4]}");
  const std::string shape = "d = [2, 5]\nsparsity = [0.0, 0.3]\n";
  text.erase(text.find(shape), shape.size());
  put("space.toml", text);
  const Outcome outcome = run({"explore", "space.toml", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["points"], 4) << "all there are";
  EXPECT_EQ(json["failed"], 1);
  EXPECT_TRUE(has(outcome.messages, "epsilon_hold")) << outcome.messages;
  EXPECT_TRUE(has(result("out", "points.jsonl"), "\"problem\"")) << result("out", "points.jsonl");
  ASSERT_FALSE(json["pareto"].empty());
  for (const auto& point : json["pareto"]) EXPECT_FALSE(point.contains("problem"));
}

TEST_F(Explore, BadSpacesAreRefused) {
  const auto refused = [&](const std::string& text, const std::vector<std::string>& parts) {
    put("space.toml", text);
    expect_refusal({"explore", "space.toml"}, 3, parts);
  };
  refused("[variables]\nd = [8, 4]\n", {"space.toml', line 2", "variables.d", "empty range"});
  refused("[variables]\nwidht = [4, 8]\n", {"space.toml', line 2", "unknown key", "variables.widht"});
  refused("[variables]\nd = [4, \"x\"]\n", {"space.toml', line 2", "variables.d"});
  refused("[search]\nobjectives = [\"speed\"]\n[variables]\nd = [4, 8]\n",
          {"line 2", "search.objectives", "speed", "accuracy, balanced_accuracy, yield, power, area, settling"});
  refused("[variables]\nd = [4,\n", {"space.toml', line"});
  refused("[hardware]\npdk = \"none\"\n[variables]\nd = [4, 8]\n", {"space.toml", "hardware.pdk", "generic180"});
  expect_refusal({"explore", "none.toml"}, 3, {"none.toml"});
  put("space.toml", space("out", 4));
  const Outcome no_data = run({"explore", "space.toml"});
  EXPECT_EQ(no_data.exit_code, 3) << no_data.messages;
  EXPECT_TRUE(has(no_data.messages, "tones")) << no_data.messages;
}

TEST_F(Explore, FolderOfAnotherSpaceIsRefused) {
  put_tones(folder_ / "tones");
  put("space.toml", space("out", 2));
  run_json({"explore", "space.toml"});
  std::string other = space("out", 2);
  other.replace(other.find("[2, 5]"), 6, "[2, 6]");
  put("other.toml", other);
  expect_refusal({"explore", "other.toml"}, 3, {"other.toml", "out", "another space", "variables.d"});
  put("steps.toml", space("out", 2, 30));
  expect_refusal({"explore", "steps.toml"}, 3, {"steps.toml", "training.steps is 20 instead of 30"});
  put("out/space.json", "[");
  expect_refusal({"explore", "space.toml"}, 3, {"space.json"});
}

TEST_F(Explore, UsageIsChecked) {
  put("space.toml", space("out", 2));
  expect_refusal({"explore"}, 2, {"file"});
  expect_refusal({"explore", "space.toml", "--pick", "0"}, 2, {"--output"});
  expect_refusal({"explore", "space.toml", "--output", "x"}, 2, {"--pick"});
  expect_refusal({"explore", "space.toml", "--pick", "0", "--output", "x"}, 3, {"pick: 0", "00000.json"});
  expect_refusal({"explore", "space.toml", "--pick", "0", "--output", "x", "--fail-under", "speed=1"}, 2, {"speed"});
  expect_refusal({"explore", "space.toml", "--ranks", "2"}, 2, {"--slurm"});
}

TEST_F(Explore, RanksShareAGenerationAndOthersDoWhatADeadOneHasBegun) {
  put_tones(folder_ / "tones");
  put("whole.toml", space("whole", 8));
  put("shared.toml", space("shared", 8));
  run_json({"explore", "whole.toml"});
  // A rank of this job that was killed as it had begun two points and finished one.
  put("shared/points/00000.rank", "1 -\n");
  put("shared/points/00001.rank", "1 -\n");
  fs::copy(folder_ / "whole/points/00000.json", folder_ / "shared/points/00000.json");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "3";
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "0";
  surroundings_.environment["PMIX_NAMESPACE"] = "job";
  put("shared/points/00002.rank", "1 job///\n");
  Program first({"explore", "shared.toml", "--jobs", "1", "--patience", "1"}, surroundings_);
  surroundings_.environment["OMPI_COMM_WORLD_RANK"] = "2";
  const Outcome second = run({"explore", "shared.toml", "--jobs", "1", "--patience", "1"});
  const Outcome outcome = first.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_EQ(second.exit_code, 0) << second.messages;
  EXPECT_EQ(second.output, "") << "rank 0 has the table";
  EXPECT_TRUE(has(outcome.messages + second.messages, "rank 1 has given no sign of life")) << outcome.messages;
  expect_same_results("whole", "shared");
}

/// One that has begun nothing when it dies, as while it waits for the others: nobody misses it before the end.
TEST_F(Explore, RanksThatDieWithoutAPointAreSaidAndTheFirstThatLivesPrints) {
  put_tones(folder_ / "tones");
  surroundings_.environment["OMPI_COMM_WORLD_SIZE"] = "2";
  for (const auto& [alive, dead] : {std::pair{"1", "0"}, std::pair{"0", "1"}}) {
    put("space.toml", space(std::string("alone") + alive, 4));
    surroundings_.environment["OMPI_COMM_WORLD_RANK"] = alive;
    const Outcome outcome = run({"explore", "space.toml", "--jobs", "1", "--patience", "1"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
    EXPECT_TRUE(has(outcome.output, "4 points")) << "rank " << alive << " prints the table: " << outcome.output;
    EXPECT_TRUE(has(outcome.messages, std::string("rank ") + dead + " has given no sign of life")) << outcome.messages;
  }
}

/// The process that mpirun started as rank `rank`; 0 if there is none in time.
pid_t process_of_rank(pid_t mpirun, int rank) {
  return child_of(mpirun, [&](const fs::path& process) {
    std::ifstream environment(process / "environ", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(environment), {}};
    return has(text, "OMPI_COMM_WORLD_RANK=" + std::to_string(rank));
  });
}

class ExploreRanks : public Explore, public testing::WithParamInterface<int> {};

/// Rank 0 is the one that prints; where it is the one that is lost, the next does.
TEST_P(ExploreRanks, KilledUnderMpirunIsSaidAndLosesNothing) {
  const fs::path mpirun = "/usr/bin/mpirun";
  if (!fs::exists(mpirun)) GTEST_SKIP() << "there is no " << mpirun;
  put_tones(folder_ / "tones");
  put("whole.toml", space("whole", 12, 800));
  put("ranks.toml", space("ranks", 12, 800));
  run_json({"explore", "whole.toml"});
  surroundings_.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
  surroundings_.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  Program program(mpirun,
                  {"--oversubscribe", "--enable-recovery", "-n", "3", HYSTERON_PROGRAM, "explore", "ranks.toml",
                   "--jobs", "1", "--patience", "1"},
                  surroundings_);
  const pid_t victim = process_of_rank(program.pid(), GetParam());
  ASSERT_GT(victim, 0);
  await_points("ranks", 2);
  // While it is at a point, which the others then wait for.
  bool begun = false;
  for (int attempt = 0; attempt < 3000 && !begun; ++attempt) {
    for (const auto& file : fs::directory_iterator(folder_ / "ranks/points")) {
      if (file.path().extension() != ".rank") continue;
      std::ifstream stream(file.path());
      int owner = 0;
      const bool is_done = fs::exists(fs::path(file.path()).replace_extension(".json"));
      if (stream >> owner && owner == GetParam() && !is_done) begun = true;
    }
    if (!begun) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(victim, SIGKILL);
  const Outcome outcome = program.wait();
  EXPECT_TRUE(begun);
  const std::string said = "rank " + std::to_string(GetParam()) + " has given no sign of life";
  EXPECT_TRUE(has(outcome.messages, said)) << outcome.messages;
  EXPECT_TRUE(has(outcome.output, "12 points")) << outcome.output << outcome.messages;
  expect_same_results("whole", "ranks");
}

INSTANTIATE_TEST_SUITE_P(Of, ExploreRanks, testing::Values(0, 1));

TEST_F(Explore, ScriptForSlurmStartsTheSearchOnItsRanks) {
  put_tones(folder_ / "tones");
  put("a space.toml", space("out", 4));
  const auto json = run_json({"explore", "a space.toml", "--slurm", "job.sh", "--ranks", "2", "--hours", "1.5"});
  EXPECT_EQ(json["script"], "job.sh");
  const std::string script = read_file(folder_ / "job.sh");
  EXPECT_TRUE(has(script, "#SBATCH --ntasks=2\n")) << script;
  EXPECT_TRUE(has(script, "#SBATCH --time=90\n")) << script;
  // An srun that starts two tasks as Slurm does.
  put("bin/srun",
      "#!/bin/sh\nwhile [ \"${1#--}\" != \"$1\" ]; do shift; done\n"
      "export SLURM_NTASKS=2 SLURM_JOB_ID=5 SLURM_STEP_ID=0\n"
      "SLURM_PROCID=1 \"$@\" & SLURM_PROCID=0 \"$@\" && wait\n");
  fs::permissions(folder_ / "bin/srun", fs::perms::owner_all);
  surroundings_.environment["PATH"] = (folder_ / "bin").string() + ":" + std::getenv("PATH");
  const Outcome outcome = Program("/bin/sh", {"job.sh"}, surroundings_).wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
  EXPECT_TRUE(has(outcome.output, "4 points")) << outcome.output << outcome.messages;
  run_json({"explore", "a space.toml", "--slurm", "job.sh", "--pdk-root", "the pdk"});
  EXPECT_TRUE(has(read_file(folder_ / "job.sh"), " --pdk-root 'the pdk'\n"));
  put("bad.toml", "[variables]\nd = [8, 4]\n");
  expect_refusal({"explore", "bad.toml", "--slurm", "bad.sh"}, 3, {"bad.toml", "variables.d"});
}

TEST_F(Explore, PickedPointIsBuiltAndComparedInNgspice) {
  put_tones(folder_ / "tones");
  put("space.toml", space("out", 2));
  run_json({"explore", "space.toml"});
  const auto json = run_json({"explore", "space.toml", "--pick", "1", "--output", "picked", "--clips", "1"});
  EXPECT_EQ(json["clips"], 1);
  EXPECT_EQ(json["point"]["index"], 1);
  EXPECT_NEAR(json["power_nw"]["total"].get<double>(), 1e9 * json["point"]["power_w"].get<double>(),
              0.3 * json["power_nw"]["total"].get<double>());
  for (const char* name : {"model.safetensors", "test.npy", "verify.json", "point.json", "circuit/network.spice"}) {
    EXPECT_TRUE(fs::exists(folder_ / "picked" / name)) << name;
  }
  EXPECT_EQ(read_file(folder_ / "picked/model.safetensors"), read_file(folder_ / "out/points/00001.safetensors"));
  // Once more, from what is kept there, with a limit that no circuit meets.
  const Outcome missed = run({"explore", "space.toml", "--pick", "1", "--output", "picked", "--clips", "1",
                              "--fail-under", "candidate_rms=0"});
  EXPECT_EQ(missed.exit_code, 5) << missed.messages;
}

TEST_F(Explore, SpaceOfTheDocumentationIsOne) {
  put("space.toml", documented_space());
  EXPECT_EQ(run_json({"explore", "space.toml", "--slurm", "job.sh"})["script"], "job.sh");
}

}  // namespace
}  // namespace hysteron::cli
