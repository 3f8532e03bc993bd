#include "spice/ngspice.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <regex>
#include <sstream>
#include <system_error>

#include "base/file.h"
#include "base/parallel.h"
#include "base/process.h"
#include "base/units.h"
#include "spice/simulator_log.h"

namespace hysteron::spice {
namespace {

constexpr const char* kDeckName = "deck.cir";
constexpr const char* kRawName = "out.raw";
constexpr const char* kUnusedRawName = "batch.raw";
constexpr const char* kInitName = ".spiceinit";
constexpr const char* kSiteInitName = "spinit";
constexpr std::chrono::duration<double> kMinVersionLimit{1.0};  // on a busy machine a process takes a while to begin
constexpr double kStopTolerance = 1e-6;                         // relative, of the end of a transient

Error interrupted() { return {ErrorKind::kInterrupted, "interrupted while ngspice ran"}; }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string signal_name(int number) {
  const char* text = ::strsignal(number);
  return fmt::format("signal {} ({})", number, text == nullptr ? "unknown" : text);
}

// The environment of every run: nothing of the user's settings for ngspice, numbers with a point, one thread.
std::vector<std::string> run_environment(const std::filesystem::path& folder) {
  return environment_with({"HOME", "SPICE_*", "NGSPICE_*", "OMP_*", "LC_*", "LANG", "LANGUAGE", "DISPLAY"},
                          {"HOME=" + folder.string(), "SPICE_SCRIPTS=" + folder.string(), "OMP_NUM_THREADS=1",
                           "OMP_WAIT_POLICY=passive", "OMP_DYNAMIC=false", "LC_ALL=C"});
}

// A line of text in lower case without blanks at its ends.
std::string folded(std::string line) {
  std::transform(line.begin(), line.end(), line.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

// Offset of the last line that is `.end`, or the text's size.
std::size_t end_of_netlist(const std::string& text) {
  std::size_t last = text.size();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (folded(text.substr(begin, end - begin)) == ".end") last = begin;
    begin = end + 1;
  }
  return last;
}

std::string with_lines(const std::string& text, const std::string& lines) {
  if (lines.empty()) return text;
  const std::size_t at = end_of_netlist(text);
  const bool needs_break = at > 0 && text[at - 1] != '\n';
  return text.substr(0, at) + (needs_break ? "\n" : "") + lines + "\n" + text.substr(at);
}

bool has_control_block(const std::string& text) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (folded(line) == ".control") return true;
  }
  return false;
}

// The end of the `.tran` line's run, if it is a plain number.
std::optional<double> stop_time_of(const Deck& deck) {
  if (deck.stop_time) return deck.stop_time;
  static const std::regex kNumber("([0-9.]+(?:e[-+]?[0-9]+)?)([a-z]*)");
  static const std::map<std::string, double> kScale = {{"", 1.0},    {"s", 1.0},    {"m", 1e-3},  {"ms", 1e-3},
                                                       {"u", 1e-6},  {"us", 1e-6},  {"n", 1e-9},  {"ns", 1e-9},
                                                       {"p", 1e-12}, {"ps", 1e-12}, {"f", 1e-15}, {"fs", 1e-15}};
  std::istringstream stream(deck.text);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(folded(line));
    std::string command;
    std::string step;
    std::string stop;
    if (!(words >> command >> step >> stop) || command != ".tran") continue;
    std::smatch match;
    if (!std::regex_match(stop, match, kNumber)) return std::nullopt;
    const auto scale = kScale.find(match[2]);
    if (scale == kScale.end()) return std::nullopt;
    return std::strtod(match[1].str().c_str(), nullptr) * scale->second;
  }
  return std::nullopt;
}

void check_deck(const Deck& deck) {
  if (deck.text.empty()) throw bad_input("empty netlist given to ngspice");
  for (const auto& [name, text] : deck.files) {
    const bool is_plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                          name.find('\0') == std::string::npos;
    if (!is_plain)
      throw bad_input(fmt::format("{}: expected a plain file name beside a netlist", hysteron::quoted(name)));
    if (name == kDeckName || name == kRawName || name == kInitName || name == kSiteInitName) {
      throw bad_input(fmt::format("{}: this name is already used in ngspice's folder", hysteron::quoted(name)));
    }
  }
}

// A file of a run. Unlike what users keep, it need not survive a crash of the machine.
void write_run_file(const std::filesystem::path& path, const std::string& text) {
  errno = 0;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.close();
  if (!stream) {
    throw bad_input(
        fmt::format("{}: cannot write: {}", hysteron::quoted(path.string()), std::generic_category().message(errno)));
  }
}

// What one attempt ended with: a result, or an error that may be worth another attempt.
struct Attempt {
  std::optional<RunResult> result;
  std::string error;
  bool is_retryable = false;
};

