#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compile/centering.h"
#include "model/inference.h"

namespace hysteron::compile {
namespace {

// Frames of zero input after which every cell of every layer is at rest: states are constant one frame a layer after
// the input is.
constexpr std::size_t kSettlingFrames = 8;

void add_near(std::size_t layer, std::size_t cell, double candidate, double frames, const model::Layer& cells,
              std::vector<RestingCandidate>& found) {
  const auto index = static_cast<Eigen::Index>(cell);
  for (const bool upper : {false, true}) {
    const RestingCandidate resting{layer, cell, upper, candidate, upper ? cells.beta_hi[index] : cells.beta_lo[index],
                                   frames};
    if (resting.threshold > 0.0 && std::abs(resting.distance()) < kRestingDistance) found.push_back(resting);
  }
}

/// The value that occurs most often, the least of several, and how often. Sorts `values`.
std::pair<float, std::size_t> most_frequent(std::vector<float>& values) {
  std::ranges::sort(values);
  std::pair<float, std::size_t> best{0.0F, 0};
  for (std::size_t begin = 0; begin < values.size();) {
    std::size_t end = begin;
    while (end < values.size() && values[end] == values[begin]) ++end;
    if (end - begin > best.second) best = {values[begin], end - begin};
    begin = end;
  }
  return best;
}

/// The most frequent candidate of every cell, by layer, and its share of the frames.
std::vector<std::pair<float, double>> frequent_candidates(const model::Network& network, const data::Features& features,
                                                          ThreadPool& pool) {
  std::vector<model::Trace> traces(features.clips);
  pool.run(features.clips, [&](std::size_t clip) {
    traces[clip] = model::run_clip(network, features.clip(clip));
    traces[clip].states.clear();
    traces[clip].states.shrink_to_fit();
  });
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j) places.emplace_back(l, j);
  }
  std::vector<std::pair<float, double>> result(places.size());
  pool.run(places.size(), [&](std::size_t i) {
    std::vector<float> values;
    for (const model::Trace& trace : traces) {
      for (std::size_t t = 0; t < trace.frames; ++t) {
        values.push_back(trace.candidate(places[i].first, t, places[i].second));
      }
    }
    const auto [value, count] = most_frequent(values);
    result[i] = {value, static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(values.size(), 1))};
  });
  return result;
}

}  // namespace

double RestingCandidate::distance() const { return (candidate - threshold) / threshold; }

std::string RestingCandidate::text() const {
  const std::string what = frames > 0.0 ? fmt::format("the candidate of {:.0f} % of the frames", 100.0 * frames)
                                        : std::string("the candidate at zero input");
  const std::string name = upper ? "beta_hi" : "beta_lo";
  const double off = distance();
  const std::string where = off == 0.0
                                ? "lies exactly on"
                                : fmt::format("is {:.2g} % {}", 100.0 * std::abs(off), off > 0.0 ? "above" : "below");
  return fmt::format("layers.{} cell {}: {}, {:.5g}, {} {}, {:.5g}", layer, cell, what, candidate, where, name,
                     threshold);
}

std::vector<RestingCandidate> resting_on_thresholds(const model::Network& network, const data::Features* features,
                                                    ThreadPool& pool) {
  const std::size_t frames = kSettlingFrames + network.layers.size();
  const std::vector<float> silence(frames * network.inputs(), 0.0F);
  const model::Trace rest = model::run_clip(network, silence);
  std::vector<std::pair<float, double>> frequent;
  if (features != nullptr) frequent = frequent_candidates(network, *features, pool);
  std::vector<RestingCandidate> found;
  std::size_t i = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j, ++i) {
      const float at_zero = rest.candidate(l, frames - 1, j);
      add_near(l, j, at_zero, 0.0, network.layers[l], found);
      if (features == nullptr || frequent[i].second < kRestingShare || frequent[i].first == at_zero) continue;
      add_near(l, j, frequent[i].first, frequent[i].second, network.layers[l], found);
    }
  }
  return found;
}

}  // namespace hysteron::compile
