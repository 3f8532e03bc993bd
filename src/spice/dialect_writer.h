#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spice/dialect.h"

namespace hysteron::spice {

/// The words of one dialect. Every function gives whole lines, wrapped where they are long.
class DialectWriter {
 public:
  virtual ~DialectWriter() = default;

  virtual std::string comment(const std::string& text) const = 0;
  virtual std::string begin(const Subcircuit& subcircuit) const = 0;
  virtual std::string instance(const Instance& instance) const = 0;
  virtual std::string end(const Subcircuit& subcircuit) const = 0;

  /// What the first line of a netlist (`is_bench` false) or of a bench has to be.
  virtual std::string first_line(const std::string& title, bool is_bench) const = 0;

  /// Model files with their switches, the temperature and the options of a run.
  virtual std::string conditions(const sim::Testbench& bench, const technology::Technology& technology) const = 0;
  virtual std::string include(const std::string& file) const = 0;

  /// A source between nodes: `kind` is 'v' or 'i', a current leaves `from` and enters `to`.
  virtual std::string source(char kind, const std::string& name, const std::string& from, const std::string& to,
                             const sim::PiecewiseLinear& value) const = 0;

  /// Initial conditions, the analysis, what to save, and the end of the file.
  struct Analysis {
    std::vector<std::pair<Path, double>> initial_voltages;  // in the circuit
    bool starts_from_initial_voltages = false;              // in place of an operating point
    std::vector<Path> nodes;                                // in the circuit, to save
    std::vector<std::string> sources;                       // voltage sources, by name
    std::vector<std::string> read_sources;                  // those of them the bench reads
    std::vector<std::string> transistor_currents;           // names ngspice has for them
    double step = 0.0;
    double stop = 0.0;
  };
  virtual std::string analysis(const Analysis& analysis, const BenchFile& file) const = 0;
};

std::unique_ptr<DialectWriter> ngspice_writer();
std::unique_ptr<DialectWriter> spectre_writer();
std::unique_ptr<DialectWriter> xyce_writer();

/// Words after `first`, wrapped so that no line is long: `before` begins a continued line, `after` ends a broken one.
std::string wrapped(const std::string& first, const std::vector<std::string>& words, const std::string& before,
                    const std::string& after);

/// Name of the corner's section of the model library. Throws a bad-input Error for a corner the technology lacks.
std::string corner_section(const sim::Testbench& bench, const technology::Technology& technology);

/// Model files, parameters, options and temperature of a run in ngspice.
std::string ngspice_conditions(const sim::Testbench& bench, const technology::Technology& technology);

/// "name=5e-06"; a reference between `open` and `close`.
std::string setting_text(const Setting& setting, const std::string& open, const std::string& close);

}  // namespace hysteron::spice
