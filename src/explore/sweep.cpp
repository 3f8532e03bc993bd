#include "explore/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/process.h"
#include "base/random.h"
#include "explore/ranks.h"
#include "explore/stored_trainings.h"
#include "train/checkpoint.h"

namespace hysteron::explore {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kLongestTraining(24 * 30);
constexpr std::chrono::seconds kGrace(30);
constexpr std::chrono::milliseconds kPoll(200);  // while waiting for other ranks

/// A name that says what a point is, and a hash of all of its configuration.
std::string folder_name(const explore::SweepPoint& point) {
  std::string name;
  for (const auto& [key, value] : point.values) {
    const std::string text = key.substr(key.rfind('.') + 1) + "-" + value;
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_') name += c;
    }
    name += '_';
  }
  constexpr std::size_t kLongestName = 100;
  return fmt::format("{}{:08x}", name.substr(0, kLongestName),
                     fnv1a(train::config_to_json(point.config)) & 0xffffffffU);
}

class Sweep {
 public:
  Sweep(const SweepRequest& request, Reporter& reporter, const StopFlag& stop)
      : request_(request),
        reporter_(reporter),
        stop_(stop),
        rank_(find_rank()),
        grid_(explore::read_sweep(request.file)) {
    const fs::path root = fs::absolute(grid_.folder);
    std::set<std::string> deprecations;
    for (const explore::SweepPoint& point : grid_.points) {
      deprecations.insert(point.config.deprecations.begin(), point.config.deprecations.end());
      result_.entries.push_back({point, root / folder_name(point), false, "", {}});
    }
    for (const std::string& deprecation : deprecations) reporter_.warning(deprecation);
  }

  SweepResult run() {
    std::vector<std::size_t> open;
    for (std::size_t i = rank_.index; i < result_.entries.size(); i += rank_.size) {
      if (read_result(result_.entries[i])) {
        ++result_.skipped;
      } else {
        open.push_back(i);
      }
    }
    const fs::path root = fs::absolute(grid_.folder);
    make_directories(root);
    const Heartbeat heartbeat(root, rank_);
    train_all(open);
    result_.reports = rank_.index == 0;
    if (result_.reports) {
      if (rank_.size > 1) await_others();
      make_rows();
    }
    return std::move(result_);
  }

 private:
  void train_all(const std::vector<std::size_t>& open) {
    const std::size_t jobs = request_.jobs == 0 ? static_cast<std::size_t>(hardware_jobs()) : request_.jobs;
    ThreadPool pool(static_cast<int>(std::min(jobs, std::max<std::size_t>(open.size(), 1))));
    threads_ = std::max<std::size_t>(1, static_cast<std::size_t>(hardware_jobs()) / jobs);
    std::size_t finished = 0;
    pool.run(open.size(), [&](std::size_t k) {
      if (!stop_.requested()) train(result_.entries[open[k]]);
      const std::lock_guard lock(mutex_);
      reporter_.progress("sweep", ++finished, open.size(), "");
    });
    if (stop_.requested()) {
      throw Error(ErrorKind::kInterrupted, "sweep interrupted; the same command goes on from here");
    }
  }

  void train(SweepEntry& entry) const {
    make_directories(entry.folder);
    train::TrainConfig config = entry.point.config;
    config.output = "model.safetensors";
    config.metrics = "metrics.jsonl";
    if (config.threads == 0) config.threads = threads_;
    for (std::string* path : {&config.data_folder, &config.data_file}) {
      std::error_code unreadable;  // `train` says so
      if (*path != train::kBuiltInData && fs::exists(*path, unreadable)) *path = fs::absolute(*path).string();
    }
    write_file(entry.folder / "config.toml", train::used_toml(config));
    ProcessRequest process;
    process.program = request_.program;
    process.arguments = {"train", "config.toml", "--json"};
    if (fs::exists(entry.folder / train::checkpoint_path(config))) process.arguments.emplace_back("--resume");
    process.environment = environment_with({}, {});
    process.folder = entry.folder;
    process.time_limit = kLongestTraining;
    process.stop = &stop_;
    process.grace = kGrace;  // to save a checkpoint
    const ProcessOutcome outcome = run_process(process);
    write_file(entry.folder / "log.txt", outcome.errors);
    if (outcome.end == ProcessOutcome::End::kStopped) return;
    if (outcome.end == ProcessOutcome::End::kExited && outcome.code == 0) {
      write_result(entry, outcome.output);
      return;
    }
    entry.problem = outcome.end == ProcessOutcome::End::kExited
                        ? fmt::format("exit code {}: {}", outcome.code, last_line(outcome.errors))
                        : fmt::format("killed by signal {}", outcome.code);
    write_failure(entry, rank_.job);
    reporter_.warning(fmt::format("{}: {}", entry.folder.filename().string(), entry.problem));
  }

