#include "design/netlist.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/stored_json.h"
#include "base/units.h"
#include "compile/calibration.h"
#include "compile/clip_bench.h"
#include "compile/netlist_notes.h"
#include "design/context.h"
#include "model/model_file.h"
#include "model/parameter.h"
#include "spice/netlist_reader.h"

namespace hysteron::design {
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

/// Every learned parameter and the device that makes it: a row an instance.
std::string mapping_csv(const compile::CompiledNetwork& network) {
  std::string text = "parameter,value,instance,polarity,role,width_um,length_um,nominal_current_a,sizing_error\n";
  for (const compile::CompiledLeg& leg : network.legs) {
    if (!leg.parameter) continue;
    // A parameter's name holds a comma where it has two indices.
    const std::string parameter = fmt::format("\"{}\",{:.9g}", model::parameter_name(*leg.parameter), leg.value);
    if (leg.dropped) {
      text += fmt::format("{},,,dropped,0,0,0,{:.6g}\n", parameter, leg.sizing_error);
      continue;
    }
    const circuit::Transistor& transistor = network.circuit.transistor(leg.device);
    text += fmt::format("{},x{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", parameter, network.circuit.full_name(leg.device),
                        transistor.polarity == circuit::Polarity::kN ? 'n' : 'p', circuit::role_name(transistor.role),
                        transistor.width / kMicro, transistor.length / kMicro, leg.nominal_current, leg.sizing_error);
  }
  return text;
}

}  // namespace

CircuitSummary summarise(const Design& design) {
  const compile::CompiledNetwork& network = design.compiled;
  const technology::Technology& technology = design.context.technology();
  CircuitSummary summary;
  summary.operating_point = {technology.name, network.supply, network.conditions.unit_current};
  summary.temperature = network.conditions.temperature;
  summary.frame_seconds = network.frame_seconds;
  summary.inputs = network.inputs.size();
  summary.outputs = network.readouts.size();
  for (const circuit::Transistor& transistor : network.circuit.transistors()) {
    ++summary.transistors;
    ++summary.by_role[std::string(circuit::role_name(transistor.role))];
    summary.area += technology.area({transistor.width, transistor.length});
    const bool is_leg = transistor.role == circuit::Role::kLeg || transistor.role == circuit::Role::kBiasLeg ||
                        transistor.role == circuit::Role::kSkipLeg;
    summary.legs += is_leg ? 1 : 0;
  }
  for (const circuit::Capacitor& capacitor : network.circuit.capacitors()) {
    ++summary.capacitors;
    summary.capacitance += capacitor.capacitance;
  }
  summary.area += summary.capacitance / technology.capacitor_density;
  for (std::size_t l = 0; l < network.cells.size(); ++l) {
    summary.cells += network.cells[l].size();
    for (std::size_t j = 0; j < network.cells[l].size(); ++j) {
      if (network.cells[l][j].errors.is_measured) summary.cell_errors.push_back({l, j, network.cells[l][j]});
    }
  }
  summary.dropped_parameters = network.dropped_parameters();
  summary.summing_nodes = network.calibration;
  summary.cell_error_floor = compile::kCellErrorFloor * network.conditions.unit_current;
  summary.prepared = design.prepared;
  return summary;
}

std::vector<std::string> write_circuit(const Design& design, const std::filesystem::path& folder,
                                       const NetlistOptions& options) {
  const compile::CompiledNetwork& network = design.compiled;
  const technology::Technology& technology = design.context.technology();
  Folder files(folder);
  const spice::Annotations annotations = compile::make_notes(network, technology, design.context.curves());
  const spice::Hierarchy hierarchy(network.circuit, technology, compile::kNetworkName, annotations);
  const spice::Netlist flat = spice::flat_netlist(network.circuit, technology, compile::kNetworkName, annotations);
  files.write("network.spice", spice::format_netlist(hierarchy.netlist(), spice::Dialect::kNgspice));
  files.write("network_flat.spice", spice::format_netlist(flat, spice::Dialect::kNgspice));
  if (options.dialect != spice::Dialect::kNgspice) {
    files.write("network" + spice::file_extension(options.dialect),
                spice::format_netlist(hierarchy.netlist(), options.dialect));
  }
  files.write("mapping.csv", mapping_csv(network));
  write_benches(network, technology, hierarchy, options, files);
  std::vector<std::string> names = files.names();
  if (design.prepared.centering) {
    model::save_model(folder / "centered.safetensors", design.prepared.network);
    names.emplace_back("centered.safetensors");
  }
  return names;
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
  const DesignContext context(options, reporter, stop);
  if (context.technology().name != header.technology) {
    throw bad_input(fmt::format("{}: made for technology {}; expected {}, as asked for", origin,
                                quoted(header.technology), context.technology().name));
  }
  ExtractResult result;
  result.technology = header.technology;
  result.extraction = compile::extract_network(spice::parse_netlist(text, origin, context.technology()), origin, header,
                                               context.technology(), context.curves());
  result.extraction.realised.training = json_bytes(nlohmann::json{{"extracted_from", file.filename().string()}});
  result.errors = compile::extraction_errors(result.extraction.parameters);
  return result;
}

}  // namespace hysteron::design
