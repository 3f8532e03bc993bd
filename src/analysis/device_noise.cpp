#include "analysis/device_noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/device_bench.h"
#include "base/error.h"

namespace hysteron::analysis {
namespace {

using compile::CellProbe;
using compile::probe_index;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr double kLongest = 3.156e8;  // second: the lowest frequency of long_deviation is one over it
constexpr double kSettling = 0.1;     // share of a trial that counts for no deviation
constexpr double kSettled = 1e-4;     // tolerance of the thresholds, over the usual one
constexpr double kSpots[] = {1.0, 10.0, 100.0, 1e3, 1e4, 1e5};  // hertz

/// What is left of a threshold's lateness is far below a picoampere.
constexpr LoopProtocol kSlowest{4.0, 2e-4, 0.2e-12, 2e-3};

double value_at(const sim::NoiseSpectrum& noise, const std::vector<double>& density, double frequency) {
  const auto after = std::lower_bound(noise.frequency.begin(), noise.frequency.end(), frequency * 0.999);
  return density[static_cast<std::size_t>(std::min(after, noise.frequency.end() - 1) - noise.frequency.begin())];
}

/// Variance of a probe over a window, of the straight lines between its points.
double variance_between(const sim::Waveforms& waves, std::size_t probe, double begin, double end) {
  const double mean = waves.mean(probe, begin, end);
  double power = 0.0;
  double last_time = begin;
  double last = waves.at(probe, begin) - mean;
  const auto add = [&](double time, double value) {
    power += (time - last_time) * (last * last + last * value + value * value) / 3.0;
    last_time = time;
    last = value;
  };
  for (std::size_t i = 0; i < waves.time.size(); ++i) {
    if (waves.time[i] > begin && waves.time[i] < end) add(waves.time[i], waves.values[probe][i] - mean);
  }
  add(end, waves.at(probe, end) - mean);
  return power / (end - begin);
}

class Protocol {
 public:
  Protocol(const CellTestSetup& lab, const TunedCell& cell, const FlipFit& law, double law_seconds,
           const DeviceNoiseRequest& request)
      : lab_(prepared(lab, request)),
        cell_(cell),
        law_seconds_(law_seconds),
        request_(request),
        bench_(lab_, cell.sizes, request.low, request.high) {
    result_.law = law;
    result_.law_is_fitted = !std::isnan(law.slope);
    if (!result_.law_is_fitted) result_.law.offset = 0.0;
    if (!result_.law_is_fitted) result_.law.slope = 1.0;
  }

  DeviceNoise run() {
    find_thresholds();
    for (const bool on : {true, false}) {
      for (const double place : request_.places) {
        if (on || place < 1.0) result_.held.push_back(measured(hold(on, place)));
      }
    }
    check();
    for (const bool on : {true, false}) visit_threshold(on);
    return std::move(result_);
  }

 private:
  static CellTestSetup prepared(const CellTestSetup& lab, const DeviceNoiseRequest& request) {
    CellTestSetup result = lab;
    result.cell_capacitance = request.cell_capacitance;
    result.tolerance = kSettled;
    result.conditions.supply = compile::supply_of(lab.technology, lab.conditions);
    return result;
  }

  /// The threshold at which this state is lost.
  double threshold(bool on) const { return on ? loop_.fall : loop_.rise; }

  void find_thresholds() {
    const MeasuredLoop& tuned = cell_.loop;
    const LoopRequest request{
        cell_.sizes, {tuned.loop.rise, tuned.loop.fall, tuned.loop.high}, lab_.nominal_environment(), true};
    const MeasuredLoop found = measure_loops(lab_, {request}, kSlowest).front();
    if (!found.good()) throw simulator_error("thresholds on slow ramps: " + found.problem);
    loop_ = found.loop;
  }

  NoisyHold hold(bool on, double place) const {
    NoisyHold point = hold_near(on, 0.0);
    point.place = place;
    point.candidate = loop_.fall + place * (loop_.rise - loop_.fall);
    point.margin = std::abs(point.candidate - threshold(on));
    return point;
  }

  NoisyHold hold_near(bool on, double margin) const {
    NoisyHold point;
    point.on = on;
    point.place = kNever;
    point.margin = margin;
    point.candidate = on ? threshold(on) + margin : threshold(on) - margin;
    point.time = {kNever, kNever, kNever, kNever, {kNever, kNever, kNever}, {kNever, kNever, kNever}, 0, 0, 0};
    return point;
  }

  /// The point with its small-signal noise and its trials.
  NoisyHold measured(NoisyHold point) {
    measure(point);
    if (point.held && request_.trials > 0) run_trials(point);
    return point;
  }

