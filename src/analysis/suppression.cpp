#include "analysis/suppression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "base/error.h"
#include "base/random.h"

namespace hysteron::analysis {
namespace {

using compile::CellLoop;
using compile::CellProbe;
using compile::probe_index;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

// Outputs move by a part in ten thousand and less; at the usual tolerances the simulator's errors are as large.
constexpr double kTolerance = 1e-4;
constexpr double kCloser = 0.1;       // tolerances of the run that shows what they cost, over those
constexpr double kLongest = 0.5;      // step, over a sample
constexpr double kShorter = 0.25;     // of that run
constexpr std::size_t kReadings = 4;  // of a sample: V0 is looked at between the samples' ends, too
constexpr double kRest = 0.25;        // second, before the noise begins: rails that are off settle slowly
constexpr double kGuard = 5e-3;       // before a flip: the state is already on its way
constexpr std::size_t kUnread = 8;    // first samples, in which the filter's start is
constexpr std::size_t kFewest = 64;   // samples of a trial that has a figure
constexpr std::size_t kCellsPerBench = 7;
constexpr double kBandEdges[] = {4.0, 16.0, 64.0, 250.0, 1000.0};  // hertz

/// Power of `values` in each band of kBandEdges, up to a common factor: a Hann window and a plain Fourier sum.
std::vector<double> band_powers(const std::vector<double>& values, double sample_seconds) {
  const std::size_t count = values.size();
  std::vector<double> cosine(count);
  std::vector<double> sine(count);
  std::vector<double> windowed(count);
  double mean = 0.0;
  for (const double value : values) mean += value / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(count);
    cosine[i] = std::cos(angle);
    sine[i] = std::sin(angle);
    windowed[i] = (values[i] - mean) * (1.0 - cosine[i]);
  }
  std::vector<double> powers(std::size(kBandEdges) - 1, 0.0);
  for (std::size_t k = 1; k <= count / 2; ++k) {
    const double frequency = static_cast<double>(k) / (static_cast<double>(count) * sample_seconds);
    const auto* const edge = std::upper_bound(std::begin(kBandEdges), std::end(kBandEdges), frequency);
    if (edge == std::begin(kBandEdges) || (edge == std::end(kBandEdges) && frequency > kBandEdges[powers.size()])) {
      continue;
    }
    double real = 0.0;
    double imaginary = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      real += windowed[i] * cosine[i * k % count];
      imaginary += windowed[i] * sine[i * k % count];
    }
    const auto band =
        std::min<std::size_t>(static_cast<std::size_t>(edge - std::begin(kBandEdges)) - 1, powers.size() - 1);
    powers[band] += real * real + imaginary * imaginary;
  }
  return powers;
}

/// What one trial gave.
struct Trial {
  bool flipped = false;
  bool unheld = false;          // the state was lost before there was any noise
  std::size_t exposed = 0;      // samples begun until it flipped
  std::vector<double> inputs;   // at the samples that count, ampere
  std::vector<double> outputs;  // likewise
};

class Protocol {
 public:
  Protocol(const CellTestSetup& lab, const SuppressionRequest& request) : lab_(lab), request_(request) {
    lab_.tolerance = kTolerance;
    lab_.cell_capacitance = request.cell_capacitance;
    lab_.conditions.supply = compile::supply_of(lab.technology, lab.conditions);
  }

  Suppression run() {
    result_.cell = tune_cells(lab_, {request_.target}).front();
    if (!result_.cell.loop.good()) throw simulator_error("the cell could not be tuned: " + result_.cell.loop.problem);
    add_points();
    simulate();
    simulate_closer();
    for (std::size_t p = 0; p < result_.points.size(); ++p) read_point(p);
    add_floors();
    std::erase_if(result_.points, [](const HeldPoint& point) { return !(point.deviation > 0.0); });
    for (const HeldPoint& point : result_.points) {
      result_.flips.push_back({point.margin / (point.deviation * loop().rise), point.flips, point.samples});
    }
    result_.fit = fit_flips(result_.flips);
    result_.resampled =
        resampled_fits(result_.flips, kFitResamples, Random(request_.seed).child("suppression/resampled fits"));
    // Where few sets of points have a law, those that have one say nothing of it.
    const bool is_known = std::isfinite(result_.fit.slope) && 2 * result_.resampled.size() >= kFitResamples;
    if (!is_known) result_.resampled.clear();
    estimate_retention();
    count_retention();
    return std::move(result_);
  }

 private:
  const CellLoop& loop() const { return result_.cell.loop.loop; }