  /// Takes the result of a point, or its failure in this job, if there is one.
  void look_at(SweepEntry& entry) const {
    if (entry.done || !entry.problem.empty() || read_result(entry)) return;
    read_failure(entry, rank_.job);
  }

  /// The points of other ranks that have neither result nor failure, by rank.
  std::map<std::size_t, std::vector<std::size_t>> awaited() {
    std::map<std::size_t, std::vector<std::size_t>> result;
    for (std::size_t i = 0; i < result_.entries.size(); ++i) {
      SweepEntry& entry = result_.entries[i];
      look_at(entry);
      if (!entry.done && entry.problem.empty()) result[i % rank_.size].push_back(i);
    }
    return result;
  }

  /// Until every point has a result or a failure of this job; points of a rank that has fallen silent are made here.
  void await_others() {
    Listener listener(fs::absolute(grid_.folder));
    std::size_t announced = 0;  // ranks
    for (auto open = awaited(); !open.empty(); open = awaited()) {
      if (stop_.requested()) throw Error(ErrorKind::kInterrupted, "sweep interrupted");
      if (announced != open.size()) {
        std::vector<std::string> names;
        for (const auto& [rank, points] : open) names.push_back(fmt::format("{} ({} to do)", rank, points.size()));
        reporter_.info(fmt::format("sweep: waiting for rank {}", fmt::join(names, ", ")));
        announced = open.size();
      }
      for (const auto& [rank, points] : open) {
        const double silence = listener.silence(rank);
        if (silence < request_.patience) continue;
        reporter_.warning(
            fmt::format("rank {} has given no sign of life for {:.0f} s; rank 0 does its {} points itself", rank,
                        silence, points.size()));
        train_all(points);
        break;  // which took a while: the others may be done
      }
      std::this_thread::sleep_for(kPoll);
    }
  }

  static std::string last_line(const std::string& text) {
    const std::size_t end = text.find_last_not_of("\r\n ");
    if (end == std::string::npos) return "no message";
    const std::size_t begin = text.find_last_of("\r\n", end);
    return text.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
  }

  void make_rows() {
    std::vector<std::map<std::string, std::vector<double>>> figures;  // of every row, over its runs
    for (const SweepEntry& entry : result_.entries) {
      result_.failed += entry.problem.empty() ? 0 : 1;
      std::vector<std::pair<std::string, std::string>> values;
      for (const auto& value : entry.point.values) {
        if (!value.first.ends_with("seed")) values.push_back(value);
      }
      const auto found = std::ranges::find(result_.rows, values, &SweepRow::values);
      const auto row = static_cast<std::size_t>(found - result_.rows.begin());
      if (found == result_.rows.end()) {
        result_.rows.push_back({values, 0, {}});
        figures.emplace_back();
      }
      if (!entry.done) continue;
      ++result_.rows[row].runs;
      for (const auto& [name, figure] : entry.figures) figures[row][name].push_back(figure);
    }
    for (std::size_t row = 0; row < figures.size(); ++row) {
      for (const auto& [name, runs] : figures[row]) result_.rows[row].figures[name] = train::spread(runs);
    }
  }

  const SweepRequest& request_;
  Reporter& reporter_;
  const StopFlag& stop_;
  Rank rank_;
  explore::SweepGrid grid_;
  std::size_t threads_ = 1;
  SweepResult result_;
  std::mutex mutex_;
};

}  // namespace

SweepResult run_sweep(const SweepRequest& request, Reporter& reporter, const StopFlag& stop) {
  return Sweep(request, reporter, stop).run();
}

}  // namespace hysteron::explore