  /// Small-signal noise of a point; what cannot be had goes to the failures.
  void measure(NoisyHold& point) {
    const std::vector<sim::Testbench> benches = {bench_.at_switch(point.candidate, point.on),
                                                 bench_.at_output(point.candidate, point.on)};
    const auto outcomes = lab_.engine.run_all(benches, lab_.jobs, lab_.on_done);
    if (failed(outcomes[0]) || failed(outcomes[1])) return;
    const sim::Waveforms& operating = *outcomes[0].waveforms;
    point.held = (bench_.switch_voltage(operating) > 0.5 * lab_.conditions.supply) == point.on;
    if (!point.held) return;
    circuit::Circuit devices;
    const auto alone = lab_.engine.run_all({{bench_.alone(operating, devices)}}, 1, lab_.on_done);
    point.held = !failed(alone[0]);
    if (!point.held) return;
    operating_ = operating;
    read(point, *outcomes[0].noise, *outcomes[1].noise, *alone[0].noise);
  }

  bool failed(const sim::Outcome& outcome) {
    if (outcome.error) result_.failures.emplace_back(outcome.error->what());
    return outcome.error.has_value();
  }

  void read(NoisyHold& point, const sim::NoiseSpectrum& at_switch, const sim::NoiseSpectrum& at_output,
            const sim::NoiseSpectrum& alone) {
    const double squared = std::pow(bench_.output_transconductance(operating_), 2);
    const auto as_current = [&](std::vector<double> density) {
      for (double& value : density) value *= squared;
      return density;
    };
    const std::vector<double>& frequency = at_switch.frequency;
    const std::vector<double> output = as_current(at_output.output);
    point.gain = std::sqrt(at_switch.output.front() / at_switch.input.front());
    point.output_band = deviation_of(frequency, output, request_.low, request_.band);
    point.output_full = deviation_of(frequency, output, request_.low, request_.high);
    point.candidate_band = deviation_of(frequency, at_switch.input, request_.low, request_.band);
    point.candidate_flicker = flicker_at_low_end(at_switch);
    for (const double spot : kSpots) {
      if (spot < request_.low || spot > request_.high) continue;
      point.spots.push_back(
          {spot, std::sqrt(value_at(at_switch, output, spot)), std::sqrt(value_at(at_switch, at_switch.input, spot))});
    }
    const double switch_power = std::pow(deviation_of(frequency, at_switch.output, request_.low, request_.band), 2);
    for (circuit::DeviceId id = 0; id < at_switch.devices.size(); ++id) {
      NoisyDevice device;
      device.name = bench_.circuit().full_name(id);
      device.current = bench_.drain_current(operating_, id);
      device.density = {alone.devices[id].thermal.front(), alone.devices[id].flicker.front() * frequency.front()};
      device.output_share =
          std::pow(deviation_of(frequency, as_current(total(at_output.devices[id])), request_.low, request_.high) /
                       point.output_full,
                   2);
      device.candidate_share =
          std::pow(deviation_of(frequency, total(at_switch.devices[id]), request_.low, request_.band), 2) /
          switch_power;
      point.devices.push_back(std::move(device));
    }
    expect_in_time(point, at_switch, output);
  }

  static std::vector<double> total(const sim::DeviceNoise& device) {
    std::vector<double> sum = device.thermal;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += device.flicker[i];
    return sum;
  }

  /// The flicker part of the candidate's density at the low end, times the low end.
  static double flicker_at_low_end(const sim::NoiseSpectrum& noise) {
    double flicker = 0.0;
    for (const sim::DeviceNoise& device : noise.devices) flicker += device.flicker.front();
    return flicker / noise.output.front() * noise.input.front() * noise.frequency.front();
  }

  double window() const {
    return (1.0 - kSettling) * static_cast<double>(request_.samples - 1) * request_.sample_seconds;
  }

  void expect_in_time(NoisyHold& point, const sim::NoiseSpectrum& at_switch, const std::vector<double>& output) const {
    std::vector<double> seen = output;
    std::vector<double> seen_switch = at_switch.output;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const double share = sampled_share(at_switch.frequency[i], request_.sample_seconds, window());
      seen[i] *= share;
      seen_switch[i] *= share;
    }
    point.time.output_expected = deviation_of(at_switch.frequency, seen, request_.low, request_.high);
    point.time.switch_expected =
        deviation_of(at_switch.frequency, seen_switch, request_.low, request_.high) / point.gain;
  }

  void check() const {
    for (const NoisyHold& point : result_.held) {
      if (point.held) return;
    }
    throw simulator_error(result_.failures.empty() ? "no operating point holds a state" : result_.failures.front());
  }

  DeviceRetention retention_of(const NoisyHold& edge) const {
    DeviceRetention result;
    result.on = edge.on;
    result.threshold = threshold(edge.on);
    result.deviation = edge.held ? edge.candidate_band : kNever;
    result.deviation_over_rise = result.deviation / loop_.rise;
    result.long_deviation =
        std::sqrt(result.deviation * result.deviation + edge.candidate_flicker * std::log(request_.low * kLongest));
    const double half = 0.5 * (loop_.rise - loop_.fall);
    result.margin = half / result.long_deviation;
    result.exponent = seconds_exponent(result.margin);
    for (const double seconds : kRetentionSeconds) {
      result.needed.push_back(margin_for(std::log10(seconds)) * result.long_deviation);
      result.needed_over_rise.push_back(result.needed.back() / loop_.rise);
    }
    return result;
  }

