#include "compile/gain_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/error.h"
#include "base/stored_json.h"
#include "base/units.h"
#include "compile/stored_measurement.h"

namespace hysteron::compile {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using technology::Geometry;
using technology::Technology;

constexpr double kLowestVoltage = 0.2;
constexpr double kVoltageStep = 0.1;
constexpr double kWidthRatio = 1.15;   // between neighbouring widths of the grid
constexpr double kDriftVoltage = 0.6;  // drain to source where drifts are measured; any at which legs are saturated

std::vector<double> width_grid(const Technology& technology) {
  const double least = std::max(technology.n.minimum_width, technology.p.minimum_width);
  const double most = std::min(technology.n.maximum_width, technology.p.maximum_width);
  std::vector<double> widths;
  for (double width = least; width < most; width *= kWidthRatio) widths.push_back(width);
  widths.push_back(most);
  return widths;
}

/// Sources and devices of one measuring circuit, built up piece by piece.
struct Rig {
  Circuit circuit;
  sim::Testbench bench;

  NetId held(double voltage) {
    const NetId net = circuit.net(fmt::format("held{}", bench.voltage_sources.size()));
    bench.voltage_sources.push_back({net, {{0.0, voltage}}});
    return net;
  }
  std::size_t add(const std::string& name, Polarity polarity, NetId drain, NetId gate, NetId source, Geometry size) {
    return circuit.add({name, "", polarity, circuit::Role::kRail, drain, gate, source, size.width, size.length});
  }
  std::size_t probe(sim::Probe::Kind kind, std::size_t index) {
    bench.probes.push_back({kind, index});
    return bench.probes.size() - 1;
  }
  void current(NetId from, NetId to, double value) { bench.current_sources.push_back({from, to, {{0.0, value}}}); }

  sim::Waveforms run(const sim::Engine& engine, double supply, double temperature) {
    bench.circuit = &circuit;
    bench.supply = supply;
    bench.temperature = temperature;
    return engine.run(bench);
  }
};

void measure_legs(const Technology& technology, const sim::Engine& engine, const Conditions& conditions, double supply,
                  GainCurves& curves) {
  Rig rig;
  const NetId n_rail = rig.circuit.net("nrail");
  const NetId p_rail = rig.circuit.net("prail");
  rig.add("nref", Polarity::kN, n_rail, n_rail, Circuit::kGround, technology.reference);
  rig.add("pref", Polarity::kP, p_rail, p_rail, Circuit::kSupply, technology.reference);
  rig.current(Circuit::kSupply, n_rail, conditions.unit_current);
  rig.current(p_rail, Circuit::kGround, conditions.unit_current);
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    const bool is_n = polarity == Polarity::kN;
    for (const double length : curves.lengths) {
      for (const double voltage : curves.voltages) {
        const NetId drain = rig.held(is_n ? voltage : supply - voltage);
        for (const double width : curves.widths) {
          const auto device =
              rig.add(fmt::format("leg{}", rig.bench.probes.size()), polarity, drain, is_n ? n_rail : p_rail,
                      is_n ? Circuit::kGround : Circuit::kSupply, {width, length});
          rig.probe(sim::Probe::Kind::kDrainCurrent, device);
        }
      }
    }
  }
  const sim::Waveforms result = rig.run(engine, supply, conditions.temperature);
  for (const std::vector<double>& value : result.values) {
    curves.gains.push_back(std::abs(value.front()) / conditions.unit_current);
  }
}

/// The same gains in the cold, over those of `curves`, less one.
void measure_drifts(const Technology& technology, const sim::Engine& engine, const Conditions& conditions,
                    double supply, GainCurves& curves) {
  if (std::isinf(technology.leg_drift)) return;
  GainCurves cold;
  cold.widths = curves.widths;
  cold.lengths = curves.lengths;
  cold.voltages = {kDriftVoltage};
  Conditions coldest = conditions;
  coldest.temperature = technology.temperature_low;
  measure_legs(technology, engine, coldest, supply, cold);
  auto gain = cold.gains.begin();
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    for (std::size_t length = 0; length < curves.lengths.size(); ++length) {
      for (const double width : curves.widths) {
        curves.drifts.push_back(*gain++ / curves.gain(polarity, length, width, kDriftVoltage) - 1.0);
      }
    }
  }
}

