#include "analysis/threshold_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "compile/clip_bench.h"

namespace hysteron::analysis {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kWindow = 8;       // frames before a switching over which its ramp is looked at
constexpr double kAfter = 0.25;          // frames behind it at which the candidate is still looked at
constexpr double kFarFromMedian = 0.15;  // of a cell's readings, relative, that none of them is
constexpr std::size_t kPoints = 4;       // readings a frame of that window; their mean is less noisy than they are
constexpr double kStraight = 0.02;       // largest distance of a frame's mean from the line, over beta_hi
constexpr double kLow = 0.3;             // of alpha: a state below is off, one above kHigh is on
constexpr double kHigh = 0.7;
constexpr double kFirstExponent = 0.5;
constexpr double kExponentStep = 0.05;
constexpr std::size_t kExponents = 11;
constexpr double kBetter = 4.0;     // times the variance of a reading by which another exponent must be nearer
constexpr double kOutlier = 5.0;    // deviations
constexpr double kRounding = 1e-6;  // unit currents that no outlier is below
constexpr std::size_t kStays = 10;  // frames without a candidate in which a cell that never resets stays on
constexpr double kNothing = 0.01;   // candidate that is none, over beta_hi
constexpr double kNormal95 = 1.959963984540054;
constexpr double kSpeedClass = 0.2;  // speeds count as different if their logarithms are

/// Seconds at which a state passes half of alpha, and whether upwards; from one level to the other, once a passage.
std::vector<std::pair<double, bool>> passages(const Curve& state, double alpha) {
  std::vector<std::pair<double, bool>> result;
  int level = -1;  // 0 off, 1 on
  double crossed = 0.0;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const double value = state.value(i);
    if (i > 0) {
      const double before = state.value(i - 1) - 0.5 * alpha;
      const double after = value - 0.5 * alpha;
      if ((before < 0.0) != (after < 0.0)) {
        crossed = state.time()[i - 1] + before / (before - after) * (state.time()[i] - state.time()[i - 1]);
      }
    }
    const int now = value > kHigh * alpha ? 1 : (value < kLow * alpha ? 0 : level);
    if (level >= 0 && now != level) result.emplace_back(crossed, now == 1);
    level = now;
  }
  return result;
}

struct Line {
  double at_end = 0.0;
  double slope = 0.0;
  double farthest = 0.0;  // of the means of kPoints readings

  double after(double seconds) const { return at_end + slope * seconds; }
};

/// Means of kPoints readings in each of `parts` equal parts of the time between `from` and `to`.
std::vector<double> means(const Curve& curve, double from, double to, std::size_t parts) {
  const double step = (to - from) / static_cast<double>(parts * kPoints);
  std::vector<double> result(parts, 0.0);
  for (std::size_t i = 0; i < parts * kPoints; ++i) {
    result[i / kPoints] += curve.at(from + step * (static_cast<double>(i) + 0.5)) / static_cast<double>(kPoints);
  }
  return result;
}

/// Least squares over the kWindow means between `from` and `to`.
Line fit_line(const Curve& curve, double from, double to) {
  const std::vector<double> values = means(curve, from, to, kWindow);
  const double step = (to - from) / static_cast<double>(kWindow);
  const auto from_middle = [&](std::size_t i) { return step * (static_cast<double>(i) + 0.5) - 0.5 * (to - from); };
  double sum = 0.0;
  double product = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < kWindow; ++i) {
    sum += values[i];
    product += from_middle(i) * values[i];
    squares += from_middle(i) * from_middle(i);
  }
  Line line;
  const double mean = sum / static_cast<double>(kWindow);
  line.slope = product / squares;
  line.at_end = mean + line.slope * 0.5 * (to - from);
  for (std::size_t i = 0; i < kWindow; ++i) {
    line.farthest = std::max(line.farthest, std::abs(values[i] - mean - line.slope * from_middle(i)));
  }
  return line;
}

/// Readings of one direction: offsets from one threshold a cell, one coefficient for all.
struct Regression {
  std::map<std::size_t, std::pair<double, double>> thresholds;  // by cell: value, variance over that of a reading
  double coefficient = 0.0;
  double squares = 0.0;
  std::size_t freedom = 0;

  double deviation() const { return freedom == 0 ? kNever : std::sqrt(squares / static_cast<double>(freedom)); }
};

struct Reading {
  std::size_t cell = 0;  // number over all layers
  double candidate = 0.0;
  double speed = 0.0;
};