  /// Every state, place and deviation; a deviation of 0 measures the floor.
  void add_points() {
    std::vector<double> deviations = {0.0};
    deviations.insert(deviations.end(), request_.deviations.begin(), request_.deviations.end());
    for (const double deviation : deviations) {
      for (const bool on : {true, false}) {
        for (const double place : request_.places) {
          if (!on && place >= 1.0) continue;
          HeldPoint point;
          point.on = on;
          point.place = place;
          point.candidate = loop().fall + place * (loop().rise - loop().fall);
          point.deviation = deviation;
          point.margin = on ? point.candidate - loop().fall : loop().rise - point.candidate;
          result_.points.push_back(point);
        }
      }
    }
  }

  double time_of(std::size_t sample) const { return kRest + static_cast<double>(sample + 1) * request_.sample_seconds; }

  sim::PiecewiseLinear candidate_of(std::size_t point, std::size_t trial) const {
    const HeldPoint& held = result_.points[point];
    return noisy(held.candidate, held.deviation,
                 Random(request_.seed).child(fmt::format("suppression/{}", point), trial));
  }

  sim::PiecewiseLinear noisy(double candidate, double deviation, Random random) const {
    sim::PiecewiseLinear wave = {{0.0, candidate}, {kRest, candidate}};
    for (std::size_t i = 0; i < request_.samples; ++i) {
      const double noise = deviation * loop().rise * random.normal();
      wave.push_back({time_of(i), std::max(0.0, candidate + noise)});
    }
    return wave;
  }

  /// The lab of trials, with tolerances that much closer.
  CellTestSetup under_noise(double closer) const {
    CellTestSetup result = lab_;
    result.tolerance *= closer;
    for (std::size_t i = 0; i <= kReadings * request_.samples; ++i) {
      result.read_times.push_back(kRest + static_cast<double>(i) * request_.sample_seconds / kReadings);
    }
    return result;
  }

  void simulate() {
    std::vector<CellRun> runs;
    trials_.assign(result_.points.size(), std::vector<Trial>(request_.trials));
    for (std::size_t p = 0; p < result_.points.size(); ++p) {
      for (std::size_t t = 0; t < request_.trials; ++t) {
        runs.push_back({result_.cell.sizes, lab_.nominal_environment(), candidate_of(p, t), result_.points[p].on});
      }
    }
    const double stop = time_of(request_.samples - 1);
    std::size_t solved = 0;
    run_cells(
        under_noise(1.0), runs, {stop, kLongest * request_.sample_seconds, kCellsPerBench},
        [&](std::size_t run, const sim::Waveforms& waves, std::size_t slot) {
          ++solved;
          read_trial(waves, slot, runs[run], trials_[run / request_.trials][run % request_.trials]);
        },
        [&](std::size_t run, const std::string& message) {
          ++result_.points[run / request_.trials].failed;
          result_.failures.push_back(message);
        });
    if (solved == 0) throw simulator_error("no trial could be simulated; the first: " + result_.failures.front());
  }

  /// The first trial of every noisy point again: what closer tolerances change is the simulator's error under noise.
  void simulate_closer() {
    std::vector<CellRun> runs;
    std::vector<std::size_t> points;
    for (std::size_t p = 0; p < result_.points.size(); ++p) {
      if (!(result_.points[p].deviation > 0.0)) continue;
      runs.push_back({result_.cell.sizes, lab_.nominal_environment(), candidate_of(p, 0), result_.points[p].on});
      points.push_back(p);
    }
    closer_.resize(result_.points.size());
    run_cells(
        under_noise(kCloser), runs, {time_of(request_.samples - 1), kShorter * request_.sample_seconds, kCellsPerBench},
        [&](std::size_t run, const sim::Waveforms& waves, std::size_t slot) {
          read_trial(waves, slot, runs[run], closer_[points[run]]);
        },
        [](std::size_t, const std::string&) {});  // a point without a floor, not without a figure
  }

  void read_trial(const sim::Waveforms& waves, std::size_t slot, const CellRun& run, Trial& trial) const {
    const std::size_t gate = probe_index(slot, CellProbe::kSwitch);
    const std::size_t output = probe_index(slot, CellProbe::kOutput);
    const double level = 0.5 * run.environment.supply;
    const double flip = crossing_time(waves, gate, level, !run.starts_on, kRest);
    trial.unheld = (waves.at(gate, kRest) > level) != run.starts_on;
    if (trial.unheld) return;
    trial.flipped = !std::isnan(flip);
    trial.exposed = samples_begun(flip - kRest, request_.sample_seconds, request_.samples);
    for (std::size_t i = 0; i < trial.exposed; ++i) {
      const double time = time_of(i);
      if (i < kUnread || (trial.flipped && time > flip - kGuard)) continue;
      trial.inputs.push_back(run.candidate[i + 2].value);
      trial.outputs.push_back(std::abs(waves.at(output, time)));
    }
  }

