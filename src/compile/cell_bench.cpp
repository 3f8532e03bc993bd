#include "compile/cell_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "compile/network_builder.h"
#include "compile/stored_measurement.h"

namespace hysteron::compile {
namespace {

using circuit::Circuit;
using circuit::Polarity;

// Legs get their sizes after they are built.
constexpr CellGains kAnyGains{1.0, 0.5, 1.0};

}  // namespace

CellBench build_cell_bench(const std::vector<CellSizes>& sizes, const technology::Technology& technology,
                           const GainCurves& curves, const Conditions& conditions) {
  NetworkBuilder builder(technology, curves, conditions);
  CellBench bench;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    builder.bias() = builder.n_diode_signal({fmt::format("bias{}", i), {}, circuit::Role::kBiasRail});
    circuit::DeviceId diode = 0;
    Signal candidate = builder.n_diode_signal({fmt::format("c{}", i), {}, circuit::Role::kRail}, &diode);
    CompiledCell cell;
    builder.cell(candidate, diode, {fmt::format("h{}", i), {fmt::format("cell{}", i), {}}, kAnyGains}, cell);
    resize_cell(builder.result(), cell, sizes[i]);
    bench.bias.push_back(builder.bias().n_rail);
    bench.candidates.push_back(candidate.n_rail);
    bench.cells.push_back(cell);
  }
  bench.network = std::move(builder.result());
  return bench;
}

sim::Testbench make_cell_testbench(const CellBench& bench, const CellEnvironment& environment,
                                   const std::vector<sim::PiecewiseLinear>& candidates,
                                   const std::vector<bool>& starts_on) {
  using Kind = sim::Probe::Kind;
  sim::Testbench result;
  const double unit = bench.network.conditions.unit_current;
  result.circuit = &bench.network.circuit;
  result.supply = environment.supply > 0.0 ? environment.supply : bench.network.supply;
  result.temperature = environment.temperature;
  result.corner = environment.corner;
  result.current_sources.push_back({Circuit::kSupply, bench.network.reference, {{0.0, unit}}});
  result.voltage_sources.push_back({bench.network.reset, {{0.0, 0.0}}});
  for (std::size_t i = 0; i < bench.cells.size(); ++i) {
    const CompiledCell& cell = bench.cells[i];
    result.current_sources.push_back({Circuit::kSupply, bench.bias[i], {{0.0, unit}}});
    result.current_sources.push_back({Circuit::kSupply, bench.candidates[i], candidates[i]});
    result.initial_voltages[cell.v0] = starts_on[i] ? result.supply : 0.0;
    result.probes.push_back({Kind::kVoltage, cell.v0});
    for (const std::size_t m : {3u, 0u, 6u, 8u}) result.probes.push_back({Kind::kDrainCurrent, cell.m[m]});
  }
  result.probes.push_back({Kind::kSupplyCurrent, Circuit::kCellSupply});
  return result;
}

namespace {

double measure_leakage(const technology::Technology& technology, const Conditions& conditions, double temperature,
                       const sim::Engine& engine) {
  Circuit circuit;
  sim::Testbench bench;
  bench.circuit = &circuit;
  bench.supply = supply_of(technology, conditions);
  bench.temperature = temperature;
  const technology::Geometry size = technology.reference;
  const circuit::NetId drains[] = {circuit.net("off_n"), circuit.net("off_p")};
  circuit.add({"n", "", Polarity::kN, circuit::Role::kCell, drains[0], Circuit::kGround, Circuit::kGround, size.width,
               size.length});
  circuit.add({"p", "", Polarity::kP, circuit::Role::kCell, drains[1], Circuit::kSupply, Circuit::kSupply, size.width,
               size.length});
  bench.voltage_sources = {{drains[0], {{0.0, bench.supply}}}, {drains[1], {{0.0, 0.0}}}};
  bench.probes = {{sim::Probe::Kind::kDrainCurrent, 0}, {sim::Probe::Kind::kDrainCurrent, 1}};
  const sim::Waveforms waves = engine.run(bench);
  double leakage = 0.0;
  for (const auto& column : waves.values) leakage = std::max(leakage, std::abs(column.front()));
  return leakage;
}

double smallest_leg(const GainCurves& curves, const Conditions& conditions) {
  // The narrowest leg is not always the smallest: narrow N devices can carry more.
  double smallest = std::numeric_limits<double>::infinity();
  for (const double width : curves.widths) {
    smallest =
        std::min(smallest, curves.gain(Polarity::kN, curves.lengths.size() - 1, width, curves.operating.cell_tail));
  }
  return smallest * conditions.unit_current;
}

std::optional<double> number_of(const std::string& text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace

CellFloor measure_cell_floor(const technology::Technology& technology, const GainCurves& curves,
                             const Conditions& conditions, double temperature, const sim::Engine& engine) {
  return {measure_leakage(technology, conditions, temperature, engine), smallest_leg(curves, conditions)};
}

CellFloor load_cell_floor(const technology::Technology& technology, const GainCurves& curves,
                          const Conditions& conditions, const sim::Engine& engine) {
  const Store store = measurement_store("leakage", technology, engine, conditions);
  if (const auto leakage = number_of(store.read().value.value_or(""))) {
    return {*leakage, smallest_leg(curves, conditions)};
  }
  const CellFloor floor = measure_cell_floor(technology, curves, conditions, conditions.temperature, engine);
  store.write(fmt::format("{}", floor.leakage));
  return floor;
}

}  // namespace hysteron::compile
