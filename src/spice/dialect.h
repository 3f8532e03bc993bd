#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/testbench.h"
#include "spice/netlist_tree.h"
#include "technology/technology.h"

namespace hysteron::spice {

/// The languages netlists can be written in (docs/netlist.md).
enum class Dialect { kNgspice, kSpectre, kXyce };

/// "ngspice", "spectre", "xyce".
const std::vector<std::string>& dialect_names();

/// Throws a usage Error that lists the names if `name` is none of them.
Dialect dialect_named(const std::string& name);

/// ".spice", ".scs" or ".cir".
std::string file_extension(Dialect dialect);

/// The whole text; no line of it but a comment is longer than 120 characters.
std::string format_netlist(const Netlist& netlist, Dialect dialect);

/// What a test bench file says beside its Testbench.
struct BenchFile {
  std::vector<std::string> header;  ///< comment lines
  std::string netlist;              ///< name of the file with the circuit, beside the bench
  std::string stem = "bench";       ///< of the files a run of it writes
  std::vector<double> read_times;   ///< second; when the source currents it probes are read
  double unit_current = 1e-9;       ///< ampere; what these currents are divided by
};

/// A test bench of the circuit in `hierarchy`, which must be that of `bench`. In ngspice's dialect `ngspice -b` runs it
/// with nothing but the netlist and the technology's model files beside it, and writes STEM.raw (what it saves) and
/// STEM.csv (the probed currents into its sources at the read times, in unit currents). The other dialects take their
/// models from a file of the user's: models.scs or models.lib.
std::string format_bench(const sim::Testbench& bench, const technology::Technology& technology,
                         const Hierarchy& hierarchy, const BenchFile& file, Dialect dialect);

}  // namespace hysteron::spice
