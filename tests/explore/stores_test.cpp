// Every store refuses records of another version of the program, and says which file it cannot read.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/store.h"
#include "compile/ideal_curves.h"
#include "compile/leg_mismatch.h"
#include "compile/small_network.h"
#include "compile/stored_sizes.h"
#include "design/record_file.h"
#include "design/stored_runs.h"
#include "explore/explored_points.h"
#include "explore/stored_trainings.h"
#include "studies/stored_accumulation.h"
#include "studies/stored_dies.h"
#include "studies/stored_quadrant_runs.h"
#include "technology/technology.h"
#include "train/checkpoint.h"

namespace hysteron {
namespace {

namespace fs = std::filesystem;

/// Counts its runs; every second probe reads one per cent more than the others.
class CountingEngine : public sim::Engine {
 public:
  void run_each(std::span<const sim::Testbench> benches, int, const OnOutcome& on_outcome) const override {
    for (std::size_t i = 0; i < benches.size(); ++i) {
      ++runs;
      sim::Outcome outcome;
      outcome.waveforms = sim::Waveforms{{0.0}, {}, 0.5};
      for (std::size_t p = 0; p < benches[i].probes.size(); ++p) {
        outcome.waveforms->values.push_back({1.0 + 0.01 * static_cast<double>(p % 2)});
      }
      on_outcome(i, std::move(outcome));
    }
  }
  std::string version() const override { return "counting"; }
  std::string fingerprint(const sim::Testbench&) const override { return "bench"; }

  mutable int runs = 0;
};

/// One store: `write` fills it, `read` says whether the record is taken.
struct StoreCase {
  std::string name;
  std::function<void()> write;
  std::function<bool()> read;
};

class Stores : public testing::Test {
 protected:
  Stores() { ::setenv("XDG_CACHE_HOME", (root_.path() / "cache").c_str(), 1); }

