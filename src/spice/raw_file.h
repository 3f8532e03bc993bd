#pragma once

#include <complex>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hysteron::spice {

/// One column of a plot.
struct Variable {
  std::string name;  ///< lower case, as ngspice writes it: "time", "v(n1)", "i(vdd)", "@m.xl.m0[id]"
  std::string type;  ///< "time", "voltage", "current", "frequency", ...
};

/// One analysis of a raw file. The first variable is the sweep (time, frequency, a swept source) where there is one.
struct Plot {
  std::string name;  ///< "Transient Analysis", "Operating Point", "AC Analysis", ...
  bool is_complex = false;
  std::vector<Variable> variables;
  std::vector<std::vector<double>> columns;    ///< [variables][points], SI units; the real part of a complex plot
  std::vector<std::vector<double>> imaginary;  ///< [variables][points]; empty in a real plot

  std::size_t points() const { return columns.empty() ? 0 : columns.front().size(); }

  /// Case does not matter. False also for a bare node name: ask for "v(n1)".
  bool has(std::string_view signal) const;

  /// Index of `signal` (case does not matter). Throws a simulator Error that names the signal and the plot.
  std::size_t index_of(std::string_view signal) const;

  /// The column of `signal`, or its real part. Throws as index_of.
  const std::vector<double>& operator[](std::string_view signal) const { return columns[index_of(signal)]; }

  /// The complex column of `signal`; a real plot gives imaginary parts of 0. Throws as index_of.
  std::vector<std::complex<double>> complex_column(std::string_view signal) const;

  /// The only or last value of `signal`: the operating point, or the end of a transient. Throws as index_of.
  double last(std::string_view signal) const;
};

/// All plots of a raw file, in the order of the analyses.
struct RawFile {
  std::vector<Plot> plots;

  /// The first plot whose name contains `name` (case does not matter). Throws a simulator Error that lists what is
  /// there.
  const Plot& plot(std::string_view name) const;
  bool has_plot(std::string_view name) const;
};

/// Reads SPICE's binary raw format (ngspice manual, "Rawfile format"): real and complex, several plots, padded and
/// unpadded columns, native doubles. `source` names the file in messages. Throws a simulator Error for anything that is
/// not whole: no plot, a header without counts, 0 points (a run that was killed), data cut short, bytes left over,
/// columns named twice.
RawFile parse_raw(std::span<const char> bytes, const std::string& source);
RawFile read_raw_file(const std::filesystem::path& path);

}  // namespace hysteron::spice
