#include "data/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "hysteron/base/error.h"

extern char** environ;

namespace hysteron::data {
namespace {

using Clock = std::chrono::steady_clock;

Error system_failure(const std::string& program, const char* what, int code) {
  return bad_input(fmt::format("{}: {}: {}", program, what, std::generic_category().message(code)));
}

/// A pipe whose ends close with it.
struct Pipe {
  std::array<int, 2> ends{-1, -1};  // read, write

  explicit Pipe(const std::string& program) {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_failure(program, "cannot make a pipe", errno);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

/// A child that is killed and waited for unless it was seen to end.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const Pipe& output, const Pipe& messages,
        const std::string& install_hint)
      : program_(arguments.front()) {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, messages.ends[1], STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int code = ::posix_spawnp(&pid_, argv[0], &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code == 0) return;
    pid_ = -1;
    if (code == ENOENT) throw bad_input(fmt::format("{} is not installed: {}", program_, install_hint));
    throw system_failure(program_, "cannot start it", code);
  }

  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits for the end of a child that has closed its output.
  int exit_code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) throw system_failure(program_, "cannot wait for it", errno);
    }
    pid_ = -1;
    if (WIFSIGNALED(status)) throw bad_input(fmt::format("{} ended by signal {}", program_, WTERMSIG(status)));
    return WEXITSTATUS(status);
  }

 private:
  std::string program_;
  pid_t pid_ = -1;
};

/// Reads what is there; closes the end of the pipe at its end.
void drain(Pipe& pipe, std::string& text) {
  std::array<char, 65536> block;
  const ssize_t count = ::read(pipe.ends[0], block.data(), block.size());
  if (count > 0) text.append(block.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) pipe.close_end(0);
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments, std::chrono::milliseconds limit,
                      const std::string& install_hint) {
  const std::string& program = arguments.front();
  const auto end = Clock::now() + limit;
  Pipe output(program);
  Pipe messages(program);
  Child child(arguments, output, messages, install_hint);
  output.close_end(1);
  messages.close_end(1);
  ChildResult result;
  while (output.ends[0] >= 0 || messages.ends[0] >= 0) {
    std::array<pollfd, 2> waits{{{output.ends[0], POLLIN, 0}, {messages.ends[0], POLLIN, 0}}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      throw bad_input(fmt::format("{} took longer than {} s and was stopped", program,
                                  std::chrono::duration<double>(limit).count()));
    }
    if (::poll(waits.data(), waits.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
      throw system_failure(program, "cannot read its output", errno);
    }
    if (waits[0].revents != 0) drain(output, result.output);
    if (waits[1].revents != 0) drain(messages, result.messages);
  }
  result.exit_code = child.exit_code();
  return result;
}

}  // namespace hysteron::data
