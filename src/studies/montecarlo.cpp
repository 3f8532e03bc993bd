#include "studies/montecarlo.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <span>

#include "analysis/yield.h"
#include "base/file.h"
#include "base/interruption.h"
#include "base/parallel.h"
#include "base/parameters.h"
#include "base/random.h"
#include "behavioural/die_engine.h"
#include "behavioural/trimming.h"
#include "design/record_file.h"
#include "model/die_file.h"
#include "studies/clip_records.h"
#include "studies/stored_dies.h"

namespace hysteron::studies {
namespace {

namespace fs = std::filesystem;

// Pairs whose benches are held at once.
constexpr std::size_t kBatch = 64;

/// Software's side of one clip.
struct Expected {
  ClipReference reference;
  std::vector<std::size_t> frames;  ///< decisions of the reference
  model::Trace trace;               ///< of the reference
};

/// Compares what dies do with software.
class DecisionComparer {
 public:
  explicit DecisionComparer(const design::Design& design) : network_(design.reference()) {
    for (const std::size_t clip : design.clips) {
      const model::Trace trace = model::run_clip(design.given, design.features.clip(clip));
      const auto decisions = model::frame_decisions(trace.logits, trace.outputs);
      Expected expected;
      expected.reference = {clip, model::majority(model::vote_shares(decisions, trace.outputs)),
                            model::votes_ahead(decisions, trace.outputs), trace.frames};
      expected.trace = model::run_clip(network_, design.features.clip(clip));
      expected.frames = model::frame_decisions(expected.trace.logits, expected.trace.outputs);
      expected_.push_back(std::move(expected));
    }
    for (const model::Layer& layer : network_.layers) cells_ += layer.cells();
  }

  std::size_t cells() const { return cells_; }

  std::vector<ClipReference> references() const {
    std::vector<ClipReference> result;
    for (const Expected& expected : expected_) result.push_back(expected.reference);
    return result;
  }

  /// `place` in the list of clips; adds to the cells' wrong bits.
  DieClip compare(std::size_t place, const model::Trace& trace, std::vector<std::uint32_t>& wrong_bits) const {
    const Expected& expected = expected_[place];
    const auto decisions = model::frame_decisions(trace.logits, trace.outputs);
    DieClip result;
    result.decision = static_cast<std::uint32_t>(model::majority(model::vote_shares(decisions, trace.outputs)));
    for (std::size_t t = 0; t < decisions.size(); ++t) {
      result.wrong_frames += decisions[t] == expected.frames[t] ? 0 : 1;
    }
    std::size_t cell = 0;
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j, ++cell) {
        const float alpha = network_.layers[l].alpha[static_cast<Eigen::Index>(j)];
        std::uint32_t wrong = 0;
        for (std::size_t t = 0; t < trace.frames; ++t) {
          wrong +=
              model::is_on(trace.state(l, t, j), alpha) == model::is_on(expected.trace.state(l, t, j), alpha) ? 0 : 1;
        }
        wrong_bits[cell] += wrong;
        result.wrong_bits += wrong;
      }
    }
    return result;
  }

 private:
  const model::Network& network_;
  std::vector<Expected> expected_;
  std::size_t cells_ = 0;
};

std::vector<DieResult> empty_dies(const MonteCarloRequest& request, std::size_t clips, std::size_t cells) {
  std::vector<DieResult> dies(request.dies);
  for (std::size_t i = 0; i < dies.size(); ++i) {
    dies[i].seed = request.seed + i;
    dies[i].clips.resize(clips);
    dies[i].wrong_bits.assign(cells, 0);
  }
  return dies;
}

/// What dies of the behavioural engine are run with.
struct Bench {
  const design::Design& design;
  const MonteCarloRequest& request;
  const behavioural::DeviceStatistics& statistics;
  const behavioural::DieEngine& engine;
  const DecisionComparer& comparer;
};