Regression regress(const std::vector<Reading>& readings, double sign, double exponent) {
  struct Sums {
    double count = 0.0, x = 0.0, y = 0.0;
  };
  const auto term = [&](const Reading& reading) { return sign * std::pow(reading.speed, exponent); };
  std::map<std::size_t, Sums> cells;
  for (const Reading& reading : readings) {
    Sums& sums = cells[reading.cell];
    sums.count += 1.0;
    sums.x += term(reading);
    sums.y += reading.candidate;
  }
  double xx = 0.0;
  double xy = 0.0;
  for (const Reading& reading : readings) {
    const Sums& sums = cells[reading.cell];
    const double x = term(reading) - sums.x / sums.count;
    xx += x * x;
    xy += x * (reading.candidate - sums.y / sums.count);
  }
  Regression result;
  result.coefficient = xx > 0.0 ? std::max(0.0, xy / xx) : 0.0;
  for (const auto& [cell, sums] : cells) {
    const double x = sums.x / sums.count;
    result.thresholds[cell] = {sums.y / sums.count - result.coefficient * x,
                               1.0 / sums.count + (xx > 0.0 ? x * x / xx : 0.0)};
  }
  for (const Reading& reading : readings) {
    const double error = reading.candidate - result.thresholds[reading.cell].first - result.coefficient * term(reading);
    result.squares += error * error;
  }
  const std::size_t unknowns = cells.size() + (xx > 0.0 ? 1 : 0);
  result.freedom = readings.size() > unknowns ? readings.size() - unknowns : 0;
  return result;
}

std::size_t different_speeds(const std::vector<Reading>& readings) {
  std::set<long> classes;
  for (const Reading& reading : readings) classes.insert(std::lround(std::log(reading.speed) / kSpeedClass));
  return classes.size();
}

struct Fitted {
  Regression regression;
  SpeedLaw law;
};

Fitted best_fit(const std::vector<Reading>& readings, double sign) {
  Fitted best{regress(readings, sign, 0.5), {}};
  if (different_speeds(readings) >= 3 && best.regression.freedom > 0) {
    const double needed = best.regression.squares / (1.0 + kBetter / static_cast<double>(best.regression.freedom));
    for (std::size_t i = 0; i < kExponents; ++i) {
      const double exponent = kFirstExponent + kExponentStep * static_cast<double>(i);
      Regression other = regress(readings, sign, exponent);
      if (other.squares >= std::min(needed, best.regression.squares)) continue;
      best.regression = std::move(other);
      best.law.exponent = exponent;
    }
  }
  best.law.coefficient = best.regression.coefficient;
  best.law.residual = best.regression.deviation();
  return best;
}

/// The reading without which the others agree best, if it is too far off what they say; else the number of readings.
std::size_t find_outlier(const std::vector<Reading>& readings, double sign) {
  std::size_t worst = readings.size();
  Fitted best;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    std::vector<Reading> others = readings;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    Fitted fit = best_fit(others, sign);
    // A cell's only reading is off nothing.
    if (!fit.regression.thresholds.contains(readings[i].cell) || fit.regression.freedom == 0) continue;
    if (worst != readings.size() && fit.regression.squares >= best.regression.squares) continue;
    best = std::move(fit);
    worst = i;
  }
  if (worst == readings.size()) return worst;
  const double expected = best.regression.thresholds.at(readings[worst].cell).first +
                          sign * best.law.coefficient * std::pow(readings[worst].speed, best.law.exponent);
  const double error = std::abs(readings[worst].candidate - expected);
  return error > kOutlier * best.regression.deviation() + kRounding ? worst : readings.size();
}

/// Leaves out readings that are far from the median of their cell's.
void drop_strays(std::vector<Reading>& readings) {
  std::map<std::size_t, std::vector<double>> cells;
  for (const Reading& reading : readings) cells[reading.cell].push_back(reading.candidate);
  for (auto& [cell, values] : cells) std::sort(values.begin(), values.end());
  std::erase_if(readings, [&](const Reading& reading) {
    const std::vector<double>& values = cells[reading.cell];
    const double median = values[values.size() / 2];
    return std::abs(reading.candidate - median) > kFarFromMedian * median;
  });
}

Fitted robust_fit(std::vector<Reading>& readings, double sign) {
  drop_strays(readings);
  Fitted fit = best_fit(readings, sign);
  const std::size_t most = readings.size() / 5;
  for (std::size_t left_out = 0; left_out < most; ++left_out) {
    const std::size_t worst = find_outlier(readings, sign);
    if (worst == readings.size()) break;
    readings.erase(readings.begin() + static_cast<std::ptrdiff_t>(worst));
    fit = best_fit(readings, sign);
  }
  return fit;
}

Estimate around(double value, double deviation) {
  return {value, {value - kNormal95 * deviation, value + kNormal95 * deviation}};
}

/// Whether a cell was seen to stay on for kStays frames without any candidate, and never to reset: its lower threshold
/// is 0. Gives the least candidate in `least`.
bool never_resets(const std::vector<MeasuredClip>& clips, std::size_t layer, std::size_t cell, double upper,
                  double& least) {
  std::size_t stays = 0;
  for (const MeasuredClip& clip : clips) {
    if (!clip.states[layer][cell] || !clip.candidates[layer][cell]) continue;
    for (std::size_t t = 1; t < clip.read.frames; ++t) {
      if (!clip.bit(layer, t - 1, cell)) continue;
      if (!clip.bit(layer, t, cell)) return false;
      const double candidate = clip.read.candidate(layer, t, cell);
      least = std::min(least, candidate);
      stays += candidate <= kNothing * upper ? 1 : 0;
    }
  }
  return stays >= kStays;
}

