#include "explore/explore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/parallel.h"
#include "base/stored_json.h"
#include "explore/design_bench.h"
#include "explore/explored_points.h"
#include "explore/nsga.h"
#include "explore/ranks.h"

namespace hysteron::explore {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPoll(100);  // while waiting for other ranks

std::vector<explore::Gene> genes_of(const explore::SearchSpace& space) {
  std::vector<explore::Gene> genes;
  for (const explore::SpaceVariable& variable : space.variables) {
    genes.push_back({variable.levels(), variable.is_ordered()});
  }
  return genes;
}

/// Who does which point where several ranks share a folder: the first to make its file. What a rank of an earlier job
/// or one that has fallen silent has begun may be taken from it; should two ranks take it at once, both write the same.
class PointLocks {
 public:
  PointLocks(const explore::SearchSpace& space, const Rank& rank, double patience, Reporter& reporter)
      : space_(space),
        rank_(rank),
        patience_(patience),
        listener_(space.folder),
        roll_call_(space.folder / "points", rank, patience, reporter) {}

  /// Whether this rank is to do point `index`.
  bool take(std::size_t index) {
    if (rank_.size == 1) return true;
    const fs::path path = point_file(space_, index, ".rank");
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      ::close(descriptor);
      write_file(path, mine());
      return true;
    }
    const std::string owner = read_file(path);
    if (owner.empty()) return waited(index);  // whoever made it is about to say so
    std::istringstream stream(owner);
    std::size_t rank = 0;
    std::string job;
    stream >> rank >> job;
    const bool is_free = job != rank_.job || rank == rank_.index ||
                         roll_call_.is_dead(rank, listener_, "others take over the points it has begun");
    if (is_free) write_file(path, mine());
    return is_free;
  }

  /// Whether this rank is the first of those that live, once all have ended.
  bool is_first(const StopFlag& stop) { return roll_call_.is_first_when_all_have_ended(listener_, stop); }

 private:
  std::string mine() const { return fmt::format("{} {}\n", rank_.index, rank_.job); }

  /// Whether a file without an owner has been seen for as long as a rank may be silent.
  bool waited(std::size_t index) {
    const auto now = std::chrono::steady_clock::now();
    const auto since = nameless_.try_emplace(index, now).first->second;
    if (std::chrono::duration<double>(now - since).count() < patience_) return false;
    write_file(point_file(space_, index, ".rank"), mine());
    return true;
  }

  const explore::SearchSpace& space_;
  const Rank& rank_;
  double patience_;
  Listener listener_;
  RollCall roll_call_;
  std::map<std::size_t, std::chrono::steady_clock::time_point> nameless_;
};

class Search {
 public:
  Search(const ExploreRequest& request, Reporter& reporter, const StopFlag& stop)
      : request_(request),
        reporter_(reporter),
        stop_(stop),
        rank_(find_rank()),
        pool_(static_cast<int>(request.jobs)),
        result_{prepared(request), {}, {}, 0, 0, 0, true},
        genes_(genes_of(result_.space)),
        point_locks_(result_.space, rank_, request.patience, reporter) {}

  Exploration run() {
    for (const std::string& deprecation : space().base.deprecations) reporter_.warning(deprecation);
    make_directories(space().folder / "points");
    const Heartbeat heartbeat(space().folder, rank_);
    write_file(space().folder / "space.json", space().identity() + "\n");
    std::vector<explore::Individual> individuals;
    for (std::size_t generation = 0; individuals.size() < space().points; ++generation) {
      const std::vector<explore::Genome> proposed = propose(individuals, generation);
      if (proposed.empty()) break;  // nothing else is in the space
      run_generation(proposed, generation);
      for (std::size_t i = 0; i < proposed.size(); ++i) {
        individuals.push_back({proposed[i], costs_of(result_.points[individuals.size()], space().objectives)});
      }
    }
    if (individuals.size() < space().points) {
      reporter_.info(fmt::format("the space has only {} points; all are done", individuals.size()));
    }
    find_pareto(individuals);
    result_.failed = static_cast<std::size_t>(
        std::ranges::count_if(result_.points, [](const ExploredPoint& point) { return !point.figures; }));
    result_.generations = result_.points.empty() ? 0 : result_.points.back().generation + 1;
    write_results();  // every rank the same bytes, as the first may be lost
    result_.reports = point_locks_.is_first(stop_);
    return std::move(result_);
  }

 private:
  static explore::SearchSpace prepared(const ExploreRequest& request) {
    explore::SearchSpace space = explore::read_search_space(request.file, objective_names());
    space.folder = fs::absolute(space.folder);
    check_space_folder(space, request.file);
    try {
      technology::load_technology(space.hardware.technology_name(), request.pdk_root);
    } catch (const Error& error) {
      throw bad_input(fmt::format("{}: hardware.pdk: {}", quoted(request.file.string()), error.what()));
    }
    return space;
  }

  const explore::SearchSpace& space() const { return result_.space; }

