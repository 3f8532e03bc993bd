// A simulator that is missing, old, crashing or hanging: exit code 4. An interruption: exit code 130.

#include <sys/stat.h>

#include "cli/program.h"
#include "cli/samples.h"
#include "spice/fake_program.h"

namespace hysteron::cli {
namespace {

using spice::FakeProgram;

constexpr int kSimulatorFailed = 4;
constexpr int kInterrupted = 130;

/// Whether the program came to wait in one of its threads, in time, once it is the program and no longer its parent.
bool is_asleep(pid_t pid) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::string place = "/proc/" + std::to_string(pid);
    const std::string stat = read_file(place + "/stat");
    if (has(stat, "(hysteron) S") && has(read_file(place + "/cmdline"), "features")) return true;
  }
  return false;
}

class Simulator : public Cli {
 protected:
  Simulator() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
    make_directories(root_.path() / "cache");
    // Gain curves stored by another test would hide that ngspice is not there.
    surroundings_.environment["XDG_CACHE_HOME"] = (root_.path() / "cache").string();
  }

  void use(const fs::path& program) { surroundings_.environment["HYSTERON_NGSPICE"] = program.string(); }

  void expect_failure(const std::vector<std::string>& parts) const {
    expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--time-limit", "0.3"}, kSimulatorFailed, parts);
    expect_refusal({"compile", "m.safetensors", "-o", "circuit", "--time-limit", "0.3"}, kSimulatorFailed, parts);
  }
};

TEST_F(Simulator, MissingIsSaidWithTheProgramsName) {
  use("/nonexistent/ngspice");
  expect_failure({"/nonexistent/ngspice", "install"});
}

TEST_F(Simulator, TooOldIsSaidWithBothVersions) {
  const FakeProgram fake("exit 0", "** ngspice-36 : fake");
  use(fake.path());
  expect_failure({"36", "39"});
}

TEST_F(Simulator, AnotherProgramIsNotTakenForNgspice) {
  const FakeProgram fake("exit 0", "a calculator");
  use(fake.path());
  expect_failure({fake.path().string()});
}

TEST_F(Simulator, CrashIsReported) {
  const FakeProgram fake("echo 'doAnalyses: iteration limit' >&2; kill -SEGV $$");
  use(fake.path());
  expect_failure({"ngspice"});
}

TEST_F(Simulator, FailureIsReportedWithItsMessage) {
  const FakeProgram fake("echo 'Error: the moon is full' >&2; exit 1");
  use(fake.path());
  expect_failure({"the moon is full"});
}

TEST_F(Simulator, HangEndsAtTheTimeLimit) {
  const FakeProgram fake("sleep 1000");
  use(fake.path());
  expect_failure({"300 ms"});
}

TEST_F(Simulator, HangAtItsVersionEndsAtTheTimeLimitToo) {
  const FakeProgram fake("exit 0", "!sleep 1000");
  use(fake.path());
  const auto begin = std::chrono::steady_clock::now();
  expect_refusal({"verify", "m.safetensors", "--input", "x.npy", "--time-limit", "1"}, kSimulatorFailed,
                 {"--version does not end within 1 s"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(Simulator, TrainingNeedsNone) {
  use("/nonexistent/ngspice");
  put_tones(folder_ / "tones");
  put("c.toml", tiny_training("tones", "trained.safetensors"));
  EXPECT_EQ(run({"train", "c.toml"}).exit_code, 0);
}

TEST_F(Simulator, InterruptionOfARunLeavesNothing) {
  const FakeProgram fake("touch started; sleep 1000");
  use(fake.path());
  const std::set<fs::path> before = files();
  Program program({"compile", "m.safetensors", "-o", "circuit"}, surroundings_);
  ASSERT_TRUE(program.says("measuring"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, kInterrupted) << outcome.messages;
  EXPECT_EQ(files(), before);
  expect_no_temporary_files();
}

class Interruption : public Cli {};

TEST_F(Interruption, ThirdRequestEndsWhatDoesNotListen) {
  const fs::path pipe = folder_ / "a.wav";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);  // nobody ever writes to it
  Program program({"features", "a.wav", "-o", "f.npy"}, surroundings_);
  ASSERT_TRUE(is_asleep(program.pid()));
  for (int i = 0; i < 3; ++i) {
    program.send(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(program.wait().exit_code, kInterrupted);
}

TEST_F(Interruption, OfTrainingSavesAModelThatRuns) {
  put_tones(folder_ / "tones");
  put("c.toml", tiny_training("tones", "trained.safetensors", "steps = 10000000\n"));
  Program program({"train", "c.toml", "--json"}, surroundings_);
  ASSERT_TRUE(program.says("training"));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  program.send(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.exit_code, kInterrupted) << outcome.messages;
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(has(outcome.messages, "trained.safetensors")) << outcome.messages;
  run_json({"eval", "trained.safetensors", "--data", "tones"});
}

}  // namespace
}  // namespace hysteron::cli
