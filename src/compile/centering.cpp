#include "compile/centering.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "compile/centering_profile.h"
#include "compile/centering_run.h"
#include "model/inference.h"

namespace hysteron::compile {
namespace {

// What a bit that centering itself changes in software costs, in expected wrong bits of the circuit. With it a
// threshold does not walk through many clips for a small gain; decisions on other clips than the given ones stay put,
// too.
constexpr double kChangePrice = 0.25;
constexpr int kSweeps = 5;
constexpr int kBacktracks = 10;
constexpr double kSearchRange = 1.6;  // places reach up to this times the given beta_hi
constexpr double kWorthwhile = 1e-4;  // of one cell's bits: a gain of less is not worth a move
constexpr std::size_t kFragileClips = 24;
constexpr std::size_t kClipGroups = 16;  // histograms are counted in this many groups of clips

std::size_t majority_of(const std::vector<std::uint32_t>& decisions, std::size_t outputs) {
  return model::majority(model::vote_shares({decisions.begin(), decisions.end()}, outputs));
}

/// One threshold of one cell.
struct ThresholdPlace {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool upper = false;
};

/// One move that was made, with what was there before.
struct Move {
  ThresholdPlace place;
  float before = 0.0F;
};

/// What a clip becomes under a move.
struct ClipTrial {
  double price = 0.0;
  std::size_t frames_changed = 0;
  bool decision_changed = false;
};

/// Coordinate descent over the thresholds of a network with everything between features and decisions at hand.
class Center {
 public:
  Center(const model::Network& given, const data::Features& features, const ErrorModel& errors, ThreadPool& pool,
         Reporter& reporter, const StopFlag& stop)
      : given_(given),
        network_(given),
        features_(features),
        pool_(pool),
        reporter_(reporter),
        stop_(stop),
        errors_(errors),
        runner_(network_, errors) {
    run_all();
  }

  void descend();
  void undo_last_move();

  const model::Network& network() const { return network_; }
  const std::vector<Move>& moves() const { return moves_; }
  const std::vector<ClipRun>& runs() const { return runs_; }
  const CenteringRunner& runner() const { return runner_; }
  double state_change() const;

 private:
  void run_all();
  void check_stop() const;
  double cell_price(const LayerRun& run, std::size_t clip, const ThresholdPlace& place, float beta_lo, float beta_hi,
                    const std::vector<std::uint8_t>& on) const;
  double threshold_variance(std::size_t kind, double beta_lo, double beta_hi, bool upper) const;
  bool improve(const ThresholdPlace& place);
  std::vector<Placement> places_for(const ThresholdPlace& place) const;
  bool try_move(const ThresholdPlace& place, float threshold);
  ClipTrial try_clip(std::size_t clip, const ThresholdPlace& place, float beta_lo, float beta_hi) const;
  void remember_fragile(std::size_t clip);
  void set_threshold(const ThresholdPlace& place, float value);
  void update_clip(std::size_t clip, const ThresholdPlace& place);

  std::size_t offset(std::size_t layer) const;
  std::size_t cells() const { return offset(network_.layers.size()); }
  double bits() const { return static_cast<double>(features_.clips * features_.frames * cells()); }
  double cell_bits() const { return static_cast<double>(features_.clips * features_.frames); }
  double worthwhile() const { return kWorthwhile * cell_bits(); }
  double total_price() const;
  std::vector<ThresholdPlace> places_by_price() const;
  bool starts_on(const ThresholdPlace& place) const;
  float& threshold(const ThresholdPlace& place);
  float threshold_of(const ThresholdPlace& place) const { return place.upper ? upper(place) : lower(place); }
  float lower(const ThresholdPlace& place) const;
  float upper(const ThresholdPlace& place) const;

