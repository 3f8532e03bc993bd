#include "analysis/margin_fit.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "base/random.h"

namespace hysteron::analysis {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Of one clip, every die counted `weights[die]` times.
FlipCount weighted_count(const ClipFlips& clip, const std::vector<std::uint16_t>& weights) {
  std::uint64_t flips = 0;
  std::uint64_t samples = 0;
  for (std::size_t die = 0; die < weights.size(); ++die) {
    flips += static_cast<std::uint64_t>(weights[die]) * clip.flipped[die];
    samples += static_cast<std::uint64_t>(weights[die]) * clip.tried[die];
  }
  return {clip.margin, static_cast<std::size_t>(flips), static_cast<std::size_t>(samples)};
}

void resample(const std::vector<ClipFlips>& clips, std::uint64_t seed, MarginFit& result) {
  const std::size_t dies = clips.front().flipped.size();
  const Random random = Random(seed).child("margin fit");
  std::vector<double> offsets;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < kMarginResamples; ++i) {
    Random draw = random.child("resample", i);
    std::vector<std::uint16_t> weights(dies, 0);
    for (std::size_t k = 0; k < dies; ++k) ++weights[draw.below(dies)];
    std::vector<FlipCount> counts;
    for (std::size_t k = 0; k < clips.size(); ++k) {
      counts.push_back(weighted_count(clips[draw.below(clips.size())], weights));
    }
    const FlipFit fit = fit_flips(counts);
    if (!std::isfinite(fit.slope)) continue;
    offsets.push_back(fit.offset);
    slopes.push_back(fit.slope);
  }
  result.resamples = slopes.size();
  result.offset = middle_95(std::move(offsets));
  result.slope = middle_95(std::move(slopes));
}

void judge_fit(const std::vector<FlipCount>& counts, MarginFit& result) {
  constexpr double kParameters = 2.0;
  double pearson = 0.0;
  double squares = 0.0;
  double clips = 0.0;
  for (const FlipCount& count : counts) {
    if (count.samples == 0) continue;
    const auto samples = static_cast<double>(count.samples);
    const double p = gaussian_tail(result.law.offset + result.law.slope * count.margin);
    const double error = static_cast<double>(count.flips) / samples - p;
    // Where the law expects next to no flips, one of them would be all of the statistic.
    pearson += samples * error * error / std::max(p * (1.0 - p), 1.0 / samples);
    squares += error * error;
    clips += 1.0;
  }
  result.dispersion = clips > kParameters ? pearson / (clips - kParameters) : kNone;
  result.rms_error = std::sqrt(squares / clips);
}

}  // namespace

MarginFit fit_margins(const std::vector<ClipFlips>& clips, std::uint64_t seed) {
  MarginFit result;
  result.offset = result.slope = {kNone, kNone};
  result.dispersion = result.rms_error = kNone;
  std::vector<FlipCount> counts;
  for (const ClipFlips& clip : clips) {
    assert(clip.flipped.size() == clip.tried.size());
    counts.push_back(weighted_count(clip, std::vector<std::uint16_t>(clip.flipped.size(), 1)));
  }
  result.law = fit_flips(counts);
  if (!std::isfinite(result.law.slope)) return result;
  judge_fit(counts, result);
  resample(clips, seed, result);
  return result;
}

}  // namespace hysteron::analysis
