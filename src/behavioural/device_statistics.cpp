#include "behavioural/device_statistics.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/stored_json.h"
#include "base/units.h"
#include "compile/stored_measurement.h"

namespace hysteron::behavioural {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using technology::Geometry;
using technology::Technology;

constexpr double kLowestDensity = 1e-3;  // of the unit current through the reference device
constexpr double kHighestDensity = 100.0;
constexpr int kDensities = 16;
constexpr int kDevicesOfASize = 250;
constexpr unsigned kSeed = 29;
constexpr double kSpot = 0.1;  // hertz; flicker noise goes with 1 / f
constexpr double kWidths[] = {0.5e-6, 2e-6, 8e-6};
constexpr double kLengths[] = {0.5e-6, 2.5e-6, 10e-6, 50e-6};

/// The sizes of kWidths and kLengths that `device` can have.
std::vector<Geometry> sample_sizes(const technology::Device& device) {
  std::vector<Geometry> sizes;
  for (const double width : kWidths) {
    for (const double length : kLengths) {
      sizes.push_back({std::clamp(width, device.minimum_width, device.maximum_width),
                       std::clamp(length, device.minimum_length, device.maximum_length)});
    }
  }
  return sizes;
}

struct Bench {
  Circuit circuit;
  sim::Testbench bench;

  Bench(const Technology& technology, const compile::Conditions& conditions) {
    bench.circuit = &circuit;
    bench.supply = compile::supply_of(technology, conditions);
    bench.temperature = conditions.temperature;
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
};

/// A diode of the reference size for every density and polarity, each under a source of its own; N first.
struct Diodes {
  Bench rig;
  std::vector<double> currents;
  std::vector<circuit::DeviceId> devices;

  Diodes(const Technology& technology, const compile::Conditions& conditions) : rig(technology, conditions) {
    for (int i = 0; i < kDensities; ++i) {
      const double share = static_cast<double>(i) / (kDensities - 1);
      currents.push_back(conditions.unit_current * kLowestDensity * std::pow(kHighestDensity / kLowestDensity, share));
    }
    for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
      const bool is_n = polarity == Polarity::kN;
      for (const double current : currents) {
        const NetId net = rig.circuit.net(fmt::format("{}{}", is_n ? "n" : "p", devices.size()));
        devices.push_back(rig.circuit.add({"d" + rig.circuit.net_name(net), "", polarity, circuit::Role::kRail, net,
                                           net, is_n ? Circuit::kGround : Circuit::kSupply, technology.reference.width,
                                           technology.reference.length}));
        const NetId from = is_n ? Circuit::kSupply : net;
        rig.bench.current_sources.push_back({from, is_n ? net : Circuit::kGround, {{0.0, current}}});
      }
    }
  }
  NetId net(std::size_t i) const { return rig.circuit.transistor(devices[i]).drain; }
};

/// gm / id of every diode.
void measure_slopes(const Technology& technology, const sim::Engine& engine, const compile::Conditions& conditions,
                    DeviceStatistics& statistics) {
  Diodes diodes(technology, conditions);
  for (const auto device : diodes.devices) {
    diodes.rig.bench.probes.push_back({sim::Probe::Kind::kTransconductance, device});
  }
  const sim::Waveforms result = engine.run(diodes.rig.bench);
  const double square = technology.reference.length / technology.reference.width;
  for (std::size_t i = 0; i < diodes.currents.size(); ++i) {
    const double current = diodes.currents[i];
    statistics.n.densities.push_back(current * square);
    statistics.p.densities.push_back(current * square);
    statistics.n.slopes.push_back(std::abs(result.values[i].front()) / current);
    statistics.p.slopes.push_back(std::abs(result.values[diodes.currents.size() + i].front()) / current);
  }
}

/// Small-signal noise of every diode, whose voltage times gm is the noise of its current.
void measure_noise(const Technology& technology, const sim::Engine& engine, const compile::Conditions& conditions,
                   DeviceStatistics& statistics) {
  Diodes diodes(technology, conditions);
  sim::NoiseAnalysis noise;
  for (std::size_t i = 0; i < diodes.devices.size(); ++i) {
    noise.outputs.push_back({sim::Probe::Kind::kVoltage, diodes.net(i)});
  }
  noise.low = kSpot;
  noise.high = 10.0 * kSpot;
  noise.points_per_decade = 1;
  diodes.rig.bench.noise = noise;
  const auto outcomes = engine.run_all({{diodes.rig.bench}}, 1, {});
  if (outcomes.front().error) throw Error(*outcomes.front().error);
  const sim::NoiseSpectrum& spectrum = *outcomes.front().noise;
  const double area = technology.reference.width * technology.reference.length;
  for (std::size_t i = 0; i < diodes.devices.size(); ++i) {
    const std::size_t k = i % diodes.currents.size();
    PolarityStatistics& part = i < diodes.currents.size() ? statistics.n : statistics.p;
    const sim::DeviceNoise& device = spectrum.devices[diodes.devices[i]];
    const double squared = part.slopes[k] * part.slopes[k];
    part.white.push_back(device.thermal.front() * squared * diodes.currents[k] / (2.0 * kElementaryCharge));
    part.flicker.push_back(device.flicker.front() * spectrum.frequency.front() * squared * area);
  }
}

/// What a reference device carries whose gate is at its source, half the supply across it.
void measure_leakage(const Technology& technology, const sim::Engine& engine, const compile::Conditions& conditions,
                     DeviceStatistics& statistics) {
  Bench rig(technology, conditions);
  const NetId middle = rig.circuit.net("middle");
  rig.bench.voltage_sources.push_back({middle, {{0.0, 0.5 * rig.bench.supply}}});
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    const NetId source = polarity == Polarity::kN ? Circuit::kGround : Circuit::kSupply;
    const auto device =
        rig.circuit.add({polarity == Polarity::kN ? "n" : "p", "", polarity, circuit::Role::kRail, middle, source,
                         source, technology.reference.width, technology.reference.length});
    rig.bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, device});
  }
  const sim::Waveforms result = engine.run(rig.bench);
  statistics.n.leakage = std::abs(result.values[0].front());
  statistics.p.leakage = std::abs(result.values[1].front());
}