// One deck on its way through ngspice.
class Run {
 public:
  Run(const std::filesystem::path& program, const Deck& deck, const RunOptions& options)
      : program_(program), deck_(deck), options_(options), folder_("ngspice") {
    for (const auto& [name, text] : deck.files) write_run_file(folder_.path() / name, text);
    std::string init = "set num_threads=1\nunset askquit\n";
    for (const std::string& command : deck.init_commands) init += command + "\n";
    write_run_file(folder_.path() / kInitName, init);
    write_run_file(folder_.path() / kSiteInitName, "* settings of the site are not used\n");
  }

  Attempt attempt(const std::string& extra_lines) {
    std::error_code ignored;
    std::filesystem::remove(raw_path(), ignored);
    const std::string text = with_lines(deck_.text, extra_lines);
    write_run_file(folder_.path() / kDeckName, text);
    ProcessRequest request;
    request.program = program_;
    request.arguments = {"-b", "-r", has_control_block(text) ? kUnusedRawName : kRawName, kDeckName};
    request.environment = run_environment(folder_.path());
    request.folder = folder_.path();
    request.time_limit = options_.time_limit;
    request.file_limit = options_.raw_limit;
    request.stop = options_.stop;
    return judge(run_process(request));
  }

 private:
  std::filesystem::path raw_path() const { return folder_.path() / kRawName; }

  Attempt judge(const ProcessOutcome& outcome) const {
    using End = ProcessOutcome::End;
    if (outcome.end == End::kStopped) throw interrupted();
    SimulatorLog log = read_log(outcome.output, outcome.errors, deck_);
    const std::string said = log.error.empty() ? "" : ": " + log.error;
    if (outcome.end == End::kTimedOut) {
      return failure(
          fmt::format("ran longer than {} and was killed{}", format_si(options_.time_limit.count(), "s"), said), true);
    }
    if (outcome.end == End::kSignalled && outcome.code == SIGXFSZ) {
      return failure(fmt::format("wrote more than the limit of {} bytes", options_.raw_limit), false);
    }
    if (outcome.end == End::kSignalled) {
      return failure("was killed by " + signal_name(outcome.code) + said, false);
    }
    if (outcome.code != 0) {
      const std::string what = said.empty() ? "exit code " + std::to_string(outcome.code) + tail(outcome) : log.error;
      return failure(what, log.is_convergence);
    }
    return collect(std::move(log));
  }

  // The process ended well; the raw file decides.
  Attempt collect(SimulatorLog log) const {
    std::error_code ignored;
    if (!std::filesystem::exists(raw_path(), ignored)) {
      return failure("wrote no result: " + (log.error.empty() ? "is there an analysis in the netlist?" : log.error),
                     log.is_convergence);
    }
    RunResult result;
    try {
      result.raw = read_raw_file(raw_path());
    } catch (const Error& error) {
      return failure(error.what() + (log.error.empty() ? "" : ": " + log.error), log.is_convergence);
    }
    if (std::string problem = check_values(result.raw); !problem.empty()) {
      return failure(problem + (log.error.empty() ? "" : ": " + log.error), true);
    }
    result.messages = std::move(log.warnings);
    if (!log.error.empty()) result.messages.push_back(log.error);
    return {std::move(result), "", false};
  }

  // Why the numbers cannot be trusted; empty if they can.
  std::string check_values(const RawFile& raw) const {
    const std::optional<double> stop = stop_time_of(deck_);
    bool has_transient = false;
    for (const Plot& plot : raw.plots) {
      for (std::size_t i = 0; i < plot.variables.size(); ++i) {
        const auto is_finite = [](double value) { return std::isfinite(value); };
        if (std::all_of(plot.columns[i].begin(), plot.columns[i].end(), is_finite)) continue;
        return fmt::format("signal {} of '{}' is not finite", hysteron::quoted(plot.variables[i].name), plot.name);
      }
      if (!stop || plot.variables.front().name != "time") continue;
      has_transient = true;
      const double last = plot.columns.front().back();
      if (last < *stop * (1.0 - kStopTolerance)) {
        return fmt::format("the transient ended at {} instead of {}", format_si(last, "s", 6),
                           format_si(*stop, "s", 6));
      }
    }
    if (stop && !has_transient) return "the raw file has no transient";
    return "";
  }

  static Attempt failure(const std::string& what, bool is_retryable) { return {std::nullopt, what, is_retryable}; }

  // The end of what it said, where nothing of it was understood.
  static std::string tail(const ProcessOutcome& outcome) {
    constexpr std::size_t kTail = 400;
    std::string text =
        outcome.errors.find_first_not_of(" \t\r\n") == std::string::npos ? outcome.output : outcome.errors;
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    if (text.size() > kTail) text.erase(0, text.size() - kTail);
    return text.empty() ? " and no message" : ": " + text;
  }