  const model::Network& given_;
  model::Network network_;
  const data::Features& features_;
  ThreadPool& pool_;
  Reporter& reporter_;
  const StopFlag& stop_;
  ErrorModel errors_;
  CenteringRunner runner_;  // of network_
  std::vector<ClipRun> runs_;
  std::vector<std::vector<std::vector<std::uint8_t>>> given_on_;  // [clip][layer][frame, cell]
  std::vector<std::vector<std::uint32_t>> given_decisions_;       // [clip][frame]
  std::vector<std::vector<double>> prices_;                       // [clip][cell of all layers]
  std::vector<Move> moves_;
  std::deque<std::size_t> fragile_;  // clips whose decision the last moves in vain changed
};

void Center::run_all() {
  runs_.resize(features_.clips);
  given_on_.resize(features_.clips);
  given_decisions_.resize(features_.clips);
  prices_.resize(features_.clips);
  pool_.run(features_.clips, [&](std::size_t clip) {
    if (stop_.requested()) return;
    runs_[clip] = runner_.run(features_.clip(clip));
    given_decisions_[clip] = runs_[clip].decisions;
    for (const LayerRun& run : runs_[clip].layers) given_on_[clip].push_back(run.on);
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) {
        const ThresholdPlace place{l, j, false};
        const LayerRun& run = runs_[clip].layers[l];
        prices_[clip].push_back(cell_price(run, clip, place, lower(place), upper(place), run.on));
      }
    }
  });
  check_stop();
}

void Center::check_stop() const {
  if (stop_.requested()) throw Error(ErrorKind::kInterrupted, "interrupted while centering thresholds");
}

std::size_t Center::offset(std::size_t layer) const {
  std::size_t sum = 0;
  for (std::size_t l = 0; l < layer; ++l) sum += network_.layers[l].cells();
  return sum;
}

bool Center::starts_on(const ThresholdPlace& place) const {
  return network_.layers[place.layer].initial_state[static_cast<Eigen::Index>(place.cell)] != 0.0F;
}

float& Center::threshold(const ThresholdPlace& place) {
  model::Layer& layer = network_.layers[place.layer];
  return (place.upper ? layer.beta_hi : layer.beta_lo)[static_cast<Eigen::Index>(place.cell)];
}

float Center::lower(const ThresholdPlace& place) const {
  return network_.layers[place.layer].beta_lo[static_cast<Eigen::Index>(place.cell)];
}

float Center::upper(const ThresholdPlace& place) const {
  return network_.layers[place.layer].beta_hi[static_cast<Eigen::Index>(place.cell)];
}

double Center::total_price() const {
  double sum = 0.0;
  for (const auto& clip : prices_) sum = std::accumulate(clip.begin(), clip.end(), sum);
  return sum;
}

double Center::state_change() const {
  std::size_t changed = 0;
  for (std::size_t clip = 0; clip < runs_.size(); ++clip) {
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      const auto& on = runs_[clip].layers[l].on;
      for (std::size_t i = 0; i < on.size(); ++i) changed += on[i] != given_on_[clip][l][i] ? 1 : 0;
    }
  }
  return static_cast<double>(changed) / bits();
}

double Center::threshold_variance(std::size_t kind, double beta_lo, double beta_hi, bool upper) const {
  const CircuitErrors& errors = runner_.errors(kind);
  return upper ? errors.upper_threshold(beta_hi) : errors.lower_threshold(beta_lo, beta_hi);
}

/// Expected wrong bits of a cell in one clip, mean of both kinds of circuit, and the price of the bits that differ from
/// the given network's.
double Center::cell_price(const LayerRun& run, std::size_t clip, const ThresholdPlace& place, float beta_lo,
                          float beta_hi, const std::vector<std::uint8_t>& on) const {
  double wrong = 0.0;
  for (const bool upper : {false, true}) {
    const double threshold = upper ? beta_hi : beta_lo;
    std::array<double, kCircuitKinds> own{};
    for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
      own[kind] = threshold_variance(kind, beta_lo, beta_hi, upper);
    }
    visit_levels(run, place.cell, upper, {beta_lo, beta_hi, starts_on(place)}, [&](float level, std::size_t frame) {
      for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
        wrong += crossing_probability(level - threshold, own[kind] + run.variance(kind, frame, place.cell));
      }
    });
  }
  std::size_t changed = 0;
  const auto& given = given_on_[clip][place.layer];
  for (std::size_t t = 0; t < run.frames(); ++t) {
    const std::size_t i = t * run.cells() + place.cell;
    changed += on[i] != given[i] ? 1 : 0;
  }
  return wrong / double{kCircuitKinds} + kChangePrice * static_cast<double>(changed);
}

