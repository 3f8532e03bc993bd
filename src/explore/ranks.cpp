#include "explore/ranks.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace hysteron::explore {
namespace {

constexpr std::chrono::milliseconds kBeat(250);
constexpr std::chrono::milliseconds kPoll(100);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::filesystem::path beat_file(const std::filesystem::path& folder, std::size_t rank) {
  return folder / fmt::format("rank-{}.alive", rank);
}

}  // namespace

Rank find_rank() {
  for (const auto& [index, size] : {std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                    {"PMI_RANK", "PMI_SIZE"},
                                    {"SLURM_PROCID", "SLURM_NTASKS"}}) {
    if (variable(index).empty() || variable(size).empty()) continue;
    Rank rank{std::strtoull(variable(index).c_str(), nullptr, 10), std::strtoull(variable(size).c_str(), nullptr, 10),
              fmt::format("{}/{}/{}/{}", variable("PMIX_NAMESPACE"), variable("SLURM_JOB_ID"),
                          variable("SLURM_RESTART_COUNT"), variable("SLURM_STEP_ID"))};
    if (rank.size == 0 || rank.index >= rank.size) {
      throw Error(ErrorKind::kUsage, fmt::format("{} is {} of {}", index, rank.index, rank.size));
    }
    return rank;
  }
  return {};
}

Heartbeat::Heartbeat(const std::filesystem::path& folder, const Rank& rank) : file_(beat_file(folder, rank.index)) {
  if (rank.size > 1) thread_ = std::thread([this, job = rank.job] { beat(job); });
}

Heartbeat::~Heartbeat() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ending_.notify_one();
  thread_.join();
  std::error_code none;
  std::filesystem::remove(file_, none);
}

void Heartbeat::beat(const std::string& job) {
  std::unique_lock lock(mutex_);
  for (std::size_t count = 0; !over_; ++count) {
    // A beat that cannot be written is one that is not heard: no reason to end a training.
    std::ofstream(file_, std::ios::trunc) << job << ' ' << count << '\n';
    ending_.wait_for(lock, kBeat, [this] { return over_; });
  }
}

double Listener::silence(std::size_t rank) {
  std::ifstream stream(beat_file(folder_, rank));
  const std::string beat{std::istreambuf_iterator<char>(stream), {}};
  const auto now = std::chrono::steady_clock::now();
  const auto [known, first] = heard_.try_emplace(rank, Heard{beat, now});
  if (!first && beat != known->second.beat) known->second = {beat, now};
  return std::chrono::duration<double>(now - known->second.at).count();
}

RollCall::RollCall(std::filesystem::path folder, const Rank& rank, double patience, Reporter& reporter)
    : folder_(std::move(folder)), rank_(rank), patience_(patience), reporter_(reporter) {
  std::error_code none;
  for (const char* ending : {"done", "lost"}) std::filesystem::remove(file(rank.index, ending), none);
}

bool RollCall::is_dead(std::size_t rank, Listener& listener, const std::string& what) {
  const double silence = listener.silence(rank);
  if (silence < patience_) return false;
  if (said_.insert(rank).second) {
    reporter_.warning(fmt::format("rank {} has given no sign of life for {:.0f} s; {}", rank, silence, what));
    write_file(file(rank, "lost"), rank_.job + "\n");
  }
  return true;
}

bool RollCall::is_first_when_all_have_ended(Listener& listener, const StopFlag& stop) {
  if (rank_.size == 1) return true;
  write_file(file(rank_.index, "done"), rank_.job + "\n");
  for (std::size_t rank = 0; rank < rank_.index; ++rank) {
    if (await(rank, listener, stop)) return false;
  }
  for (std::size_t rank = rank_.index + 1; rank < rank_.size; ++rank) await(rank, listener, stop);
  return true;
}

bool RollCall::await(std::size_t rank, Listener& listener, const StopFlag& stop) {
  while (!is_of_this_job(file(rank, "done"))) {
    if (stop.requested()) throw Error(ErrorKind::kInterrupted, fmt::format("interrupted while rank {} worked", rank));
    if (is_of_this_job(file(rank, "lost"))) return false;  // others have said it
    if (is_dead(rank, listener, "everything is already done")) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::filesystem::path RollCall::file(std::size_t rank, const char* ending) const {
  return folder_ / fmt::format("{}.{}", rank, ending);
}

bool RollCall::is_of_this_job(const std::filesystem::path& file) const {
  std::ifstream stream(file);
  std::string job;
  return std::getline(stream, job) && job == rank_.job;
}

}  // namespace hysteron::explore
