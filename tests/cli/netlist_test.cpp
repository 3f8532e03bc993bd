// What compile writes for others: a bench that plain ngspice runs, other dialects, and extract, which reads it back.

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/process.h"
#include "cli/program.h"
#include "cli/samples.h"
#include "model/model_file.h"
#include "model/safetensors.h"

namespace hysteron::cli {
namespace {

constexpr int kBadInput = 3;

class NetlistFiles : public Cli {
 protected:
  NetlistFiles() {
    put("m.safetensors", tiny_model());
    put("x.npy", tiny_features());
  }

  /// Logits [frames][labels] of the software for clip `clip`.
  std::vector<std::vector<double>> software_logits(std::size_t clip) const {
    run_json({"run", "m.safetensors", "--input", "x.npy", "--output", "o.safetensors"});
    const model::TensorFile traces = model::read_tensors(folder_ / "o.safetensors");
    const std::vector<float> all = model::float_values(traces.tensors.at("logits"), "o", "logits");
    std::vector<std::vector<double>> logits;
    for (std::size_t t = 0; t < 8; ++t) logits.push_back({all[(clip * 8 + t) * 2], all[(clip * 8 + t) * 2 + 1]});
    return logits;
  }
};

/// The numbers of a table with a head, row by row.
std::vector<std::vector<double>> table(const std::string& csv) {
  std::istringstream lines(csv);
  std::vector<std::vector<double>> rows;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stod(cell));
  }
  return rows;
}

TEST_F(NetlistFiles, BenchRunsInPlainNgspiceAndAgreesWithTheSoftware) {
  run_json({"compile", "m.safetensors", "-o", "a b'c", "--bench", "x.npy", "--clips", "1"});
  Program::Surroundings inside = surroundings_;
  inside.folder = folder_ / "a b'c";
  const char* path = std::getenv("PATH");
  const fs::path ngspice = find_program("ngspice", path == nullptr ? "" : path);
  Program simulator(ngspice.string(), {"-b", "bench.spice"}, inside);
  const Outcome outcome = simulator.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output << outcome.messages;
  EXPECT_TRUE(fs::exists(inside.folder / "bench.raw"));
  const auto rows = table(read_file(inside.folder / "bench.csv"));
  const auto logits = software_logits(1);
  ASSERT_EQ(rows.size(), logits.size());
  for (std::size_t t = 0; t < rows.size(); ++t) {
    ASSERT_EQ(rows[t].size(), 3U);
    EXPECT_NEAR(rows[t][0], 0.01 * (static_cast<double>(t) + 0.95), 1e-9);
    for (const std::size_t k : {0, 1}) EXPECT_NEAR(rows[t][1 + k], logits[t][k], 0.05) << "frame " << t;
    EXPECT_EQ(rows[t][2] > rows[t][1], logits[t][1] > logits[t][0]) << "frame " << t;
  }
}

TEST_F(NetlistFiles, EveryChosenClipGetsABench) {
  const auto json = run_json({"compile", "m.safetensors", "-o", "c", "--bench", "x.npy", "--clips", "0,1"});
  for (const char* name : {"bench_0.spice", "bench_1.spice", "generic180.spice"}) {
    EXPECT_TRUE(fs::exists(folder_ / "c" / name)) << name;
    EXPECT_NE(std::find(json["files"].begin(), json["files"].end(), name), json["files"].end()) << name;
  }
  EXPECT_NE(read_file(folder_ / "c/bench_0.spice"), read_file(folder_ / "c/bench_1.spice"));
}

TEST_F(NetlistFiles, DialectsComeBesideTheNetlistOfNgspice) {
  run_json({"compile", "m.safetensors", "-o", "c", "--dialect", "spectre", "--bench", "x.npy"});
  run_json({"compile", "m.safetensors", "-o", "c", "--dialect", "xyce", "--bench", "x.npy"});
  for (const char* name : {"network.spice", "network.scs", "bench.scs", "network.cir", "bench.cir"}) {
    EXPECT_TRUE(fs::exists(folder_ / "c" / name)) << name;
  }
  EXPECT_TRUE(has(read_file(folder_ / "c/network.scs"), "simulator lang=spectre"));
  EXPECT_TRUE(has(read_file(folder_ / "c/network.cir"), "PARAMS:"));
  EXPECT_TRUE(has(read_file(folder_ / "c/bench.scs"), "type=pwl wave=["));
}

