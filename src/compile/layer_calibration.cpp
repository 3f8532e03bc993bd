#include "compile/layer_calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/random.h"
#include "compile/clip_bench.h"

namespace hysteron::compile {
namespace {

using circuit::NetId;
using circuit::Polarity;

// Below this, in unit currents, a value or the current into a node says more of leakage than of gain.
constexpr double kQuiet = 0.02;

// One pass turns a leg by this factor at most: a leg that is further off is not off by its size.
constexpr double kLargestTurn = 1.3;

// And by this share at most for what other legs leak.
constexpr double kMaxBalance = 0.03;

/// Currents in unit currents at the reading point of every frame.
struct Measurement {
  std::size_t frames = 0;
  std::vector<double> values;  ///< [values, frames]
  std::vector<double> legs;    ///< [legs, frames], magnitudes

  double value(std::size_t index, std::size_t frame) const { return values[index * frames + frame]; }
  double leg(std::size_t index, std::size_t frame) const { return legs[index * frames + frame]; }
};

Measurement measure(const CompiledNetwork& network, std::span<const float> features, const sim::Engine& engine) {
  sim::Testbench bench = make_clip_bench(network, features);
  bench.probes.clear();
  for (const circuit::DeviceId diode : network.values) bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, diode});
  for (const std::size_t leg : network.summing) {
    bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, network.legs[leg].device});
  }
  const sim::Waveforms waves = engine.run(bench);
  Measurement result;
  result.frames = features.size() / network.inputs.size();
  const auto read = [&](std::size_t probe, std::vector<double>& into) {
    for (std::size_t t = 0; t < result.frames; ++t) {
      const double when = (static_cast<double>(t) + kReadAt) * network.frame_seconds;
      into.push_back(std::abs(waves.at(probe, when)) / network.conditions.unit_current);
    }
  };
  for (std::size_t i = 0; i < network.values.size(); ++i) read(i, result.values);
  for (std::size_t i = 0; i < network.summing.size(); ++i) read(network.values.size() + i, result.legs);
  return result;
}

/// The legs of one summing node.
struct Node {
  NetId net = 0;
  bool rectifies = false;         ///< an N diode: off, and its N legs with it, while the net current is negative
  std::vector<std::size_t> legs;  ///< indices into CompiledNetwork::summing
};

std::vector<Node> find_nodes(const CompiledNetwork& network) {
  std::set<NetId> diodes;
  for (const circuit::DeviceId diode : network.values) {
    const circuit::Transistor& transistor = network.circuit.transistor(diode);
    if (transistor.polarity == Polarity::kN) diodes.insert(transistor.drain);
  }
  std::map<NetId, Node> nodes;
  for (std::size_t i = 0; i < network.summing.size(); ++i) {
    Node& node = nodes[network.summing_leg(i).node];
    node.net = network.summing_leg(i).node;
    node.rectifies = diodes.count(node.net) != 0;
    node.legs.push_back(i);
  }
  std::vector<Node> result;
  for (auto& [net, node] : nodes) result.push_back(std::move(node));
  return result;
}

/// What the weights ask for of the circuit's own values, unit currents.
double target_current(const CompiledNetwork& network, const Measurement& measured, const Node& node,
                      std::size_t frame) {
  double sum = 0.0;
  for (const std::size_t i : node.legs)
    sum += network.summing_leg(i).weight * measured.value(network.summing_leg(i).source, frame);
  return sum;
}

bool is_off(const Node& node, double target) { return node.rectifies && target < kQuiet; }

/// NaN where the node is off, below kQuiet, in every frame.
double node_error(const CompiledNetwork& network, const Measurement& measured, const Node& node) {
  double errors = 0.0;
  double squares = 0.0;
  for (std::size_t t = 0; t < measured.frames; ++t) {
    const double target = target_current(network, measured, node, t);
    if (is_off(node, target)) continue;
    double found = 0.0;
    for (const std::size_t i : node.legs) found += std::copysign(measured.leg(i, t), network.summing_leg(i).weight);
    errors += (found - target) * (found - target);
    squares += target * target;
  }
  return squares > 0.0 ? std::sqrt(errors / squares) : std::numeric_limits<double>::quiet_NaN();
}