/// Every threshold, those of the cells with the most to gain first.
std::vector<ThresholdPlace> Center::places_by_price() const {
  std::vector<double> sums(cells(), 0.0);
  for (const auto& clip : prices_) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += clip[i];
  }
  std::vector<ThresholdPlace> places;
  std::vector<double> keys;
  for (std::size_t l = 0; l < network_.layers.size(); ++l) {
    for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) places.push_back({l, j, false});
  }
  std::ranges::stable_sort(places, [&](const ThresholdPlace& a, const ThresholdPlace& b) {
    return sums[offset(a.layer) + a.cell] > sums[offset(b.layer) + b.cell];
  });
  std::vector<ThresholdPlace> result;
  for (const ThresholdPlace& place : places) {
    if (sums[offset(place.layer) + place.cell] < worthwhile()) continue;
    result.push_back(place);
    result.push_back({place.layer, place.cell, true});
  }
  return result;
}

void Center::descend() {
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    const std::vector<ThresholdPlace> places = places_by_price();
    bool moved = false;
    for (std::size_t i = 0; i < places.size(); ++i) {
      check_stop();
      moved = improve(places[i]) || moved;
      reporter_.progress(fmt::format("centering thresholds, sweep {}", sweep + 1), i + 1, places.size(),
                         fmt::format("{} moves", moves_.size()));
    }
    if (!moved) break;
  }
}

/// Places for a threshold, with what each does to its own cell.
std::vector<Placement> Center::places_for(const ThresholdPlace& place) const {
  const double low = lower(place);
  const double high = upper(place);
  const double given_high = given_.layers[place.layer].beta_hi[static_cast<Eigen::Index>(place.cell)];
  const double range = kSearchRange * std::max(given_high, high);
  std::vector<LevelHistogram> groups(kClipGroups, LevelHistogram(range));
  pool_.run(kClipGroups, [&](std::size_t group) {
    for (std::size_t clip = group; clip < runs_.size(); clip += kClipGroups) {
      const LayerRun& run = runs_[clip].layers[place.layer];
      visit_levels(run, place.cell, place.upper, {static_cast<float>(low), static_cast<float>(high), starts_on(place)},
                   [&](float level, std::size_t frame) {
                     groups[group].add(level, run.variance(kNominal, frame, place.cell),
                                       run.variance(kDie, frame, place.cell));
                   });
    }
  });
  for (std::size_t group = 1; group < kClipGroups; ++group) groups.front().add(groups[group]);
  const double min_width = std::min(kMinThreshold, high - low);
  const auto variance = [&](std::size_t kind, double threshold) {
    return place.upper ? threshold_variance(kind, low, threshold, true)
                       : threshold_variance(kind, threshold, high, false);
  };
  if (place.upper) {
    const double from = std::max(low + min_width, std::min(errors_.min_upper, high));
    return profile(groups.front(), from, std::min(range, std::max(errors_.largest_upper, high)), high, variance, pool_);
  }
  const double from = std::min(std::max(kMinThreshold, errors_.min_lower), low);
  return profile(groups.front(), from, high - min_width, low, variance, pool_);
}

bool Center::improve(const ThresholdPlace& place) {
  double present = 0.0;
  for (const auto& clip : prices_) present += clip[offset(place.layer) + place.cell];
  if (present < worthwhile()) return false;
  const double from = threshold_of(place);
  const std::vector<Placement> choices =
      shortlist(places_for(place), {from, present, cell_bits(), kChangePrice, worthwhile()});
  for (const Placement& choice : choices) {
    if (try_move(place, static_cast<float>(choice.threshold))) return true;
  }
  // Where none may be taken as it is, a part of the way to the best.
  double share = 1.0;
  for (int step = 0; step < kBacktracks && !choices.empty(); ++step) {
    share *= 0.6;
    const double threshold = from + share * (choices.front().threshold - from);
    if (try_move(place, static_cast<float>(threshold))) return true;
  }
  return false;
}

