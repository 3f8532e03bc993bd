#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/random.h"
#include "studies/montecarlo.h"

namespace hysteron::studies {
namespace {

constexpr std::size_t kResamples = 1000;  // of dies and clips
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Successes among tries.
struct Share {
  std::size_t good = 0;
  std::size_t all = 0;

  void add(bool success) {
    good += success ? 1 : 0;
    ++all;
  }
  ShareEstimate estimate() const {
    if (all == 0) return {kNone, {}};
    return {static_cast<double>(good) / static_cast<double>(all), analysis::wilson_interval(good, all)};
  }
};

/// The share, or what is left of it; NaN of nothing.
double share(std::size_t part, std::size_t whole) { return whole == 0 ? kNone : analysis::share_of(part, whole); }
double rest(std::size_t part, std::size_t whole) { return whole == 0 ? kNone : 1.0 - analysis::share_of(part, whole); }

std::vector<ClipYield> clip_yields(const DieRuns& runs, const model::Network& network) {
  std::vector<ClipYield> list;
  for (std::size_t c = 0; c < runs.references.size(); ++c) {
    const ClipReference& reference = runs.references[c];
    Share yield;
    std::size_t wrong_frames = 0;
    for (const DieResult& die : runs.dies) {
      if (die.clips[c].failed) continue;
      yield.add(die.clips[c].decision == reference.decision);
      wrong_frames += die.clips[c].wrong_frames;
    }
    list.push_back({reference, network.labels[reference.decision], yield.all, yield.estimate(),
                    rest(wrong_frames, yield.all * reference.frames)});
  }
  return list;
}

std::vector<DieYield> die_yields(const DieRuns& runs) {
  std::vector<DieYield> list;
  for (const DieResult& die : runs.dies) {
    Share yield;
    double power = 0.0;
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (die.clips[c].failed) continue;
      yield.add(die.clips[c].decision == runs.references[c].decision);
      power += die.clips[c].power;
    }
    DieYield& row = list.emplace_back(DieYield{die.seed, yield.all, yield.estimate(), {}, {}});
    if (power > 0.0) row.power = power / static_cast<double>(yield.all);
    if (runs.trimming) row.codes = die.codes;
  }
  return list;
}

std::vector<CellMismatch> cell_mismatches(const DieRuns& runs, const model::Network& network) {
  std::size_t frames = 0;
  for (const DieResult& die : runs.dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (!die.clips[c].failed) frames += runs.references[c].frames;
    }
  }
  std::vector<CellMismatch> cells;
  std::size_t index = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j, ++index) {
      std::size_t wrong = 0;
      for (const DieResult& die : runs.dies) wrong += die.wrong_bits[index];
      cells.push_back({l, j, share(wrong, frames)});
    }
  }
  std::ranges::stable_sort(cells, std::greater(), &CellMismatch::state_mismatch);
  return cells;
}

/// Mean of as many of `shares` drawn with replacement.
double resampled_mean(const std::vector<double>& shares, Random& random) {
  double sum = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) sum += shares[random.below(shares.size())];
  return sum / static_cast<double>(shares.size());
}

/// What another draw of dies and of clips, won by `least` votes or more, would make of the yield: middle 95 % of the
/// yield and the departures from it of the mean over resampled clips and of that over resampled dies, to first order
/// the two-way bootstrap of crossed factors (A. B. Owen, Ann. Appl. Stat. 1, 2007). None below two dies or clips;
/// without any width where nothing flips.
std::optional<analysis::Interval> resampled_interval(const std::vector<DieResult>& dies,
                                                     const std::vector<ClipReference>& references, std::size_t least,
                                                     double yield) {
  std::vector<Share> of_clips(references.size());
  std::vector<double> of_dies;
  for (const DieResult& die : dies) {
    Share own;
    for (std::size_t c = 0; c < references.size(); ++c) {
      if (die.clips[c].failed || references[c].margin < least) continue;
      own.add(die.clips[c].decision == references[c].decision);
      of_clips[c].add(die.clips[c].decision == references[c].decision);
    }
    if (own.all > 0) of_dies.push_back(analysis::share_of(own.good, own.all));
  }
  std::vector<double> clip_shares;
  for (const Share& share : of_clips) {
    if (share.all > 0) clip_shares.push_back(analysis::share_of(share.good, share.all));
  }
  if (of_dies.size() < 2 || clip_shares.size() < 2) return std::nullopt;
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double center = yield - mean(clip_shares) - mean(of_dies);
  Random random = Random(dies.front().seed).child("resampled yield", least);
  std::vector<double> yields;
  for (std::size_t i = 0; i < kResamples; ++i) {
    yields.push_back(center + resampled_mean(clip_shares, random) + resampled_mean(of_dies, random));
  }
  const analysis::Interval interval = analysis::middle_95(std::move(yields));
  return analysis::Interval{std::max(interval.low, 0.0), std::min(interval.high, 1.0)};
}