  const std::filesystem::path& program_;
  const Deck& deck_;
  const RunOptions& options_;
  TemporaryDirectory folder_;
};

}  // namespace

const RunResult& RunOutcome::value() const {
  if (!result) throw error ? *error : simulator_error("the run never started");
  return *result;
}

Ngspice::Ngspice(const std::string& program, std::chrono::duration<double> time_limit) {
  const std::string chosen = !program.empty() ? program : variable("HYSTERON_NGSPICE");
  const std::string name = chosen.empty() ? "ngspice" : chosen;
  const std::string expected = fmt::format("expected ngspice {} or newer", kOldestVersion);
  program_ = find_program(name, variable("PATH"));
  if (program_.empty()) {
    throw simulator_error(
        fmt::format("{}: no such program ({}; install the package ngspice, or name the program in $HYSTERON_NGSPICE)",
                    hysteron::quoted(name), expected));
  }
  const TemporaryDirectory folder("ngspice");
  ProcessRequest request;
  request.program = program_;
  request.arguments = {"--version"};
  request.environment = run_environment(folder.path());
  request.folder = folder.path();
  request.time_limit = std::clamp(time_limit, kMinVersionLimit, kVersionLimit);
  const ProcessOutcome outcome = run_process(request);
  const std::string where = hysteron::quoted(program_.string());
  if (outcome.end == ProcessOutcome::End::kTimedOut) {
    throw simulator_error(fmt::format("{} --version does not end within {} ({})", where,
                                      format_si(request.time_limit.count(), "s"), expected));
  }
  if (outcome.end == ProcessOutcome::End::kSignalled) {
    throw simulator_error(
        fmt::format("{} --version was killed by {} ({})", where, signal_name(outcome.code), expected));
  }
  static const std::regex kVersion("ngspice-([0-9]{1,6})");
  std::smatch match;
  const std::string said = outcome.output + outcome.errors;
  if (!std::regex_search(said, match, kVersion)) {
    throw simulator_error(fmt::format("{} --version printed {} and exited with code {} ({})", where,
                                      hysteron::quoted(said.substr(0, 200)), outcome.code, expected));
  }
  version_ = std::stoi(match[1]);
  if (version_ < kOldestVersion) {
    throw simulator_error(fmt::format("{} is ngspice {}: too old, {}", where, version_, expected));
  }
}

RunResult Ngspice::run(const Deck& deck, const RunOptions& options) const {
  check_deck(deck);
  const auto begin = std::chrono::steady_clock::now();
  Run run(program_, deck, options);
  std::string errors;
  int attempts = 0;
  for (std::size_t i = 0; i <= options.retries.size(); ++i) {
    if (options.stop != nullptr && options.stop->requested()) throw interrupted();
    const std::string retry = i == 0 ? "" : options.retries[i - 1];
    Attempt attempt = run.attempt(retry);
    ++attempts;
    if (attempt.result) {
      RunResult result = std::move(*attempt.result);
      if (i > 0) result.messages.push_back("succeeded only with other options: " + retry);
      result.retry = retry;
      result.attempts = attempts;
      result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      return result;
    }
    if (errors.empty()) errors = attempt.error;
    if (!attempt.is_retryable) {
      errors = attempt.error;
      break;
    }
  }
  const std::string tries =
      attempts > 1 ? fmt::format(" ({} attempts failed; this is the first's message)", attempts) : "";
  throw simulator_error(fmt::format("ngspice: {}{}", errors, tries));
}

std::vector<RunOutcome> Ngspice::run_all(std::span<const Deck> decks, int jobs, const RunOptions& options,
                                         const OnDone& on_done) const {
  std::vector<RunOutcome> outcomes(decks.size());
  const std::size_t target = static_cast<std::size_t>(jobs > 0 ? jobs : hardware_jobs());
  ThreadPool pool(static_cast<int>(std::clamp<std::size_t>(decks.size(), 1, target)));
  std::mutex mutex;
  pool.run(decks.size(), [&](std::size_t i) {
    try {
      outcomes[i].result = run(decks[i], options);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInterrupted) throw;
      outcomes[i].error = error;
    }
    if (on_done) {
      const std::lock_guard lock(mutex);
      on_done(i, outcomes[i]);
    }
  });
  return outcomes;
}

std::vector<RunOutcome> Ngspice::run_all(std::span<const Deck> decks, int jobs, const RunOptions& options,
                                         Reporter& reporter, const std::string& task) const {
  std::size_t done = 0;
  std::size_t failed = 0;
  return run_all(decks, jobs, options, [&](std::size_t, const RunOutcome& outcome) {
    ++done;
    if (!outcome.ok()) ++failed;
    reporter.progress(task, done, decks.size(), failed == 0 ? "" : fmt::format("{} failed", failed));
  });
}

}  // namespace hysteron::spice