ClipTrial Center::try_clip(std::size_t clip, const ThresholdPlace& place, float beta_lo, float beta_hi) const {
  const ClipRun& now = runs_[clip];
  const LayerRun& run = now.layers[place.layer];
  std::vector<std::uint8_t> on = run.on;
  run_cell(run, place.cell, {beta_lo, beta_hi, starts_on(place)}, on.data() + place.cell, run.cells());
  ClipTrial trial;
  const std::vector<double>& prices = prices_[clip];
  const std::size_t behind = offset(place.layer + 1);
  const std::size_t own = offset(place.layer) + place.cell;
  const auto before = prices.begin() + static_cast<std::ptrdiff_t>(behind);
  trial.price =
      std::accumulate(prices.begin(), before, 0.0) - prices[own] + cell_price(run, clip, place, beta_lo, beta_hi, on);
  const bool changed = on != run.on;
  ClipRun then;
  if (changed) then = runner_.run_behind(place.layer, run, on);
  if (!changed) trial.price = std::accumulate(before, prices.end(), trial.price);
  for (std::size_t i = 0; i < then.layers.size(); ++i) {
    const LayerRun& above = then.layers[i];
    for (std::size_t j = 0; j < above.cells(); ++j) {
      const ThresholdPlace other{place.layer + 1 + i, j, false};
      trial.price += cell_price(above, clip, other, lower(other), upper(other), above.on);
    }
  }
  const std::vector<std::uint32_t>& decisions = changed ? then.decisions : now.decisions;
  for (std::size_t t = 0; t < decisions.size(); ++t) {
    trial.frames_changed += decisions[t] != given_decisions_[clip][t] ? 1 : 0;
  }
  trial.decision_changed = trial.frames_changed > 0 && majority_of(decisions, network_.outputs()) !=
                                                           majority_of(given_decisions_[clip], network_.outputs());
  return trial;
}

/// Makes the move if no decision changes, few enough frames do and all cells together are better off.
bool Center::try_move(const ThresholdPlace& place, float threshold) {
  const float beta_lo = place.upper ? lower(place) : threshold;
  const float beta_hi = place.upper ? threshold : upper(place);
  if (!(beta_lo < beta_hi)) return false;
  // One decision that changes is enough to give the move up, and clips that gave up others are the likely ones.
  for (const std::size_t clip : fragile_) {
    if (try_clip(clip, place, beta_lo, beta_hi).decision_changed) return false;
  }
  std::vector<ClipTrial> trials(runs_.size());
  std::atomic<bool> given_up{false};
  pool_.run(runs_.size(), [&](std::size_t clip) {
    if (given_up.load(std::memory_order_relaxed)) return;
    trials[clip] = try_clip(clip, place, beta_lo, beta_hi);
    if (trials[clip].decision_changed) given_up.store(true, std::memory_order_relaxed);
  });
  double price = 0.0;
  std::size_t frames = 0;
  for (std::size_t clip = 0; clip < trials.size(); ++clip) {
    if (trials[clip].decision_changed) remember_fragile(clip);
    price += trials[clip].price;
    frames += trials[clip].frames_changed;
  }
  const double limit = kCenteringFrameLimit * static_cast<double>(features_.clips * features_.frames);
  if (given_up || static_cast<double>(frames) > limit || price > total_price() - worthwhile()) return false;
  moves_.push_back({place, this->threshold(place)});
  set_threshold(place, threshold);
  return true;
}

void Center::remember_fragile(std::size_t clip) {
  fragile_.push_front(clip);
  if (fragile_.size() > kFragileClips) fragile_.pop_back();
}

void Center::undo_last_move() {
  const Move move = moves_.back();
  moves_.pop_back();
  set_threshold(move.place, move.before);
}

void Center::set_threshold(const ThresholdPlace& place, float value) {
  threshold(place) = value;
  pool_.run(runs_.size(), [&](std::size_t clip) { update_clip(clip, place); });
}

