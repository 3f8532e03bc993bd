#include "hysteron/flow/montecarlo.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <span>

#include "flow/interruption.h"
#include "flow/kept_dies.h"
#include "flow/record_file.h"
#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/base/random.h"
#include "hysteron/behavioural/die_engine.h"
#include "hysteron/behavioural/trimming.h"
#include "hysteron/flow/clip_records.h"
#include "hysteron/model/die_file.h"

namespace hysteron::flow {
namespace {

namespace fs = std::filesystem;

// Pairs whose benches are held at once.
constexpr std::size_t kBatch = 64;

/// Software's side of one clip.
struct Expected {
  ClipReference reference;
  std::vector<std::size_t> frames;  ///< decisions of the model as compiled
  model::Trace trace;               ///< of the model as compiled
};

/// Compares what dies do with software.
class Judge {
 public:
  Judge(const model::Network& given, const model::Network& compiled, const data::Features& features,
        const std::vector<std::size_t>& clips)
      : network_(compiled) {
    for (const std::size_t clip : clips) {
      const model::Trace trace = model::run_clip(given, features.clip(clip));
      const auto decisions = model::frame_decisions(trace.logits, trace.outputs);
      Expected expected;
      expected.reference = {clip, model::majority(model::vote_shares(decisions, trace.outputs)),
                            model::votes_ahead(decisions, trace.outputs), trace.frames};
      expected.trace = model::run_clip(compiled, features.clip(clip));
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
  DieClip judge(std::size_t place, const model::Trace& trace, std::vector<std::uint32_t>& wrong_bits) const {
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
        const float half = 0.5F * network_.layers[l].alpha[static_cast<Eigen::Index>(j)];
        std::uint32_t wrong = 0;
        for (std::size_t t = 0; t < trace.frames; ++t) {
          wrong += (trace.state(l, t, j) > half) == (expected.trace.state(l, t, j) > half) ? 0 : 1;
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

std::vector<DieResult> empty_dies(const MonteCarloRequest& request, std::size_t cells) {
  std::vector<DieResult> dies(request.dies);
  for (std::size_t i = 0; i < dies.size(); ++i) {
    dies[i].seed = request.seed + i;
    dies[i].clips.resize(request.clips.size());
    dies[i].wrong_bits.assign(cells, 0);
  }
  return dies;
}

/// Plays every clip of `request` into `die`.
void play(const behavioural::DieEngine& engine, const behavioural::Die& die, const data::Features& features,
          const MonteCarloRequest& request, const Judge& judge, DieResult& result) {
  const behavioural::DieParameters parameters = engine.on_die(die);
  behavioural::DieEngine::Scratch scratch;
  model::Trace trace;
  for (std::size_t c = 0; c < request.clips.size(); ++c) {
    Random noise = Random(result.seed).child("device noise", request.clips[c]);
    engine.run(parameters, features.clip(request.clips[c]), scratch, trace, request.device_noise ? &noise : nullptr);
    result.clips[c] = judge.judge(c, trace, result.wrong_bits);
  }
}

template <typename Value>
std::uint64_t hash_of(const std::vector<Value>& values, std::uint64_t basis) {
  return fnv1a({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)}, basis);
}

/// Of all that decides what a die does, but for its seed: what is played, what is trimmed with, and what the engine
/// makes of the first clip on a die that no seed draws.
std::string dies_key(const behavioural::DieEngine& engine, const behavioural::DeviceStatistics& statistics,
                     const data::Features& features, const MonteCarloRequest& request) {
  const std::uint64_t seed = kLargestDieSeed + 1;
  const behavioural::DieParameters parameters =
      engine.on_die(behavioural::draw_die(engine.network().circuit, statistics, seed));
  behavioural::DieEngine::Scratch scratch;
  model::Trace trace;
  Random noise = Random(seed).child("key");
  engine.run(parameters, features.clip(request.clips.front()), scratch, trace, request.device_noise ? &noise : nullptr);
  const TrimRequest& trim = request.trim;
  std::uint64_t hash = fnv1a(fmt::format("{} {} {} {} {}", model::network_key(engine.network().model), trim.legs,
                                         trim.dac.bits, trim.dac.step, request.device_noise));
  hash = hash_of(parameters.gains, hash);
  hash = hash_of(parameters.cells, hash);
  hash = hash_of(request.clips, hash);
  hash = hash_of(features.values, hash_of(trim.features.values, hash));
  hash = hash_of(trace.logits, hash_of(trace.candidates, hash));
  return fmt::format("{:016x}", hash);
}

/// Dies that this program draws and runs.
class BehaviouralDies {
 public:
  BehaviouralDies(const behavioural::DieEngine& engine, const behavioural::DeviceStatistics& statistics,
                  const data::Features& features, const MonteCarloRequest& request, const Judge& judge)
      : engine_(engine), statistics_(statistics), features_(features), request_(request), judge_(judge) {}

  void run(int jobs, MonteCarlo& result, Reporter& reporter, const StopFlag& stop) {
    ThreadPool pool(jobs);
    if (request_.trim.legs > 0) choose_trims(pool, result);
    const KeptDies kept(request_.folder,
                        request_.folder.empty() ? std::string() : dies_key(engine_, statistics_, features_, request_));
    std::span<DieResult> dies(result.dies);
    std::span<DieResult> before;
    if (result.trimming) before = result.trimming->before;
    std::size_t done = 0;
    try {
      for (std::size_t begin = 0; begin < dies.size(); begin += kBlock) {
        const std::size_t count = std::min(kBlock, dies.size() - begin);
        run_block(dies.subspan(begin, count), before.empty() ? before : before.subspan(begin, count), kept, result,
                  pool, stop);
        done += count;
        reporter.progress("running dies", done, dies.size(), "");
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInterrupted) throw;
      throw interruption(fmt::format("{} of {} dies", done, dies.size()), request_.folder);
    }
  }

 private:
  static constexpr std::size_t kBlock = 100;  // of a file

  /// Whoever chooses the legs knows the statistics, and none of the dies.
  void choose_trims(ThreadPool& pool, MonteCarlo& result) {
    const data::Features& played = request_.trim.features;
    trimmer_.emplace(engine_, engine_.network().model, played, request_.trim.dac);
    result.trimming =
        Trimming{request_.trim.dac, trimmer_->choose_legs(request_.trim.legs, statistics_, kLargestDieSeed + 1, pool),
                 result.dies, played.clips, static_cast<double>(played.frames) * engine_.network().frame_seconds};
  }

  void run_block(std::span<DieResult> dies, std::span<DieResult> before, const KeptDies& kept, const MonteCarlo& result,
                 ThreadPool& pool, const StopFlag& stop) const {
    if (kept.read(dies, before)) return;
    pool.run(dies.size(), [&](std::size_t i) {
      if (stop.requested()) throw Error(ErrorKind::kInterrupted, "interrupted");
      behavioural::Die die = behavioural::draw_die(engine_.network().circuit, statistics_, dies[i].seed);
      if (trimmer_) {
        play(engine_, die, features_, request_, judge_, before[i]);
        dies[i].codes = trimmer_->trim(result.trimming->legs, die);
      }
      play(engine_, die, features_, request_, judge_, dies[i]);
    });
    kept.write(dies, before);
  }

  const behavioural::DieEngine& engine_;
  const behavioural::DeviceStatistics& statistics_;
  const data::Features& features_;
  const MonteCarloRequest& request_;
  const Judge& judge_;
  std::optional<behavioural::Trimmer> trimmer_;
};

/// One clip on one die: places in MonteCarlo::dies and their clips.
struct Pair {
  std::size_t die = 0;
  std::size_t clip = 0;
};

/// Dies that ngspice makes and runs, clip by clip, kept in a folder for each.
class SpiceDies {
 public:
  SpiceDies(const Workshop& workshop, const compile::CompiledNetwork& compiled, const data::Features& features,
            const MonteCarloRequest& request, Reporter& reporter)
      : workshop_(workshop), compiled_(compiled), features_(features), request_(request), reporter_(reporter) {}

  /// Calls `take(pair, circuit)` for every pair that has a result and `fail(pair, error)` for every other.
  template <typename Take, typename Fail>
  void run(const Take& take, const Fail& fail) {
    std::vector<Pair> missing;
    for (std::size_t die = 0; die < request_.dies; ++die) {
      if (!request_.folder.empty()) make_directories(die_folder(die));
      for (std::size_t clip = 0; clip < request_.clips.size(); ++clip) {
        compile::CircuitTrace kept;
        if (read({die, clip}, kept)) {
          take(Pair{die, clip}, kept);
        } else {
          missing.push_back({die, clip});
        }
      }
    }
    const std::size_t all = request_.dies * request_.clips.size();
    if (missing.size() < all) {
      reporter_.info(
          fmt::format("{} of {} runs are in {} already", all - missing.size(), all, quoted(request_.folder.string())));
    }
    std::size_t done = 0;
    std::size_t failed = 0;
    try {
      for (std::size_t begin = 0; begin < missing.size(); begin += kBatch) {
        const std::size_t end = std::min(begin + kBatch, missing.size());
        std::vector<sim::Testbench> benches;
        for (std::size_t i = begin; i < end; ++i) benches.push_back(bench_of(missing[i]));
        workshop_.varied_engine().run_each(
            benches, workshop_.options().jobs, [&](std::size_t i, const sim::Outcome& outcome) {
              const Pair& pair = missing[begin + i];
              ++done;
              if (outcome.error) {
                ++failed;
                warn(pair, *outcome.error);
                fail(pair, *outcome.error);
              } else {
                auto circuit = compile::read_clip(compiled_, benches[i], outcome.value());
                keep(pair, benches[i], circuit);
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
        fmt::format("die {}, clip {}: {}", request_.seed + pair.die, request_.clips[pair.clip], error.what()));
  }

  sim::Testbench bench_of(const Pair& pair) const {
    sim::Testbench bench = clip_bench(compiled_, features_, request_.clips[pair.clip], {});
    bench.seed = static_cast<unsigned>(request_.seed + pair.die);
    return bench;
  }

 private:
  fs::path die_folder(std::size_t die) const {
    return request_.folder / fmt::format("die_{:010}", request_.seed + die);
  }
  fs::path file_of(const Pair& pair) const { return clip_file(die_folder(pair.die), request_.clips[pair.clip]); }
  std::string key_of(const sim::Testbench& bench) const {
    return fmt::format("{} {}", workshop_.varied_engine().fingerprint(bench), compile::kReadAt);
  }

  bool read(const Pair& pair, compile::CircuitTrace& circuit) const {
    std::error_code ignored;
    if (request_.folder.empty() || !fs::is_regular_file(file_of(pair), ignored)) return false;
    size_trace(compiled_, features_.frames, circuit.trace);
    return read_record_file(file_of(pair), key_of(bench_of(pair)), circuit, trace_arrays(circuit.trace));
  }

  void keep(const Pair& pair, const sim::Testbench& bench, compile::CircuitTrace& circuit) const {
    if (request_.folder.empty()) return;
    write_record_file(file_of(pair), key_of(bench), circuit, trace_arrays(circuit.trace));
  }

  const Workshop& workshop_;
  const compile::CompiledNetwork& compiled_;
  const data::Features& features_;
  const MonteCarloRequest& request_;
  Reporter& reporter_;
};

/// The behavioural engine on the dies that ngspice drew, drawn once a die.
class Shadow {
 public:
  Shadow(const Workshop& workshop, const behavioural::DieEngine& engine, const data::Features& features,
         const model::Network& network)
      : workshop_(workshop), engine_(engine), features_(features), counter_(network) {}

  /// Remembers the pair where the decisions differ.
  void compare(const sim::Testbench& bench, const ClipReference& reference, const model::Trace& circuit) {
    auto found = dies_.find(bench.seed);
    if (found == dies_.end()) {
      const behavioural::Die die = behavioural::read_die(bench, workshop_.varied_engine(), bench.seed);
      found = dies_.emplace(bench.seed, engine_.on_die(die)).first;
    }
    engine_.run(found->second, features_.clip(reference.clip), scratch_, trace_);
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
  const Workshop& workshop_;
  const behavioural::DieEngine& engine_;
  const data::Features& features_;
  analysis::ConformanceCounter counter_;
  std::vector<DifferingPair> differing_;
  LostPairs lost_;
  std::map<unsigned, behavioural::DieParameters> dies_;
  behavioural::DieEngine::Scratch scratch_;
  model::Trace trace_;
};

void run_spice_dies(const Workshop& workshop, const compile::CompiledNetwork& compiled,
                    const behavioural::DieEngine& engine, const data::Features& features,
                    const MonteCarloRequest& request, const Judge& judge, MonteCarlo& result, Reporter& reporter) {
  SpiceDies dies(workshop, compiled, features, request, reporter);
  Shadow shadow(workshop, engine, features, compiled.model);
  const auto fail = [&](const Pair& pair, const Error& error) {
    result.dies[pair.die].clips[pair.clip].failed = true;
    result.dies[pair.die].clips[pair.clip].error = error.what();
  };
  dies.run(
      [&](const Pair& pair, const compile::CircuitTrace& circuit) {
        if (request.simulator == DieSimulator::kBoth) {
          try {
            shadow.compare(dies.bench_of(pair), result.references[pair.clip], circuit.trace);
          } catch (const Error& error) {
            if (error.kind() == ErrorKind::kInterrupted) throw;
            dies.warn(pair, error);
            fail(pair, error);
            return;
          }
        }
        DieResult& die = result.dies[pair.die];
        die.clips[pair.clip] = judge.judge(pair.clip, circuit.trace, die.wrong_bits);
        die.clips[pair.clip].power = circuit.power.total;
      },
      fail);
  if (request.simulator != DieSimulator::kBoth) return;
  result.conformance = shadow.total();
  result.differing = shadow.differing();
  result.lost = shadow.lost();
  const auto key = [](const DifferingPair& pair) { return std::pair(pair.seed, pair.reference.clip); };
  std::sort(result.differing.begin(), result.differing.end(),
            [&](const DifferingPair& a, const DifferingPair& b) { return key(a) < key(b); });
}

}  // namespace

void check_die_seeds(const std::string& option, std::uint64_t seed, std::size_t dies) {
  if (seed != 0 && seed <= kLargestDieSeed && dies - 1 <= kLargestDieSeed - seed) return;
  throw bad_input(fmt::format("{} {} with {} dies: expected seeds from 1 to {} for every die", option, seed, dies,
                              kLargestDieSeed));
}

constexpr std::size_t kMostDies = 1000000;

void check_dies(const MonteCarloRequest& request) {
  if (request.dies == 0) throw bad_input("--dies is 0; expected at least one die");
  if (request.dies > kMostDies)
    throw bad_input(fmt::format("--dies is {}; expected at most {}", request.dies, kMostDies));
  check_die_seeds("--seed", request.seed, request.dies);
  if (request.device_noise && request.simulator != DieSimulator::kBehavioural) {
    throw Error(ErrorKind::kUsage,
                "--device-noise needs --engine behavioural: ngspice adds no noise in time by itself");
  }
  const TrimRequest& trim = request.trim;
  if (trim.legs == 0) return;
  if (request.simulator != DieSimulator::kBehavioural) {
    throw Error(ErrorKind::kUsage,
                "--trim needs --engine behavioural: ngspice draws its dies itself, and nothing measures them there");
  }
  if (!(trim.dac.factor(trim.dac.lowest()) > 0.0)) {
    throw bad_input(
        fmt::format("--trim-bits {} of --trim-step {}: the lowest code would leave {:.3g} of the current; "
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
      throw bad_input(fmt::format("{}: clip {} is clip {} of --input; expected clips to trim with that are not tested",
                                  origin, index, other));
    }
    picked.values.insert(picked.values.end(), clip.begin(), clip.end());
  }
  return picked;
}

MonteCarlo run_montecarlo(const Workshop& workshop, const model::Network& given,
                          const compile::CompiledNetwork& compiled, const data::Features& features,
                          const MonteCarloRequest& request, Reporter& reporter, const StopFlag& stop) {
  check_dies(request);
  const behavioural::DeviceStatistics statistics = workshop.device_statistics(reporter);
  const Judge judge(given, compiled.model, features, request.clips);
  const behavioural::DieEngine engine(compiled, statistics, behavioural::level_frames(features));
  MonteCarlo result;
  result.references = judge.references();
  result.dies = empty_dies(request, judge.cells());
  result.device_noise = request.device_noise;
  const auto begin = std::chrono::steady_clock::now();
  if (request.simulator == DieSimulator::kBehavioural) {
    BehaviouralDies(engine, statistics, features, request, judge).run(workshop.options().jobs, result, reporter, stop);
  } else {
    run_spice_dies(workshop, compiled, engine, features, request, judge, result, reporter);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace hysteron::flow
