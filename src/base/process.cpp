#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"

namespace hysteron {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMilliseconds = 20;

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      value_ = std::exchange(other.value_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  void close() {
    if (value_ >= 0) ::close(value_);
    value_ = -1;
  }

 private:
  int value_;
};

std::string system_reason(int code) { return std::generic_category().message(code); }

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw simulator_error("cannot create a pipe: " + system_reason(errno));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// What a child writes: its first and its last bytes.
class Capture {
 public:
  /// Keeps `kept` bytes of each end.
  Capture(Descriptor pipe, std::size_t kept) : pipe_(std::move(pipe)), kept_(kept) {
    ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  }

  int descriptor() const { return pipe_.get(); }
  bool open() const { return pipe_.get() >= 0; }

  /// Takes what is there now, up to a limit: a child that writes without end must not keep its watcher from the clock.
  void drain() {
    std::array<char, 65536> buffer;
    for (int i = 0; i < 32 && open(); ++i) {
      const ssize_t count = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (count > 0) {
        append({buffer.data(), static_cast<std::size_t>(count)});
      } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        pipe_.close();
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

  std::string text() const {
    if (dropped_ == 0) return head_ + tail_;
    return head_ + fmt::format("\n[{} bytes left out]\n", dropped_) + tail_;
  }

 private:
  void append(std::string_view bytes) {
    const std::size_t first = std::min(bytes.size(), kept_ - std::min(kept_, head_.size()));
    head_ += bytes.substr(0, first);
    tail_ += bytes.substr(first);
    if (tail_.size() > 2 * kept_) {
      dropped_ += tail_.size() - kept_;
      tail_.erase(0, tail_.size() - kept_);
    }
  }

  Descriptor pipe_;
  std::size_t kept_;
  std::string head_;
  std::string tail_;
  std::size_t dropped_ = 0;
};

// Everything the child needs between fork and exec, where only async-signal-safe calls are allowed.
struct ChildSetup {
  const char* program;
  const char* folder;
  char* const* arguments;
  char* const* environment;
  int input;
  int output;
  int errors;
  int failure;  // where the child writes errno if it cannot start
  rlim_t file_limit;
  pid_t parent;
};

[[noreturn]] void become_child(const ChildSetup& setup) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // do not outlive the thread that waits
  struct sigaction default_action = {};
  default_action.sa_handler = SIG_DFL;
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGHUP}) ::sigaction(signal, &default_action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (setup.file_limit > 0) {
    const rlimit limit{setup.file_limit, setup.file_limit};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (::getppid() == setup.parent && ::chdir(setup.folder) == 0 && ::dup2(setup.input, 0) >= 0 &&
      ::dup2(setup.output, 1) >= 0 && ::dup2(setup.errors, 2) >= 0) {
    ::execve(setup.program, setup.arguments, setup.environment);
  }
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(setup.failure, &code, sizeof code);
  ::_exit(127);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// The child and its process group; both are gone when this is.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) { ::setpgid(pid, pid); }  // the child does it too; one of the two comes first
  ~Child() {
    kill_group();
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// True when it has ended; never blocks.
  bool poll() {
    if (!reaped_ && ended(WNOHANG)) reap();
    return reaped_;
  }

  void wait() {
    if (reaped_) return;
    ended(0);
    reap();
  }

  void kill_group() const { signal_group(SIGKILL); }

  void signal_group(int signal) const {
    if (!reaped_) ::kill(-pid_, signal);
  }

  int status() const { return status_; }

 private:
  // Leaves the child a zombie, so that its number, which is also its group's, is not given to somebody else.
  bool ended(int flags) const {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | flags) != 0 && errno == EINTR) {
    }
    return info.si_pid == pid_;
  }

  void reap() {
    kill_group();  // whatever it left running
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
  }

  pid_t pid_;
  int status_ = 0;
  bool reaped_ = false;
};

struct Started {
  pid_t pid;
  Descriptor output;
  Descriptor errors;
};

Started start(const ProcessRequest& request) {
  std::vector<std::string> arguments = {request.program.string()};
  arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> environment_pointers = pointers(request.environment);
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  Pipe failure = make_pipe();
  const ChildSetup setup{request.program.c_str(),
                         request.folder.c_str(),
                         argument_pointers.data(),
                         environment_pointers.data(),
                         input.get(),
                         output.write.get(),
                         errors.write.get(),
                         failure.write.get(),
                         static_cast<rlim_t>(request.file_limit),
                         ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) throw simulator_error("cannot start a process: " + system_reason(errno));
  if (pid == 0) become_child(setup);
  failure.write.close();
  int code = 0;
  ssize_t count = 0;
  do {
    count = ::read(failure.read.get(), &code, sizeof code);  // ends when exec closes the pipe
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(sizeof code)) {
    ::waitpid(pid, nullptr, 0);
    throw simulator_error(
        fmt::format("cannot start {}: {}", hysteron::quoted(request.program.string()), system_reason(code)));
  }
  return {pid, std::move(output.read), std::move(errors.read)};
}

// Waits until there is output, or for a moment.
void wait_for_output(const Capture& output, const Capture& errors) {
  std::array<pollfd, 2> files{};
  nfds_t count = 0;
  for (const Capture* capture : {&output, &errors}) {
    if (capture->open()) files[count++] = {capture->descriptor(), POLLIN, 0};
  }
  if (count > 0) {
    ::poll(files.data(), count, kPollMilliseconds);
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

ProcessOutcome run_process(const ProcessRequest& request) {
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin); };
  Started started = start(request);
  Child child(started.pid);
  Capture output(std::move(started.output), request.kept_output);
  Capture errors(std::move(started.errors), request.kept_output);
  ProcessOutcome outcome;
  std::optional<Clock::time_point> interrupted;
  while (true) {
    wait_for_output(output, errors);
    output.drain();
    errors.drain();
    if (child.poll()) break;
    const bool stopped = request.stop != nullptr && request.stop->requested();
    if (stopped && !interrupted) {
      interrupted = Clock::now();
      if (request.grace.count() > 0.0) child.signal_group(SIGINT);
    }
    const bool is_patient = stopped && Clock::now() - *interrupted < request.grace;
    if ((stopped && !is_patient) || elapsed() >= request.time_limit) {
      child.kill_group();
      child.wait();
      outcome.end = stopped ? ProcessOutcome::End::kStopped : ProcessOutcome::End::kTimedOut;
      break;
    }
  }
  output.drain();
  errors.drain();
  if (interrupted) outcome.end = ProcessOutcome::End::kStopped;
  if (outcome.end == ProcessOutcome::End::kExited && WIFSIGNALED(child.status())) {
    outcome.end = ProcessOutcome::End::kSignalled;
    outcome.code = WTERMSIG(child.status());
  } else if (WIFEXITED(child.status())) {
    outcome.code = WEXITSTATUS(child.status());
  }
  outcome.output = output.text();
  outcome.errors = errors.text();
  outcome.seconds = elapsed().count();
  return outcome;
}

std::filesystem::path find_program(const std::string& program, const std::string& search_path) {
  const auto executable = [](const std::filesystem::path& path) {
    std::error_code code;
    return std::filesystem::is_regular_file(path, code) && ::access(path.c_str(), X_OK) == 0;
  };
  if (program.find('/') != std::string::npos) {
    return executable(program) ? std::filesystem::absolute(program) : std::filesystem::path();
  }
  std::istringstream folders(search_path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path candidate = std::filesystem::path(folder.empty() ? "." : folder) / program;
    if (executable(candidate)) return std::filesystem::absolute(candidate);
  }
  return {};
}

std::vector<std::string> environment_with(const std::vector<std::string>& dropped,
                                          const std::vector<std::string>& added) {
  const auto is_dropped = [&](std::string_view name) {
    return std::any_of(dropped.begin(), dropped.end(), [&](const std::string& pattern) {
      return pattern.ends_with('*') ? name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1))
                                    : name == pattern;
    });
  };
  std::vector<std::string> result;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!is_dropped(text.substr(0, text.find('=')))) result.emplace_back(text);
  }
  result.insert(result.end(), added.begin(), added.end());
  return result;
}

}  // namespace hysteron