/// Plays every clip into `die`.
void play(const Bench& bench, const behavioural::Die& die, DieResult& result) {
  const auto& [design, request, statistics, engine, comparer] = bench;
  const behavioural::DieParameters parameters = engine.on_die(die);
  behavioural::DieEngine::Scratch scratch;
  model::Trace trace;
  for (std::size_t c = 0; c < design.clips.size(); ++c) {
    Random noise = Random(result.seed).child("device noise", design.clips[c]);
    engine.run(parameters, design.features.clip(design.clips[c]), scratch, trace,
               request.device_noise ? &noise : nullptr);
    result.clips[c] = comparer.compare(c, trace, result.wrong_bits);
  }
}

template <typename Value>
std::uint64_t hash_of(const std::vector<Value>& values, std::uint64_t basis) {
  return fnv1a({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)}, basis);
}

/// Of all that decides what a die does, but for its seed: what is played, what is trimmed with, and what the engine
/// makes of the first clip on a die that no seed draws.
std::string dies_key(const Bench& bench) {
  const auto& [design, request, statistics, engine, comparer] = bench;
  const std::uint64_t seed = kLargestDieSeed + 1;
  const behavioural::DieParameters parameters =
      engine.on_die(behavioural::draw_die(engine.network().circuit, statistics, seed));
  behavioural::DieEngine::Scratch scratch;
  model::Trace trace;
  Random noise = Random(seed).child("key");
  engine.run(parameters, design.features.clip(design.clips.front()), scratch, trace,
             request.device_noise ? &noise : nullptr);
  const TrimRequest& trim = request.trim;
  std::uint64_t hash = fnv1a(fmt::format("{} {} {} {} {}", model::network_key(engine.network().model), trim.legs,
                                         trim.dac.bits, trim.dac.step, request.device_noise));
  hash = hash_of(parameters.gains, hash);
  hash = hash_of(parameters.cells, hash);
  hash = hash_of(design.clips, hash);
  hash = hash_of(design.features.values, hash_of(trim.features.values, hash));
  hash = hash_of(trace.logits, hash_of(trace.candidates, hash));
  return fmt::format("{:016x}", hash);
}

/// Dies that this program draws and runs.
class BehaviouralDies {
 public:
  explicit BehaviouralDies(const Bench& bench) : bench_(bench) {}

  void run(DieRuns& result, Reporter& reporter) {
    const std::filesystem::path& folder = bench_.request.folder;
    ThreadPool pool(bench_.design.context.options().jobs);
    if (bench_.request.trim.legs > 0) choose_trims(pool, result);
    const StoredDies stored(folder, folder.empty() ? std::string() : dies_key(bench_));
    std::span<DieResult> dies(result.dies);
    std::span<DieResult> before;
    if (result.trimming) before = result.trimming->before;
    std::size_t done = 0;
    try {
      for (std::size_t begin = 0; begin < dies.size(); begin += kBlock) {
        const std::size_t count = std::min(kBlock, dies.size() - begin);
        run_block(dies.subspan(begin, count), before.empty() ? before : before.subspan(begin, count), stored, result,
                  pool);
        done += count;
        reporter.progress("running dies", done, dies.size(), "");
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInterrupted) throw;
      throw interruption(fmt::format("{} of {} dies", done, dies.size()), folder);
    }
  }

 private:
  static constexpr std::size_t kBlock = 100;  // of a file

  /// Whoever chooses the legs knows the statistics, and none of the dies.
  void choose_trims(ThreadPool& pool, DieRuns& result) {
    const TrimRequest& request = bench_.request.trim;
    const model::Network& network = bench_.engine.network().model;
    trimmer_.emplace(bench_.engine, network, request.features, request.dac);
    result.trimming = Trimming{
        request.dac, trimmer_->choose_legs(request.legs, bench_.statistics, kLargestDieSeed + 1, pool), result.dies,
        request.features.clips, static_cast<double>(request.features.frames) * bench_.engine.network().frame_seconds};
  }

