#include "analysis/stimulus.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/random.h"
#include "model/inference.h"

namespace hysteron::analysis {
namespace {

using Vector = Eigen::VectorXd;

constexpr std::size_t kTries = 400;    // lines for a threshold
constexpr double kUsual = 6.0;         // feature, model units, that most thresholds do with
constexpr double kFurther = 1.3;       // what more is tried for others, from one search to the next
constexpr double kReach = 2.0;         // lines go on along the largest features, over the way there
constexpr std::size_t kClimb = 40;     // steps to where a candidate is highest or lowest
constexpr double kIndependent = 1e-3;  // of a gradient, that others leave of it
constexpr std::size_t kScan = 241;     // points of a line that are looked at
constexpr std::size_t kCoarse = 24;    // steps of a ramp when a line is tried
constexpr std::size_t kMove = 6;       // frames to get from one place to another
constexpr std::size_t kRest = 10;      // frames to settle there
constexpr std::size_t kPointFrames = 4;
constexpr double kPointSize = 1.5;     // deviation of random points
constexpr double kFallShare = 0.6;     // of the window, over the currents that make a lower threshold
constexpr double kCurrentShare = 0.3;  // of the window, over all currents of the candidate
constexpr double kMinWindow = 0.03;    // model units
constexpr double kBeyond = 1.3;        // how far beyond a threshold a cell is brought to its other state, over it
constexpr double kAmple =
    0.3;  // distance of cells below from their thresholds, relative, beyond which more is no better
constexpr double kPointsPerParameter = 6.0;
constexpr std::size_t kFewestPoints = 100;

/// The model, step by step, with its states in hand.
class Walker {
 public:
  explicit Walker(const model::Network& network) : network_(network) {
    for (const model::Layer& layer : network.layers) {
      on_.emplace_back(layer.cells());
      for (std::size_t j = 0; j < layer.cells(); ++j)
        on_.back()[j] = layer.initial_state[static_cast<Eigen::Index>(j)] > 0.5F ? 1 : 0;
      sums_.emplace_back(Vector::Zero(layer.beta_hi.size()));
      currents_.emplace_back(Vector::Zero(layer.beta_hi.size()));
      masks_.emplace_back(Vector::Zero(network.input.weight.rows()));
    }
  }

  void step(const Vector& x) {
    Vector v = network_.input.weight.cast<double>() * x + network_.input.bias.cast<double>();
    for (std::size_t l = 0; l < on_.size(); ++l) {
      const model::Layer& layer = network_.layers[l];
      masks_[l] = (v.array() > 0.0).cast<double>();
      const Vector in = v.cwiseMax(0.0);
      sums_[l] = layer.candidate.weight.cast<double>() * in + layer.candidate.bias.cast<double>();
      currents_[l] =
          layer.candidate.weight.cwiseAbs().cast<double>() * in + layer.candidate.bias.cwiseAbs().cast<double>();
      Vector h(sums_[l].size());
      for (Eigen::Index j = 0; j < h.size(); ++j) {
        char& on = on_[l][static_cast<std::size_t>(j)];
        on = model::next_state(static_cast<float>(std::max(sums_[l][j], 0.0)), layer.beta_lo[j], layer.beta_hi[j],
                               on != 0)
                 ? 1
                 : 0;
        h[j] = on != 0 ? layer.alpha[j] : 0.0;
      }
      v += (layer.output.weight.cast<double>() * h + layer.output.bias.cast<double>()).cwiseMax(0.0);
    }
  }

  double candidate(std::size_t layer, std::size_t cell) const { return std::max(sum(layer, cell), 0.0); }
  /// The candidate before it is cut off at zero.
  double sum(std::size_t layer, std::size_t cell) const { return sums_[layer][static_cast<Eigen::Index>(cell)]; }
  /// All that is added and taken away for it.
  double currents(std::size_t layer, std::size_t cell) const {
    return currents_[layer][static_cast<Eigen::Index>(cell)];
  }
  std::size_t cells(std::size_t layer) const { return on_[layer].size(); }
  bool on(std::size_t layer, std::size_t cell) const { return on_[layer][cell] != 0; }
  bool same_below(const Walker& other, std::size_t layer) const {
    return std::equal(on_.begin(), on_.begin() + static_cast<std::ptrdiff_t>(layer), other.on_.begin());
  }