/// A reference diode that holds the gates of kGatesOnARail more, and whose current steps up tenfold: with i' = i (u -
/// i) / tau it is at half of u after tau ln 9.
void measure_gates(const Technology& technology, const sim::Engine& engine, const compile::Conditions& conditions,
                   DeviceStatistics& statistics) {
  constexpr int kGatesOnARail = 8;
  constexpr double kQuiet = 0.1;  // of the run, before the step
  const double unit = conditions.unit_current;
  const Geometry& size = technology.reference;
  // Half is there after ln(9) / (gm/id) volt of the gates' charge: some 80 mV; 0.3 V of 8 fF per um2 are enough.
  const double longest = 0.3 * 8e-3 * (1 + kGatesOnARail) * size.width * size.length / unit;  // seconds
  const double from = kQuiet * longest;
  const double until = from + 1e-3 * longest;
  Bench rig(technology, conditions);
  rig.bench.stop_time = longest;
  rig.bench.maximum_step = longest / 1000.0;
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    const bool is_n = polarity == Polarity::kN;
    const NetId source = is_n ? Circuit::kGround : Circuit::kSupply;
    const NetId far = is_n ? Circuit::kSupply : Circuit::kGround;
    const NetId gate = rig.circuit.net(is_n ? "n" : "p");
    const auto add = [&](const std::string& name, NetId drain) {
      return rig.circuit.add({name, "", polarity, circuit::Role::kRail, drain, gate, source, size.width, size.length});
    };
    const auto diode = add("d" + rig.circuit.net_name(gate), gate);
    for (int i = 0; i < kGatesOnARail; ++i) add(fmt::format("{}{}", rig.circuit.net_name(gate), i), far);
    const sim::PiecewiseLinear current = {{0.0, 0.1 * unit}, {from, 0.1 * unit}, {until, unit}};
    rig.bench.current_sources.push_back({is_n ? far : gate, is_n ? gate : far, current});
    rig.bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, diode});
  }
  const sim::Waveforms waves = engine.run(rig.bench);
  const double area = (1 + kGatesOnARail) * size.width * size.length;
  std::size_t probe = 0;
  for (PolarityStatistics* part : {&statistics.n, &statistics.p}) {
    const std::vector<double>& values = waves.values[probe++];
    std::size_t i = 1;
    while (i < values.size() && std::abs(values[i]) < 0.5 * unit) ++i;
    if (i == values.size()) {
      throw simulator_error("a diode did not reach its current in time; the gate capacitance cannot be measured");
    }
    const double share = (0.5 * unit - std::abs(values[i - 1])) / (std::abs(values[i]) - std::abs(values[i - 1]));
    const double seconds = waves.time[i - 1] + share * (waves.time[i] - waves.time[i - 1]) - 0.5 * (from + until);
    const double slope = part->slope(unit * size.length / size.width);
    part->gate_capacitance = seconds / std::log(9.0) * slope * unit / area;
  }
}