  void read_point(std::size_t index) {
    HeldPoint& point = result_.points[index];
    std::vector<double> inputs;
    std::vector<double> outputs;
    std::vector<std::vector<double>> bands_in(std::size(kBandEdges) - 1);
    std::vector<std::vector<double>> bands_out(bands_in.size());
    for (const Trial& trial : trials_[index]) {
      point.flips += trial.flipped ? 1 : 0;
      point.samples += trial.exposed;
      point.unheld += trial.unheld ? 1 : 0;
      if (trial.inputs.size() < kFewest) continue;
      inputs.push_back(variance(trial.inputs));
      outputs.push_back(variance(trial.outputs));
      if (trial.flipped) continue;
      const std::vector<double> in = band_powers(trial.inputs, request_.sample_seconds);
      const std::vector<double> out = band_powers(trial.outputs, request_.sample_seconds);
      for (std::size_t b = 0; b < in.size(); ++b) {
        bands_in[b].push_back(in[b]);
        bands_out[b].push_back(out[b]);
      }
    }
    const double scale = loop().high / loop().rise;
    const Random resampling = Random(request_.seed).child("suppression/resampling", index);
    point.trials = inputs.size();
    point.suppression = known_ratio(inputs, outputs, scale, resampling);
    if (point.trials < kFewTrials) {
      point.reason = fmt::format("{} of {} trials held the state for {} samples; expected at least {}", point.trials,
                                 request_.trials, kFewest, kFewTrials);
    }
    for (const double value : inputs) point.input += value / static_cast<double>(inputs.size());
    for (const double value : outputs) point.output += value / static_cast<double>(outputs.size());
    point.input = inputs.empty() ? kNever : std::sqrt(point.input);
    point.output = outputs.empty() ? kNever : std::sqrt(point.output);
    for (std::size_t b = 0; b < bands_in.size(); ++b) {
      point.bands.push_back({kBandEdges[b], kBandEdges[b + 1], bands_in[b].size(),
                             known_ratio(bands_in[b], bands_out[b], scale, resampling.child("band", b))});
    }
  }

  /// None of so few trials that it would say more of them than of the cell.
  static Ratio known_ratio(const std::vector<double>& numerators, const std::vector<double>& denominators, double scale,
                           const Random& random) {
    if (numerators.size() < kFewTrials) return {kNever, kNever, kNever};
    return ratio_of(numerators, denominators, scale, random);
  }

  /// The output's deviation without noise is the simulator's, and so is what closer tolerances change of it with noise.
  void add_floors() {
    for (std::size_t p = 0; p < result_.points.size(); ++p) {
      HeldPoint& point = result_.points[p];
      const auto quiet = std::find_if(result_.points.begin(), result_.points.end(), [&](const HeldPoint& other) {
        return other.deviation == 0.0 && other.on == point.on && other.place == point.place;
      });
      point.floor = (point.input / loop().rise) / (quiet->output / loop().high);
      point.noisy_floor = noisy_floor(p);
    }
  }

  double noisy_floor(std::size_t index) const {
    const Trial& usual = trials_[index].front();
    const Trial& closer = closer_[index];
    const std::size_t common = std::min(usual.outputs.size(), closer.outputs.size());  // flips may differ
    if (common < kFewest) return kNever;
    std::vector<double> differences;
    for (std::size_t i = 0; i < common; ++i) differences.push_back(usual.outputs[i] - closer.outputs[i]);
    const std::vector<double> inputs(usual.inputs.begin(), usual.inputs.begin() + static_cast<std::ptrdiff_t>(common));
    const double scale = loop().high / loop().rise;
    return scale * std::sqrt(variance(inputs) / variance(differences));
  }

  std::vector<compile::CellEnvironment> environments() const {
    const compile::CellEnvironment nominal_environment = lab_.nominal_environment();
    std::vector<compile::CellEnvironment> result = {nominal_environment};
    const auto add = [&](const compile::CellEnvironment& environment) {
      if (std::find(result.begin(), result.end(), environment) == result.end()) result.push_back(environment);
    };
    for (const double supply : request_.supplies)
      add({nominal_environment.corner, supply, nominal_environment.temperature});
    for (const double temperature : request_.temperatures)
      add({nominal_environment.corner, nominal_environment.supply, temperature});
    return result;
  }