NetId add_splitter(Rig& rig, const Technology& technology, const std::string& name, NetId n_gate, NetId p_gate) {
  const NetId node = rig.circuit.net(name);
  const NetId positive = rig.circuit.net(name + "p");
  const NetId negative = rig.circuit.net(name + "m");
  rig.add(name + "cp", Polarity::kP, positive, p_gate, node, technology.splitter);
  rig.add(name + "cn", Polarity::kN, negative, n_gate, node, technology.splitter);
  rig.add(name + "dp", Polarity::kN, positive, positive, Circuit::kGround, technology.reference);
  rig.add(name + "dm", Polarity::kP, negative, negative, Circuit::kSupply, technology.reference);
  return node;
}

OperatingVoltages measure_voltages(const Technology& technology, const sim::Engine& engine,
                                   const Conditions& conditions, double supply) {
  Rig rig;
  const double unit = conditions.unit_current;
  const NetId n_rail = rig.circuit.net("nrail");
  const NetId p_rail = rig.circuit.net("prail");
  rig.add("nref", Polarity::kN, n_rail, n_rail, Circuit::kGround, technology.reference);
  rig.current(Circuit::kSupply, n_rail, unit);
  rig.add("copy", Polarity::kN, p_rail, n_rail, Circuit::kGround, technology.reference);
  rig.add("pref", Polarity::kP, p_rail, p_rail, Circuit::kSupply, technology.reference);

  const NetId n_gate = rig.circuit.net("ngate");
  const NetId middle = rig.circuit.net("middle");
  const NetId p_gate = rig.circuit.net("pgate");
  rig.add("sb", Polarity::kP, n_gate, p_rail, Circuit::kSupply, technology.splitter_bias);
  rig.add("sn", Polarity::kN, n_gate, n_gate, middle, technology.splitter);
  rig.add("sp", Polarity::kP, p_gate, p_gate, middle, technology.splitter);
  rig.add("sl", Polarity::kN, p_gate, p_gate, Circuit::kGround, technology.reference);
  const NetId plus = add_splitter(rig, technology, "plus", n_gate, p_gate);
  const NetId minus = add_splitter(rig, technology, "minus", n_gate, p_gate);
  const NetId push = rig.circuit.net("push");
  const NetId pull = rig.circuit.net("pull");
  rig.add("kp", Polarity::kP, plus, n_rail, push, technology.splitter);
  rig.add("kn", Polarity::kN, minus, middle, pull, technology.splitter);
  rig.current(Circuit::kSupply, push, unit);
  rig.current(pull, Circuit::kGround, unit);

  const NetId output = rig.circuit.net("output");
  const NetId tail = rig.circuit.net("tail");
  rig.add("m4", Polarity::kP, output, output, Circuit::kSupply, technology.reference);
  rig.add("m3", Polarity::kN, output, Circuit::kSupply, tail, technology.cell_switch);
  rig.add("m5", Polarity::kN, tail, n_rail, Circuit::kGround, technology.reference);

  for (const NetId net : {n_rail, p_rail, pull, push, tail}) rig.probe(sim::Probe::Kind::kVoltage, net);
  const sim::Waveforms result = rig.run(engine, supply, conditions.temperature);
  OperatingVoltages voltages;
  voltages.n_diode = result.values[0].front();
  voltages.p_diode = result.values[1].front();
  voltages.cascode_n = result.values[2].front();
  voltages.cascode_p = result.values[3].front();
  voltages.cell_tail = result.values[4].front();
  return voltages;
}

// Stored curves ---------------------------------------------------------------------------------------------------

