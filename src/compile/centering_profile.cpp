#include "compile/centering_profile.h"

#include <algorithm>
#include <cmath>

namespace hysteron::compile {
namespace {

// Variances from 1e-9 to 10 in steps of a factor of 1.62: 13 % of a deviation to either side.
constexpr double kMinVariance = 1e-9;
constexpr double kVarianceRatio = 1.62;

std::size_t variance_bin(double variance) {
  if (variance <= kMinVariance) return 0;
  const double bin = std::log(variance / kMinVariance) / std::log(kVarianceRatio) + 0.5;
  return std::min(static_cast<std::size_t>(bin), LevelHistogram::kVariances - 1);
}

double bin_variance(std::size_t bin) { return kMinVariance * std::pow(kVarianceRatio, static_cast<double>(bin)); }

// Shares of the bits that a place may change, most first.
constexpr std::array kChangeLimits = {1.0, 0.03, 0.01, 0.004, 0.001, 0.0003, 0.0001, 0.0};

}  // namespace

LevelHistogram::LevelHistogram(double range) : range_(range) {
  for (auto& counts : counts_) counts.assign(kLevels * kVariances, 0);
}

void LevelHistogram::add(float level, float nominal_variance, float die_variance) {
  if (!(level >= 0.0F && level < range_)) return;
  const auto bin = std::min(static_cast<std::size_t>(level / range_ * kLevels), kLevels - 1);
  ++counts_[kNominal][bin * kVariances + variance_bin(nominal_variance)];
  ++counts_[kDie][bin * kVariances + variance_bin(die_variance)];
}

void LevelHistogram::add(const LevelHistogram& other) {
  for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
    for (std::size_t i = 0; i < counts_[kind].size(); ++i) counts_[kind][i] += other.counts_[kind][i];
  }
}

std::vector<double> LevelHistogram::below() const {
  std::vector<double> result(kLevels + 1, 0.0);
  for (std::size_t bin = 0; bin < kLevels; ++bin) {
    result[bin + 1] = result[bin];
    for (std::size_t v = 0; v < kVariances; ++v) result[bin + 1] += counts_[kNominal][bin * kVariances + v];
  }
  return result;
}

std::vector<LevelHistogram::Levels> LevelHistogram::levels(std::size_t kind) const {
  std::vector<Levels> result;
  for (std::size_t v = 0; v < kVariances; ++v) {
    Levels levels{bin_variance(v), {}};
    for (std::size_t bin = 0; bin < kLevels; ++bin) {
      const std::uint32_t count = counts_[kind][bin * kVariances + v];
      if (count > 0) levels.counts.emplace_back(edge(bin) + 0.5 * range_ / kLevels, count);
    }
    if (!levels.counts.empty()) result.push_back(std::move(levels));
  }
  return result;
}

namespace {

/// Expected wrong bits for a threshold at `threshold`, whose own error has `variance`.
double wrong_bits(const std::vector<LevelHistogram::Levels>& all, double threshold, double variance) {
  double sum = 0.0;
  for (const LevelHistogram::Levels& levels : all) {
    const double both = variance + levels.variance;
    const double reach = kFarSigmas * std::sqrt(both);
    auto it = std::ranges::lower_bound(levels.counts, threshold - reach, {}, &std::pair<double, double>::first);
    for (; it != levels.counts.end() && it->first <= threshold + reach; ++it) {
      sum += it->second * crossing_probability(it->first - threshold, both);
    }
  }
  return sum;
}

}  // namespace

std::vector<Placement> profile(const LevelHistogram& histogram, double low, double high, double present,
                               const std::function<double(std::size_t, double)>& variance, ThreadPool& pool) {
  const std::vector<double> below = histogram.below();
  std::vector<Placement> places;
  std::size_t present_bin = 0;
  for (std::size_t i = 1; i < LevelHistogram::kLevels; ++i) {
    const double edge = histogram.edge(i);
    if (edge <= present) present_bin = i;
    if (edge >= low && edge <= high) places.push_back({edge, 0.0, below[i]});
  }
  const std::array levels = {histogram.levels(kNominal), histogram.levels(kDie)};
  pool.run(places.size(), [&](std::size_t i) {
    Placement& place = places[i];
    place.changed = std::abs(place.changed - below[present_bin]);
    for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
      place.wrong += wrong_bits(levels[kind], place.threshold, variance(kind, place.threshold)) / double{kCircuitKinds};
    }
  });
  return places;
}

std::vector<Placement> shortlist(const std::vector<Placement>& places, const Choice& choice) {
  const auto cost = [&](const Placement& place) { return place.wrong + choice.change_price * place.changed; };
  const auto distance = [&](const Placement& place) { return std::abs(place.threshold - choice.present); };
  std::vector<Placement> result;
  for (const double limit : kChangeLimits) {
    for (const bool above : {false, true}) {
      const auto allowed = [&](const Placement& place) {
        return place.changed <= limit * choice.bits && (place.threshold > choice.present) == above;
      };
      double least = choice.present_cost;
      for (const Placement& place : places) {
        if (allowed(place)) least = std::min(least, cost(place));
      }
      if (least > choice.present_cost - choice.worthwhile) continue;
      const Placement* nearest = nullptr;
      for (const Placement& place : places) {
        if (!allowed(place) || cost(place) > least + 0.5 * choice.worthwhile) continue;
        if (nearest == nullptr || distance(place) < distance(*nearest)) nearest = &place;
      }
      const auto same = [&](const Placement& other) { return other.threshold == nearest->threshold; };
      if (nearest != nullptr && std::ranges::none_of(result, same)) result.push_back(*nearest);
    }
  }
  std::ranges::stable_sort(result, {}, cost);
  return result;
}

}  // namespace hysteron::compile
