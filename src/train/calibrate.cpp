#include "train/calibrate.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "model/inference.h"

namespace hysteron::train {
namespace {

/// Median over the frames of logit 0 minus logit 1: the clip is decided as label 0 where it is not negative.
float median_difference(const model::Trace& trace) {
  std::vector<float> differences(trace.frames);
  for (std::size_t t = 0; t < trace.frames; ++t) differences[t] = trace.logits[2 * t] - trace.logits[2 * t + 1];
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::ranges::nth_element(differences, middle);
  return *middle;
}

/// The threshold on `scores` (score, label) that separates label 0, above it, from label 1 best.
double best_threshold(std::vector<std::pair<float, std::uint32_t>> scores) {
  std::array<double, 2> counts{};
  for (const auto& [score, label] : scores) counts[label] += 1.0;
  if (counts[0] == 0.0 || counts[1] == 0.0) return 0.0;
  // What one clip of a label adds to accuracy + balanced accuracy.
  const double each = 1.0 / static_cast<double>(scores.size());
  const std::array<double, 2> gain = {each + 0.5 / counts[0], each + 0.5 / counts[1]};
  std::ranges::sort(scores);
  double quality = gain[0] * counts[0];  // everything is above the threshold: all of label 0 right, none of label 1
  double best = 0.0;
  double threshold = 0.0;
  for (std::size_t i = 0; i + 1 < scores.size(); ++i) {
    quality += scores[i].second == 1 ? gain[1] : -gain[0];
    if (scores[i].first == scores[i + 1].first) continue;
    if (quality > best + 1e-12) {
      best = quality;
      threshold = 0.5 * (static_cast<double>(scores[i].first) + scores[i + 1].first);
    }
  }
  return threshold;
}

}  // namespace

double calibrate_vote(model::Network& network, const ClipSet& clips, ThreadPool& pool) {
  if (network.outputs() != 2 || clips.features.frames == 0) return 0.0;
  std::vector<std::pair<float, std::uint32_t>> scores(clips.size());
  pool.run(clips.size(), [&](std::size_t i) {
    scores[i] = {median_difference(model::run_clip(network, clips.features.clip(i))), clips.labels[i]};
  });
  const double threshold = best_threshold(std::move(scores));
  network.readout.bias[0] -= static_cast<float>(0.5 * threshold);
  network.readout.bias[1] += static_cast<float>(0.5 * threshold);
  return -threshold;
}

}  // namespace hysteron::train
