#include "analysis/parameter_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/frozen_network.h"
#include "base/random.h"

namespace hysteron::analysis {
namespace {

using Matrix = FrozenNetwork::Matrix;
using Vector = FrozenNetwork::Vector;
using Values = FrozenNetwork::Values;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr float kStill = 0.05F;  // change of a feature since the frame before that is none
constexpr double kQuiet = 0.02;  // candidates below say nothing of gains, model units
constexpr double kSilent = 0.1;  // measured candidates below may be the noise of a probe where software has none
constexpr std::size_t kMaxFrames = 4000;
constexpr double kWeight = 0.01;  // error of a signal, over its RMS
constexpr double kPrior = 0.05;   // deviation of relative errors
constexpr int kPasses = 12;
constexpr int kConjugate = 300;   // steps of a pass
constexpr double kEnough = 1e-8;  // residual of a pass, relative
constexpr std::size_t kFewFrames = 10;
constexpr std::size_t kBlock = 20;  // frames drawn together
constexpr std::size_t kResamples = 500;

/// A frame of one of the clips.
struct Place {
  std::size_t clip = 0;  // among the measured ones
  std::size_t frame = 0;
};

/// Frames whose features hardly differ from those before: rails have settled. All of them where there are few such.
std::vector<Place> still_frames(const std::vector<MeasuredClip>& clips, const data::Features& features,
                                const std::vector<std::size_t>& places) {
  std::vector<Place> still;
  std::vector<Place> all;
  for (std::size_t c = 0; c < clips.size(); ++c) {
    const auto values = features.clip(places[c]);
    for (std::size_t t = 1; t < features.frames; ++t) {
      float change = 0.0F;
      for (std::size_t i = 0; i < features.width; ++i) {
        change = std::max(change, std::abs(values[t * features.width + i] - values[(t - 1) * features.width + i]));
      }
      all.push_back({c, t});
      if (change <= kStill) still.push_back({c, t});
    }
  }
  return still.size() * 4 >= all.size() ? still : all;
}

/// Frames evenly out of `from`, at most kMaxFrames.
std::vector<Place> thinned(const std::vector<Place>& from) {
  if (from.size() <= kMaxFrames) return from;
  std::vector<Place> result;
  for (std::size_t i = 0; i < kMaxFrames; ++i) result.push_back(from[i * from.size() / kMaxFrames]);
  return result;
}

/// What was measured at some frames, and the network with its cells in the states that were measured there.
class Bench {
 public:
  /// Levels of cells: those of `thresholds`; alpha and 0 where they are not known.
  Bench(const std::vector<MeasuredClip>& clips, const ThresholdFit* thresholds, const model::Network& network,
        const data::Features& features, const std::vector<std::size_t>& clip_of, const std::vector<Place>& frames)
      : frozen_(network, inputs(features, clip_of, frames), outputs(clips, thresholds, network, frames)) {
    const auto count = static_cast<Eigen::Index>(frames.size());
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const auto cells = static_cast<Eigen::Index>(network.layers[l].cells());
      measured_.emplace_back(Matrix::Zero(cells, count));
      known_.emplace_back(Matrix::Zero(cells, count));
      for (Eigen::Index t = 0; t < count; ++t) {
        const Place& place = frames[static_cast<std::size_t>(t)];
        for (Eigen::Index j = 0; j < cells; ++j) {
          const auto cell = static_cast<std::size_t>(j);
          measured_[l](j, t) = clips[place.clip].read.candidate(l, place.frame, cell);
          known_[l](j, t) = clips[place.clip].candidates[l][cell] ? 1.0 : 0.0;
        }
      }
    }
    const auto outputs = static_cast<Eigen::Index>(network.outputs());
    measured_.emplace_back(Matrix::Zero(outputs, count));
    known_.emplace_back(Matrix::Zero(outputs, count));
    for (Eigen::Index t = 0; t < count; ++t) {
      const Place& place = frames[static_cast<std::size_t>(t)];
      const MeasuredClip& clip = clips[place.clip];
      for (Eigen::Index k = 0; k < outputs; ++k) {
        const auto output = static_cast<std::size_t>(k);
        measured_.back()(k, t) = clip.read.logits[place.frame * clip.read.outputs + output];
        known_.back()(k, t) = clip.logits[output] ? 1.0 : 0.0;
      }
    }
  }

  FrozenNetwork& frozen() { return frozen_; }
  const Values& measured() const { return measured_; }
  bool is_known(std::size_t part, Eigen::Index row, Eigen::Index frame) const { return known_[part](row, frame) > 0.0; }

