#include "hysteron/flow/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/base/process.h"
#include "hysteron/base/random.h"
#include "hysteron/train/checkpoint.h"

namespace hysteron::flow {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::chrono::hours kLongestTraining(24 * 30);
constexpr std::chrono::milliseconds kPoll(200);  // while waiting for other ranks

/// This process's place among those that share the work.
struct Rank {
  std::size_t index = 0;
  std::size_t size = 1;
  std::string job;  // tells one run from the next
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Rank find_rank() {
  for (const auto& [index, size] : {std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                    {"PMI_RANK", "PMI_SIZE"},
                                    {"SLURM_PROCID", "SLURM_NTASKS"}}) {
    if (variable(index).empty() || variable(size).empty()) continue;
    Rank rank{std::strtoull(variable(index).c_str(), nullptr, 10), std::strtoull(variable(size).c_str(), nullptr, 10),
              variable("PMIX_NAMESPACE") + variable("SLURM_JOB_ID")};
    if (rank.size == 0 || rank.index >= rank.size) {
      throw Error(ErrorKind::kUsage, fmt::format("{} is {} of {}", index, rank.index, rank.size));
    }
    return rank;
  }
  return {};
}

/// A name that says what a point is, and a hash of all of its configuration.
std::string folder_name(const train::SweepPoint& point) {
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
        grid_(train::read_sweep(request.file)) {
    const fs::path root = fs::absolute(grid_.folder);
    for (const train::SweepPoint& point : grid_.points) {
      result_.entries.push_back({point, root / folder_name(point), false, "", {}});
    }
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
    const std::size_t jobs = request_.jobs == 0 ? static_cast<std::size_t>(hardware_jobs()) : request_.jobs;
    ThreadPool pool(static_cast<int>(std::min(jobs, std::max<std::size_t>(open.size(), 1))));
    threads_ = std::max<std::size_t>(1, static_cast<std::size_t>(hardware_jobs()) / jobs);
    pool.run(open.size(), [&](std::size_t k) {
      if (!stop_.requested()) train(result_.entries[open[k]]);
      const std::lock_guard lock(mutex_);
      reporter_.progress("sweep", ++finished_, open.size(), "");
    });
    if (stop_.requested()) {
      throw Error(ErrorKind::kInterrupted, "sweep interrupted; the same command goes on from here");
    }
    result_.reports = rank_.index == 0;
    if (result_.reports) {
      if (rank_.size > 1) await_others();
      make_rows();
    }
    return std::move(result_);
  }

 private:
  void train(SweepEntry& entry) const {
    make_directories(entry.folder);
    train::TrainConfig config = entry.point.config;
    config.output = "model.safetensors";
    config.metrics = "metrics.jsonl";
    if (config.threads == 0) config.threads = threads_;
    for (std::string* path : {&config.data_folder, &config.data_file}) {
      if (fs::exists(*path)) *path = fs::absolute(*path).string();
    }
    write_file(entry.folder / "config.toml", train::config_to_toml(config));
    ProcessRequest process;
    process.program = request_.program;
    process.arguments = {"train", "config.toml", "--json"};
    if (fs::exists(entry.folder / train::checkpoint_path(config))) process.arguments.emplace_back("--resume");
    process.environment = environment_with({}, {});
    process.folder = entry.folder;
    process.time_limit = kLongestTraining;
    process.stop = &stop_;
    const ProcessOutcome outcome = run_process(process);
    write_file(entry.folder / "log.txt", outcome.errors);
    if (outcome.end == ProcessOutcome::End::kStopped) return;
    if (outcome.end == ProcessOutcome::End::kExited && outcome.code == 0) {
      keep_result(entry, outcome.output);
      return;
    }
    entry.problem = outcome.end == ProcessOutcome::End::kExited
                        ? fmt::format("exit code {}: {}", outcome.code, last_line(outcome.errors))
                        : fmt::format("ended by signal {}", outcome.code);
    write_file(entry.folder / "failed.json", Json{{"job", rank_.job}, {"problem", entry.problem}}.dump());
    reporter_.warning(fmt::format("{}: {}", entry.folder.filename().string(), entry.problem));
  }

  void keep_result(SweepEntry& entry, const std::string& output) const {
    Json values;
    for (const auto& [key, value] : entry.point.values) values[key] = value;
    const Json record = {{"values", values},
                         {"config", Json::parse(train::config_to_json(entry.point.config))},
                         {"result", Json::parse(output)}};
    write_file(entry.folder / "result.json", record.dump(1) + "\n");
    fs::remove(entry.folder / "failed.json");
    read_result(entry);
  }

  /// Whether the point has a result of its configuration; takes its figures.
  static bool read_result(SweepEntry& entry) {
    const fs::path path = entry.folder / "result.json";
    if (!fs::exists(path)) return false;
    const Json record = Json::parse(read_file(path), nullptr, false);
    if (record.is_discarded() || !record.contains("result") || !record.contains("config")) return false;
    if (record["config"] != Json::parse(train::config_to_json(entry.point.config))) return false;
    for (const auto& [key, value] : record["result"].items()) {
      if (value.is_number()) entry.figures[key] = value.get<double>();
    }
    entry.done = true;
    return true;
  }

  /// Until every point has a result or a failure of this job.
  void await_others() {
    for (SweepEntry& entry : result_.entries) {
      while (!entry.done && entry.problem.empty()) {
        if (stop_.requested()) throw Error(ErrorKind::kInterrupted, "sweep interrupted");
        if (read_result(entry)) break;
        const fs::path failed = entry.folder / "failed.json";
        if (fs::exists(failed)) {
          const Json record = Json::parse(read_file(failed), nullptr, false);
          if (!record.is_discarded() && record.value("job", "") == rank_.job) entry.problem = record["problem"];
        }
        if (entry.problem.empty()) std::this_thread::sleep_for(kPoll);
      }
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
    for (const SweepEntry& entry : result_.entries) {
      std::vector<std::pair<std::string, std::string>> values;
      for (const auto& value : entry.point.values) {
        if (!value.first.ends_with("seed")) values.push_back(value);
      }
      auto row = std::ranges::find_if(result_.rows, [&](const SweepRow& known) { return known.values == values; });
      if (row == result_.rows.end()) row = result_.rows.insert(row, SweepRow{values, 0, {}});
      if (!entry.done) continue;
      ++row->runs;
      for (const auto& [name, figure] : entry.figures) row->figures[name].push_back(figure);
    }
  }

  const SweepRequest& request_;
  Reporter& reporter_;
  const StopFlag& stop_;
  Rank rank_;
  train::SweepGrid grid_;
  std::size_t threads_ = 1;
  SweepResult result_;
  std::mutex mutex_;
  std::size_t finished_ = 0;
};

}  // namespace

SweepResult run_sweep(const SweepRequest& request, Reporter& reporter, const StopFlag& stop) {
  return Sweep(request, reporter, stop).run();
}

}  // namespace hysteron::flow
