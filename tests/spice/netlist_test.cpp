#include "spice/netlist.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "spice/dialect.h"
#include "spice/netlist_tree.h"
#include "spice/ngspice.h"
#include "spice/spice_engine.h"

namespace hysteron::spice {
namespace {

using circuit::Circuit;
using circuit::NetId;
using circuit::Polarity;
using circuit::Role;

/// An N mirror in one block that drives a P mirror in a nested one; its output is a terminal.
struct TwoMirrors {
  Circuit circuit;
  NetId input = circuit.net("in");
  NetId middle = circuit.net("mid");
  NetId output = circuit.net("out");

  TwoMirrors() {
    const auto add = [&](const char* name, const char* block, Polarity polarity, NetId drain, NetId gate,
                         double width) {
      const NetId source = polarity == Polarity::kN ? Circuit::kGround : Circuit::kSupply;
      circuit.add({name, block, polarity, Role::kRail, drain, gate, source, width, 5e-6});
    };
    add("d", "front", Polarity::kN, input, input, 5e-6);
    add("c", "front", Polarity::kN, middle, input, 10e-6);
    add("d", "front/back", Polarity::kP, middle, middle, 5e-6);
    add("c", "front/back", Polarity::kP, output, middle, 5e-6);
    circuit.add_port(input);
    circuit.add_port(output);
  }
};

std::string hierarchical(const Circuit& circuit, const technology::Technology& technology) {
  return format_netlist(Hierarchy(circuit, technology, "top").netlist(), Dialect::kNgspice);
}

std::string flat(const Circuit& circuit, const technology::Technology& technology) {
  return format_netlist(flat_netlist(circuit, technology, "top"), Dialect::kNgspice);
}

TEST(Netlist, HasASubcircuitForEveryBlock) {
  const technology::Technology technology = technology::load_technology("generic180");
  EXPECT_EQ(hierarchical(TwoMirrors().circuit, technology),
            "* Netlist\n"
            "\n"
            ".subckt top_back mid vdd out\n"
            "xd mid mid vdd vdd pfet_g180 w=5e-06 l=5e-06\n"
            "xc out mid vdd vdd pfet_g180 w=5e-06 l=5e-06\n"
            ".ends top_back\n"
            "\n"
            ".subckt top_front vdd in out\n"
            "xd in in 0 0 nfet_g180 w=5e-06 l=5e-06\n"
            "xc mid in 0 0 nfet_g180 w=1e-05 l=5e-06\n"
            "xback mid vdd out top_back\n"
            ".ends top_front\n"
            "\n"
            ".subckt top vdd vddc in out\n"
            "xfront vdd in out top_front\n"
            ".ends top\n");
}

/// Two blocks of one N mirror each; the copies' widths differ.
struct TwinBlocks {
  Circuit circuit;
  std::vector<circuit::DeviceId> copies;

