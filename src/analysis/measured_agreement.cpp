#include "analysis/measured_agreement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "analysis/agreement.h"
#include "base/random.h"

namespace hysteron::analysis {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kResamples = 1000;
constexpr std::size_t kUnread = 3;     // first frames of a hold, in which rails settle
constexpr std::size_t kGuard = 2;      // last ones: the cell is on its way
constexpr std::size_t kFewFrames = 8;  // of a hold that has variances
constexpr double kGrows = 0.5;         // ErrorGrowth::growth of what adds up is 1
constexpr std::size_t kFewHolds = 5;
constexpr std::size_t kRefutingHolds = 8;  // of fewer, resampling has no ends to speak of
constexpr double kOutside = 0.05;          // an interval's share that is left out

const Estimate kNone{kNever, {kNever, kNever}};

/// Sums of one block of frames.
enum Sum : std::size_t {
  kSameFrames,
  kFrames,
  kWrongBits,
  kBits,
  kCandidateSquares,
  kCandidates,
  kRelativeError,
  kRelativeValue,
  kStateSquares,
  kStates,
  kRelativeState,
  kRelativeStates,
  kLogitSquares,
  kLogits,
  kSums
};
using Sums = std::array<double, kSums>;

void add_candidates(const MeasuredClip& clip, std::size_t l, std::size_t t, Sums& sums, double& largest) {
  for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
    if (!clip.candidates[l][j]) continue;
    const double target = clip.software.candidate(l, t, j);
    const double error = clip.read.candidate(l, t, j) - target;
    largest = std::max(largest, std::abs(error));
    sums[kCandidateSquares] += error * error;
    sums[kCandidates] += 1.0;
    if (target <= kRelativeFloor) continue;
    sums[kRelativeError] += error * error;
    sums[kRelativeValue] += target * target;
  }
}

void add_states(const MeasuredClip& clip, const model::Layer& layer, std::size_t l, std::size_t t, Sums& sums,
                double& largest) {
  for (std::size_t j = 0; j < clip.states[l].size(); ++j) {
    if (!clip.states[l][j]) continue;
    const double alpha = layer.alpha[static_cast<Eigen::Index>(j)];
    const double target = clip.software.state(l, t, j);
    sums[kBits] += 1.0;
    if (model::is_on(clip.software.state(l, t, j), layer.alpha[static_cast<Eigen::Index>(j)]) != clip.bit(l, t, j)) {
      sums[kWrongBits] += 1.0;
      continue;
    }
    const double error = clip.read.state(l, t, j) - target;
    largest = std::max(largest, std::abs(error));
    sums[kStateSquares] += error * error;
    sums[kStates] += 1.0;
    if (!(alpha > 0.0)) continue;
    sums[kRelativeState] += error * error / (alpha * alpha);
    sums[kRelativeStates] += 1.0;
  }
}

void add_logits(const MeasuredClip& clip, std::size_t t, Sums& sums) {
  for (std::size_t k = 0; k < clip.logits.size(); ++k) {
    if (!clip.logits[k]) continue;
    const std::size_t place = t * clip.read.outputs + k;
    const double error = double{clip.read.logits[place]} - clip.software.logits[place];
    sums[kLogitSquares] += error * error;
    sums[kLogits] += 1.0;
  }
}

Estimate share(const Sums& total, Sum part, Sum whole, std::size_t blocks) {
  if (!(total[whole] > 0.0)) return kNone;
  const double value = total[part] / total[whole];
  const auto successes = static_cast<std::size_t>(std::lround(value * static_cast<double>(blocks)));
  Interval interval = wilson_interval(successes, blocks);
  interval.low = std::min(interval.low, value);
  interval.high = std::max(interval.high, value);
  return {value, interval};
}