  /// Direction of the input that raises a candidate while all states stay.
  Vector gradient(std::size_t layer, std::size_t cell) const {
    return back(row(layer, cell).cwiseProduct(masks_[layer]));
  }

  /// The same (`sign` 1) or down (-1), as if values that are off and help when they are on were on.
  Vector way(std::size_t layer, std::size_t cell, double sign) const {
    const Vector weights = sign * row(layer, cell);
    return back((weights.array() > 0.0).select(weights, weights.cwiseProduct(masks_[layer])));
  }

  /// Least distance of the candidates below `layer` from the threshold that would change their state, over beta_hi.
  double clearance(std::size_t layer) const {
    double least = kAmple;
    for (std::size_t l = 0; l < layer; ++l) {
      const model::Layer& at = network_.layers[l];
      for (std::size_t j = 0; j < on_[l].size(); ++j) {
        const auto cell = static_cast<Eigen::Index>(j);
        const double upper = std::max(at.beta_hi[cell], 1e-6F);
        const double distance = on(l, j) ? candidate(l, j) - at.beta_lo[cell] : at.beta_hi[cell] - candidate(l, j);
        least = std::min(least, distance / upper);
      }
    }
    return least;
  }

 private:
  Vector row(std::size_t layer, std::size_t cell) const {
    return network_.layers[layer].candidate.weight.row(static_cast<Eigen::Index>(cell)).transpose().cast<double>();
  }
  Vector back(const Vector& values) const { return network_.input.weight.cast<double>().transpose() * values; }

  const model::Network& network_;
  std::vector<std::vector<char>> on_;
  std::vector<Vector> sums_;
  std::vector<Vector> currents_;
  std::vector<Vector> masks_;  // 1 where a value is on
};

/// A threshold to be shown, `once` or over and over.
struct Target {
  std::size_t layer = 0;
  std::size_t cell = 0;
  bool sets = false;
  bool once = false;
};

/// A way to see one threshold: where the cell gets into its other state, and where its ramp begins and ends.
struct Line {
  Vector prepare, from, to;
  double score = 0.0;
};

class Planner {
 public:
  Planner(const model::Network& network, const StimulusRequest& request)
      : network_(network), request_(request), walker_(network), at_(Vector::Zero(network.input.weight.cols())) {}

  /// `first`: upper thresholds that are shown once, before any other, as nothing resets their cells later.
  Stimulus run(const std::vector<StimulusRamp>& first) {
    hold(at_, kRest);
    std::set<std::pair<std::size_t, std::size_t>> shown;
    for (const StimulusRamp& at : first) pending_.emplace(at.layer, at.cell);
    for (const StimulusRamp& at : first) {
      if (add_ramps({at.layer, at.cell, true, true})) shown.emplace(at.layer, at.cell);
      pending_.erase({at.layer, at.cell});
    }
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) {
        for (const bool sets : {true, false}) {
          if (sets && shown.contains({l, j})) continue;
          if (!add_ramps({l, j, sets, false})) result_.unreached.push_back({l, j, sets, 0, 0});
        }
      }
    }
    add_points();
    const auto width = network_.inputs();
    result_.features = {1, values_.size() / width, width, std::move(values_)};
    return std::move(result_);
  }