  /// What was measured less `values`, 0 where nothing was or where a candidate is off in both.
  Values residual(const Values& values) const {
    Values result;
    for (std::size_t p = 0; p < values.size(); ++p) {
      const bool is_candidate = p + 1 < values.size();
      // What software has below zero is off, however far below.
      Matrix error = measured_[p] - (is_candidate ? values[p].cwiseMax(0.0).eval() : values[p]);
      if (is_candidate) {
        const auto off = (measured_[p].array() < kSilent) && (values[p].array() <= 0.0);
        error = off.select(0.0, error).matrix();
      }
      result.push_back(error.cwiseProduct(known_[p]));
    }
    return result;
  }

 private:
  static Matrix inputs(const data::Features& features, const std::vector<std::size_t>& clip_of,
                       const std::vector<Place>& frames) {
    Matrix result(static_cast<Eigen::Index>(features.width), static_cast<Eigen::Index>(frames.size()));
    for (std::size_t t = 0; t < frames.size(); ++t) {
      const auto values = features.clip(clip_of[frames[t].clip]);
      for (std::size_t i = 0; i < features.width; ++i) {
        result(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(t)) =
            values[frames[t].frame * features.width + i];
      }
    }
    return result;
  }

  static std::vector<Matrix> outputs(const std::vector<MeasuredClip>& clips, const ThresholdFit* thresholds,
                                     const model::Network& network, const std::vector<Place>& frames) {
    std::vector<Matrix> result;
    std::size_t cell = 0;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      result.emplace_back(static_cast<Eigen::Index>(network.layers[l].cells()),
                          static_cast<Eigen::Index>(frames.size()));
      for (std::size_t j = 0; j < network.layers[l].cells(); ++j, ++cell) {
        const auto row = static_cast<Eigen::Index>(j);
        double high = network.layers[l].alpha[row];
        double low = 0.0;
        if (thresholds != nullptr && thresholds->cells[cell].high.known()) high = thresholds->cells[cell].high.value;
        if (thresholds != nullptr && thresholds->cells[cell].low.known()) low = thresholds->cells[cell].low.value;
        for (std::size_t t = 0; t < frames.size(); ++t) {
          const bool on = clips[frames[t].clip].bit(l, frames[t].frame, j);
          result.back()(row, static_cast<Eigen::Index>(t)) = on ? high : low;
        }
      }
    }
    return result;
  }

  FrozenNetwork frozen_;
  Values measured_;
  std::vector<Matrix> known_;  // 1 where a signal was measured
};

double dot(const Values& a, const Values& b) {
  double sum = 0.0;
  for (std::size_t p = 0; p < a.size(); ++p) sum += a[p].cwiseProduct(b[p]).sum();
  return sum;
}

double rms(const Values& residual, double count) {
  return count > 0.0 ? std::sqrt(dot(residual, residual) / count) : std::numeric_limits<double>::quiet_NaN();
}

/// Gauss-Newton for the relative errors of all weights and biases.
class Solver {
 public:
  explicit Solver(Bench& bench) : bench_(bench), nominal_(bench.frozen().nominal()) {
    for (std::size_t p = 0; p < bench.measured().size(); ++p) {
      const Matrix& values = bench.measured()[p];
      weights_.push_back(Matrix::Zero(values.rows(), values.cols()));
      for (Eigen::Index row = 0; row < values.rows(); ++row) {
        const double size = std::sqrt(values.row(row).squaredNorm() / static_cast<double>(values.cols()));
        const double weight = 1.0 / std::pow(kWeight * std::max(size, kQuiet), 2);
        for (Eigen::Index t = 0; t < values.cols(); ++t) {
          if (bench.is_known(p, row, t)) weights_.back()(row, t) = weight;
        }
      }
    }
  }

  Vector solve() {
    Vector errors = Vector::Zero(nominal_.size());
    Values residual = bench_.residual(run(errors));
    double cost = cost_of(residual, errors);
    for (int pass = 0; pass < kPasses; ++pass) {
      mask(residual);
      const Vector step = conjugate_gradients(residual, errors);
      double size = 1.0;
      bool better = false;
      for (int halving = 0; halving < 6 && !better; ++halving, size *= 0.5) {
        const Vector tried = errors + size * step;
        const Values there = bench_.residual(run(tried));
        const double found = cost_of(there, tried);
        if (found >= cost) continue;
        better = found < cost * (1.0 - kEnough);
        errors = tried;
        residual = there;
        cost = found;
      }
      if (!better) break;
    }
    run(errors);
    return errors;
  }

  Vector parameters(const Vector& errors) const { return nominal_ + nominal_.cwiseProduct(errors); }

 private:
  Values run(const Vector& errors) { return bench_.frozen().run(parameters(errors)); }