TEST_F(NetlistFiles, WrongCallsAreRefused) {
  expect_refusal({"compile", "m.safetensors", "-o", "c", "--dialect", "hspice"}, 2, {"--dialect"});
  expect_refusal({"compile", "m.safetensors", "-o", "c", "--clips", "1"}, 2, {"--bench"});
  expect_refusal({"compile", "m.safetensors", "-o", "c", "--bench", "x.npy", "--clips", "2"}, kBadInput,
                 {"x.npy", "2"});
  put("wide.npy", npy_bytes("1, 2, 3", std::vector<float>(6, 0.1F)));
  expect_refusal({"compile", "m.safetensors", "-o", "c", "--bench", "wide.npy"}, kBadInput, {"wide.npy", "3 inputs"});
  expect_refusal({"extract"}, 2, {"netlist"});
  expect_refusal({"extract", "nowhere"}, kBadInput, {"nowhere"});
}

TEST_F(NetlistFiles, ExtractGivesBackAModelThatRuns) {
  run_json({"compile", "m.safetensors", "-o", "c"});
  const auto json = run_json({"extract", "c", "-o", "back.safetensors"});
  EXPECT_EQ(json["technology"], "generic180");
  EXPECT_EQ(json["dropped_parameters"], 0);
  EXPECT_LT(json["largest_difference"].get<double>(), 0.02);
  EXPECT_LT(json["rms_relative_difference"].get<double>(), 0.01);
  const auto decisions = run_json({"run", "back.safetensors", "--input", "x.npy"});
  EXPECT_EQ(decisions["decisions"], (nlohmann::json{0, 1}));
  const model::Network back = model::load_model(folder_ / "back.safetensors");
  EXPECT_EQ(back.labels, (std::vector<std::string>{"first", "second"}));
  const Outcome outcome = run({"extract", "c/network.spice"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(has(outcome.output, "largest"));
}

TEST_F(NetlistFiles, EditedOutOfShapeIsRefusedWithFileAndLine) {
  run_json({"compile", "m.safetensors", "-o", "c"});
  const std::string text = read_file(folder_ / "c/network.spice");
  const std::size_t at = text.find("\nxcandidate_weight_0_0 ") + 1;
  const std::size_t end = text.find('\n', at);
  const std::string line = text.substr(at, end - at);
  const auto with = [&](const std::string& other) { return text.substr(0, at) + other + text.substr(end + 1); };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = line;
    return with(other.replace(other.find(from), from.size(), to) + "\n");
  };
  const std::string number = "line " + std::to_string(std::count(text.begin(), text.begin() + at, '\n') + 1);
  struct Case {
    std::string text;
    std::vector<std::string> says;
  };
  for (const Case& edited : {Case{with(""), {"line", "xcandidate_weight_0_0", "missing"}},
                             Case{changed(" c0_0 ", " c0_1 "), {number, "c0_1", "expected c0_0"}},
                             Case{changed("pfet_g180", "resistor"), {number, "resistor", "expected"}},
                             Case{changed(" w=", " w=x"), {number, "number"}},
                             Case{changed(" w=", " w=9999"), {number, "width", "expected"}}}) {
    put("e/network.spice", edited.text);
    std::vector<std::string> says = edited.says;
    says.emplace_back("e/network.spice");
    expect_refusal({"extract", "e", "-o", "no.safetensors"}, kBadInput, says);
  }
  put("e/network.spice", text);
  expect_refusal({"extract", "e", "--pdk", "gf180mcu", "--pdk-root", "nowhere"}, kBadInput, {"nowhere"});
}

}  // namespace
}  // namespace hysteron::cli
