#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hysteron/base/reporter.h"
#include "hysteron/compile/compiled_network.h"
#include "hysteron/compile/extraction.h"
#include "hysteron/compile/gain_curves.h"
#include "hysteron/data/features.h"
#include "hysteron/spice/dialect.h"
#include "hysteron/technology/technology.h"

namespace hysteron::flow {

/// What to write of a circuit beside network.spice, network_flat.spice, mapping.csv and summary.json.
struct NetlistOptions {
  spice::Dialect dialect = spice::Dialect::kNgspice;  ///< another: network.scs or network.cir as well
  data::Features bench_features;                      ///< of test benches in that dialect; no clips: none
  std::vector<std::size_t> bench_clips;               ///< one bench each: "bench", or "bench_N" where there are several
  std::string bench_origin;                           ///< name of the features' file, for the benches' first lines
  const nlohmann::json* additions = nullptr;          ///< an object that goes into the summary as well; may be null
};

/// Writes the circuit's files into `folder`, created if missing; each file whole or not at all. A bench in ngspice's
/// dialect brings the technology's model files. Gives the names written. The features must fit the network.
std::vector<std::string> write_circuit(const compile::CompiledNetwork& network,
                                       const technology::Technology& technology, const compile::GainCurves& curves,
                                       const std::filesystem::path& folder, const NetlistOptions& options = {});

/// A model read back from a netlist, and how far it is from the one the netlist was made from.
struct ExtractResult {
  compile::Extraction extraction;
  compile::ExtractionErrors errors;
  std::string technology;
};

/// Reads `path`, a netlist of write_circuit or the folder of its network.spice, and rebuilds the model from it. The
/// technology is the netlist's unless `technology` names it otherwise, as is needed for a description file. Throws
/// bad-input and simulator Errors as Workshop and compile::extract_network do.
ExtractResult extract(const std::filesystem::path& path, const std::string& technology,
                      const std::filesystem::path& pdk_root, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::flow