nlohmann::json to_json(const GainCurves& curves) {
  return {{"widths", curves.widths},
          {"lengths", curves.lengths},
          {"voltages", curves.voltages},
          {"gains", curves.gains},
          {"drifts", curves.drifts},
          {"n_diode", curves.operating.n_diode},
          {"p_diode", curves.operating.p_diode},
          {"cascode_n", curves.operating.cascode_n},
          {"cascode_p", curves.operating.cascode_p},
          {"cell_tail", curves.operating.cell_tail}};
}

std::optional<GainCurves> from_json(const nlohmann::json& json) {
  GainCurves curves;
  json.at("widths").get_to(curves.widths);
  json.at("lengths").get_to(curves.lengths);
  json.at("voltages").get_to(curves.voltages);
  json.at("gains").get_to(curves.gains);
  json.at("drifts").get_to(curves.drifts);
  json.at("n_diode").get_to(curves.operating.n_diode);
  json.at("p_diode").get_to(curves.operating.p_diode);
  json.at("cascode_n").get_to(curves.operating.cascode_n);
  json.at("cascode_p").get_to(curves.operating.cascode_p);
  json.at("cell_tail").get_to(curves.operating.cell_tail);
  const std::size_t points = 2 * curves.widths.size() * curves.lengths.size() * curves.voltages.size();
  if (points == 0 || curves.gains.size() != points) return {};
  return curves;
}

/// Throws where what is read of legs is no current.
void check_curves(const GainCurves& curves, const Technology& technology) {
  const auto middle = curves.gains.begin() + static_cast<std::ptrdiff_t>(curves.gains.size() / 2);
  const auto check = [&](auto begin, auto end, const char* table, const technology::Device& device) {
    if (std::all_of(begin, end, [](double gain) { return std::isfinite(gain) && gain > 0.0; })) return;
    throw bad_input(
        fmt::format("technology {}: key {}.inner is {}, whose drain current is zero or missing; expected the MOS "
                    "instance inside {} that carries the leg's current",
                    technology.name, table, quoted(device.inner), device.subcircuit));
  };
  check(curves.gains.begin(), middle, "nfet", technology.n);
  check(middle, curves.gains.end(), "pfet", technology.p);
}

}  // namespace

double supply_of(const Technology& technology, const Conditions& conditions) {
  return conditions.supply > 0.0 ? conditions.supply : technology.supply;
}

double GainCurves::gain(Polarity polarity, std::size_t length_index, double width, double voltage) const {
  const std::size_t plane = ((polarity == Polarity::kN ? 0 : lengths.size()) + length_index) * voltages.size();
  const auto at_voltage = [&](std::size_t v) {
    const double* row = gains.data() + (plane + v) * widths.size();
    const auto above = std::upper_bound(widths.begin() + 1, widths.end() - 1, width);
    const auto i = static_cast<std::size_t>(above - widths.begin());
    const double share = std::log(width / widths[i - 1]) / std::log(widths[i] / widths[i - 1]);
    const double low = std::log(row[i - 1] / widths[i - 1]);
    const double high = std::log(row[i] / widths[i]);
    return width * std::exp(low + share * (high - low));
  };
  const auto above = std::upper_bound(voltages.begin() + 1, voltages.end() - 1, voltage);
  const auto v = static_cast<std::size_t>(above - voltages.begin());
  const double share = std::clamp((voltage - voltages[v - 1]) / (voltages[v] - voltages[v - 1]), 0.0, 1.0);
  return at_voltage(v - 1) * (1.0 - share) + at_voltage(v) * share;
}

double GainCurves::drift(Polarity polarity, std::size_t length_index, double width) const {
  if (drifts.empty()) return 0.0;
  const double* row = drifts.data() + ((polarity == Polarity::kN ? 0 : lengths.size()) + length_index) * widths.size();
  const auto above = std::upper_bound(widths.begin() + 1, widths.end() - 1, width);
  const auto i = static_cast<std::size_t>(above - widths.begin());
  const double share = std::clamp(std::log(width / widths[i - 1]) / std::log(widths[i] / widths[i - 1]), 0.0, 1.0);
  return row[i - 1] * (1.0 - share) + row[i] * share;
}

