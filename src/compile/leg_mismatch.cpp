#include "compile/leg_mismatch.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/stored_json.h"
#include "base/units.h"
#include "compile/stored_measurement.h"

namespace hysteron::compile {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using technology::Technology;

constexpr int kLegs = 300;  // of each polarity
constexpr unsigned kSeed = 17;

/// A diode that takes the unit current, kLegs legs of its size, drains held at half the supply, and their probes.
void add_legs(Circuit& circuit, sim::Testbench& bench, const Technology& technology, Polarity polarity, double unit) {
  const bool is_n = polarity == Polarity::kN;
  const std::string prefix = is_n ? "n" : "p";
  const NetId rail = circuit.net(prefix + "rail");
  const NetId drain = circuit.net(prefix + "drain");
  const NetId source = is_n ? Circuit::kGround : Circuit::kSupply;
  const auto add = [&](const std::string& name, NetId at) {
    return circuit.add({name, "", polarity, circuit::Role::kRail, at, rail, source, technology.reference.width,
                        technology.reference.length});
  };
  add(prefix + "ref", rail);
  if (is_n) bench.current_sources.push_back({Circuit::kSupply, rail, {{0.0, unit}}});
  if (!is_n) bench.current_sources.push_back({rail, Circuit::kGround, {{0.0, unit}}});
  bench.voltage_sources.push_back({drain, {{0.0, 0.5 * bench.supply}}});
  for (int i = 0; i < kLegs; ++i) {
    bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, add(fmt::format("{}leg{}", prefix, i), drain)});
  }
}

/// Variance over squared mean of `count` values from `begin`.
double relative_variance(const std::vector<std::vector<double>>& values, std::size_t begin, std::size_t count) {
  double mean = 0.0;
  for (std::size_t i = begin; i < begin + count; ++i) mean += std::abs(values[i].front());
  mean /= static_cast<double>(count);
  double squares = 0.0;
  for (std::size_t i = begin; i < begin + count; ++i) {
    const double error = std::abs(values[i].front()) - mean;
    squares += error * error;
  }
  return squares / (static_cast<double>(count - 1) * mean * mean);
}

}  // namespace

Technology with_mismatch(const Technology& technology) {
  Technology result = technology;
  result.parameters[technology.mismatch_parameter] = "1";
  if (!technology.models.mismatch_section.empty()) {
    result.models.sections[technology.typical_corner] = technology.models.mismatch_section;
  }
  return result;
}

double measure_leg_mismatch(const Technology& technology, const sim::Engine& engine, const Conditions& conditions) {
  Circuit circuit;
  sim::Testbench bench;
  bench.circuit = &circuit;
  bench.supply = supply_of(technology, conditions);
  bench.temperature = conditions.temperature;
  bench.seed = kSeed;
  for (const Polarity polarity : {Polarity::kN, Polarity::kP}) {
    add_legs(circuit, bench, technology, polarity, conditions.unit_current);
  }
  const sim::Waveforms result = engine.run(bench);
  return std::sqrt(0.5 * (relative_variance(result.values, 0, kLegs) + relative_variance(result.values, kLegs, kLegs)));
}

double load_leg_mismatch(const Technology& technology, const sim::Engine& engine, const Conditions& conditions,
                         Reporter& reporter) {
  const Store store = measurement_store("leg-mismatch", technology, engine, conditions);
  const auto decode = [](const nlohmann::json& json) { return std::optional(json.get<double>()); };
  if (const auto stored = read_json(store, decode).value) return *stored;
  const double mismatch = measure_leg_mismatch(technology, engine, conditions);
  if (!(mismatch > 0.0)) {
    throw bad_input(
        fmt::format("technology {}: all legs are equal with {} = 1; expected a switch that enables mismatch",
                    technology.name, quoted(technology.mismatch_parameter)));
  }
  reporter.info(fmt::format("mismatch of a leg of {} at {}: {:.2f} % of its current", technology.name,
                            format_si(conditions.unit_current, "A"), 100.0 * mismatch));
  store.write(nlohmann::json(mismatch).dump());
  return mismatch;
}

}  // namespace hysteron::compile
