#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hysteron::data {

/// One quantity over time as a bench recorded it: straight lines between the points.
struct MeasuredSignal {
  std::string name;                                 ///< "layers.0.state[1]": docs/silicon.md lists them
  std::string place;                                ///< "column 3" or "tensor", for messages
  bool is_voltage = false;                          ///< volt; else ampere
  std::shared_ptr<const std::vector<double>> time;  ///< second, ascending
  std::vector<double> values;                       ///< SI
};

struct MeasuredRecord {
  std::string origin;  ///< the file
  std::vector<MeasuredSignal> signals;
  std::optional<double> unit_current;  ///< ampere: what ngspice's waveforms say of themselves
};

/// Reads the waveforms of a bench. A file that ends in .safetensors is one as `verify --waveforms` writes it; any other
/// is CSV: a header `time (s),layers.0.state[1] (nA),...` with a unit in every column, then a line a sample; lines that
/// begin with # are skipped. `longest_step` (seconds): samples of a CSV that are farther apart are a gap, and so
/// is more than five times the usual step where nine in ten steps are about the usual one; curves of safetensors are
/// compressed in time and have none.
///
/// Throws a bad-input Error that names the file and line, column or tensor: no header, a column without a unit or with
/// one that is none, a name given twice, a line with too few or too many fields, a field that is no finite number, time
/// that stands still or steps back, a gap, a file without samples.
MeasuredRecord read_measured(const std::filesystem::path& path, double longest_step);

}  // namespace hysteron::data