  /// A first generation is spread over its own size, so that one of a search that was shorter stays as it was.
  std::vector<explore::Genome> propose(const std::vector<explore::Individual>& individuals,
                                       std::size_t generation) const {
    const Random random = Random(space().seed).child("explore/generation", generation);
    std::vector<explore::Genome> proposed =
        explore::propose(genes_, individuals, {space().population, space().population}, random);
    proposed.resize(std::min(proposed.size(), space().points - individuals.size()));
    return proposed;
  }

  /// Until every point of the generation is kept, whoever does it.
  void run_generation(const std::vector<explore::Genome>& proposed, std::size_t generation) {
    first_ = result_.points.size();
    open_.clear();
    for (std::size_t i = 0; i < proposed.size(); ++i) {
      const std::size_t index = first_ + i;
      const explore::PointDesign design = space().design(proposed[i]);
      result_.points.push_back({index, generation, design.values, {}, ""});
      if (take_stored(index)) {
        ++result_.kept;
        simulator_works_ = true;
      } else {
        open_.push_back(index);
      }
    }
    while (!open_.empty()) {
      pool_.run(static_cast<std::size_t>(pool_.jobs()), [&](std::size_t) {
        while (const auto index = next()) do_point(*index, proposed[*index - first_]);
      });
      check_stop();
      std::erase_if(open_, [&](std::size_t index) { return take_stored(index); });
      if (open_.empty()) break;
      std::this_thread::sleep_for(kPoll);
      check_stop();
    }
  }

  /// Takes the figures of a point that is stored. False where it is not, or of another design: then it is done anew.
  bool take_stored(std::size_t index) {
    auto stored = read_point(space(), index).value;
    if (!stored || stored->values != result_.points[index].values) return false;
    stored->index = index;
    stored->generation = result_.points[index].generation;
    result_.points[index] = std::move(*stored);
    return true;
  }

  /// A point that this thread is to do now; none where nothing is left to begin.
  std::optional<std::size_t> next() {
    const std::lock_guard lock(mutex_);
    if (stop_.requested()) return std::nullopt;
    for (const std::size_t index : open_) {
      if (busy_.contains(index) || take_stored(index) || !point_locks_.take(index)) continue;
      busy_.insert(index);
      return index;
    }
    return std::nullopt;
  }

  void do_point(std::size_t index, const explore::Genome& genome) {
    ExploredPoint point = [&] {
      const std::lock_guard lock(mutex_);
      return result_.points[index];
    }();
    const explore::PointDesign design = space().design(genome);
    DesignBench& bench = this->bench();
    try {
      bench.prepare(design.hardware);
      simulator_works_ = true;
      point.figures = bench.evaluate(design, point_file(space(), index, ".safetensors"));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInterrupted) check_stop();
      // A simulator that never worked is no matter of the design.
      const bool is_design = error.kind() == ErrorKind::kSimulator && simulator_works_;
      if (error.kind() != ErrorKind::kBadInput && !is_design) throw;
      point.problem = error.what();
      reporter_.warning(fmt::format("point {}: {}", index, point.problem));
    }
    write_point(space(), point);
    const std::lock_guard lock(mutex_);
    busy_.erase(index);
    reporter_.progress("exploring", ++done_, space().points - std::min(result_.kept, space().points), "");
  }

  /// Made when there is something to do: a finished search needs no data.
  DesignBench& bench() {
    const std::lock_guard lock(bench_mutex_);
    if (!bench_) {
      ThreadPool pool(static_cast<int>(request_.jobs));
      bench_ = std::make_unique<DesignBench>(space(), request_.pdk_root, pool, reporter_, stop_);
    }
    return *bench_;
  }

  void check_stop() const {
    if (stop_.requested()) throw interruption("finished points", space().folder);
  }

  void find_pareto(const std::vector<explore::Individual>& individuals) {
    const auto fronts = explore::nondominated_fronts(individuals);
    if (fronts.empty() || individuals[fronts.front().front()].costs.empty()) return;
    result_.pareto = fronts.front();
    std::ranges::stable_sort(result_.pareto,
                             [&](std::size_t a, std::size_t b) { return individuals[a].costs < individuals[b].costs; });
  }

  void write_results() const {
    std::string lines;
    for (const ExploredPoint& point : result_.points) lines += json_bytes(point_json(point)) + "\n";
    write_file(space().folder / "points.jsonl", lines);
    write_file(space().folder / "pareto.md", pareto_table(result_));
  }

  const ExploreRequest& request_;
  Reporter& reporter_;
  const StopFlag& stop_;
  Rank rank_;
  ThreadPool pool_;
  Exploration result_;
  std::atomic<bool> simulator_works_ = false;
  std::vector<explore::Gene> genes_;
  PointLocks point_locks_;
  std::mutex bench_mutex_;
  std::unique_ptr<DesignBench> bench_;
  std::mutex mutex_;               // of all below and of result_.points while threads are at work
  std::size_t first_ = 0;          // index of the generation's first point
  std::vector<std::size_t> open_;  // points of the generation that are not known to be done
  std::set<std::size_t> busy_;     // points that a thread of this process does
  std::size_t done_ = 0;           // points that this process did
};

}  // namespace

Exploration explore(const ExploreRequest& request, Reporter& reporter, const StopFlag& stop) {
  return Search(request, reporter, stop).run();
}

}  // namespace hysteron::explore
