#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/reporter.h"
#include "spice/raw_file.h"

namespace hysteron::spice {

/// What one ngspice process gets.
struct Deck {
  /// The whole netlist: title line, devices, analyses, `.end`. A `.control` block is not needed: ngspice runs in batch
  /// mode and the raw file holds what `.save` names. A `.control` block there is must `write out.raw` (after
  /// `set appendwrite` where it writes more than once); analyses outside of it then only cost time.
  std::string text;

  /// Files put beside the netlist, by plain file name; the netlist names them by that name alone.
  std::map<std::string, std::string> files;

  /// Lines for the run's own .spiceinit, read before the netlist: "set ngbehavior=hsa", "set rndseed=17".
  std::vector<std::string> init_commands;

  /// Where the transient must have ended, in seconds; read from a `.tran` line with plain numbers if absent. A raw file
  /// that ends earlier is an error.
  std::optional<double> stop_time;
};

struct RunOptions {
  /// For each attempt; ngspice and its children are killed at the end of it.
  std::chrono::duration<double> time_limit{300.0};

  /// Netlist lines added before `.end`, one set per further attempt, after a run that did not converge, stopped early
  /// or ran out of time. Any other failure is final.
  std::vector<std::string> retries = {
      ".options method=gear bypass=0 itl1=500 itl2=500 itl4=100",
      ".options method=trap bypass=0 reltol=3e-3 itl1=500 itl2=500 itl4=200",
  };

  /// Looked at while ngspice runs; may be null.
  const StopFlag* stop = nullptr;

  /// Bytes the raw file may have; a run that writes more is stopped by the system. 0 means no limit.
  std::size_t raw_limit = 0;
};

struct RunResult {
  RawFile raw;
  std::vector<std::string> messages;  ///< ngspice's warnings, each once, with the netlist line they belong to
  std::string retry;                  ///< the line of RunOptions::retries that made it work; empty if none was needed
  int attempts = 1;
  double seconds = 0.0;  ///< wall time of all attempts
};

/// One run of many: a result or why there is none.
struct RunOutcome {
  std::optional<RunResult> result;
  std::optional<Error> error;

  bool ok() const { return result.has_value(); }

  /// The result, or throws the error.
  const RunResult& value() const;
};

/// The ngspice program (>= 39), one process per run. Thread-safe.
class Ngspice {
 public:
  static constexpr int kOldestVersion = 39;
  static constexpr std::chrono::duration<double> kVersionLimit{20.0};

  /// `program` is a path or a name looked up in PATH; empty means $HYSTERON_NGSPICE, else "ngspice". Runs it once to
  /// ask its version, for which it has `time_limit` but between 1 and 20 s. Throws a simulator Error, with what was
  /// found and expected, if it is missing, too old, fails or does not answer in time.
  explicit Ngspice(const std::string& program = {}, std::chrono::duration<double> time_limit = kVersionLimit);

  const std::filesystem::path& program() const { return program_; }
  int version() const { return version_; }

  /// Runs `deck` in a temporary folder of its own, away from the user's settings, on one thread. Throws a simulator
  /// Error with ngspice's own message and the netlist line it belongs to, and kInterrupted when the stop flag is
  /// raised.
  RunResult run(const Deck& deck, const RunOptions& options = {}) const;

  /// Called after each run, from several threads but never two at once, with the index of the deck.
  using OnDone = std::function<void(std::size_t index, const RunOutcome& outcome)>;

  /// Runs all decks, `jobs` at a time (0: one per hardware thread). A failure does not stop the others; only the stop
  /// flag does, and then kInterrupted is thrown. Outcomes are in the order of the decks.
  std::vector<RunOutcome> run_all(std::span<const Deck> decks, int jobs, const RunOptions& options = {},
                                  const OnDone& on_done = {}) const;

  /// As above, reporting progress of `task`.
  std::vector<RunOutcome> run_all(std::span<const Deck> decks, int jobs, const RunOptions& options, Reporter& reporter,
                                  const std::string& task) const;

 private:
  std::filesystem::path program_;
  int version_ = 0;
};

}  // namespace hysteron::spice