/// Mean of a level over frames, its interval from the means of the holds they are in.
Estimate level_of(const std::vector<MeasuredClip>& clips, std::size_t layer, std::size_t cell, bool on) {
  std::vector<std::pair<double, double>> holds;  // sum, frames
  for (const MeasuredClip& clip : clips) {
    if (!clip.states[layer][cell]) continue;
    bool goes_on = false;
    for (std::size_t t = 1; t < clip.read.frames; ++t) {
      const bool counts = clip.bit(layer, t, cell) == on && clip.bit(layer, t - 1, cell) == on;
      if (counts && !goes_on) holds.emplace_back(0.0, 0.0);
      goes_on = counts;
      if (!counts) continue;
      holds.back().first += clip.read.state(layer, t, cell);
      holds.back().second += 1.0;
    }
  }
  double sum = 0.0;
  double frames = 0.0;
  for (const auto& [part, count] : holds) {
    sum += part;
    frames += count;
  }
  if (holds.empty()) return {kNever, {kNever, kNever}};
  const double mean = sum / frames;
  double squares = 0.0;
  for (const auto& [part, count] : holds) squares += (part - count * mean) * (part - count * mean);
  const double deviation =
      holds.size() > 1
          ? std::sqrt(squares * static_cast<double>(holds.size()) / static_cast<double>(holds.size() - 1)) / frames
          : kNever;
  return around(mean, deviation);
}

}  // namespace

std::vector<Switching> find_switchings(const MeasuredClip& clip, const model::Network& network) {
  std::vector<Switching> result;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j) {
      const double alpha = network.layers[l].alpha[static_cast<Eigen::Index>(j)];
      const double upper = network.layers[l].beta_hi[static_cast<Eigen::Index>(j)];
      const Curve& candidate = clip.candidates[l][j];
      if (!candidate || !clip.states[l][j] || !(alpha > 0.0)) continue;
      double before = clip.time_of(1, 0.0);  // the first frame is the reset's
      for (const auto& [time, sets] : passages(clip.states[l][j], alpha)) {
        const double from = time - static_cast<double>(kWindow) * clip.frame_seconds;
        if (from >= before) {
          const Line line = fit_line(candidate, from, time);
          const double speed = sets ? line.slope : -line.slope;
          // What a cell below did may be what switched this one.
          const double later = kAfter * clip.frame_seconds;
          const double then = means(candidate, time + 0.5 * later, time + 1.5 * later, 1).front();
          const double jump = std::abs(then - line.after(later));
          if (std::max(line.farthest, jump) <= kStraight * upper && speed > 0.0)
            result.push_back({l, j, sets, line.at_end, speed});
        }
        before = time;
      }
    }
  }
  return result;
}

ThresholdFit fit_thresholds(const std::vector<MeasuredClip>& clips, const model::Network& network) {
  ThresholdFit fit;
  std::vector<std::size_t> first;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    first.push_back(fit.cells.size());
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j) {
      const Estimate none{kNever, {kNever, kNever}};
      fit.cells.push_back({l, j, none, none, level_of(clips, l, j, true), level_of(clips, l, j, false), 0, 0});
    }
  }
  std::vector<Reading> readings[2];
  for (const MeasuredClip& clip : clips) {
    for (const Switching& seen : find_switchings(clip, network)) {
      readings[seen.sets ? 1 : 0].push_back({first[seen.layer] + seen.cell, seen.candidate, seen.speed});
    }
  }
  for (const bool sets : {false, true}) {
    std::vector<Reading>& own = readings[sets ? 1 : 0];
    const Fitted fitted = robust_fit(own, sets ? 1.0 : -1.0);
    (sets ? fit.sets : fit.resets) = fitted.law;
    for (const auto& [cell, threshold] : fitted.regression.thresholds) {
      const double deviation = fitted.regression.deviation() * std::sqrt(threshold.second);
      (sets ? fit.cells[cell].rise : fit.cells[cell].fall) = around(threshold.first, deviation);
    }
    for (const Reading& reading : own) ++(sets ? fit.cells[reading.cell].rises : fit.cells[reading.cell].falls);
  }
  for (CellConstants& cell : fit.cells) {
    const double upper = network.layers[cell.layer].beta_hi[static_cast<Eigen::Index>(cell.cell)];
    double least = upper;
    if (!cell.fall.known() && never_resets(clips, cell.layer, cell.cell, upper, least)) {
      cell.fall = {0.0, {0.0, std::max(0.0, least)}};
    }
  }
  return fit;
}

}  // namespace hysteron::analysis