  /// The only file that the store has made.
  fs::path file() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path())) {
      if (entry.is_regular_file() && !entry.path().string().ends_with(".previous")) files.push_back(entry.path());
    }
    EXPECT_EQ(files.size(), 1u);
    return files.empty() ? fs::path() : files.front();
  }

  /// Raises the version in the file by one.
  static void make_newer(const fs::path& path) {
    std::string bytes = read_file(path);
    for (const std::string before : {"hysteron-store ", "\"hysteron.checkpoint\":\""}) {
      const std::string version = before + std::to_string(kStoreVersion);
      const std::size_t place = bytes.find(version);
      if (place == std::string::npos) continue;
      bytes.replace(place, version.size(), before + std::to_string(kStoreVersion + 1));
      write_file(path, bytes);
      return;
    }
    ADD_FAILURE() << path << " has no version";
  }

  StoreCase measurement() {
    const auto measure = [this] {
      SilentReporter reporter;
      compile::load_leg_mismatch(technology_, engine_, {}, reporter);
    };
    return {"measurements of a technology", measure, [this, measure] {
              const int before = engine_.runs;
              measure();
              return engine_.runs == before;
            }};
  }

  StoreCase sizes() {
    const auto store = [this](const compile::CompiledNetwork& network) {
      return compile::StoredSizes(root_.path() / "sizes.json", network, frames_, "cells", engine_);
    };
    return {"sizes", [this, store] { store(network_).write(network_); },
            [this, store] { return store(network_).read(network_); }};
  }

  StoreCase runs() {
    const auto run = [this] { design::StoredRuns(engine_, root_.path()).run(sim::Testbench()); };
    return {"runs of the simulator", run, [this, run] {
              const int before = engine_.runs;
              run();
              return engine_.runs == before;
            }};
  }

  StoreCase records() {
    const Store store(design::clip_file(root_.path(), 3), "clip-record", "netlist");
    const auto arrays = [this] {
      design::size_trace(network_, 4, circuit_.trace);
      for (std::vector<float>* values : {&circuit_.trace.logits, &circuit_.trace.states, &circuit_.trace.candidates}) {
        values->assign(8, 0.5F);
      }
      return design::trace_arrays(circuit_.trace);
    };
    return {"clips", [this, store, arrays] { design::write_record_file(store, circuit_, arrays()); },
            [this, store, arrays] { return design::read_record_file(store, circuit_, arrays()); }};
  }

  StoreCase dies() {
    dies_ = {{17, {{}}, {1, 2}, {}}, {18, {{}}, {3, 4}, {}}};
    const studies::StoredDies store(root_.path(), "clips");
    return {"dies", [this, store] { store.write(dies_, {}); }, [this, store] { return store.read(dies_, {}); }};
  }

  StoreCase accumulation() const {
    const studies::StoredAccumulation store(root_.path(), behavioural::Memory::kFqBmru, {});
    return {"accumulation",
            [store] {
              store.write({behavioural::Memory::kFqBmru, {1}, {0.5}, {0.5}, {0.0}});
            },
            [store] { return store.read().has_value(); }};
  }

  StoreCase quadrant() const {
    const fs::path path = root_.path() / "q.json.runs";
    return {"runs of the quadrant study", [path] { studies::StoredQuadrantRuns(path).add("seed 1", {}); },
            [path] { return studies::StoredQuadrantRuns(path).find("seed 1").has_value(); }};
  }

  StoreCase points() const {
    explore::SearchSpace space;
    space.folder = root_.path();
    explore::ExploredPoint point;
    point.figures.emplace();
    return {"points of a search", [space, point] { explore::write_point(space, point); },
            [space] { return explore::read_point(space, 0).value.has_value(); }};
  }

  explore::SweepEntry entry() const { return {{}, root_.path(), false, "", {}}; }

  StoreCase trainings() const {
    return {"points of a sweep",
            [this] {
              explore::SweepEntry done = entry();
              explore::write_result(done, R"({"test_accuracy": 0.75, "model": "m"})");
              EXPECT_EQ(done.figures, (std::map<std::string, double>{{"test_accuracy", 0.75}}));
            },
            [this] {
              explore::SweepEntry done = entry();
              return explore::read_result(done);
            }};
  }

  StoreCase failures() const {
    return {"failed points of a sweep",
            [this] {
              explore::SweepEntry failed = entry();
              failed.problem = "exit code 3";
              explore::write_failure(failed, "job 7");
            },
            [this] {
              explore::SweepEntry failed = entry();
              explore::read_failure(failed, "job 8");
              EXPECT_EQ(failed.problem, "") << "another job's";
              explore::read_failure(failed, "job 7");
              return failed.problem == "exit code 3";
            }};
  }

  StoreCase checkpoint() const {
    train::TrainConfig config;
    config.output = (root_.path() / "m.safetensors").string();
    train::Checkpoint checkpoint;
    checkpoint.parameters = checkpoint.mean = checkpoint.variance = {1.0F};
    return {"checkpoints", [config, checkpoint] { train::save_checkpoint(config, checkpoint); },
            [config] {
              try {
                train::load_checkpoint(train::checkpoint_path(config), config, 1);
                return true;
              } catch (const Error& error) {
                // Nobody asked for the other stores; a checkpoint was asked for, so its version is said.
                if (std::string(error.what()).find("of version") == std::string::npos) throw;
                return false;
              }
            }};
  }

  std::vector<StoreCase> all() {
    return {measurement(), sizes(),  runs(),      records(),  dies(),      accumulation(),
            quadrant(),    points(), trainings(), failures(), checkpoint()};
  }

  void empty() const {
    for (const auto& entry : fs::directory_iterator(root_.path())) fs::remove_all(entry.path());
  }

  TemporaryDirectory root_{"stores"};
  CountingEngine engine_;
  technology::Technology technology_ = technology::load_technology("generic180");
  compile::CompiledNetwork network_ = compile::build_network(small_network(), technology_, compile::ideal_curves(), {});
  std::vector<float> frames_ = std::vector<float>(8, 0.5F);
  compile::CircuitTrace circuit_;
  std::vector<studies::DieResult> dies_;
};

TEST_F(Stores, TakeTheirOwnRecordsAndRefuseThoseOfAnotherVersion) {
  for (const StoreCase& store : all()) {
    SCOPED_TRACE(store.name);
    empty();
    store.write();
    EXPECT_TRUE(store.read());
    make_newer(file());
    EXPECT_FALSE(store.read());
    store.write();
    EXPECT_TRUE(store.read());
  }
}

TEST_F(Stores, NameAFileThatCannotBeReadAndTheReason) {
  for (const StoreCase& store : all()) {
    SCOPED_TRACE(store.name);
    empty();
    store.write();
    const fs::path path = file();
    fs::remove(path);
    fs::create_directory(path);
    try {
      store.read();
      ADD_FAILURE() << "was read";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      EXPECT_NE(message.find(path.string()), std::string::npos) << message;
      EXPECT_NE(message.find("Is a directory"), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace hysteron
