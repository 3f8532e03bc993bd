// The bridge against programs that misbehave.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/file.h"
#include "spice/fake_program.h"
#include "spice/ngspice.h"

namespace hysteron::spice {
namespace {

using Seconds = std::chrono::duration<double>;

const Deck kDeck = {"* deck\nr1 a 0 1k\n.op\n.end\n", {}, {}, {}};
const char* const kRaw =
    "printf 'Title: t\\nPlotname: Operating Point\\nFlags: real\\nNo. Variables: 1\\nNo. Points: 1\\n"
    "Variables:\\n\\t0\\tv(a)\\tvoltage\\nBinary:\\n\\0\\0\\0\\0\\0\\0\\0\\0' > out.raw\n";

RunOptions impatient() {
  RunOptions options;
  options.time_limit = Seconds(0.4);
  options.retries.clear();
  return options;
}

template <typename Action>
std::string error_of(const Action& action, ErrorKind kind = ErrorKind::kSimulator) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string error_of_run(const FakeProgram& fake, const RunOptions& options = impatient()) {
  const Ngspice ngspice(fake.path());
  return error_of([&] { ngspice.run(kDeck, options); });
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// False also for a zombie, which waits only for its new parent to take note.
bool is_running(const std::string& pid) {
  std::ifstream stream("/proc/" + pid + "/stat");
  std::string stat((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

bool soon_gone(const std::string& pid) {
  for (int i = 0; i < 100 && is_running(pid); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !is_running(pid);
}

std::string first_line(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(FakeNgspice, RefusesAMissingProgram) {
  const std::string message = error_of([] { Ngspice("/nowhere/ngspice"); });
  EXPECT_TRUE(has(message, "'/nowhere/ngspice': no such program")) << message;
  EXPECT_TRUE(has(message, "expected ngspice 39 or newer")) << message;
}

TEST(FakeNgspice, LooksInEnvironmentVariableAndPath) {
  const FakeProgram fake("");
  {
    const Environment variable("HYSTERON_NGSPICE", fake.path());
    EXPECT_EQ(Ngspice().program(), fake.path());
  }
  const Environment variable("HYSTERON_NGSPICE", "");
  const Environment path("PATH", "/nowhere:" + fake.folder().string());
  EXPECT_EQ(Ngspice().program(), fake.path());
}

TEST(FakeNgspice, RefusesAProgramThatIsNotExecutable) {
  const FakeProgram fake("");
  std::filesystem::permissions(fake.path(), std::filesystem::perms::owner_read);
  EXPECT_TRUE(has(error_of([&] { Ngspice(fake.path()); }), "no such program"));
}

TEST(FakeNgspice, ChecksTheVersion) {
  EXPECT_EQ(Ngspice(FakeProgram("", "** ngspice-44.2 : x").path()).version(), 44);
  const FakeProgram old("", "** ngspice-36 : x");
  EXPECT_TRUE(has(error_of([&] { Ngspice(old.path()); }), "is ngspice 36: too old, expected ngspice 39 or newer"));
  const FakeProgram other("", "hspice 2020");
  EXPECT_TRUE(has(error_of([&] { Ngspice(other.path()); }), "printed 'hspice 2020"));
  const FakeProgram crash("", "!kill -SEGV $$");
  EXPECT_TRUE(has(error_of([&] { Ngspice(crash.path()); }), "--version was killed by signal 11"));
}

TEST(FakeNgspice, ReportsACrash) {
  const std::string message = error_of_run(FakeProgram("echo 'Error: about to die' >&2; kill -SEGV $$"));
  EXPECT_TRUE(has(message, "killed by signal 11")) << message;
  EXPECT_TRUE(has(message, "about to die")) << message;
}

TEST(FakeNgspice, KillsAHangingProgramAndItsChildren) {
  const FakeProgram fake(
      "here=$(dirname \"$0\"); echo $$ > \"$here/parent\"; sleep 1000 & echo $! > \"$here/child\"; wait");
  const auto begin = std::chrono::steady_clock::now();
  const std::string message = error_of_run(fake);
  EXPECT_LT(Seconds(std::chrono::steady_clock::now() - begin).count(), 5.0);
  EXPECT_TRUE(has(message, "ran longer than 400 ms and was killed")) << message;
  for (const char* name : {"parent", "child"}) {
    const std::string pid = first_line(fake.folder() / name);
    ASSERT_FALSE(pid.empty());
    EXPECT_TRUE(soon_gone(pid)) << name;
  }
}

TEST(FakeNgspice, KillsAProgramThatTalksWithoutEnd) {
  EXPECT_TRUE(has(error_of_run(FakeProgram("while :; do echo Error: again; done")), "ran longer than"));
}

TEST(FakeNgspice, LeavesNothingRunningAfterAGoodRun) {
  const FakeProgram fake(
      std::string("here=$(dirname \"$0\"); sleep 1000 >/dev/null 2>&1 & echo $! > \"$here/child\"\n") + kRaw);
  Ngspice(fake.path()).run(kDeck, impatient());
  EXPECT_TRUE(soon_gone(first_line(fake.folder() / "child")));
}

TEST(FakeNgspice, StopsWhenAsked) {
  const FakeProgram fake("echo $$ > \"$(dirname \"$0\")/parent\"; exec sleep 1000");
  const Ngspice ngspice(fake.path());
  StopFlag stop;
  RunOptions options = impatient();
  options.time_limit = Seconds(100);
  options.stop = &stop;
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.request();
  });
  error_of([&] { ngspice.run(kDeck, options); }, ErrorKind::kInterrupted);
  user.join();
  EXPECT_TRUE(soon_gone(first_line(fake.folder() / "parent")));
  const std::vector<Deck> decks(3, kDeck);
  error_of([&] { ngspice.run_all(decks, 2, options); }, ErrorKind::kInterrupted);
}

TEST(FakeNgspice, RefusesResultsThatAreNotWhole) {
  struct Case {
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {"exit 0", "wrote no result"},
      {": > out.raw", "is empty"},
      {"echo garbage > out.raw", "has no ':'"},
      {"head -c 4000 /dev/urandom > out.raw", "raw file 'out.raw'"},
      {"printf 'Title: t\\nPlotname: Transient Analysis\\nFlags: real\\nNo. Variables: 1\\nNo. Points: 0\\n' > out.raw",
       "cut short"},
      {"exit 3", "exit code 3 and no message"},
      {"echo 'no space left' >&2; exit 1", "exit code 1: no space left"},
  };
  for (const Case& c : cases) {
    const std::string message = error_of_run(FakeProgram(c.body));
    EXPECT_TRUE(has(message, c.expected)) << c.body << " gave: " << message;
  }
}

TEST(FakeNgspice, RefusesATransientThatEndedEarly) {
  const FakeProgram fake(
      "printf 'Title: t\\nPlotname: Transient Analysis\\nFlags: real\\nNo. Variables: 1\\nNo. Points: 1\\n"
      "Variables:\\n\\t0\\ttime\\ttime\\nBinary:\\n\\0\\0\\0\\0\\0\\0\\0\\0' > out.raw");
  const Ngspice ngspice(fake.path());
  const Deck deck = {"* t\n.tran 1u 2.5m\n.end\n", {}, {}, {}};
  EXPECT_TRUE(has(error_of([&] { ngspice.run(deck, impatient()); }), "the transient ended at 0 s instead of 2.5 ms"));
  Deck given = deck;
  given.stop_time = 0.0;
  EXPECT_EQ(ngspice.run(given, impatient()).raw.plots.size(), 1U);
}

TEST(FakeNgspice, RetriesWithOtherOptionsAndSaysSo) {
  const FakeProgram fake(
      std::string("if grep -q 'method=gear reltol' deck.cir; then\n") + kRaw +
      "else echo 'doAnalyses: TRAN:  Timestep too small; time = 1e-9: trouble with node \"a\"' >&2; exit 1\n"
      "fi");
  RunOptions options = impatient();
  options.retries = {".options method=gear", ".options method=gear reltol=1e-2"};
  const RunResult result = Ngspice(fake.path()).run(kDeck, options);
  EXPECT_EQ(result.attempts, 3);
  EXPECT_EQ(result.retry, options.retries[1]);
  ASSERT_FALSE(result.messages.empty());
  EXPECT_TRUE(has(result.messages.back(), options.retries[1]));
}

TEST(FakeNgspice, GivesUpAfterTheLastRetry) {
  const FakeProgram fake(
      "echo x >> \"$(dirname \"$0\")/runs\"; echo 'doAnalyses: OP:  Timestep too small: trouble with node \"a\"' >&2; "
      "exit 1");
  RunOptions options = impatient();
  options.retries = {".options method=gear", ".options itl4=200"};
  const std::string message = error_of_run(fake, options);
  EXPECT_EQ(std::filesystem::file_size(fake.folder() / "runs"), 6U);
  EXPECT_TRUE(has(message, "3 attempts")) << message;
  EXPECT_TRUE(has(message, "netlist line 2: r1 a 0 1k")) << message;
}

TEST(FakeNgspice, DoesNotRetryAnErrorInTheNetlist) {
  const FakeProgram fake("echo x >> \"$(dirname \"$0\")/runs\"; echo 'Error: unknown subckt: r1 a 0 1k' >&2; exit 1");
  RunOptions options = impatient();
  options.retries = {".options method=gear"};
  error_of_run(fake, options);
  EXPECT_EQ(std::filesystem::file_size(fake.folder() / "runs"), 2U);
}

TEST(FakeNgspice, GetsASettledEnvironment) {
  const Environment site("SPICE_LIB_DIR", "/somewhere");
  const Environment threads("OMP_NUM_THREADS", "64");
  const FakeProgram fake(std::string("{ env; cat .spiceinit; readlink /proc/$$/fd/0; echo \"arguments $*\"; } > ") +
                         "\"$(dirname \"$0\")/seen\"\n" + kRaw);
  Deck deck = kDeck;
  deck.init_commands = {"set ngbehavior=hsa"};
  Ngspice(fake.path()).run(deck, impatient());
  const std::string seen = read_file(fake.folder() / "seen");
  for (const char* expected : {"OMP_NUM_THREADS=1\n", "OMP_WAIT_POLICY=passive\n", "LC_ALL=C\n", "set num_threads=1\n",
                               "set ngbehavior=hsa\n", "/dev/null\n", "arguments -b -r out.raw deck.cir\n"}) {
    EXPECT_TRUE(has(seen, expected)) << expected;
  }
  EXPECT_FALSE(has(seen, "SPICE_LIB_DIR"));
}

TEST(FakeNgspice, RefusesFileNamesThatLeaveTheFolder) {
  const Ngspice ngspice(FakeProgram(kRaw).path());
  for (const std::string name : {"../x", "/etc/x", "", "..", "deck.cir", "out.raw", ".spiceinit"}) {
    Deck deck = kDeck;
    deck.files[name] = "x";
    error_of([&] { ngspice.run(deck, impatient()); }, ErrorKind::kBadInput);
  }
  error_of([&] { ngspice.run(Deck{}, impatient()); }, ErrorKind::kBadInput);
}

TEST(FakeNgspice, NamesAFileItCannotWrite) {
  const FakeProgram fake(kRaw);
  Deck deck = kDeck;
  deck.files[std::string(300, 'n')] = "x";  // longer than any file system takes
  const std::string message = error_of([&] { Ngspice(fake.path()).run(deck, impatient()); }, ErrorKind::kBadInput);
  EXPECT_TRUE(has(message, "cannot write")) << message;
}

}  // namespace
}  // namespace hysteron::spice