Estimate root(const std::vector<Sums>& blocks, const Sums& total, Sum top, Sum bottom, Random random) {
  const auto value = [&](const Sums& sums) {
    return sums[bottom] > 0.0 ? std::sqrt(sums[top] / sums[bottom]) : kNever;
  };
  Estimate result{value(total), {kNever, kNever}};
  if (!result.known() || blocks.size() < 2) return result;
  std::vector<double> drawn;
  for (std::size_t i = 0; i < kResamples; ++i) {
    Sums sums{};
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      const Sums& block = blocks[random.below(blocks.size())];
      sums[top] += block[top];
      sums[bottom] += block[bottom];
    }
    if (const double found = value(sums); !std::isnan(found)) drawn.push_back(found);
  }
  result.interval = middle_95(std::move(drawn));
  return result;
}

/// Frames from `begin` to `end` in which a measured state stays as it is.
struct Hold {
  const MeasuredClip* clip = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool ends_by_flip = false;

  std::size_t frames() const { return end - begin; }
};

std::vector<Hold> holds_of(const std::vector<MeasuredClip>& clips, std::size_t layer, std::size_t cell, bool on) {
  std::vector<Hold> holds;
  for (const MeasuredClip& clip : clips) {
    if (!clip.states[layer][cell]) continue;
    for (std::size_t t = 0; t < clip.read.frames;) {
      std::size_t end = t + 1;
      while (end < clip.read.frames && clip.bit(layer, end, cell) == clip.bit(layer, t, cell)) ++end;
      if (clip.bit(layer, t, cell) == on) holds.push_back({&clip, t, end, end < clip.read.frames});
      t = end;
    }
  }
  return holds;
}

template <typename Visit>
void for_each_cell(const model::Network& network, const Visit& visit) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j)
      visit(l, j, network.layers[l].alpha[static_cast<Eigen::Index>(j)]);
  }
}

/// Sums for the line of squares over ages, of one hold.
struct AgeSums {
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;

  void add(double age, double square) {
    n += 1.0;
    x += age;
    y += square;
    xx += age * age;
    xy += age * square;
  }
  AgeSums& operator+=(const AgeSums& other) {
    n += other.n;
    x += other.x;
    y += other.y;
    xx += other.xx;
    xy += other.xy;
    return *this;
  }
  double mean_square() const { return y / n; }
  double slope() const { return (n * xy - x * y) / (n * xx - x * x); }
  double growth() const { return slope() * (x / n) / mean_square(); }
};

Verdict judge_below(const Interval& interval, double limit) {
  if (interval.high < limit) return Verdict::kConfirmed;
  return interval.low > limit ? Verdict::kRefuted : Verdict::kUndecided;
}

Verdict judge_agreement(const MeasuredAgreement& agreement) {
  const Interval& frames = agreement.frame_agreement.interval;
  const Verdict same_frames = judge_below({1.0 - frames.high, 1.0 - frames.low}, 1.0 - kClaimedFrames);
  const Verdict same_bits = judge_below(agreement.state_mismatch.interval, kClaimedMismatch);
  if (same_frames == Verdict::kRefuted || same_bits == Verdict::kRefuted) return Verdict::kRefuted;
  return same_frames == same_bits ? same_frames : Verdict::kUndecided;
}

/// Variances over holds of one cell in one state: of its candidate and of its output.
struct Variances {
  std::vector<double> inputs;
  std::vector<double> outputs;
};

Variances variances_over_holds(const std::vector<MeasuredClip>& clips, std::size_t layer, std::size_t cell, bool on) {
  Variances result;
  for (const Hold& hold : holds_of(clips, layer, cell, on)) {
    const std::size_t begin = hold.begin + kUnread;
    const std::size_t end = hold.end - std::min(hold.frames(), hold.ends_by_flip ? kGuard : std::size_t{0});
    if (!hold.clip->candidates[layer][cell] || end < begin + kFewFrames) continue;
    std::vector<double> candidates;
    std::vector<double> states;
    for (std::size_t t = begin; t < end; ++t) {
      candidates.push_back(hold.clip->read.candidate(layer, t, cell));
      states.push_back(hold.clip->read.state(layer, t, cell));
    }
    result.inputs.push_back(variance(candidates));
    result.outputs.push_back(variance(states));
  }
  return result;
}