  Values weighted(const Values& values) const {
    Values result;
    for (std::size_t p = 0; p < values.size(); ++p) result.push_back(values[p].cwiseProduct(weights_[p]));
    return result;
  }

  double cost_of(const Values& residual, const Vector& errors) const {
    return dot(residual, weighted(residual)) + errors.squaredNorm() / (kPrior * kPrior);
  }

  /// Where a candidate is off and was measured off, parameters change nothing.
  void mask(const Values& residual) {
    active_.clear();
    for (std::size_t p = 0; p < residual.size(); ++p) {
      active_.push_back((residual[p].array() != 0.0).cast<double>().matrix());
    }
  }

  Values acting(Values values) const {
    for (std::size_t p = 0; p < values.size(); ++p) values[p] = values[p].cwiseProduct(active_[p]);
    return values;
  }

  Vector gradient(const Values& values) const {
    return bench_.frozen().backward(acting(weighted(values))).cwiseProduct(nominal_);
  }

  Vector curvature(const Vector& direction) const {
    return gradient(bench_.frozen().forward(direction.cwiseProduct(nominal_))) + direction / (kPrior * kPrior);
  }

  Vector conjugate_gradients(const Values& residual, const Vector& errors) const {
    Vector left = gradient(residual) - errors / (kPrior * kPrior);
    Vector step = Vector::Zero(left.size());
    Vector direction = left;
    double squares = left.squaredNorm();
    const double enough = squares * kEnough * kEnough;
    for (int i = 0; i < kConjugate && squares > enough; ++i) {
      const Vector bent = curvature(direction);
      const double length = squares / direction.dot(bent);
      step += length * direction;
      left -= length * bent;
      const double next = left.squaredNorm();
      direction = left + next / squares * direction;
      squares = next;
    }
    return step;
  }

  Bench& bench_;
  const Vector nominal_;
  std::vector<Matrix> weights_;
  std::vector<Matrix> active_;
};

double count_known(const Bench& bench, const Values& values) {
  double count = 0.0;
  for (std::size_t p = 0; p < values.size(); ++p) {
    for (Eigen::Index row = 0; row < values[p].rows(); ++row) {
      for (Eigen::Index t = 0; t < values[p].cols(); ++t) count += bench.is_known(p, row, t) ? 1.0 : 0.0;
    }
  }
  return count;
}

/// Puts what was measured of cells into errors; names what was not.
void put_cells(const ThresholdFit& thresholds, const model::Network& network, ParameterFit& fit) {
  const auto missing = [&](const CellConstants& cell, const char* what) {
    fit.missing.push_back(fmt::format("layers.{}.{}[{}]", cell.layer, what, cell.cell));
  };
  for (const CellConstants& cell : thresholds.cells) {
    const model::Layer& layer = network.layers[cell.layer];
    model::LayerErrors& errors = fit.errors.layers[cell.layer];
    const auto j = static_cast<Eigen::Index>(cell.cell);
    const double upper = layer.beta_hi[j];
    const double width = upper - layer.beta_lo[j];
    double rise = upper;
    if (cell.rise.known() && upper > 0.0) {
      rise = cell.rise.value;
      errors.threshold[j] = static_cast<float>(rise / upper - 1.0);
    } else {
      missing(cell, "threshold");
    }
    if (cell.fall.known() && width > 0.0) {
      errors.width[j] = static_cast<float>((rise - cell.fall.value) / width - 1.0);
    } else {
      missing(cell, "width");
    }
    if (cell.high.known() && layer.alpha[j] > 0.0F) {
      errors.gain[j] = static_cast<float>(cell.high.value / layer.alpha[j] - 1.0);
    } else {
      missing(cell, "gain");
    }
  }
}

/// Mean of what is left of each row, where the value is on.
Vector offsets(const Bench& bench, const Values& residual, std::size_t part) {
  Vector result = Vector::Zero(residual[part].rows());
  const bool is_candidate = part + 1 < residual.size();
  for (Eigen::Index row = 0; row < result.size(); ++row) {
    double sum = 0.0;
    double count = 0.0;
    for (Eigen::Index t = 0; t < residual[part].cols(); ++t) {
      if (!bench.is_known(part, row, t) || (is_candidate && bench.measured()[part](row, t) < kQuiet)) continue;
      sum += residual[part](row, t);
      count += 1.0;
    }
    if (count >= static_cast<double>(kFewFrames)) result[row] = sum / count;
  }
  return result;
}

model::Affine relative(const model::Affine& found, const model::Affine& nominal) {
  const auto share = [](float value, float of) { return of == 0.0F ? 0.0F : value / of - 1.0F; };
  return {found.weight.binaryExpr(nominal.weight, share), found.bias.binaryExpr(nominal.bias, share)};
}

