#include "hysteron/analysis/stimulus.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "hysteron/base/random.h"
#include "hysteron/model/inference.h"

namespace hysteron::analysis {
namespace {

using Vector = Eigen::VectorXd;

constexpr std::size_t kTries = 400;  // lines for a threshold
constexpr double kReach = 2.0;       // lines go on along the largest features, over the way there
constexpr std::size_t kScan = 241;   // points of a line that are looked at
constexpr std::size_t kCoarse = 24;  // steps of a ramp when a line is tried
constexpr std::size_t kMove = 6;     // frames to get from one place to another
constexpr std::size_t kRest = 10;    // frames to settle there
constexpr std::size_t kPointFrames = 4;
constexpr double kPointSize = 1.5;     // deviation of random points
constexpr double kFallShare = 0.6;     // of the window, over the currents that make a lower threshold
constexpr double kLowest = 2e-3;       // candidate that a ramp ends at, model units
constexpr double kLeastWindow = 0.03;  // model units
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
      candidates_.emplace_back(Vector::Zero(layer.beta_hi.size()));
      masks_.emplace_back(Vector::Zero(network.input.weight.rows()));
    }
  }

  void step(const Vector& x) {
    Vector v = network_.input.weight.cast<double>() * x + network_.input.bias.cast<double>();
    for (std::size_t l = 0; l < on_.size(); ++l) {
      const model::Layer& layer = network_.layers[l];
      masks_[l] = (v.array() > 0.0).cast<double>();
      const Vector inner =
          layer.candidate.weight.cast<double>() * v.cwiseMax(0.0) + layer.candidate.bias.cast<double>();
      candidates_[l] = inner.cwiseMax(0.0);
      Vector h(inner.size());
      for (Eigen::Index j = 0; j < inner.size(); ++j) {
        char& on = on_[l][static_cast<std::size_t>(j)];
        on = model::next_state(static_cast<float>(candidates_[l][j]), layer.beta_lo[j], layer.beta_hi[j], on != 0) ? 1
                                                                                                                   : 0;
        h[j] = on != 0 ? layer.alpha[j] : 0.0;
      }
      v += (layer.output.weight.cast<double>() * h + layer.output.bias.cast<double>()).cwiseMax(0.0);
    }
  }

  double candidate(std::size_t layer, std::size_t cell) const {
    return candidates_[layer][static_cast<Eigen::Index>(cell)];
  }
  bool on(std::size_t layer, std::size_t cell) const { return on_[layer][cell] != 0; }
  bool same_below(const Walker& other, std::size_t layer) const {
    return std::equal(on_.begin(), on_.begin() + static_cast<std::ptrdiff_t>(layer), other.on_.begin());
  }

  /// Direction of the input that raises a candidate while all states stay.
  Vector gradient(std::size_t layer, std::size_t cell) const {
    const Vector row =
        network_.layers[layer].candidate.weight.row(static_cast<Eigen::Index>(cell)).transpose().cast<double>();
    return network_.input.weight.cast<double>().transpose() * row.cwiseProduct(masks_[layer]);
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
  const model::Network& network_;
  std::vector<std::vector<char>> on_;
  std::vector<Vector> candidates_;
  std::vector<Vector> masks_;  // 1 where a value is on
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

  Stimulus run() {
    hold(at_, kRest);
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      for (std::size_t j = 0; j < network_.layers[l].cells(); ++j) {
        for (const bool sets : {true, false}) add_threshold(l, j, sets);
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
  bool shows(Walker& walker, const Vector& from, Line& line, std::size_t l, std::size_t j, bool sets,
             double& clearance) const {
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
    return switched > kCoarse / 6 && switched + 1 < kCoarse;
  }

  /// Places along x0 + t g, from low candidates to high ones, where the cell's candidate first reaches `level`.
  struct Scan {
    std::vector<Vector> places;
    std::vector<double> candidates;

    std::optional<Vector> where(double level) const {
      for (std::size_t i = 1; i < places.size(); ++i) {
        if (!(candidates[i - 1] < level && candidates[i] >= level)) continue;
        const double share = (level - candidates[i - 1]) / (candidates[i] - candidates[i - 1]);
        return places[i - 1] + share * (places[i] - places[i - 1]);
      }
      return std::nullopt;
    }
  };

  Scan scan(const Vector& x0, const Vector& direction, std::size_t l, std::size_t j, bool sets) const {
    double reach = 0.0;
    for (const double sign : {1.0, -1.0}) {
      double own = 1e9;
      for (Eigen::Index i = 0; i < x0.size(); ++i) {
        const double slope = sign * direction[i];
        if (slope != 0.0) own = std::min(own, ((slope > 0.0 ? request_.largest : -request_.largest) - x0[i]) / slope);
      }
      reach = std::max(reach, kReach * std::max(own, 0.0));
    }
    Scan result;
    Walker walker = walker_;
    // From the side that the cell is brought from, so that the cells below are as they will be.
    for (std::size_t i = 0; i < kScan; ++i) {
      const double share = 2.0 * static_cast<double>(i) / static_cast<double>(kScan - 1) - 1.0;
      const Vector x =
          (x0 + (sets ? share : -share) * reach * direction).cwiseMax(-request_.largest).cwiseMin(request_.largest);
      if (i == 0) walk(walker, at_, x, kMove);
      walker.step(x);
      result.places.push_back(x);
      result.candidates.push_back(walker.candidate(l, j));
    }
    if (!sets) {
      std::reverse(result.places.begin(), result.places.end());
      std::reverse(result.candidates.begin(), result.candidates.end());
    }
    return result;
  }

  std::optional<Line> try_line(const Vector& x0, const Vector& direction, std::size_t l, std::size_t j,
                               bool sets) const {
    const model::Layer& layer = network_.layers[l];
    const double upper = layer.beta_hi[static_cast<Eigen::Index>(j)];
    const double lower = layer.beta_lo[static_cast<Eigen::Index>(j)];
    const double threshold = sets ? upper : lower;
    // A lower threshold is the difference of two currents and off by what both are.
    const double scale = sets ? upper : std::hypot(upper, upper - lower);
    const double half = std::max({request_.window * threshold, kFallShare * request_.window * scale, kLeastWindow});
    const double bottom = std::max(threshold - half, kLowest);
    if (bottom >= threshold) return std::nullopt;
    const Scan line = scan(x0, direction, l, j, sets);
    const auto low = line.where(bottom);
    const auto high = line.where(threshold + half);
    // Setting needs the cell off, resetting needs it on.
    auto prepare =
        sets ? line.where(std::max(0.5 * lower, 1e-3)) : line.where(std::max(kBeyond * upper, threshold + half));
    if (sets && !prepare && !line.places.empty() && line.candidates.front() < 0.7 * lower)
      prepare = line.places.front();
    if (!low || !high || !prepare) return std::nullopt;
    Line result{*prepare, sets ? *low : *high, sets ? *high : *low, 0.0};
    Walker walker = walker_;
    double clearance = kAmple;
    if (!shows(walker, at_, result, l, j, sets, clearance)) return std::nullopt;
    // Again from where the first ramp ends: that is how the next one begins.
    if (!shows(walker, result.to, result, l, j, sets, clearance)) return std::nullopt;
    result.score = clearance - 0.01 * std::max(result.from.cwiseAbs().maxCoeff(), result.to.cwiseAbs().maxCoeff());
    return result;
  }

  std::optional<Line> best_line(std::size_t l, std::size_t j, bool sets) const {
    Random random =
        Random(request_.seed).child("stimulus/" + std::to_string(l) + "/" + std::to_string(j), sets ? 1 : 0);
    std::optional<Line> best;
    for (std::size_t i = 0; i < kTries; ++i) {
      const double size = 0.25 * static_cast<double>(1 + i % 8);
      Vector x0(at_.size());
      for (Eigen::Index k = 0; k < x0.size(); ++k)
        x0[k] = std::clamp(size * random.normal(), -0.8 * request_.largest, 0.8 * request_.largest);
      Walker walker = walker_;
      walk(walker, at_, x0, kMove);
      const Vector gradient = walker.gradient(l, j);
      if (!(gradient.norm() > 1e-9)) continue;
      const auto found = try_line(x0, gradient.normalized(), l, j, sets);
      if (found && (!best || found->score > best->score)) best = found;
    }
    return best;
  }

  void add_threshold(std::size_t l, std::size_t j, bool sets) {
    const auto line = best_line(l, j, sets);
    if (!line) {
      result_.unreached.push_back({l, j, sets, 0, 0});
      return;
    }
    for (const double seconds : request_.seconds) {
      move(line->prepare, kMove);
      hold(line->prepare, kRest);
      move(line->from, kMove);
      hold(line->from, kRest);
      const auto steps =
          std::max<std::size_t>(kCoarse, static_cast<std::size_t>(std::lround(seconds / network_.frame_seconds)));
      result_.ramps.push_back({l, j, sets, frames(), steps});
      move(line->to, steps);
    }
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
    Random random = Random(request_.seed).child("stimulus/points");
    for (std::size_t i = 0; i < points; ++i) {
      Vector x(at_.size());
      for (Eigen::Index k = 0; k < x.size(); ++k)
        x[k] = std::clamp(kPointSize * random.normal(), -request_.largest, request_.largest);
      hold(x, kPointFrames);
    }
  }

  const model::Network& network_;
  const StimulusRequest& request_;
  Walker walker_;
  Vector at_;
  std::vector<float> values_;
  Stimulus result_;
};

}  // namespace

Stimulus make_stimulus(const model::Network& network, const StimulusRequest& request) {
  return Planner(network, request).run();
}

}  // namespace hysteron::analysis