void Center::update_clip(std::size_t clip, const ThresholdPlace& place) {
  ClipRun& now = runs_[clip];
  LayerRun& run = now.layers[place.layer];
  std::vector<std::uint8_t> on = run.on;
  run_cell(run, place.cell, {lower(place), upper(place), starts_on(place)}, on.data() + place.cell, run.cells());
  const bool changed = on != run.on;
  run.on = std::move(on);
  prices_[clip][offset(place.layer) + place.cell] = cell_price(run, clip, place, lower(place), upper(place), run.on);
  if (!changed) return;
  ClipRun then = runner_.run_behind(place.layer, run, run.on);
  now.decisions = std::move(then.decisions);
  for (std::size_t i = 0; i < then.layers.size(); ++i) {
    const std::size_t layer = place.layer + 1 + i;
    LayerRun& above = now.layers[layer];
    above = std::move(then.layers[i]);
    for (std::size_t j = 0; j < above.cells(); ++j) {
      const ThresholdPlace other{layer, j, false};
      prices_[clip][offset(layer) + j] = cell_price(above, clip, other, lower(other), upper(other), above.on);
    }
  }
}

// What is reported -------------------------------------------------------------------------------------------------

/// The k-th smallest of `values`, k being kMarginShare of `frames`; infinite where there are fewer.
double margin_of(std::vector<double>& values, std::size_t frames) {
  const auto k = static_cast<std::size_t>(kMarginShare * static_cast<double>(frames));
  if (values.size() <= k) return std::numeric_limits<double>::infinity();
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(k), values.end());
  return values[k];
}

ThresholdMargin measure(const Center& center, const ThresholdPlace& place) {
  const model::Layer& layer = center.network().layers[place.layer];
  const auto cell = static_cast<Eigen::Index>(place.cell);
  const float lower = layer.beta_lo[cell];
  const float upper = layer.beta_hi[cell];
  ThresholdMargin margin;
  margin.threshold = place.upper ? upper : lower;
  std::array<double, kCircuitKinds> own{};
  for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
    const CircuitErrors& errors = center.runner().errors(kind);
    own[kind] = place.upper ? errors.upper_threshold(upper) : errors.lower_threshold(lower, upper);
  }
  std::vector<double> distances;
  std::vector<double> sigmas;
  std::array<double, kCircuitKinds> wrong{};
  std::size_t frames = 0;
  for (const ClipRun& clip : center.runs()) {
    const LayerRun& run = clip.layers[place.layer];
    frames += run.frames();
    visit_levels(run, place.cell, place.upper, {lower, upper, layer.initial_state[cell] != 0.0F},
                 [&](float level, std::size_t frame) {
                   if (!std::isfinite(level)) return;
                   const double distance = std::abs(level - margin.threshold);
                   for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
                     const double variance = own[kind] + run.variance(kind, frame, place.cell);
                     wrong[kind] += crossing_probability(distance, variance);
                     if (kind == kDie) sigmas.push_back(distance / std::sqrt(variance));
                   }
                   distances.push_back(distance);
                 });
  }
  const auto all = static_cast<double>(std::max<std::size_t>(frames, 1));
  margin.wrong = {wrong[kNominal] / all, wrong[kDie] / all};
  margin.distance = margin_of(distances, frames) / margin.threshold;
  margin.sigmas = margin_of(sigmas, frames);
  return margin;
}

/// Both margins of every cell, by layer: beta_lo, beta_hi, beta_lo of the next cell, ...
std::vector<ThresholdMargin> measure_all(const Center& center, ThreadPool& pool) {
  std::vector<ThresholdPlace> places;
  for (std::size_t l = 0; l < center.network().layers.size(); ++l) {
    for (std::size_t j = 0; j < center.network().layers[l].cells(); ++j) {
      for (const bool upper : {false, true}) places.push_back({l, j, upper});
    }
  }
  std::vector<ThresholdMargin> margins(places.size());
  pool.run(places.size(), [&](std::size_t i) { margins[i] = measure(center, places[i]); });
  return margins;
}