/// A cell in one state, and what its ratio was made of.
struct HeldCell {
  CellSuppression figures;
  Variances variances;
  double scale = 0.0;
  Random draws;

  Ratio ratio(double outside) const { return ratio_of(variances.inputs, variances.outputs, scale, draws, outside); }
};

/// The verdict of kClaimedSuppression over cells that are on.
Verdict judge_suppression(std::span<const HeldCell> cells) {
  std::size_t known = 0;
  std::size_t above = 0;
  for (const HeldCell& cell : cells) {
    known += std::isfinite(cell.figures.ratio.low) ? 1 : 0;
    above += cell.figures.ratio.low >= kClaimedSuppression ? 1 : 0;
  }
  if (!cells.empty() && above == cells.size()) return Verdict::kConfirmed;  // without an interval it stays open
  const auto refutes = [&](const HeldCell& cell) {
    return cell.figures.holds >= kRefutingHolds && cell.figures.ratio.high < kClaimedSuppression &&
           cell.ratio(kOutside / static_cast<double>(known)).high < kClaimedSuppression;
  };
  return std::any_of(cells.begin(), cells.end(), refutes) ? Verdict::kRefuted : Verdict::kUndecided;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kConfirmed:
      return "confirmed";
    case Verdict::kRefuted:
      return "refuted";
    case Verdict::kUndecided:
      break;
  }
  return "not decided";
}

MeasuredAgreement measure_agreement(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                    std::uint64_t seed) {
  MeasuredAgreement result;
  std::vector<Sums> blocks;
  std::size_t decided = 0;
  std::size_t same_decisions = 0;
  for (const MeasuredClip& clip : clips) {
    ++result.clips;
    const bool has_logits = clip.has_logits();
    const auto expected = model::frame_decisions(clip.software.logits, clip.software.outputs);
    const auto found = model::frame_decisions(clip.read.logits, clip.read.outputs);
    if (has_logits) {
      ++decided;
      const auto decision = [&](const std::vector<std::size_t>& frames) {
        return model::majority(model::vote_shares(frames, clip.read.outputs));
      };
      same_decisions += decision(expected) == decision(found) ? 1 : 0;
    }
    for (std::size_t t = 0; t < clip.read.frames; ++t) {
      if (t % kBlockFrames == 0) blocks.emplace_back(Sums{});
      Sums& sums = blocks.back();
      for (std::size_t l = 0; l < network.layers.size(); ++l) {
        add_candidates(clip, l, t, sums, result.candidate_max);
        add_states(clip, network.layers[l], l, t, sums, result.state_max);
      }
      add_logits(clip, t, sums);
      if (!has_logits) continue;
      sums[kFrames] += 1.0;
      sums[kSameFrames] += expected[t] == found[t] ? 1.0 : 0.0;
    }
  }
  Sums total{};
  for (const Sums& block : blocks) {
    for (std::size_t i = 0; i < kSums; ++i) total[i] += block[i];
  }
  const Random random = Random(seed).child("measured agreement");
  result.blocks = blocks.size();
  result.decision_agreement = kNone;
  if (decided > 0) {
    result.decision_agreement = {static_cast<double>(same_decisions) / static_cast<double>(decided),
                                 wilson_interval(same_decisions, decided)};
  }
  result.frame_agreement = share(total, kSameFrames, kFrames, blocks.size());
  result.state_mismatch = share(total, kWrongBits, kBits, blocks.size());
  result.candidate_rms = root(blocks, total, kCandidateSquares, kCandidates, random.child("candidates"));
  result.candidate_relative_rms = root(blocks, total, kRelativeError, kRelativeValue, random.child("relative"));
  result.state_rms = root(blocks, total, kStateSquares, kStates, random.child("states"));
  result.state_relative_rms = root(blocks, total, kRelativeState, kRelativeStates, random.child("relative states"));
  result.logit_rms = root(blocks, total, kLogitSquares, kLogits, random.child("logits"));
  if (!(total[kCandidates] > 0.0)) result.candidate_max = kNever;
  if (!(total[kStates] > 0.0)) result.state_max = kNever;
  result.as_software = judge_agreement(result);
  return result;
}

