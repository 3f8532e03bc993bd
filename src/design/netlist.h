#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "compile/compiled_network.h"
#include "compile/extraction.h"
#include "compile/gain_curves.h"
#include "data/features.h"
#include "design/design.h"
#include "spice/dialect.h"
#include "technology/technology.h"

namespace hysteron::design {

/// Errors of one calibrated cell, of its targets.
struct CellErrors {
  std::size_t layer = 0;
  std::size_t cell = 0;
  compile::CompiledCell compiled;
};

/// What a design's circuit is made of, and how far its sizing is off.
struct CircuitSummary {
  OperatingPoint operating_point;
  double temperature = 0.0;  ///< degree Celsius
  double frame_seconds = 0.0;
  std::size_t transistors = 0;
  std::size_t legs = 0;  ///< learned weights and biases and skip legs
  std::size_t cells = 0;
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  double area = 0.0;  ///< square metre, estimated
  std::map<std::string, std::size_t> by_role;
  std::size_t capacitors = 0;
  double capacitance = 0.0;  ///< farad, of all of them
  std::size_t dropped_parameters = 0;
  std::vector<compile::NodeError> summing_nodes;
  std::vector<CellErrors> cell_errors;  ///< of cells that were measured
  double cell_error_floor = 0.0;        ///< ampere, below which errors of cells are not corrected
  PreparedModel prepared;
};

CircuitSummary summarise(const Design& design);

/// What to write of a circuit beside its netlists and mapping.csv.
struct NetlistOptions {
  spice::Dialect dialect = spice::Dialect::kNgspice;  ///< another: network.scs or network.cir as well
  data::Features bench_features;                      ///< of test benches in that dialect; no clips: none
  std::vector<std::size_t> bench_clips;               ///< one bench each: "bench", or "bench_N" where there are several
  std::string bench_origin;                           ///< name of the features' file, for the benches' first lines
};

/// Writes network.spice, network_flat.spice, mapping.csv, of a centered model also centered.safetensors, and what the
/// options ask for into `folder`, created if missing; each file whole or not at all. A bench in ngspice's dialect
/// brings the technology's model files. Gives the names written. The bench's features must fit the network.
std::vector<std::string> write_circuit(const Design& design, const std::filesystem::path& folder,
                                       const NetlistOptions& options = {});

/// A model read back from a netlist, and how far it is from the one the netlist was made from.
struct ExtractResult {
  compile::Extraction extraction;
  compile::ExtractionErrors errors;
  std::string technology;
};

/// Reads `path`, a netlist of write_circuit or the folder of its network.spice, and rebuilds the model from it. The
/// technology is the netlist's unless `technology` names it otherwise, as is needed for a description file. Throws
/// bad-input and simulator Errors as DesignContext and compile::extract_network do.
ExtractResult extract(const std::filesystem::path& path, const std::string& technology,
                      const std::filesystem::path& pdk_root, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::design