WrongBits total_of(const std::vector<ThresholdMargin>& margins) {
  WrongBits sum;
  const double cells = 0.5 * static_cast<double>(margins.size());
  for (const ThresholdMargin& margin : margins) {
    sum.nominal += margin.wrong.nominal / cells;
    sum.die += margin.wrong.die / cells;
  }
  return sum;
}

std::vector<CenteredCell> cells_of(const model::Network& network, const std::vector<ThresholdMargin>& before,
                                   const std::vector<ThresholdMargin>& after) {
  std::vector<CenteredCell> cells;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j) {
      const std::size_t i = 2 * cells.size();
      cells.push_back({l, j, before[i], after[i], before[i + 1], after[i + 1]});
    }
  }
  return cells;
}

std::vector<std::size_t> all_clips(const data::Features& features) {
  std::vector<std::size_t> clips(features.clips);
  std::iota(clips.begin(), clips.end(), std::size_t{0});
  return clips;
}

}  // namespace

SoftwareChange software_change(const model::Network& given, const model::Network& other, const data::Features& features,
                               const std::vector<std::size_t>& clips, ThreadPool& pool) {
  std::vector<SoftwareChange> changes(clips.size());
  pool.run(clips.size(), [&](std::size_t i) {
    const auto values = features.clip(clips[i]);
    const auto first = model::frame_decisions(model::run_clip(given, values).logits, given.outputs());
    const auto second = model::frame_decisions(model::run_clip(other, values).logits, other.outputs());
    for (std::size_t t = 0; t < first.size(); ++t) changes[i].frames += first[t] != second[t] ? 1 : 0;
    const auto decide = [&](const auto& frames) {
      return model::majority(model::vote_shares(frames, given.outputs()));
    };
    changes[i].decisions = decide(first) != decide(second) ? 1 : 0;
  });
  SoftwareChange sum;
  for (const SoftwareChange& change : changes) {
    sum.frames += change.frames;
    sum.decisions += change.decisions;
  }
  return sum;
}

namespace {

/// Counts what changed with the reference forward pass; undoes the last moves should it, in a last digit, see a limit
/// passed that the search saw kept.
SoftwareChange hold_limits(Center& center, const model::Network& given, const data::Features& features,
                           ThreadPool& pool) {
  const std::vector<std::size_t> clips = all_clips(features);
  const double limit = kCenteringFrameLimit * static_cast<double>(features.clips * features.frames);
  while (true) {
    const SoftwareChange change = software_change(given, center.network(), features, clips, pool);
    if (center.moves().empty() || (change.decisions == 0 && static_cast<double>(change.frames) <= limit)) return change;
    center.undo_last_move();
  }
}

}  // namespace

Centering center_thresholds(const model::Network& network, const data::Features& features, const ErrorModel& errors,
                            ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  if (features.width != network.inputs()) {
    throw bad_input(fmt::format("the features to center with have {} inputs; the model takes {}", features.width,
                                network.inputs()));
  }
  Center center(network, features, errors, pool, reporter, stop);
  const std::vector<ThresholdMargin> before = measure_all(center, pool);
  center.descend();
  const SoftwareChange change = hold_limits(center, network, features, pool);
  const std::vector<ThresholdMargin> after = measure_all(center, pool);
  Centering result;
  result.network = center.network();
  result.clips = features.clips;
  result.frames = features.clips * features.frames;
  result.cells = cells_of(network, before, after);
  result.mismatch = errors.mismatch;
  result.before = total_of(before);
  result.after = total_of(after);
  result.state_change = center.state_change();
  for (const CenteredCell& cell : result.cells) {
    result.thresholds_moved += cell.lower_before.threshold != cell.lower_after.threshold ? 1 : 0;
    result.thresholds_moved += cell.upper_before.threshold != cell.upper_after.threshold ? 1 : 0;
  }
  result.decisions_changed = change.decisions;
  result.frame_change = static_cast<double>(change.frames) / static_cast<double>(result.frames);
  return result;
}

}  // namespace hysteron::compile