ErrorGrowth measure_growth(const std::vector<MeasuredClip>& clips, const model::Network& network, std::uint64_t seed) {
  ErrorGrowth result{kNone, kNone, kNone, 0, 0, Verdict::kUndecided};
  std::vector<AgeSums> sums;
  for_each_cell(network, [&](std::size_t l, std::size_t j, double alpha) {
    if (!(alpha > 0.0)) return;
    const std::vector<Hold> holds = holds_of(clips, l, j, true);
    double level = 0.0;
    double count = 0.0;
    const auto read = [&](const Hold& hold, const auto& take) {
      const std::size_t end = hold.end - std::min(hold.frames(), hold.ends_by_flip ? kGuard : std::size_t{0});
      for (std::size_t t = hold.begin + kUnread; t < end; ++t) take(t, hold.clip->read.state(l, t, j));
    };
    for (const Hold& hold : holds) {
      read(hold, [&](std::size_t, double state) {
        level += state;
        count += 1.0;
      });
    }
    if (count == 0.0) return;
    level /= count;
    for (const Hold& hold : holds) {
      AgeSums own;
      read(hold, [&](std::size_t t, double state) {
        const double error = (state - level) / alpha;
        own.add(static_cast<double>(t - hold.begin), error * error);
      });
      if (own.n == 0.0) continue;
      sums.push_back(own);
      result.longest = std::max(result.longest, hold.frames());
    }
  });
  result.holds = sums.size();
  AgeSums total;
  for (const AgeSums& own : sums) total += own;
  if (sums.size() < kFewHolds || !(total.n * total.xx - total.x * total.x > 0.0) || !(total.y > 0.0)) return result;
  std::vector<double> roots;
  std::vector<double> slopes;
  std::vector<double> growths;
  Random random = Random(seed).child("growth of errors");
  for (std::size_t i = 0; i < kResamples; ++i) {
    AgeSums drawn;
    for (std::size_t h = 0; h < sums.size(); ++h) drawn += sums[random.below(sums.size())];
    if (!std::isfinite(drawn.growth())) continue;
    roots.push_back(std::sqrt(drawn.mean_square()));
    slopes.push_back(drawn.slope());
    growths.push_back(drawn.growth());
  }
  result.rms = {std::sqrt(total.mean_square()), middle_95(std::move(roots))};
  result.slope = {total.slope(), middle_95(std::move(slopes))};
  result.growth = {total.growth(), middle_95(std::move(growths))};
  result.bounded = judge_below(result.growth.interval, kGrows);
  return result;
}

MeasuredSuppression measure_chip_suppression(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                             std::uint64_t seed) {
  MeasuredSuppression result;
  std::vector<HeldCell> cells;
  for (const bool on : {true, false}) {
    for_each_cell(network, [&](std::size_t l, std::size_t j, double alpha) {
      const double upper = network.layers[l].beta_hi[static_cast<Eigen::Index>(j)];
      HeldCell cell{{l, j, on, 0, {kNever, kNever, kNever}},
                    variances_over_holds(clips, l, j, on),
                    alpha / upper,
                    Random(seed).child(on ? "suppression on" : "suppression off", cells.size())};
      cell.figures.holds = cell.variances.inputs.size();
      if (cell.figures.holds >= kFewTrials && upper > 0.0 && alpha > 0.0) cell.figures.ratio = cell.ratio(kOutside);
      cells.push_back(std::move(cell));
    });
    if (on) result.claim = judge_suppression(cells);
  }
  for (const HeldCell& cell : cells) result.cells.push_back(cell.figures);
  return result;
}

}  // namespace hysteron::analysis