  void run_block(std::span<DieResult> dies, std::span<DieResult> before, const StoredDies& stored,
                 const DieRuns& result, ThreadPool& pool) const {
    if (stored.read(dies, before)) return;
    pool.run(dies.size(), [&](std::size_t i) {
      if (bench_.design.context.stop().requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
      behavioural::Die die = behavioural::draw_die(bench_.engine.network().circuit, bench_.statistics, dies[i].seed);
      if (trimmer_) {
        play(bench_, die, before[i]);
        dies[i].codes = trimmer_->trim(result.trimming->legs, die);
      }
      play(bench_, die, dies[i]);
    });
    stored.write(dies, before);
  }

  const Bench& bench_;
  std::optional<behavioural::Trimmer> trimmer_;
};

/// One clip on one die: places in DieRuns::dies and their clips.
struct Pair {
  std::size_t die = 0;
  std::size_t clip = 0;
};

/// Dies that ngspice makes and runs, clip by clip, kept in a folder for each.
class SpiceDies {
 public:
  SpiceDies(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter)
      : design_(design), request_(request), reporter_(reporter) {}

  /// Calls `take(pair, circuit)` for every pair that has a result and `fail(pair, error)` for every other.
  template <typename Take, typename Fail>
  void run(const Take& take, const Fail& fail) {
    std::vector<Pair> missing;
    for (std::size_t die = 0; die < request_.dies; ++die) {
      if (!request_.folder.empty()) make_directories(die_folder(die));
      for (std::size_t clip = 0; clip < design_.clips.size(); ++clip) {
        compile::CircuitTrace stored;
        if (read({die, clip}, stored)) {
          take(Pair{die, clip}, stored);
        } else {
          missing.push_back({die, clip});
        }
      }
    }
    const std::size_t all = request_.dies * design_.clips.size();
    if (missing.size() < all) {
      reporter_.info(
          fmt::format("{} of {} runs are already in {}", all - missing.size(), all, quoted(request_.folder.string())));
    }
    std::size_t done = 0;
    std::size_t failed = 0;
    try {
      for (std::size_t begin = 0; begin < missing.size(); begin += kBatch) {
        const std::size_t end = std::min(begin + kBatch, missing.size());
        std::vector<sim::Testbench> benches;
        for (std::size_t i = begin; i < end; ++i) benches.push_back(bench_of(missing[i]));
        design_.context.mismatch_engine().run_each(
            benches, design_.context.options().jobs, [&](std::size_t i, const sim::Outcome& outcome) {
              const Pair& pair = missing[begin + i];
              ++done;
              if (outcome.error) {
                ++failed;
                warn(pair, *outcome.error);
                fail(pair, *outcome.error);
              } else {
                auto circuit = compile::read_clip(design_.compiled, benches[i], outcome.value());
                store(pair, benches[i], circuit);
                take(pair, circuit);
              }
              reporter_.progress("simulating dies in ngspice", done, missing.size(),
                                 failed == 0 ? "" : fmt::format("{} failed", failed));
            });
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInterrupted) throw;
      throw interruption(fmt::format("{} of {} runs", all - missing.size() + done - failed, all), request_.folder);
    }
  }

  void warn(const Pair& pair, const Error& error) const {
    reporter_.warning(
        fmt::format("die {}, clip {}: {}", request_.seed + pair.die, design_.clips[pair.clip], error.what()));
  }

  sim::Testbench bench_of(const Pair& pair) const {
    sim::Testbench bench = clip_bench(design_, design_.clips[pair.clip]);
    bench.seed = static_cast<unsigned>(request_.seed + pair.die);
    return bench;
  }

 private:
  fs::path die_folder(std::size_t die) const {
    return request_.folder / fmt::format("die_{:010}", request_.seed + die);
  }
  fs::path file_of(const Pair& pair) const { return design::clip_file(die_folder(pair.die), design_.clips[pair.clip]); }
  Store store_of(const Pair& pair, const sim::Testbench& bench) const {
    return {file_of(pair), "die-record",
            fmt::format("{} {}", design_.context.mismatch_engine().fingerprint(bench), compile::kReadAt)};
  }

  bool read(const Pair& pair, compile::CircuitTrace& circuit) const {
    if (request_.folder.empty()) return false;
    // A key takes a whole netlist: none for the many pairs that are still to simulate.
    std::error_code ignored;
    if (fs::status(file_of(pair), ignored).type() == fs::file_type::not_found) return false;
    design::size_trace(design_.compiled, design_.features.frames, circuit.trace);
    return design::read_record_file(store_of(pair, bench_of(pair)), circuit, design::trace_arrays(circuit.trace));
  }