struct Pair {
  double software = 0.0;
  double measured = 0.0;
};

Pair line_through(const std::vector<Pair>& pairs, const std::vector<std::size_t>& blocks) {
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
  for (const std::size_t block : blocks) {
    for (std::size_t i = block * kBlock; i < std::min(pairs.size(), (block + 1) * kBlock); ++i) {
      n += 1.0;
      x += pairs[i].software;
      y += pairs[i].measured;
      xx += pairs[i].software * pairs[i].software;
      xy += pairs[i].software * pairs[i].measured;
    }
  }
  const double spread = n * xx - x * x;
  const double gain = spread > 1e-12 * n * xx ? (n * xy - x * y) / spread : kNever;
  return {gain, (y - gain * x) / n};
}

void fit_rail(const std::vector<Pair>& pairs, Random random, RailConstants& rail) {
  const Estimate none{kNever, {kNever, kNever}};
  rail.gain = rail.offset = none;
  rail.frames = pairs.size();
  if (pairs.size() < kFewFrames) return;
  std::vector<std::size_t> blocks((pairs.size() + kBlock - 1) / kBlock);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = i;
  const Pair found = line_through(pairs, blocks);
  std::vector<double> gains;
  std::vector<double> offsets;
  for (std::size_t i = 0; i < kResamples && blocks.size() > 2; ++i) {
    std::vector<std::size_t> drawn(blocks.size());
    for (std::size_t& block : drawn) block = random.below(blocks.size());
    const Pair line = line_through(pairs, drawn);
    if (std::isnan(line.software)) continue;
    gains.push_back(line.software);
    offsets.push_back(line.measured);
  }
  rail.gain = {found.software, middle_95(std::move(gains))};
  rail.offset = {found.measured, middle_95(std::move(offsets))};
}

}  // namespace

std::vector<RailConstants> fit_rails(const std::vector<MeasuredClip>& clips, const model::Network& network,
                                     const data::Features& features, const std::vector<std::size_t>& places,
                                     std::uint64_t seed) {
  Bench bench(clips, nullptr, network, features, places, thinned(still_frames(clips, features, places)));
  const Values software = bench.frozen().run(bench.frozen().nominal());
  std::vector<RailConstants> rails;
  for (std::size_t p = 0; p < software.size(); ++p) {
    for (Eigen::Index row = 0; row < software[p].rows(); ++row) {
      RailConstants rail;
      rail.is_logit = p + 1 == software.size();
      rail.layer = rail.is_logit ? 0 : p;
      rail.index = static_cast<std::size_t>(row);
      std::vector<Pair> pairs;
      for (Eigen::Index t = 0; t < software[p].cols(); ++t) {
        if (!bench.is_known(p, row, t) || (!rail.is_logit && software[p](row, t) < kQuiet)) continue;
        pairs.push_back({software[p](row, t), bench.measured()[p](row, t)});
      }
      fit_rail(pairs, Random(seed).child("rails", rails.size()), rail);
      rails.push_back(rail);
    }
  }
  return rails;
}

ParameterFit fit_parameters(const std::vector<MeasuredClip>& clips, const ThresholdFit& thresholds,
                            const model::Network& network, const data::Features& features,
                            const std::vector<std::size_t>& places) {
  const std::vector<Place> frames = thinned(still_frames(clips, features, places));
  Bench bench(clips, &thresholds, network, features, places, frames);
  ParameterFit fit;
  fit.errors = model::DieErrors::none(network);
  fit.frames = frames.size();
  const Values software = bench.frozen().run(bench.frozen().nominal());
  const double count = count_known(bench, software);
  fit.before = rms(bench.residual(software), count);
  Solver solver(bench);
  const Vector found = solver.parameters(solver.solve());
  Values residual = bench.residual(bench.frozen().run(found));
  model::Network fitted = network;
  bench.frozen().unpack(found, fitted);
  fit.errors.input = relative(fitted.input, network.input);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    fit.errors.layers[l].candidate = relative(fitted.layers[l].candidate, network.layers[l].candidate);
    fit.errors.layers[l].output = relative(fitted.layers[l].output, network.layers[l].output);
    fit.errors.layers[l].offset = offsets(bench, residual, l).cast<float>();
  }
  fit.errors.readout = relative(fitted.readout, network.readout);
  fit.errors.readout_offset = offsets(bench, residual, network.layers.size()).cast<float>();
  fit.after = rms(residual, count);
  put_cells(thresholds, network, fit);
  return fit;
}

}  // namespace hysteron::analysis