std::optional<std::size_t> GainCurves::find_length(double length) const {
  constexpr double kSlack = 1e-6;  // sizes are read from files with six digits
  const auto found = std::find_if(lengths.begin(), lengths.end(), [&](double candidate) {
    return std::abs(length - candidate) <= (kMaxTrim + kSlack) * candidate;
  });
  if (found == lengths.end()) return std::nullopt;
  return static_cast<std::size_t>(found - lengths.begin());
}

std::size_t GainCurves::length_index(double length) const {
  const std::optional<std::size_t> found = find_length(length);
  assert(found);
  return *found;
}

namespace {

/// The gain goes as L to the power of minus this around `lengths[index]`. It would be 1 were it not that the threshold
/// voltage goes with the length too, by a part in 1/L: the exponent is 1 - c/L, with c from this length and the next.
double length_exponent(const GainCurves& curves, Polarity polarity, std::size_t index, double width, double voltage) {
  if (curves.lengths.size() < 2) return 1.0;
  const std::size_t shorter = std::min(index, curves.lengths.size() - 2);
  const double short_length = curves.lengths[shorter];
  const double long_length = curves.lengths[shorter + 1];
  const double gains =
      curves.gain(polarity, shorter, width, voltage) / curves.gain(polarity, shorter + 1, width, voltage);
  const double missing = std::log(long_length / short_length) - std::log(gains);
  return 1.0 - missing / (1.0 / short_length - 1.0 / long_length) / curves.lengths[index];
}

}  // namespace

double GainCurves::gain_of(Polarity polarity, const Geometry& geometry, double voltage) const {
  const std::size_t index = length_index(geometry.length);
  const double untrimmed = gain(polarity, index, geometry.width, voltage);
  const double longer = geometry.length / lengths[index];
  if (longer == 1.0) return untrimmed;
  return untrimmed * std::pow(longer, -length_exponent(*this, polarity, index, geometry.width, voltage));
}

double GainCurves::width_for(Polarity polarity, std::size_t length_index, double target, double voltage) const {
  double low = widths.front();
  double high = widths.back();
  // Bisection in log width. The gain rises with the width everywhere but at the very narrowest N devices, where the
  // search ends on the wider of two solutions' side.
  for (int step = 0; step < 60; ++step) {
    const double middle = std::sqrt(low * high);
    (gain(polarity, length_index, middle, voltage) < target ? low : high) = middle;
  }
  return std::sqrt(low * high);
}

GainCurves measure_gain_curves(const Technology& technology, const sim::Engine& engine, const Conditions& conditions) {
  const double supply = supply_of(technology, conditions);
  GainCurves curves;
  curves.widths = width_grid(technology);
  curves.lengths = technology.leg_lengths;
  const int steps = static_cast<int>((supply - kLowestVoltage) / kVoltageStep);
  for (int i = 0; i <= steps; ++i) curves.voltages.push_back(kLowestVoltage + i * kVoltageStep);
  measure_legs(technology, engine, conditions, supply, curves);
  check_curves(curves, technology);
  measure_drifts(technology, engine, conditions, supply, curves);
  curves.operating = measure_voltages(technology, engine, conditions, supply);
  return curves;
}

GainCurves load_gain_curves(const Technology& technology, const sim::Engine& engine, const Conditions& conditions,
                            Reporter& reporter) {
  const Store store = measurement_store("gain-curves", technology, engine, conditions);
  if (const auto stored = read_json(store, from_json).value) {
    check_curves(*stored, technology);
    return *stored;
  }
  reporter.info(
      fmt::format("measuring the gain curves of {} at {}", technology.name, format_si(conditions.unit_current, "A")));
  GainCurves curves = measure_gain_curves(technology, engine, conditions);
  store.write(to_json(curves).dump());
  return curves;
}

}  // namespace hysteron::compile
