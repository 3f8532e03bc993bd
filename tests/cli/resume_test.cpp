// `noise`, `power` and `gates`: Ctrl-C keeps the runs that are done, and the same command goes on from there.

#include "cli/samples.h"
#include "cli/watched.h"

namespace hysteron::cli {
namespace {

class Resume : public WatchedCli {
 protected:
  static std::size_t kept(const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) return 0;
    std::size_t count = 0;
    for (const auto& file : fs::directory_iterator(folder)) count += file.path().extension() == ".safetensors" ? 1 : 0;
    return count;
  }

  /// Interrupts `arguments` as soon as `folder` has `least` runs and lets the same command end: it must begin as many
  /// runs as are then new, and give what the same command gives once more without any run.
  void expect_to_go_on(const Arguments& arguments, const fs::path& folder, std::size_t least) {
    const FakeProgram fake("echo >> \"$(dirname \"$0\")/runs\"\nexec ngspice \"$@\"");
    use(fake);
    Program program(arguments, surroundings_);
    const Outcome outcome = program.interrupt_when([&] { return kept(folder) >= least; });
    ASSERT_EQ(outcome.exit_code, 130) << outcome.messages;
    const std::size_t before = kept(folder);
    EXPECT_GE(before, least);
    EXPECT_TRUE(has(outcome.messages, std::to_string(before) + " runs are kept in")) << outcome.messages;
    expect_no_temporary_files();
    const std::size_t begun = runs_begun(fake);
    const auto first = run_json(arguments);
    EXPECT_GT(kept(folder), before);
    EXPECT_EQ(runs_begun(fake) - begun, kept(folder) - before);
    const std::size_t all = runs_begun(fake);
    EXPECT_EQ(run_json(arguments), first);
    EXPECT_EQ(runs_begun(fake), all) << "all is there";
  }
};

TEST_F(Resume, Gates) {
  put("q.gates", "input a b\nq = xor a b\noutput q\n");
  run_json({"gates", "q.gates"});  // the gain curves are there from here on
  expect_to_go_on({"gates", "q.gates", "-o", "out", "--dies", "2", "--jobs", "1"}, folder_ / "out" / "runs", 2);
}

/// In the tuning of the cell, and among the trials.
TEST_F(Resume, Noise) {
  const Arguments noise = {"noise", "--sigma",         "0.02,0.1", "--places",   "0.5", "--trials",
                           "3",     "--samples",       "100",      "--supplies", "1.8", "--temperatures",
                           "27",    "--device-trials", "0"};
  const auto with = [&](const std::string& output) {
    Arguments all = noise;
    all.insert(all.end(), {"-o", output, "--jobs", "1"});
    return all;
  };
  run_json(noise);
  expect_to_go_on(with("early.json"), folder_ / "early.runs", 1);
  expect_to_go_on(with("late.json"), folder_ / "late.runs", 14);
}

TEST_F(Resume, Power) {
  expect_to_go_on({"power", "--dims", "2,4", "--model-dims", "32", "--frames", "2", "--calibrate", "curves", "-o",
                   "out", "--jobs", "1"},
                  folder_ / "out" / "runs", 1);
  EXPECT_TRUE(fs::exists(folder_ / "out" / "power.json"));
}

TEST_F(Resume, PowerOfAModelKeepsItsSizes) {
  put("m.safetensors", tiny_model());
  put("x.npy", tiny_features());
  expect_to_go_on({"power", "m.safetensors", "--input", "x.npy", "--calibrate", "cells", "-o", "out", "--jobs", "1"},
                  folder_ / "out" / "runs", 1);
  EXPECT_TRUE(fs::exists(folder_ / "out" / "sizes_model0.json"));
}

}  // namespace
}  // namespace hysteron::cli