  void estimate_retention() {
    CellTestSetup plain = lab_;
    plain.tolerance = 1.0;
    std::vector<LoopRequest> requests;
    for (const auto& environment : environments()) {
      requests.push_back({result_.cell.sizes, {loop().rise, loop().fall, loop().high}, environment, false});
    }
    const std::vector<MeasuredLoop> loops = measure_loops(plain, requests);
    const double middle = middle_of_band();
    const double sample = std::log10(request_.sample_seconds);
    for (std::size_t i = 0; i < loops.size(); ++i) {
      for (const double deviation : request_.deviations) {
        const double sigma = deviation * loop().rise;
        const CellLoop& there = loops[i].loop;
        const double on_margin = (middle - there.fall) / sigma;
        const double off_margin = (there.rise - middle) / sigma;
        result_.retention.push_back({requests[i].environment, loops[i], deviation,
                                     sample - result_.fit.log10_probability(on_margin),
                                     sample - result_.fit.log10_probability(off_margin), exponent_interval(on_margin),
                                     exponent_interval(off_margin)});
      }
    }
  }

  double middle_of_band() const { return 0.5 * (loop().rise + loop().fall); }

  /// What the law says of other environments is counted where flips are frequent enough: at the largest deviation.
  void count_retention() {
    const double deviation = *std::max_element(request_.deviations.begin(), request_.deviations.end());
    std::vector<CellRun> runs;
    for (const auto& environment : environments()) {
      for (const bool on : {true, false}) {
        const Random random = Random(request_.seed).child("suppression/retention", result_.counted.size());
        for (std::size_t t = 0; t < request_.trials; ++t) {
          runs.push_back(
              {result_.cell.sizes, environment, noisy(middle_of_band(), deviation, random.child("trial", t)), on});
        }
        CountedRetention& counted = result_.counted.emplace_back();
        counted.environment = environment;
        counted.on = on;
        counted.deviation = deviation;
      }
    }
    run_cells(
        under_noise(1.0), runs, {time_of(request_.samples - 1), kLongest * request_.sample_seconds, kCellsPerBench},
        [&](std::size_t run, const sim::Waveforms& waves, std::size_t slot) {
          Trial trial;
          read_trial(waves, slot, runs[run], trial);
          CountedRetention& counted = result_.counted[run / request_.trials];
          counted.flips += trial.flipped ? 1 : 0;
          counted.samples += trial.exposed;
          counted.unheld += trial.unheld ? 1 : 0;
        },
        [&](std::size_t run, const std::string& message) {
          ++result_.counted[run / request_.trials].failed;
          result_.failures.push_back(message);
        });
    for (CountedRetention& counted : result_.counted) {
      const auto exponent = [&](double probability) { return std::log10(request_.sample_seconds / probability); };
      if (counted.samples == 0) {
        counted.exponent = kNever;
        counted.interval = {kNever, kNever};
        continue;
      }
      const Interval share = wilson_interval(counted.flips, counted.samples);
      counted.exponent = exponent(static_cast<double>(counted.flips) / static_cast<double>(counted.samples));
      counted.interval = {exponent(share.high), exponent(share.low)};
    }
  }

  /// Of the decimal logarithm of the seconds that a bit lasts at this margin.
  Interval exponent_interval(double margin) const {
    std::vector<double> exponents;
    for (const FlipFit& fit : result_.resampled) {
      exponents.push_back(std::log10(request_.sample_seconds) - fit.log10_probability(margin));
    }
    if (std::isnan(margin)) exponents.clear();
    return middle_95(std::move(exponents));
  }

  CellTestSetup lab_;
  const SuppressionRequest& request_;
  Suppression result_;
  std::vector<std::vector<Trial>> trials_;  // [points][trials]
  std::vector<Trial> closer_;               // [points]
};

}  // namespace

std::size_t samples_begun(double flip, double sample_seconds, std::size_t samples) {
  if (std::isnan(flip)) return samples;
  return std::min(samples, static_cast<std::size_t>(std::max(0.0, flip) / sample_seconds) + 1);
}

Suppression measure_suppression(const CellTestSetup& lab, const SuppressionRequest& request) {
  return Protocol(lab, request).run();
}

}  // namespace hysteron::analysis