  TwinBlocks() {
    for (const int i : {0, 1}) {
      const std::string number = std::to_string(i);
      const NetId input = circuit.net("c" + number + "_in");
      const NetId middle = circuit.net("c" + number + "_mid");
      const std::string block = "pair/twin" + number;
      circuit.add({"d", block, Polarity::kN, Role::kRail, input, input, Circuit::kGround, 5e-6, 5e-6});
      copies.push_back(
          circuit.add({"c", block, Polarity::kN, Role::kRail, middle, input, Circuit::kGround, (i + 1) * 1e-6, 5e-6}));
      circuit.add({"p", block, Polarity::kP, Role::kRail, middle, middle, Circuit::kSupply, 5e-6, 5e-6});
      circuit.add_port(input);
    }
  }
};

TEST(Netlist, EqualBlocksShareOneSubcircuitWithParameters) {
  const technology::Technology technology = technology::load_technology("generic180");
  const TwinBlocks synthetic_networks;
  Annotations annotations;
  annotations.devices[synthetic_networks.copies[0]] = {"copy", "first"};
  annotations.devices[synthetic_networks.copies[1]] = {"copy", "second"};
  const Hierarchy hierarchy(synthetic_networks.circuit, technology, "top", annotations);
  ASSERT_EQ(hierarchy.netlist().subcircuits.size(), 3U);
  const Subcircuit& synthetic = hierarchy.netlist().subcircuits[0];
  EXPECT_EQ(synthetic.ports, (std::vector<std::string>{"c_in", "vdd"}));
  EXPECT_EQ(synthetic.instances[1].settings[0].reference, "copy_w");
  const Subcircuit& pair = hierarchy.netlist().subcircuits[1];
  EXPECT_EQ(pair.instances[0].settings[0].value, 1e-6);
  EXPECT_EQ(pair.instances[1].settings[0].value, 2e-6);
  EXPECT_EQ(pair.instances[1].comments.front().text, "second");
  EXPECT_EQ(hierarchy.device(synthetic_networks.copies[1]), (Path{"xpair", "xtwin1", "xc"}));
  EXPECT_EQ(hierarchy.net(synthetic_networks.circuit.transistor(synthetic_networks.copies[1]).drain),
            (Path{"xpair", "xtwin1", "c_mid"}));
}

TEST(Netlist, WhatDiffersWithoutANameIsAParameterToo) {
  const technology::Technology technology = technology::load_technology("generic180");
  const Hierarchy hierarchy(TwinBlocks().circuit, technology, "top");
  EXPECT_EQ(hierarchy.netlist().subcircuits[0].instances[1].settings[0].reference, "c_w");
  EXPECT_EQ(hierarchy.netlist().subcircuits[0].instances[0].settings[0].reference, "");
}

TEST(Netlist, CapacitorsLieInTheirBlockAndMakeTheirNetATerminalWhereItIsShared) {
  const technology::Technology technology = technology::load_technology("generic180");
  TwoMirrors mirrors;
  mirrors.circuit.add(circuit::Capacitor{"hold", "front/back", mirrors.input, 5e-14});
  const std::string text = hierarchical(mirrors.circuit, technology);
  EXPECT_NE(text.find(".subckt top_back mid vdd out in\n"), std::string::npos) << text;
  EXPECT_NE(text.find("chold in 0 5e-14\n"), std::string::npos) << text;
  EXPECT_NE(flat(mirrors.circuit, technology).find("cfront_back_hold in 0 5e-14\n"), std::string::npos);
}

TEST(Netlist, CapacitorsHoldTheirCharge) {
  // 1 pA into 1 pF for 1 s: one volt. A diode far away keeps the circuit from being empty.
  const technology::Technology technology = technology::load_technology("generic180");
  TwoMirrors mirrors;
  const NetId top = mirrors.circuit.net("top");
  mirrors.circuit.add(circuit::Capacitor{"c", "", top, 1e-12});
  sim::Testbench bench;
  bench.circuit = &mirrors.circuit;
  bench.supply = 1.8;
  bench.stop_time = 1.0;
  bench.current_sources = {{Circuit::kSupply, mirrors.input, {{0.0, 1e-9}}},
                           {Circuit::kSupply, top, {{0.0, 0.0}, {1e-6, 1e-12}}}};
  bench.voltage_sources = {{mirrors.output, {{0.0, 0.9}}}};
  bench.initial_voltages[top] = 0.0;
  bench.probes = {{sim::Probe::Kind::kVoltage, top}};
  const Ngspice ngspice;
  EXPECT_NEAR(SpiceEngine(ngspice, technology).run(bench).at(0, 1.0), 1.0, 0.01);
}

TEST(Engine, FingerprintChangesWithEverythingThatDecides) {
  const technology::Technology technology = technology::load_technology("generic180");
  const Ngspice ngspice;
  const SpiceEngine engine(ngspice, technology);
  TwoMirrors mirrors;
  sim::Testbench bench;
  bench.circuit = &mirrors.circuit;
  bench.supply = 1.8;
  bench.current_sources = {{Circuit::kSupply, mirrors.input, {{0.0, 1e-9}}}};
  const std::string before = engine.fingerprint(bench);
  EXPECT_EQ(engine.fingerprint(bench), before);
  const auto differs = [&](const auto& change) {
    sim::Testbench other = bench;
    change(other);
    return engine.fingerprint(other) != before;
  };
  EXPECT_TRUE(differs([](sim::Testbench& b) { b.temperature = 28.0; }));
  EXPECT_TRUE(differs([](sim::Testbench& b) { b.corner = "ff"; }));
  EXPECT_TRUE(differs([](sim::Testbench& b) { b.current_sources[0].current[0].value = 1.001e-9; }));
  EXPECT_TRUE(differs([](sim::Testbench& b) { b.probes.push_back({sim::Probe::Kind::kVoltage, 3}); }));
  EXPECT_TRUE(differs([](sim::Testbench& b) { b.read_times = {0.1}; }));
  RunOptions options;
  options.retries.clear();
  EXPECT_NE(SpiceEngine(ngspice, technology, options).fingerprint(bench), before);
  technology::Technology changed = technology;
  changed.fingerprint += "x";
  EXPECT_NE(SpiceEngine(ngspice, changed).fingerprint(bench), before);
}

TEST(Netlist, NoLineIsLongerThanSimulatorsTake) {
  const technology::Technology technology = technology::load_technology("generic180");
  TwoMirrors mirrors;
  for (int i = 0; i < 100; ++i) mirrors.circuit.add_port(mirrors.circuit.net("port_number_" + std::to_string(i)));
  for (const Dialect dialect : {Dialect::kNgspice, Dialect::kSpectre, Dialect::kXyce}) {
    std::istringstream lines(format_netlist(flat_netlist(mirrors.circuit, technology, "top"), dialect));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << line;
  }
}

/// The current of `out` when the subcircuit `netlist` is run at 1 nA.
double simulate(const std::string& netlist, const technology::Technology& technology) {
  Deck deck;
  deck.files = technology.models.files;
  deck.text = "mirrors\n.param sw_mismatch=0 sw_process=0\n.lib 'generic180.spice' tt\n.options gmin=1e-16\n" +
              netlist +
              "vdd vdd 0 1.8\niin vdd in 1n\nvout out 0 0.9\nx1 vdd vdd in out top\n.save i(vout)\n.op\n.end\n";
  return Ngspice().run(deck).raw.plots.front().last("i(vout)");
}

TEST(Netlist, FlatAndHierarchicalFormsAreTheSameCircuit) {
  const technology::Technology technology = technology::load_technology("generic180");
  const TwoMirrors mirrors;
  const double all_in_one = simulate(flat(mirrors.circuit, technology), technology);
  const double nested = simulate(hierarchical(mirrors.circuit, technology), technology);
  EXPECT_NEAR(all_in_one, 2e-9, 0.1e-9);
  EXPECT_NEAR(nested, all_in_one, 1e-3 * all_in_one);
}

TEST(SpiceEngine, ReadsCurrentsVoltagesAndSupplies) {
  const technology::Technology technology = technology::load_technology("generic180");
  const Ngspice ngspice;
  const SpiceEngine engine(ngspice, technology);
  const TwoMirrors mirrors;
  sim::Testbench bench;
  bench.circuit = &mirrors.circuit;
  bench.supply = 1.8;
  bench.current_sources.push_back({Circuit::kSupply, mirrors.input, {{0.0, 1e-9}}});
  bench.voltage_sources.push_back({mirrors.output, {{0.0, 0.9}}});
  bench.probes = {{sim::Probe::Kind::kDrainCurrent, 0},
                  {sim::Probe::Kind::kVoltage, mirrors.input},
                  {sim::Probe::Kind::kSourceCurrent, 0},
                  {sim::Probe::Kind::kSupplyCurrent, Circuit::kSupply}};
  const sim::Waveforms result = engine.run(bench);
  EXPECT_NEAR(result.values[0].front(), 1e-9, 1e-12);
  EXPECT_NEAR(result.values[1].front(), 0.25, 0.1);
  EXPECT_NEAR(result.values[2].front(), -2e-9, 0.1e-9);  // the source takes what the mirror pushes
  EXPECT_NEAR(result.values[3].front(), 5e-9, 0.2e-9);   // input, both branches of the P mirror
}

TEST(SpiceEngine, SettlesToTheOperatingPointInTime) {
  const technology::Technology technology = technology::load_technology("generic180");
  const Ngspice ngspice;
  const SpiceEngine engine(ngspice, technology);
  const TwoMirrors mirrors;
  sim::Testbench bench;
  bench.circuit = &mirrors.circuit;
  bench.supply = 1.8;
  bench.stop_time = 0.02;
  bench.current_sources.push_back({Circuit::kSupply, mirrors.input, {{0.0, 1e-9}, {0.01, 1e-9}, {0.0101, 2e-9}}});
  bench.voltage_sources.push_back({mirrors.output, {{0.0, 0.9}}});
  bench.probes = {{sim::Probe::Kind::kSourceCurrent, 0}};
  const sim::Waveforms result = engine.run(bench);
  EXPECT_NEAR(result.at(0, 0.019) / result.at(0, 0.009), 2.0, 0.02);
  bench.read_times = {0.009, 0.01007, 0.019};
  const sim::Waveforms read = engine.run(bench);
  EXPECT_EQ(read.time, bench.read_times);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(read.values[0][i], result.at(0, bench.read_times[i])) << i;
}

TEST(SpiceEngine, NamesAnUnknownCorner) {
  const technology::Technology technology = technology::load_technology("generic180");
  const TwoMirrors mirrors;
  sim::Testbench bench;
  bench.circuit = &mirrors.circuit;
  bench.corner = "zz";
  try {
    make_deck(bench, technology);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("zz"), std::string::npos);
  }
}

}  // namespace
}  // namespace hysteron::spice