/// Measured over wanted gain of leg `index`, least squares over the frames in which its node is on; 0 where its value
/// is never large enough to tell.
double measured_ratio(const CompiledNetwork& network, const Measurement& measured, const Node& node,
                      std::size_t index) {
  const CompiledLeg& leg = network.summing_leg(index);
  double product = 0.0;
  double squares = 0.0;
  for (std::size_t t = 0; t < measured.frames; ++t) {
    if (is_off(node, target_current(network, measured, node, t))) continue;
    const double value = measured.value(leg.source, t);
    if (value < kQuiet) continue;
    product += value * measured.leg(index, t);
    squares += value * value;
  }
  return squares > 0.0 ? product / squares / std::abs(leg.weight) : 0.0;
}

/// Scales the gain of `leg` by `factor` along its measured curve, on the drawing grid.
void turn(CompiledNetwork& network, const CompiledLeg& leg, double factor, const technology::Technology& technology,
          const GainCurves& curves) {
  const circuit::Transistor& transistor = network.circuit.transistor(leg.device);
  const Polarity polarity = transistor.polarity;
  const technology::Device& device = polarity == Polarity::kN ? technology.n : technology.p;
  const std::size_t length = curves.length_index(transistor.length);
  const double target = factor * curves.gain(polarity, length, transistor.width, leg.voltage);
  const double width = curves.width_for(polarity, length, target, leg.voltage);
  const double drawn = std::round(width / technology.size_grid) * technology.size_grid;
  network.circuit.resize(leg.device, std::clamp(drawn, device.minimum_width, device.maximum_width), transistor.length);
}

/// What to multiply the gain of every leg of `node` by so that it is what its weight asks for; 1 where nothing tells.
std::vector<double> leg_factors(const CompiledNetwork& network, const Measurement& measured, const Node& node) {
  std::vector<double> factors;
  for (const std::size_t i : node.legs) {
    const double ratio = measured_ratio(network, measured, node, i);
    factors.push_back(ratio > 0.0 ? std::clamp(1.0 / ratio, 1.0 / kLargestTurn, kLargestTurn) : 1.0);
  }
  return factors;
}

/// What `node` would carry in excess of what is wanted if its legs were tuned by `factors`.
struct Excess {
  double error = 0.0;       ///< RMS over that of what is wanted
  std::size_t largest = 0;  ///< leg, among the node's, that carries most of its current
  double share = 0.0;       ///< of the largest leg that fits the excess best
};

Excess predict_excess(const CompiledNetwork& network, const Measurement& measured, const Node& node,
                      const std::vector<double>& factors) {
  struct Sums {
    double squares = 0.0;
    double products = 0.0;
  };
  std::vector<Sums> sums(node.legs.size());
  double errors = 0.0;
  double all = 0.0;
  for (std::size_t t = 0; t < measured.frames; ++t) {
    const double target = target_current(network, measured, node, t);
    if (is_off(node, target)) continue;
    const auto current = [&](std::size_t k) {
      return factors[k] * std::copysign(measured.leg(node.legs[k], t), network.summing_leg(node.legs[k]).weight);
    };
    double excess = -target;
    for (std::size_t k = 0; k < node.legs.size(); ++k) excess += current(k);
    for (std::size_t k = 0; k < node.legs.size(); ++k) {
      sums[k].squares += current(k) * current(k);
      sums[k].products += current(k) * excess;
    }
    errors += excess * excess;
    all += target * target;
  }
  if (!(all > 0.0)) return {};
  Excess result{std::sqrt(errors / all), 0, 0.0};
  for (std::size_t k = 1; k < sums.size(); ++k) {
    if (sums[k].squares > sums[result.largest].squares) result.largest = k;
  }
  const Sums& largest = sums[result.largest];
  if (largest.squares > 0.0) result.share = largest.products / largest.squares;
  return result;
}

