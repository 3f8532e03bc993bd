#include "base/process.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"

namespace hysteron {
namespace {

ProcessRequest shell(const std::string& script) {
  ProcessRequest request;
  request.program = "/bin/sh";
  request.arguments = {"-c", script};
  request.environment = environment_with({}, {"GREETING=hello"});
  request.folder = "/";
  request.time_limit = std::chrono::seconds(30);
  return request;
}

TEST(Process, GivesOutputMessagesAndExitCode) {
  const ProcessOutcome outcome = run_process(shell("pwd; printf $GREETING >&2; cat; exit 3"));
  EXPECT_EQ(outcome.end, ProcessOutcome::End::kExited);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.output, "/\n");
  EXPECT_EQ(outcome.errors, "hello");
}

TEST(Process, GivesTheSignalThatKilledIt) {
  const ProcessOutcome outcome = run_process(shell("kill -TERM $$"));
  EXPECT_EQ(outcome.end, ProcessOutcome::End::kSignalled);
  EXPECT_EQ(outcome.code, 15);
}

TEST(Process, IsKilledAtItsTimeLimit) {
  ProcessRequest request = shell("sleep 30");
  request.time_limit = std::chrono::milliseconds(50);
  const ProcessOutcome outcome = run_process(request);
  EXPECT_EQ(outcome.end, ProcessOutcome::End::kTimedOut);
  EXPECT_LT(outcome.seconds, 10.0);
}

TEST(Process, IsKilledWhenAskedToStop) {
  StopFlag stop;
  stop.request();
  ProcessRequest request = shell("sleep 30");
  request.stop = &stop;
  EXPECT_EQ(run_process(request).end, ProcessOutcome::End::kStopped);
}

TEST(Process, HasItsGraceToEndByItself) {
  StopFlag stop;
  stop.request();
  ProcessRequest request = shell("trap 'echo saved; exit 3' INT; while :; do sleep 0.05; done");
  request.stop = &stop;
  request.grace = std::chrono::seconds(20);
  // The flag is up before the trap may be set; the shell then dies of the signal, which is no less an end.
  const ProcessOutcome outcome = run_process(request);
  EXPECT_EQ(outcome.end, ProcessOutcome::End::kStopped);
  EXPECT_LT(outcome.seconds, 10.0);
}

TEST(Process, IsKilledWhenItsGraceIsOver) {
  StopFlag stop;
  stop.request();
  ProcessRequest request = shell("trap '' INT; while :; do sleep 0.05; done");
  request.stop = &stop;
  request.grace = std::chrono::milliseconds(300);
  const ProcessOutcome outcome = run_process(request);
  EXPECT_EQ(outcome.end, ProcessOutcome::End::kStopped);
  EXPECT_LT(outcome.seconds, 10.0);
}

TEST(Process, KeepsBothEndsOfALongOutput) {
  ProcessRequest request = shell("echo first; yes | head -n 200000; echo last");
  request.kept_output = 1000;
  const std::string text = run_process(request).output;
  EXPECT_LT(text.size(), 4000u);
  EXPECT_TRUE(text.starts_with("first\n"));
  EXPECT_TRUE(text.ends_with("last\n"));
  EXPECT_NE(text.find("bytes left out"), std::string::npos);
  request.kept_output = 1000000;
  EXPECT_EQ(run_process(request).output.size(), 400011u) << "nothing is left out where there is room";
}

TEST(Process, SaysWhichProgramDoesNotStart) {
  ProcessRequest request = shell("");
  request.program = "/nowhere/program";
  try {
    run_process(request);
    FAIL() << "it started";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'/nowhere/program'"), std::string::npos) << error.what();
  }
}

TEST(Process, EnvironmentLosesNamesByPattern) {
  for (const std::string& entry : environment_with({"PATH", "HO*"}, {"X=1"})) {
    EXPECT_FALSE(entry.starts_with("PATH=") || entry.starts_with("HOME=")) << entry;
  }
}

}  // namespace
}  // namespace hysteron