DieFigures die_figures(const std::vector<DieResult>& dies, const std::vector<ClipReference>& references,
                       std::size_t cells) {
  Share yield;
  Share clear;
  std::size_t frames = 0, wrong_frames = 0, bits = 0, wrong_bits = 0;
  for (const DieResult& die : dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      const ClipReference& reference = references[c];
      const DieClip& clip = die.clips[c];
      if (clip.failed) continue;
      yield.add(clip.decision == reference.decision);
      if (reference.margin >= kClearMargin) clear.add(clip.decision == reference.decision);
      frames += reference.frames;
      wrong_frames += clip.wrong_frames;
      bits += reference.frames * cells;
      wrong_bits += clip.wrong_bits;
    }
  }
  return {yield.estimate(),
          resampled_interval(dies, references, 0, analysis::share_of(yield.good, yield.all)),
          clear.estimate(),
          resampled_interval(dies, references, kClearMargin, analysis::share_of(clear.good, clear.all)),
          rest(wrong_frames, frames),
          share(wrong_bits, bits)};
}

MarginLaw fit_law(const DieRuns& runs) {
  std::vector<analysis::ClipFlips> clips;
  for (std::size_t c = 0; c < runs.references.size(); ++c) {
    const ClipReference& reference = runs.references[c];
    analysis::ClipFlips clip;
    clip.margin = analysis::share_of(reference.margin, reference.frames);
    for (const DieResult& die : runs.dies) {
      const bool has_result = !die.clips[c].failed;
      clip.tried.push_back(has_result ? 1 : 0);
      clip.flipped.push_back(has_result && die.clips[c].decision != reference.decision ? 1 : 0);
    }
    clips.push_back(std::move(clip));
  }
  constexpr double kOnePercent = 2.3263478740408408;  // Q of it is 1 %
  const analysis::MarginFit fit = analysis::fit_margins(clips, runs.dies.front().seed);
  return {fit, (kOnePercent - fit.law.offset) / fit.law.slope};
}

TrimFigures trim_figures(const Trimming& trimming, const DieRuns& runs, std::size_t cells) {
  // A binary DAC is a leg and a switch for every bit, and every bit is stored.
  constexpr std::size_t kTransistorsOfABit = 2;
  std::set<std::size_t> layers;
  for (const behavioural::TrimLeg& leg : trimming.legs) layers.insert(leg.layer);
  std::size_t ends = 0;
  for (const DieResult& die : runs.dies) {
    ends += std::ranges::count_if(
        die.codes, [&](int code) { return code == trimming.dac.lowest() || code == trimming.dac.highest(); });
  }
  const std::size_t bits = trimming.dac.bits * trimming.legs.size();
  return {trimming.legs,
          trimming.dac,
          trimming.clips,
          static_cast<double>(layers.size() * trimming.clips) * trimming.clip_seconds,
          kTransistorsOfABit * bits,
          bits,
          analysis::share_of(ends, runs.dies.size() * trimming.legs.size()),
          die_figures(trimming.before, runs.references, cells)};
}

std::vector<FailedPair> failed_pairs(const DieRuns& runs) {
  std::vector<FailedPair> failed;
  for (const DieResult& die : runs.dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (die.clips[c].failed) failed.push_back({die.seed, runs.references[c].clip, die.clips[c].error});
    }
  }
  return failed;
}

}  // namespace

MonteCarlo die_statistics(const DieRuns& runs, const model::Network& network) {
  std::size_t cells = 0;
  for (const model::Layer& layer : network.layers) cells += layer.cells();
  MonteCarlo result;
  result.close_clips = static_cast<std::size_t>(std::ranges::count_if(
      runs.references, [](const ClipReference& reference) { return reference.margin < kClearMargin; }));
  result.figures = die_figures(runs.dies, runs.references, cells);
  result.per_clip = clip_yields(runs, network);
  result.per_die = die_yields(runs);
  result.cells = cell_mismatches(runs, network);
  result.margins = fit_law(runs);
  if (runs.trimming) result.trim = trim_figures(*runs.trimming, runs, cells);
  if (runs.conformance && runs.conformance->clips > 0) {
    result.comparison = EngineComparison{*runs.conformance, runs.lost, runs.differing};
  }
  result.failed = failed_pairs(runs);
  result.seconds = runs.seconds;
  return result;
}

}  // namespace hysteron::studies