 private:
  void play(const Vector& x) {
    walker_.step(x);
    at_ = x;
    for (Eigen::Index i = 0; i < x.size(); ++i) values_.push_back(static_cast<float>(x[i]));
  }
  void hold(const Vector& x, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) play(x);
  }
  void move(const Vector& to, std::size_t frames) {
    const Vector from = at_;
    for (std::size_t i = 1; i <= frames; ++i)
      play(from + (to - from) * (static_cast<double>(i) / static_cast<double>(frames)));
  }
  std::size_t frames() const { return values_.size() / network_.inputs(); }

  static void walk(Walker& walker, const Vector& from, const Vector& to, std::size_t steps) {
    for (std::size_t i = 1; i <= steps; ++i)
      walker.step(from + (to - from) * (static_cast<double>(i) / static_cast<double>(steps)));
  }

  /// Whether a line shows the threshold from where `walker` is; moves it along.
  bool shows(Walker& walker, const Vector& from, const Line& line, const Target& target, double& clearance) const {
    const auto& [l, j, sets, once] = target;
    walk(walker, from, line.prepare, kMove);
    walk(walker, line.prepare, line.prepare, 2);
    if (walker.on(l, j) == sets) return false;
    walk(walker, line.prepare, line.from, kMove);
    if (walker.on(l, j) == sets) return false;
    const Walker before = walker;
    std::size_t switched = 0;
    for (std::size_t i = 1; i <= kCoarse; ++i) {
      walk(walker, line.from + (line.to - line.from) * (static_cast<double>(i - 1) / kCoarse),
           line.from + (line.to - line.from) * (static_cast<double>(i) / kCoarse), 1);
      clearance = std::min(clearance, walker.clearance(l));
      if (!walker.same_below(before, l)) return false;
      if (switched == 0 && walker.on(l, j) == sets) switched = i;
    }
    const bool spares_others = std::none_of(pending_.begin(), pending_.end(), [&](const auto& other) {
      return other != std::pair(target.layer, target.cell) && walker.on(other.first, other.second);
    });
    return spares_others && switched > kCoarse / 6 && switched + 1 < kCoarse;
  }

  /// Whether a line shows the threshold as often as it has to from where the plan is, prepared at `place`; gives it its
  /// score.
  bool shows_again(Line& line, const Vector& place, const Target& target) const {
    line.prepare = place;
    Walker walker = walker_;
    double clearance = kAmple;
    if (!shows(walker, at_, line, target, clearance)) return false;
    // From where the first ramp ends: that is how the next one begins.
    if (!target.once && !shows(walker, line.to, line, target, clearance)) return false;
    line.score = clearance - 0.01 * std::max(line.from.cwiseAbs().maxCoeff(), line.to.cwiseAbs().maxCoeff());
    return true;
  }

  /// Places along a line through x0, cut off at the largest inputs, from low candidates to high ones.
  struct Scan {
    std::vector<Vector> places;
    std::vector<double> sums;
    std::vector<double> currents;

    /// The point before which the candidate first reaches `level`.
    std::optional<std::size_t> step_to(double level) const {
      for (std::size_t i = 1; i < places.size(); ++i) {
        if (sums[i - 1] < level && sums[i] >= level) return i;
      }
      return std::nullopt;
    }
    std::optional<Vector> where(double level) const {
      const auto i = step_to(level);
      if (!i) return std::nullopt;
      const double share = (level - sums[*i - 1]) / (sums[*i] - sums[*i - 1]);
      return places[*i - 1] + share * (places[*i] - places[*i - 1]);
    }
  };

  Scan scan(const Vector& x0, const Vector& direction, const Target& target, double largest) const {
    const auto& [l, j, sets, once] = target;
    double reach = 0.0;
    for (const double sign : {1.0, -1.0}) {
      double own = 1e9;
      for (Eigen::Index i = 0; i < x0.size(); ++i) {
        const double slope = sign * direction[i];
        if (slope != 0.0) own = std::min(own, ((slope > 0.0 ? largest : -largest) - x0[i]) / slope);
      }
      reach = std::max(reach, kReach * std::max(own, 0.0));
    }
    Scan result;
    Walker walker = walker_;
    // From the side that the cell is brought from, so that the cells below are as they will be.
    for (std::size_t i = 0; i < kScan; ++i) {
      const double share = 2.0 * static_cast<double>(i) / static_cast<double>(kScan - 1) - 1.0;
      const Vector x = (x0 + (sets ? share : -share) * reach * direction).cwiseMax(-largest).cwiseMin(largest);
      if (i == 0) walk(walker, at_, x, kMove);
      walker.step(x);
      result.places.push_back(x);
      result.sums.push_back(walker.sum(l, j));
      result.currents.push_back(walker.currents(l, j));
    }
    if (!sets) {
      std::reverse(result.places.begin(), result.places.end());
      std::reverse(result.sums.begin(), result.sums.end());
      std::reverse(result.currents.begin(), result.currents.end());
    }
    return result;
  }

  std::optional<Line> try_line(const Vector& x0, const Vector& direction, const Target& target, double largest) const {
    const auto& [l, j, sets, once] = target;
    const model::Layer& layer = network_.layers[l];
    const double upper = layer.beta_hi[static_cast<Eigen::Index>(j)];
    const double lower = layer.beta_lo[static_cast<Eigen::Index>(j)];
    const double threshold = sets ? upper : lower;
    const Scan line = scan(x0, direction, target, largest);
    const auto there = line.step_to(threshold);
    if (!there) return std::nullopt;
    // A lower threshold is the difference of two currents and off by what both are, as a candidate is by all of its.
    const double scale = sets ? upper : std::hypot(upper, upper - lower);
    const double half = std::max({request_.window * threshold, kFallShare * request_.window * scale,
                                  kCurrentShare * request_.window * line.currents[*there], kMinWindow});
    const auto low = line.where(threshold - half);
    const auto high = line.where(threshold + half);
    if (!low || !high) return std::nullopt;
    Line result{{}, sets ? *low : *high, sets ? *high : *low, 0.0};
    // Setting needs the cell off, resetting needs it on: on the line, or else wherever its candidate is lowest or
    // highest.
    std::vector<Vector> places;
    if (const auto on_line =
            line.where(sets ? std::max(0.5 * lower, 1e-3) : std::max(kBeyond * upper, threshold + half))) {
      places.push_back(*on_line);
    } else if (sets && line.sums.front() < 0.7 * lower) {
      places.push_back(line.places.front());
    }
    for (const Vector& place : places) {
      if (shows_again(result, place, target)) return result;
    }
    if (shows_again(result, extreme(x0, target, largest), target)) return result;
    if (once && shows_again(result, at_, target)) return result;
    return std::nullopt;
  }

  /// Input within `largest` where the candidate is about as far from the threshold as can be, on the side that a ramp
  /// comes from; by steps from x0, ever shorter.
  Vector extreme(const Vector& x0, const Target& target, double largest) const {
    Walker walker = walker_;
    walk(walker, at_, x0, kMove);
    Vector x = x0;
    for (std::size_t i = 1; i <= kClimb; ++i) {
      const Vector way = walker.way(target.layer, target.cell, target.sets ? -1.0 : 1.0);
      const double longest = way.cwiseAbs().maxCoeff();
      if (!(longest > 0.0)) break;
      x += (largest / static_cast<double>(i)) * way / longest;
      x = x.cwiseMax(-largest).cwiseMin(largest);
      walker.step(x);
    }
    return x;
  }

  /// The way a candidate rises fastest while those of some cells below, drawn at random, stand still.
  static std::optional<Vector> direction(const Walker& walker, std::size_t l, std::size_t j, Random& random) {
    Vector rest = walker.gradient(l, j);
    const double length = rest.norm();
    const double share = random.uniform();
    std::vector<Vector> still;  // orthonormal
    const auto without = [&](Vector v) {
      for (const Vector& unit : still) v -= v.dot(unit) * unit;
      return v;
    };
    for (std::size_t below = 0; below < l; ++below) {
      for (std::size_t k = 0; k < walker.cells(below); ++k) {
        if (random.uniform() >= share) continue;
        const Vector gradient = walker.gradient(below, k);
        const Vector own = without(gradient);
        if (own.norm() > kIndependent * gradient.norm()) still.push_back(own.normalized());
      }
    }
    rest = without(rest);
    if (!(rest.norm() > kIndependent * length)) return std::nullopt;
    return rest.normalized();
  }

  /// Of kTries lines through random inputs within `largest`.
  std::optional<Line> best_line(const Target& target, double largest) const {
    const auto& [l, j, sets, once] = target;
    Random random =
        Random(request_.seed).child("stimulus/" + std::to_string(l) + "/" + std::to_string(j), sets ? 1 : 0);
    std::optional<Line> best;
    for (std::size_t i = 0; i < kTries; ++i) {
      const double size = 0.25 * static_cast<double>(1 + i % 8) * largest / kUsual;
      Vector x0(at_.size());
      for (Eigen::Index k = 0; k < x0.size(); ++k)
        x0[k] = std::clamp(size * random.normal(), -0.8 * largest, 0.8 * largest);
      Walker walker = walker_;
      walk(walker, at_, x0, kMove);
      const auto along = direction(walker, l, j, random);
      if (!along) continue;
      const auto found = try_line(x0, *along, target, largest);
      if (found && (!best || found->score > best->score)) best = found;
    }
    return best;
  }

  /// False if no line was found.
  bool add_ramps(const Target& target) {
    // A candidate is never below zero.
    if (!target.sets && !(network_.layers[target.layer].beta_lo[static_cast<Eigen::Index>(target.cell)] > 0.0F))
      return false;
    double largest = std::min(kUsual, request_.largest);
    std::optional<Line> line = best_line(target, largest);
    while (!line && largest < request_.largest) {
      largest = std::min(kFurther * largest, request_.largest);
      line = best_line(target, largest);
    }
    if (!line) return false;
    std::vector<double> durations = request_.seconds;
    // Speed matters least to the slowest.
    if (target.once) durations = {*std::max_element(durations.begin(), durations.end())};
    for (const double seconds : durations) {
      move(line->prepare, kMove);
      hold(line->prepare, kRest);
      move(line->from, kMove);
      hold(line->from, kRest);
      const auto steps =
          std::max<std::size_t>(kCoarse, static_cast<std::size_t>(std::lround(seconds / network_.frame_seconds)));
      result_.ramps.push_back({target.layer, target.cell, target.sets, frames(), steps});
      move(line->to, steps);
    }
    return true;
  }

  void add_points() {
    std::size_t parameters = static_cast<std::size_t>(network_.input.weight.size() + network_.readout.weight.size());
    std::size_t readings = network_.outputs();
    for (const model::Layer& layer : network_.layers) {
      parameters += static_cast<std::size_t>(layer.candidate.weight.size() + layer.output.weight.size());
      readings += layer.cells();
    }
    const auto wanted =
        static_cast<std::size_t>(kPointsPerParameter * static_cast<double>(parameters) / static_cast<double>(readings));
    const std::size_t points = request_.random_points > 0 ? request_.random_points : std::max(kFewestPoints, wanted);
    const double largest = std::min(kUsual, request_.largest);
    Random random = Random(request_.seed).child("stimulus/points");
    for (std::size_t i = 0; i < points; ++i) {
      Vector x(at_.size());
      for (Eigen::Index k = 0; k < x.size(); ++k) x[k] = std::clamp(kPointSize * random.normal(), -largest, largest);
      hold(x, kPointFrames);
    }
  }

  const model::Network& network_;
  const StimulusRequest& request_;
  Walker walker_;
  Vector at_;
  std::vector<float> values_;
  std::set<std::pair<std::size_t, std::size_t>> pending_;  // layer, cell: must not be set yet
  Stimulus result_;
};

}  // namespace

Stimulus make_stimulus(const model::Network& network, const StimulusRequest& request) {
  Stimulus stimulus = Planner(network, request).run({});
  std::vector<StimulusRamp> upper;
  std::copy_if(stimulus.unreached.begin(), stimulus.unreached.end(), std::back_inserter(upper),
               [](const StimulusRamp& at) { return at.sets; });
  if (upper.empty()) return stimulus;
  Stimulus other = Planner(network, request).run(upper);
  return other.unreached.size() < stimulus.unreached.size() ? other : stimulus;
}

}  // namespace hysteron::analysis
