#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace hysteron::cli {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// What a run of the program left; an end by a signal counts as 128 plus its number, as in a shell.
struct Outcome {
  int exit_code = -1;
  std::string output;    // stdout
  std::string messages;  // stderr
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Whether `condition` holds in time.
inline bool comes_true(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

/// The built program as a child process with an argument vector, a temporary folder of its own and files as stdout and
/// stderr; killed with the object if it still runs.
class Program {
 public:
  struct Surroundings {
    fs::path folder;                                 // current folder; below it nothing is made by this class
    std::map<std::string, std::string> environment;  // added to the test's own
    rlim_t largest_file = RLIM_INFINITY;             // bytes; a write beyond it fails
    fs::path output;                                 // where stdout goes; empty: into Outcome::output
  };

  Program(const Arguments& arguments, const Surroundings& surroundings)
      : Program(HYSTERON_PROGRAM, arguments, surroundings) {}

  /// Another program in its place.
  Program(const std::string& path, const Arguments& arguments, const Surroundings& surroundings) {
    Arguments words = {path};
    words.insert(words.end(), arguments.begin(), arguments.end());
    write_file(stdout_, "");
    write_file(stderr_, "");
    child_ = ::fork();
    if (child_ == 0) become(words, surroundings);
  }
  ~Program() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return child_; }

  void send(int signal) const { ::kill(child_, signal); }

  /// Whether its messages have `part` in time.
  bool says(const std::string& part, std::chrono::seconds limit = std::chrono::seconds(60)) const {
    return comes_true([&] { return has(read_file(stderr_), part); }, limit);
  }

  Outcome wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_file(stdout_), read_file(stderr_)};
  }

  /// Interrupts it as soon as `condition` holds and gives how it ended.
  Outcome interrupt_when(const std::function<bool()>& condition) {
    EXPECT_TRUE(comes_true(condition, std::chrono::seconds(120)));
    send(SIGINT);
    return wait();
  }

 private:
  [[noreturn]] void become(const Arguments& words, const Surroundings& surroundings) const {
    for (const auto& [name, value] : surroundings.environment) ::setenv(name.c_str(), value.c_str(), 1);
    if (surroundings.largest_file != RLIM_INFINITY) {
      const rlimit limit{surroundings.largest_file, surroundings.largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      std::signal(SIGXFSZ, SIG_IGN);  // so that write() fails instead, as on a full disk
    }
    const int output = ::open(surroundings.output.empty() ? stdout_.c_str() : surroundings.output.c_str(), O_WRONLY);
    const int messages = ::open(stderr_.c_str(), O_WRONLY);
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(messages, 2) < 0) ::_exit(126);
    if (::chdir(surroundings.folder.c_str()) != 0) ::_exit(126);
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    ::execv(pointers.front(), pointers.data());
    ::_exit(127);
  }

  TemporaryDirectory streams_{"cli-streams"};
  fs::path stdout_ = streams_.path() / "stdout";
  fs::path stderr_ = streams_.path() / "stderr";
  pid_t child_ = -1;
};

/// A folder to work in, another as the program's temporary folder, and the program.
class Cli : public ::testing::Test {
 protected:
  Cli() {
    make_directories(temporary_);
    surroundings_.folder = folder_;
    surroundings_.environment["TMPDIR"] = temporary_.string();
  }

  Outcome run(const Arguments& arguments) const { return Program(arguments, surroundings_).wait(); }

  /// Runs and expects success; gives the one JSON object that --json printed.
  nlohmann::json run_json(Arguments arguments) const {
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.messages;
    auto json = nlohmann::json::parse(outcome.output, nullptr, false);
    EXPECT_TRUE(json.is_object()) << "not one JSON object: " << outcome.output;
    return json;
  }

  /// Expects exit code `code`, a message with every one of `parts`, an empty stdout, no new file in the folder and
  /// none left in the temporary one.
  void expect_refusal(const Arguments& arguments, int code, const std::vector<std::string>& parts) const {
    const std::set<fs::path> before = files();
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.exit_code, code) << outcome.messages;
    for (const std::string& part : parts) {
      EXPECT_TRUE(has(outcome.messages, part)) << "no \"" << part << "\" in: " << outcome.messages;
    }
    EXPECT_EQ(outcome.output, "");
    EXPECT_EQ(files(), before);
    expect_no_temporary_files();
  }

  void expect_no_temporary_files() const {
    for (const auto& entry : fs::directory_iterator(temporary_)) ADD_FAILURE() << "left behind: " << entry.path();
  }

  /// Everything below the folder.
  std::set<fs::path> files() const {
    std::set<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) found.insert(entry.path());
    return found;
  }

  fs::path put(const fs::path& name, const std::string& bytes) const {
    fs::path path = folder_ / name;
    make_directories(path.parent_path());
    write_file(path, bytes);
    return path;
  }

  TemporaryDirectory root_{"cli"};
  fs::path folder_ = root_.path() / "work";
  fs::path temporary_ = root_.path() / "temporary";
  Program::Surroundings surroundings_;

 private:
  bool made_ = fs::create_directories(folder_);
};

}  // namespace hysteron::cli
