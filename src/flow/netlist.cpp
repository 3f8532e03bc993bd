#include "hysteron/flow/netlist.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/compile/clip_bench.h"
#include "hysteron/compile/netlist_notes.h"
#include "hysteron/flow/circuit.h"
#include "hysteron/report/circuit_report.h"
#include "hysteron/spice/netlist_reader.h"

namespace hysteron::flow {
namespace {

/// Collects what was written where.
class Folder {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) { make_directories(path_); }

  void write(const std::string& name, const std::string& bytes) {
    write_file(path_ / name, bytes);
    names_.push_back(name);
  }
  std::vector<std::string> names() const { return names_; }

 private:
  std::filesystem::path path_;
  std::vector<std::string> names_;
};

spice::BenchFile describe_bench(const compile::CompiledNetwork& network, const NetlistOptions& options,
                                std::size_t clip, const std::string& stem) {
  spice::BenchFile file;
  const std::string name = stem + spice::file_extension(options.dialect);
  file.header = {fmt::format("Test bench: clip {} of {}", clip, quoted(options.bench_origin))};
  if (options.dialect == spice::Dialect::kNgspice) {
    file.header.push_back(fmt::format("Run in this folder: ngspice -b {}", name));
    file.header.push_back(
        fmt::format("It writes {}.raw (waveforms) and {}.csv (logits near the end of every frame)", stem, stem));
  }
  file.netlist = "network" + spice::file_extension(options.dialect);
  file.stem = stem;
  file.unit_current = network.conditions.unit_current;
  for (std::size_t t = 0; t < options.bench_features.frames; ++t) {
    file.read_times.push_back((static_cast<double>(t) + compile::kReadAt) * network.frame_seconds);
  }
  return file;
}

void write_benches(const compile::CompiledNetwork& network, const technology::Technology& technology,
                   const spice::Hierarchy& hierarchy, const NetlistOptions& options, Folder& folder) {
  for (const std::size_t clip : options.bench_clips) {
    const std::string stem = options.bench_clips.size() == 1 ? "bench" : fmt::format("bench_{}", clip);
    const sim::Testbench bench = compile::make_clip_bench(network, options.bench_features.clip(clip));
    folder.write(stem + spice::file_extension(options.dialect),
                 spice::format_bench(bench, technology, hierarchy, describe_bench(network, options, clip, stem),
                                     options.dialect));
  }
  if (options.bench_clips.empty() || options.dialect != spice::Dialect::kNgspice) return;
  for (const auto& [name, bytes] : technology.models.files) folder.write(name, bytes);
}

}  // namespace

std::vector<std::string> write_circuit(const compile::CompiledNetwork& network,
                                       const technology::Technology& technology, const compile::GainCurves& curves,
                                       const std::filesystem::path& folder, const NetlistOptions& options) {
  Folder files(folder);
  const spice::Notes notes = compile::make_notes(network, technology, curves);
  const spice::Hierarchy hierarchy(network.circuit, technology, compile::kNetworkName, notes);
  const spice::Netlist flat = spice::flat_netlist(network.circuit, technology, compile::kNetworkName, notes);
  const CircuitSummary summary = summarise(network, technology);
  files.write("network.spice", spice::format_netlist(hierarchy.netlist(), spice::Dialect::kNgspice));
  files.write("network_flat.spice", spice::format_netlist(flat, spice::Dialect::kNgspice));
  if (options.dialect != spice::Dialect::kNgspice) {
    files.write("network" + spice::file_extension(options.dialect),
                spice::format_netlist(hierarchy.netlist(), options.dialect));
  }
  files.write("mapping.csv", report::mapping_csv(network));
  nlohmann::json json = report::summary_json(network, technology, summary.by_role, summary.area);
  if (options.additions != nullptr) json.update(*options.additions);
  files.write("summary.json", json.dump(2) + "\n");
  write_benches(network, technology, hierarchy, options, files);
  return files.names();
}

ExtractResult extract(const std::filesystem::path& path, const std::string& technology,
                      const std::filesystem::path& pdk_root, Reporter& reporter, const StopFlag& stop) {
  std::error_code code;
  const std::filesystem::path file = std::filesystem::is_directory(path, code) ? path / "network.spice" : path;
  const std::string origin = quoted(file.string());
  const std::string text = read_file(file);
  const compile::NetlistHeader header = compile::parse_header(spice::netlist_header(text, origin), origin);
  CircuitOptions options;
  options.technology = technology.empty() ? header.technology : technology;
  options.pdk_root = pdk_root;
  options.conditions = header.conditions;
  const Workshop workshop(options, reporter, stop);
  if (workshop.technology().name != header.technology) {
    throw bad_input(fmt::format("{}: made for technology {}; expected {}, as asked for", origin,
                                quoted(header.technology), workshop.technology().name));
  }
  ExtractResult result;
  result.technology = header.technology;
  result.extraction = compile::extract_network(spice::parse_netlist(text, origin, workshop.technology()), origin,
                                               header, workshop.technology(), workshop.curves());
  result.extraction.realised.training = nlohmann::json{{"extracted_from", file.filename().string()}}.dump();
  result.errors = compile::extraction_errors(result.extraction.parameters);
  return result;
}

}  // namespace hysteron::flow