double variance_around(double center, const std::vector<std::vector<double>>& values, std::size_t begin,
                       std::size_t step) {
  double squares = 0.0;
  for (int i = 0; i < kDevicesOfASize; ++i) {
    const double error = values[begin + static_cast<std::size_t>(i) * step].front() - center;
    squares += error * error;
  }
  return squares / kDevicesOfASize;
}

/// Least squares of 1 / variance with relative weights.
AreaLaw fit_area_law(const std::vector<Geometry>& sizes, const std::vector<double>& variances) {
  constexpr double kMicro = 1e-6;
  Eigen::MatrixXd rows(sizes.size(), 4);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(static_cast<Eigen::Index>(sizes.size()));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double w = sizes[i].width / kMicro;
    const double l = sizes[i].length / kMicro;
    rows.row(static_cast<Eigen::Index>(i)) << w * l, w, l, 1.0;
    rows.row(static_cast<Eigen::Index>(i)) *= variances[i];
  }
  const Eigen::VectorXd found = rows.colPivHouseholderQr().solve(ones);
  return {{found[0] / (kMicro * kMicro), found[1] / kMicro, found[2] / kMicro, found[3]}};
}

/// Draws of devices whose terminals all are on one rail: shifts do not depend on what a device does.
void measure_mismatch(const Technology& technology, const sim::Engine& mismatched,
                      const compile::Conditions& conditions, DeviceStatistics& statistics) {
  Bench rig(technology, conditions);
  rig.bench.seed = kSeed;
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    const bool is_n = polarity == Polarity::kN;
    const NetId rail = is_n ? Circuit::kGround : Circuit::kSupply;
    for (const Geometry& size : sample_sizes(is_n ? technology.n : technology.p)) {
      for (int i = 0; i < kDevicesOfASize; ++i) {
        const auto device = rig.circuit.add({fmt::format("m{}", rig.bench.probes.size()), "", polarity,
                                             circuit::Role::kRail, rail, rail, rail, size.width, size.length});
        rig.bench.probes.push_back({sim::Probe::Kind::kThresholdShift, device});
        rig.bench.probes.push_back({sim::Probe::Kind::kMobilityFactor, device});
      }
    }
  }
  const sim::Waveforms result = mismatched.run(rig.bench);
  std::size_t begin = 0;
  for (PolarityStatistics* part : {&statistics.n, &statistics.p}) {
    const std::vector<Geometry> sizes = sample_sizes(part == &statistics.n ? technology.n : technology.p);
    std::vector<double> thresholds;
    std::vector<double> mobilities;
    for (std::size_t i = 0; i < sizes.size(); ++i, begin += 2 * kDevicesOfASize) {
      thresholds.push_back(variance_around(0.0, result.values, begin, 2));
      mobilities.push_back(variance_around(1.0, result.values, begin + 1, 2));
    }
    const double least = *std::min_element(thresholds.begin(), thresholds.end());
    if (!(least > 0.0)) {
      throw bad_input(
          fmt::format("technology {}: all devices are equal with {} = 1; expected a switch that enables mismatch",
                      technology.name, quoted(technology.mismatch_parameter)));
    }
    part->threshold = fit_area_law(sizes, thresholds);
    for (double& variance : mobilities) variance = std::max(variance, 1e-20);  // a technology may have none
    part->mobility = fit_area_law(sizes, mobilities);
  }
}

nlohmann::json to_json(const PolarityStatistics& part) {
  return {{"densities", part.densities},
          {"slopes", part.slopes},
          {"white", part.white},
          {"flicker", part.flicker},
          {"leakage", part.leakage},
          {"gate_capacitance", part.gate_capacitance},
          {"threshold", part.threshold.coefficients},
          {"mobility", part.mobility.coefficients}};
}

PolarityStatistics from_json(const nlohmann::json& json) {
  PolarityStatistics part;
  json.at("densities").get_to(part.densities);
  json.at("slopes").get_to(part.slopes);
  json.at("white").get_to(part.white);
  json.at("flicker").get_to(part.flicker);
  json.at("leakage").get_to(part.leakage);
  json.at("gate_capacitance").get_to(part.gate_capacitance);
  json.at("threshold").get_to(part.threshold.coefficients);
  json.at("mobility").get_to(part.mobility.coefficients);
  return part;
}