/// Turns every leg to what its weight asks for. Where that leaves a node off, legs whose source is off leak into it:
/// its largest leg is then tuned further, to what leaves the least error over the frames.
void turn_legs(CompiledNetwork& network, const Measurement& measured, const std::vector<Node>& nodes,
               const technology::Technology& technology, const GainCurves& curves) {
  for (const Node& node : nodes) {
    std::vector<double> factors = leg_factors(network, measured, node);
    const Excess excess = predict_excess(network, measured, node, factors);
    if (excess.error > kNodeTolerance) {
      factors[excess.largest] *= std::clamp(1.0 - excess.share, 1.0 - kMaxBalance, 1.0 + kMaxBalance);
    }
    for (std::size_t k = 0; k < node.legs.size(); ++k) {
      if (factors[k] != 1.0) turn(network, network.summing_leg(node.legs[k]), factors[k], technology, curves);
    }
  }
}

/// Sizes a pass was measured with, and what it found.
struct Pass {
  std::vector<technology::Geometry> legs;
  std::vector<double> errors;  ///< of every node

  double worst() const {
    double most = 0.0;
    for (const double error : errors) most = std::max(most, error);  // which leaves NaN out
    return most;
  }
};

Pass record_pass(const CompiledNetwork& network, const Measurement& measured, const std::vector<Node>& nodes) {
  Pass pass;
  for (const std::size_t leg : network.summing) {
    const circuit::Transistor& transistor = network.circuit.transistor(network.legs[leg].device);
    pass.legs.push_back({transistor.width, transistor.length});
  }
  for (const Node& node : nodes) pass.errors.push_back(node_error(network, measured, node));
  return pass;
}

void restore(CompiledNetwork& network, const Pass& pass) {
  for (std::size_t i = 0; i < network.summing.size(); ++i) {
    network.circuit.resize(network.summing_leg(i).device, pass.legs[i].width, pass.legs[i].length);
  }
}

void record_errors(CompiledNetwork& network, const Measurement& measured, const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    for (const std::size_t i : node.legs) {
      CompiledLeg& leg = network.legs[network.summing[i]];
      const double ratio = measured_ratio(network, measured, node, i);
      if (leg.parameter && ratio > 0.0) leg.note_gain(ratio);
    }
  }
}

}  // namespace

LayerCalibration calibrate_layers(CompiledNetwork& network, const technology::Technology& technology,
                                  const GainCurves& curves, std::span<const float> features, const sim::Engine& engine,
                                  Reporter& reporter) {
  const std::vector<Node> nodes = find_nodes(network);
  LayerCalibration result;
  Pass best;
  Measurement best_measured;
  for (int index = 0; index < kLayerPasses; ++index) {
    Measurement measured = measure(network, features, engine);
    ++result.passes;
    const Pass pass = record_pass(network, measured, nodes);
    if (index == 0) {
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        result.nodes.push_back({network.circuit.net_name(nodes[i].net), pass.errors[i], 0.0});
      }
    }
    if (index == 0 || pass.worst() < best.worst()) {
      best = pass;
      best_measured = measured;
    }
    const bool is_last = index + 1 == kLayerPasses || (index > 0 && pass.worst() <= kNodeTolerance);
    reporter.progress("calibrating layers", static_cast<std::size_t>(is_last ? kLayerPasses : index + 1), kLayerPasses,
                      "");
    if (is_last) break;
    turn_legs(network, measured, nodes, technology, curves);
  }
  // A step can make things worse: a leg whose width the grid or its narrowest width holds back takes others along.
  restore(network, best);
  for (std::size_t i = 0; i < nodes.size(); ++i) result.nodes[i].after = best.errors[i];
  record_errors(network, best_measured, nodes);
  return result;
}

std::vector<float> random_features(std::size_t frames, std::size_t inputs) {
  Random random = Random(1).child("calibration features");
  std::vector<float> features(frames * inputs);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

std::vector<float> calibration_frames(std::span<const float> features, std::size_t inputs) {
  assert(inputs > 0 && features.size() % inputs == 0);
  const std::size_t all = features.size() / inputs;
  const std::size_t count = std::min(all, kCalibrationFrames);
  std::vector<float> result;
  for (std::size_t i = 0; i < count; ++i) {
    const auto frame = features.subspan((i * all + all / 2) / count * inputs, inputs);
    result.insert(result.end(), frame.begin(), frame.end());
  }
  return result;
}

}  // namespace hysteron::compile
