#include "compile/current_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/units.h"

namespace hysteron::compile {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using technology::Geometry;
using technology::Technology;

constexpr double kPairRatio = 8.0;
constexpr double kPairWidth = 2e-6;
constexpr double kPairLength = 5e-6;
constexpr double kMirrorWidth = 2e-6;
constexpr double kMirrorLength = 10e-6;
constexpr double kMinRatio = 1.1;  // of the long diode's length to the linear device's
constexpr double kMaxRatio = 12.0;
constexpr int kChain = 8;         // devices in series
constexpr double kSettled = 0.2;  // second: ten times what the loop takes at 300 pA
constexpr double kKick = 0.8;     // volt
constexpr double kLargestError = 0.1;

double long_length(const Technology& technology) { return std::min(50e-6, technology.n.maximum_length); }

CurrentReference build(const Technology& technology, const GainCurves& curves, double linear_length) {
  CurrentReference result;
  Circuit& circuit = result.circuit;
  const NetId pair = circuit.net("pair");
  const NetId mirror = circuit.net("mirror");
  const NetId gate = circuit.net("gate");
  const NetId tail = circuit.net("tail");
  result.output = circuit.net("output");
  circuit.add_port(result.output);
  result.linear_length = linear_length;
  const auto n = [&](const char* name, NetId drain, NetId at, NetId source, Geometry size) {
    circuit.add({name, "", Polarity::kN, circuit::Role::kBiasRail, drain, at, source, size.width, size.length});
  };
  const auto p = [&](const char* name, NetId drain) {
    circuit.add({name, "", Polarity::kP, circuit::Role::kBiasRail, drain, mirror, Circuit::kSupply, kMirrorWidth,
                 kMirrorLength});
  };
  n("pair_one", pair, pair, Circuit::kGround, {kPairWidth, kPairLength});
  n("pair_many", mirror, pair, tail, {kPairRatio * kPairWidth, kPairLength});
  // Chains, so that the narrowest devices are strongly inverted by a current as small as the unit current: in weak
  // inversion the loop would hold any current equally well.
  const auto chain = [&](const std::string& name, NetId top, double length) {
    for (int i = 0; i < kChain; ++i) {
      const NetId from = i == 0 ? top : circuit.net(fmt::format("{}{}", name, i));
      const NetId to = i + 1 == kChain ? Circuit::kGround : circuit.net(fmt::format("{}{}", name, i + 1));
      n(fmt::format("{}_{}", name, i).c_str(), from, gate, to, {technology.n.minimum_width, length});
    }
  };
  chain("linear", tail, linear_length);
  chain("long_diode", gate, long_length(technology));
  p("mirror_pair", pair);
  p("mirror_many", mirror);
  p("mirror_gate", gate);
  p("mirror_output", result.output);
  // A start with far more than the unit current: from little the loop falls to its other state, no current at all.
  const double diode = curves.operating.n_diode;
  result.start = {
      {pair, diode + kKick}, {mirror, diode + kKick, true}, {gate, 2.0 * diode + 0.6 * kKick}, {tail, 0.05}};
  return result;
}

}  // namespace

ReferenceCurrents reference_currents(const CurrentReference& reference, const GainCurves& curves,
                                     const std::string& corner, double supply, double temperature,
                                     const sim::Engine& engine) {
  sim::Testbench bench;
  bench.circuit = &reference.circuit;
  bench.supply = supply;
  bench.temperature = temperature;
  bench.corner = corner;
  bench.voltage_sources.push_back({reference.output, {{0.0, curves.operating.n_diode}}});
  for (const CurrentReference::Start& start : reference.start) {
    bench.initial_voltages[start.net] = start.below_supply ? supply - start.voltage : start.voltage;
  }
  bench.starts_from_initial_voltages = true;
  bench.stop_time = kSettled;
  bench.maximum_step = kSettled / 100.0;
  bench.probes = {{sim::Probe::Kind::kSourceCurrent, 0}, {sim::Probe::Kind::kSupplyCurrent, Circuit::kSupply}};
  const sim::Waveforms waves = engine.run(bench);
  const double output = std::abs(waves.values[0].back());
  return {output, waves.values[1].back() - output};
}

CurrentReference size_reference(const Technology& technology, const GainCurves& curves, const Conditions& conditions,
                                const sim::Engine& engine) {
  const double supply = supply_of(technology, conditions);
  const auto snapped = [&](double length) { return std::round(length / technology.size_grid) * technology.size_grid; };
  const auto current = [&](double length) {
    return reference_currents(build(technology, curves, length), curves, "", supply, conditions.temperature, engine)
        .output;
  };
  // The shorter, the more current; where it is too long, the loop has no current at all.
  double low = snapped(long_length(technology) / kMaxRatio);
  double high = snapped(long_length(technology) / kMinRatio);
  const double most = current(low);
  const double least = current(high);
  while (high - low > 1.5 * technology.size_grid) {
    const double middle = snapped(0.5 * (low + high));
    if (middle <= low || middle >= high) break;
    (current(middle) > conditions.unit_current ? low : high) = middle;
  }
  const double at_low = current(low);
  const double at_high = current(high);
  const auto error = [&](double found) { return std::abs(found / conditions.unit_current - 1.0); };
  const double best = error(at_low) < error(at_high) ? low : high;
  if (std::min(error(at_low), error(at_high)) > kLargestError) {
    throw bad_input(fmt::format(
        "technology {}: the current reference covers {} to {}; the unit current of {} must lie within", technology.name,
        format_si(least, "A"), format_si(most, "A"), format_si(conditions.unit_current, "A")));
  }
  return build(technology, curves, best);
}

}  // namespace hysteron::compile