  double seconds_exponent(double margin) const {
    return std::log10(law_seconds_) - result_.law.log10_probability(margin);
  }

  /// The margin over the deviation at which a bit lasts that long, by bisection: retention grows with the margin.
  double margin_for(double exponent) const {
    double low = 0.0;
    double high = 1e3;
    while (high - low > 1e-6) {
      const double middle = 0.5 * (low + high);
      (seconds_exponent(middle) < exponent ? low : high) = middle;
    }
    return high;
  }

  sim::Testbench trial_bench(const NoisyHold& point, const std::string& path, std::size_t trial) const {
    const Random random = Random(request_.seed).child("device_noise/" + path, trial);
    std::vector<std::vector<double>> currents;
    for (std::size_t id = 0; id < point.devices.size(); ++id) {
      currents.push_back(draw_noise(point.devices[id].density, request_.low, request_.sample_seconds, request_.samples,
                                    random.child("device", id)));
    }
    return bench_.in_time(point.candidate, point.on, operating_, currents, request_.sample_seconds);
  }

  /// Must follow measure(point), whose operating point it begins at.
  void run_trials(NoisyHold& point) {
    const std::string path = fmt::format("{}/{:.12g}", point.on ? "on" : "off", point.candidate * 1e9);
    std::vector<sim::Testbench> benches;
    for (std::size_t t = 0; t < request_.trials; ++t) benches.push_back(trial_bench(point, path, t));
    std::vector<double> outputs;
    std::vector<double> switches;
    for (const sim::Outcome& outcome : lab_.engine.run_all(benches, lab_.jobs, lab_.on_done)) {
      if (failed(outcome)) continue;
      ++point.time.trials;
      const sim::Waveforms& waves = *outcome.waveforms;
      const std::size_t gate = probe_index(0, CellProbe::kSwitch);
      if (!std::isnan(crossing_time(waves, gate, 0.5 * lab_.conditions.supply, !point.on, 0.0))) {
        ++point.time.flips;
        const bool ends_on = waves.values[gate].back() > 0.5 * lab_.conditions.supply;
        point.time.returned += ends_on == point.on ? 1 : 0;
        continue;
      }
      const double end = waves.time.back();
      const double begin = end - window();
      outputs.push_back(variance_between(waves, probe_index(0, CellProbe::kOutput), begin, end));
      switches.push_back(variance_between(waves, gate, begin, end) / (point.gain * point.gain));
    }
    const Random resampling = Random(request_.seed).child("device_noise/resampling/" + path);
    const auto expected = [&](double deviation) { return std::vector<double>(outputs.size(), deviation * deviation); };
    point.time.output_ratio = ratio_of(outputs, expected(point.time.output_expected), 1.0, resampling);
    point.time.candidate_ratio = ratio_of(switches, expected(point.time.switch_expected), 1.0, resampling);
    point.time.output = point.time.output_ratio.value * point.time.output_expected;
    point.time.candidate = point.time.candidate_ratio.value * point.time.switch_expected;
  }

  /// The noise of the threshold at which a state is lost, what follows for retention, and points beside it in time.
  void visit_threshold(bool on) {
    NoisyHold edge = hold_near(on, request_.edge * loop_.rise);
    measure(edge);
    result_.edges.push_back(edge);
    result_.retention.push_back(retention_of(edge));
    if (request_.trials == 0 || !edge.held) return;
    for (const double margin : request_.margins) {
      const double distance = margin * result_.retention.back().deviation;
      result_.near.push_back({measured(hold_near(on, distance)), margin, kNever});
      NearThreshold& near = result_.near.back();
      const double samples = static_cast<double>(request_.samples) * request_.sample_seconds / law_seconds_;
      const double once = std::pow(10.0, result_.law.log10_probability(margin));
      if (near.hold.time.trials == 0) continue;
      near.expected_flips = -static_cast<double>(near.hold.time.trials) * std::expm1(samples * std::log1p(-once));
    }
  }

  CellTestSetup lab_;
  const TunedCell& cell_;
  double law_seconds_;
  const DeviceNoiseRequest& request_;
  DeviceBench bench_;
  compile::CellLoop loop_;
  sim::Waveforms operating_;  // of the point measured last
  DeviceNoise result_;
};

}  // namespace

DeviceNoise measure_device_noise(const CellTestSetup& lab, const TunedCell& cell, const FlipFit& law,
                                 double law_seconds, const DeviceNoiseRequest& request) {
  return Protocol(lab, cell, law, law_seconds, request).run();
}

}  // namespace hysteron::analysis