  void store(const Pair& pair, const sim::Testbench& bench, compile::CircuitTrace& circuit) const {
    if (request_.folder.empty()) return;
    design::write_record_file(store_of(pair, bench), circuit, design::trace_arrays(circuit.trace));
  }

  const design::Design& design_;
  const MonteCarloRequest& request_;
  Reporter& reporter_;
};

/// The behavioural engine on the dies that ngspice drew, drawn once a die.
class CrossCheck {
 public:
  explicit CrossCheck(const Bench& bench)
      : engine_(bench.engine), design_(bench.design), counter_(bench.design.compiled.model) {}

  /// Remembers the pair where the decisions differ.
  void compare(const sim::Testbench& bench, const ClipReference& reference, const model::Trace& circuit) {
    auto found = dies_.find(bench.seed);
    if (found == dies_.end()) {
      const behavioural::Die die = behavioural::read_die(bench, design_.context.mismatch_engine(), bench.seed);
      found = dies_.emplace(bench.seed, engine_.on_die(die)).first;
    }
    engine_.run(found->second, design_.features.clip(reference.clip), scratch_, trace_);
    counter_.add(circuit, trace_);
    const std::size_t outputs = circuit.outputs;
    const auto first = model::frame_decisions(circuit.logits, outputs);
    const auto second = model::frame_decisions(trace_.logits, outputs);
    const std::size_t spice = model::majority(model::vote_shares(first, outputs));
    const std::size_t behavioural = model::majority(model::vote_shares(second, outputs));
    lost_.spice += spice == reference.decision ? 0 : 1;
    lost_.behavioural += behavioural == reference.decision ? 0 : 1;
    lost_.both += spice == reference.decision || behavioural == reference.decision ? 0 : 1;
    if (spice == behavioural) return;
    differing_.push_back(
        {bench.seed, reference, model::count_votes(first, outputs), model::count_votes(second, outputs)});
  }

  analysis::Conformance total() const { return counter_.total(); }
  const std::vector<DifferingPair>& differing() const { return differing_; }
  const LostPairs& lost() const { return lost_; }

 private:
  const behavioural::DieEngine& engine_;
  const design::Design& design_;
  analysis::ConformanceCounter counter_;
  std::vector<DifferingPair> differing_;
  LostPairs lost_;
  std::map<unsigned, behavioural::DieParameters> dies_;
  behavioural::DieEngine::Scratch scratch_;
  model::Trace trace_;
};

void run_spice_dies(const Bench& bench, DieRuns& result, Reporter& reporter) {
  const MonteCarloRequest& request = bench.request;
  SpiceDies dies(bench.design, request, reporter);
  CrossCheck cross_check(bench);
  const auto fail = [&](const Pair& pair, const Error& error) {
    result.dies[pair.die].clips[pair.clip].failed = true;
    result.dies[pair.die].clips[pair.clip].error = error.what();
  };
  dies.run(
      [&](const Pair& pair, const compile::CircuitTrace& circuit) {
        if (request.simulator == DieSimulator::kBoth) {
          try {
            cross_check.compare(dies.bench_of(pair), result.references[pair.clip], circuit.trace);
          } catch (const Error& error) {
            if (error.kind() == ErrorKind::kInterrupted) throw;
            dies.warn(pair, error);
            fail(pair, error);
            return;
          }
        }
        DieResult& die = result.dies[pair.die];
        die.clips[pair.clip] = bench.comparer.compare(pair.clip, circuit.trace, die.wrong_bits);
        die.clips[pair.clip].power = circuit.power.total;
      },
      fail);
  if (request.simulator != DieSimulator::kBoth) return;
  result.conformance = cross_check.total();
  result.differing = cross_check.differing();
  result.lost = cross_check.lost();
  const auto key = [](const DifferingPair& pair) { return std::pair(pair.seed, pair.reference.clip); };
  std::sort(result.differing.begin(), result.differing.end(),
            [&](const DifferingPair& a, const DifferingPair& b) { return key(a) < key(b); });
}

}  // namespace

