// Golden files in tests/compile/golden: the small network with made-up curves in every dialect. They change only by
//     HYSTERON_UPDATE_GOLDEN=1 build/release/tests/compile_test --gtest_filter='*Golden*'

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "compile/clip_bench.h"
#include "compile/dialect_checker.h"
#include "compile/extraction.h"
#include "compile/hazard_mitigations.h"
#include "compile/ideal_curves.h"
#include "compile/netlist_notes.h"
#include "compile/small_network.h"
#include "spice/dialect.h"
#include "spice/netlist_reader.h"

namespace hysteron::compile {
namespace {

namespace fs = std::filesystem;
using spice::Dialect;

const technology::Technology& generic180() {
  static const technology::Technology technology = technology::load_technology("generic180");
  return technology;
}

/// The small network and its first frames, as text in one dialect.
struct Texts {
  std::string netlist;
  std::string bench;
  std::size_t transistors = 0;
};
Texts small_texts(Dialect dialect, const HazardMitigations& mitigations = {}) {
  const GainCurves curves = ideal_curves();
  CompiledNetwork network = build_network(small_network(), generic180(), curves, {});
  apply_mitigations(network, mitigations);
  const spice::Hierarchy hierarchy(network.circuit, generic180(), kNetworkName,
                                   make_notes(network, generic180(), curves));
  const sim::Testbench bench = make_clip_bench(network, small_features());
  spice::BenchFile file;
  file.header = {"Test bench of the small network"};
  file.netlist = "network" + spice::file_extension(dialect);
  file.read_times = {0.0095, 0.0195};
  return {spice::format_netlist(hierarchy.netlist(), dialect),
          spice::format_bench(bench, generic180(), hierarchy, file, dialect), network.circuit.transistors().size()};
}

void compare_with_golden(const std::string& text, const std::string& name, const std::string& comment) {
  const fs::path path = fs::path(HYSTERON_SOURCE_DIR) / "tests/compile/golden" / name;
  const std::string golden =
      comment + " Golden file: the small network as compile writes it; see tests/compile/netlist_golden_test.cpp\n" +
      text;
  if (std::getenv("HYSTERON_UPDATE_GOLDEN") != nullptr) write_file(path, golden);
  EXPECT_EQ(read_file(path), golden) << name << " changed; if that is meant, see the top of this file";
}

TEST(NetlistGolden, Ngspice) {
  const Texts texts = small_texts(Dialect::kNgspice);
  compare_with_golden(texts.netlist, "network.spice", "*");
  compare_with_golden(texts.bench, "bench.spice", "*");
}

TEST(NetlistGolden, Spectre) {
  const Texts texts = small_texts(Dialect::kSpectre);
  compare_with_golden(texts.netlist, "network.scs", "//");
  compare_with_golden(texts.bench, "bench.scs", "//");
}

TEST(NetlistGolden, Xyce) {
  const Texts texts = small_texts(Dialect::kXyce);
  compare_with_golden(texts.netlist, "network.cir", "*");
  compare_with_golden(texts.bench, "bench.cir", "*");
}

std::string listed(const Problems& problems) {
  std::string text;
  for (const std::string& problem : problems) text += problem + "\n";
  return text;
}

const std::vector<std::string> kDevices = {"nfet_g180", "pfet_g180"};

TEST(NetlistDialects, SpectreTakesNetlistAndBench) {
  const Texts texts = small_texts(Dialect::kSpectre);
  SpectreChecker checker(kDevices);
  EXPECT_EQ(listed(checker.read(texts.netlist)), "");
  EXPECT_GT(checker.transistors(), texts.transistors / 2);  // those of cells count once
  EXPECT_EQ(listed(checker.read(texts.bench)), "");
}

TEST(NetlistDialects, XyceTakesNetlistAndBench) {
  const Texts texts = small_texts(Dialect::kXyce);
  XyceChecker checker(kDevices);
  EXPECT_EQ(listed(checker.read(texts.netlist)), "");
  EXPECT_GT(checker.transistors(), texts.transistors / 2);
  EXPECT_EQ(listed(checker.read(texts.bench)), "");
}

TEST(NetlistDialects, BothTakeCapacitors) {
  HazardMitigations mitigations;
  mitigations.cell_capacitance = 5e-14;
  EXPECT_EQ(listed(SpectreChecker(kDevices).read(small_texts(Dialect::kSpectre, mitigations).netlist)), "");
  EXPECT_EQ(listed(XyceChecker(kDevices).read(small_texts(Dialect::kXyce, mitigations).netlist)), "");
  EXPECT_NE(small_texts(Dialect::kSpectre, mitigations).netlist.find("\ncv0 (h_v0 0) capacitor c=5e-14\n"),
            std::string::npos);
}

TEST(NetlistDialects, CheckersRefuseTheOthersLanguage) {
  const Texts ngspice = small_texts(Dialect::kNgspice);
  EXPECT_FALSE(SpectreChecker(kDevices).read(ngspice.netlist).empty());
  EXPECT_FALSE(SpectreChecker(kDevices).read(small_texts(Dialect::kXyce).netlist).empty());
  EXPECT_FALSE(XyceChecker(kDevices).read(small_texts(Dialect::kSpectre).netlist).empty());
  EXPECT_FALSE(XyceChecker(kDevices).read(ngspice.netlist).empty());
  std::string broken = small_texts(Dialect::kSpectre).netlist;
  broken.replace(broken.find("beta_hi_w", broken.find("xm2")), 9, "beta_no_w");
  EXPECT_FALSE(SpectreChecker(kDevices).read(broken).empty());
}

TEST(NetlistDialects, EveryParameterIsFoundByItsName) {
  for (const Dialect dialect : {Dialect::kNgspice, Dialect::kSpectre, Dialect::kXyce}) {
    const std::string text = small_texts(dialect).netlist;
    for (const char* name :
         {"input.weight[1,0] = -0.5", "input.bias[1] = -0.1", "layers.0.candidate.weight[1,0] = -0.3",
          "layers.0.candidate.bias[0] = 0.05", "layers.0.beta_hi[1] = 0.5", "layers.0.beta_lo[0] = 0.15",
          "layers.0.delta[0] = 0.45", "layers.0.alpha[1] = 0.5", "layers.0.initial_state[1] = 1",
          "layers.0.output.weight[0,1] = -0.4", "readout.weight[1,0] = -0.6", "readout.bias[0] = 0.1"}) {
      EXPECT_NE(text.find(name), std::string::npos) << name;
    }
    for (const char* name : {"xcandidate_weight_1_0", "xoutput_bias_1", "beta_hi_w=", "delta_l=", "alpha_w="}) {
      EXPECT_NE(text.find(name), std::string::npos) << name;
    }
  }
}

TEST(NetlistReader, ReadsWhatWasWritten) {
  const Texts texts = small_texts(Dialect::kNgspice);
  const spice::Netlist netlist = spice::parse_netlist(texts.netlist, "n", generic180());
  EXPECT_EQ(spice::format_netlist(netlist, Dialect::kNgspice), texts.netlist);
}

}  // namespace
}  // namespace hysteron::compile