std::optional<DeviceStatistics> statistics_from_json(const nlohmann::json& json) {
  const auto charge = [&](const char* name) {
    return SwitchCharge{json.at(name).at("own").get<double>(), json.at(name).at("swing").get<double>()};
  };
  DeviceStatistics statistics{from_json(json.at("n")), from_json(json.at("p")), {charge("set"), charge("reset")}};
  for (const PolarityStatistics* part : {&statistics.n, &statistics.p}) {
    for (const auto* values : {&part->densities, &part->slopes, &part->white, &part->flicker}) {
      if (values->size() != kDensities) return std::nullopt;
    }
  }
  return statistics;
}

}  // namespace

double AreaLaw::deviation(const Geometry& geometry) const {
  const double inverse = coefficients[0] * geometry.width * geometry.length + coefficients[1] * geometry.width +
                         coefficients[2] * geometry.length + coefficients[3];
  // Where the fit has no say, the law without its offsets has.
  const double plain = coefficients[0] * geometry.width * geometry.length;
  return 1.0 / std::sqrt(std::max(inverse, 0.25 * plain));
}

double PolarityStatistics::at(double density, const std::vector<double>& values) const {
  if (values.empty()) return 0.0;
  if (density <= densities.front()) return values.front();
  if (density >= densities.back()) return values.back();
  const auto above = std::upper_bound(densities.begin(), densities.end(), density);
  const auto i = static_cast<std::size_t>(above - densities.begin());
  const double share = std::log(density / densities[i - 1]) / std::log(densities[i] / densities[i - 1]);
  return values[i - 1] + share * (values[i] - values[i - 1]);
}

FrameNoise PolarityStatistics::frame_noise(double density, double area, double charge, double seconds) const {
  const double band = std::log(std::max(1.0, 0.5 / seconds / kNoiseLow));
  return {at(density, white) * kElementaryCharge / charge, at(density, flicker) * band / area};
}

double mirror_noise(const DeviceStatistics& statistics, const Technology& technology, double current, double seconds) {
  const Geometry& size = technology.reference;
  const double density = current * size.length / size.width;
  double largest = 0.0;
  for (const PolarityStatistics* polarity : {&statistics.n, &statistics.p}) {
    const FrameNoise noise = polarity->frame_noise(density, size.width * size.length, current * seconds, seconds);
    largest = std::max(largest, 2.0 * (noise.white + noise.flicker));  // the diode's and the leg's
  }
  return std::sqrt(largest);
}

DeviceStatistics measure_device_statistics(const Technology& technology, const compile::GainCurves& curves,
                                           const sim::Engine& engine, const sim::Engine& mismatched,
                                           const compile::Conditions& conditions) {
  DeviceStatistics statistics;
  measure_slopes(technology, engine, conditions, statistics);
  measure_noise(technology, engine, conditions, statistics);
  measure_leakage(technology, engine, conditions, statistics);
  measure_gates(technology, engine, conditions, statistics);
  measure_mismatch(technology, mismatched, conditions, statistics);
  statistics.charges = measure_cell_charges(technology, curves, engine, conditions);
  return statistics;
}

DeviceStatistics load_device_statistics(const Technology& technology, const compile::GainCurves& curves,
                                        const sim::Engine& engine, const sim::Engine& mismatched,
                                        const compile::Conditions& conditions, Reporter& reporter) {
  const Store store = compile::measurement_store("device-statistics", technology, engine, conditions);
  if (const auto stored = read_json(store, statistics_from_json).value) return *stored;
  reporter.info(fmt::format("measuring mismatch, noise and gates of devices of {}", technology.name));
  DeviceStatistics statistics = measure_device_statistics(technology, curves, engine, mismatched, conditions);
  const auto charge = [](const SwitchCharge& of) { return nlohmann::json{{"own", of.own}, {"swing", of.swing}}; };
  const nlohmann::json record = {{"n", to_json(statistics.n)},
                                 {"p", to_json(statistics.p)},
                                 {"set", charge(statistics.charges.set)},
                                 {"reset", charge(statistics.charges.reset)}};
  store.write(record.dump());
  return statistics;
}

}  // namespace hysteron::behavioural