void check_die_seeds(const std::string& parameter, std::uint64_t seed, std::size_t dies) {
  if (seed != 0 && seed <= kLargestDieSeed && dies - 1 <= kLargestDieSeed - seed) return;
  throw bad_input(fmt::format("{}: {}, with {} dies; expected seeds from 1 to {} for every die", parameter, seed, dies,
                              kLargestDieSeed));
}

void check_dies(const MonteCarloRequest& request) {
  check(parameters::kDies, static_cast<double>(request.dies));
  check_die_seeds("seed", request.seed, request.dies);
  if (request.device_noise && request.simulator != DieSimulator::kBehavioural) {
    throw Error(ErrorKind::kUsage,
                "device_noise: needs the behavioural engine; ngspice adds no noise in time by itself");
  }
  const TrimRequest& trim = request.trim;
  if (trim.legs == 0) return;
  if (request.simulator != DieSimulator::kBehavioural) {
    throw Error(ErrorKind::kUsage,
                "trim: needs the behavioural engine; ngspice draws its dies itself, and nothing measures them there");
  }
  if (!(trim.dac.factor(trim.dac.lowest()) > 0.0)) {
    throw bad_input(
        fmt::format("trim_bits {} of trim_step {}: the lowest code would leave {:.3g} of the current; "
                    "expected more than 0",
                    trim.dac.bits, trim.dac.step, trim.dac.factor(trim.dac.lowest())));
  }
}

data::Features pick_trim_clips(const data::Features& features, std::size_t count, const data::Features& tested,
                               const std::string& origin) {
  data::Features picked{std::min(count, features.clips), features.frames, features.width, {}};
  for (std::size_t i = 0; i < picked.clips; ++i) {
    const std::size_t index = i * features.clips / picked.clips;
    const auto clip = features.clip(index);
    for (std::size_t other = 0; other < tested.clips; ++other) {
      if (!std::equal(clip.begin(), clip.end(), tested.clip(other).begin(), tested.clip(other).end())) continue;
      throw bad_input(
          fmt::format("{}: clip {} is clip {} of the input; expected clips to trim with that are not tested", origin,
                      index, other));
    }
    picked.values.insert(picked.values.end(), clip.begin(), clip.end());
  }
  return picked;
}

DieRuns run_dies(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter) {
  check_dies(request);
  const behavioural::DeviceStatistics statistics = design.context.device_statistics(reporter);
  const DecisionComparer comparer(design);
  const behavioural::DieEngine engine(design.compiled, statistics, behavioural::level_frames(design.features));
  DieRuns result;
  result.references = comparer.references();
  result.dies = empty_dies(request, design.clips.size(), comparer.cells());
  const auto begin = std::chrono::steady_clock::now();
  const Bench bench{design, request, statistics, engine, comparer};
  if (request.simulator == DieSimulator::kBehavioural) {
    BehaviouralDies(bench).run(result, reporter);
  } else {
    run_spice_dies(bench, result, reporter);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

MonteCarlo run_montecarlo(const design::Design& design, const MonteCarloRequest& request, Reporter& reporter) {
  MonteCarlo result = die_statistics(run_dies(design, request, reporter), design.compiled.model);
  result.prepared = design.prepared;
  result.operating_point = design.context.operating_point();
  result.seed = request.seed;
  result.simulator = request.simulator;
  result.device_noise = request.device_noise;
  return result;
}

std::string simulator_name(DieSimulator simulator) {
  if (simulator == DieSimulator::kBoth) return "both";
  return simulator == DieSimulator::kSpice ? "spice" : "behavioural";
}

double decision_yield(const DieRuns& runs) {
  std::size_t right = 0;
  std::size_t all = 0;
  for (const DieResult& die : runs.dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (die.clips[c].failed) continue;
      ++all;
      right += die.clips[c].decision == runs.references[c].decision ? 1 : 0;
    }
  }
  return analysis::share_of(right, all);
}

}  // namespace hysteron::studies
