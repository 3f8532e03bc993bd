#pragma once

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace hysteron::technology {

/// Width and length of a channel in metres.
struct Geometry {
  double width = 0.0;
  double length = 0.0;
};

/// One kind of transistor of a technology: the subcircuit that models it and the sizes it may have.
struct Device {
  std::string subcircuit;    ///< name in the model files; terminals d g s b, parameters w and l
  std::string inner;         ///< name of the MOS instance inside, for reading its drain current
  double minimum_width = 0;  ///< metre; likewise below
  double maximum_width = 0;
  double minimum_length = 0;
  double maximum_length = 0;
};

/// The model files of a technology, held whole so that a run needs nothing but its own folder.
struct Models {
  std::map<std::string, std::string> files;     ///< plain file name -> bytes
  std::vector<std::string> include;             ///< names of those read whole
  std::string library;                          ///< name of the one read by section
  std::map<std::string, std::string> sections;  ///< corner -> section
  std::string mismatch_section;                 ///< section with mismatch; empty: every section has it
};

/// A process to build circuits in: data, read from a description file (docs/technologies.md).
struct Technology {
  std::string name;
  Device n;
  Device p;
  Models models;
  std::map<std::string, std::string> parameters;  ///< set explicitly in every deck: switches of mismatch and variation
  std::string mismatch_parameter;                 ///< the one of them that switches mismatch on with 1
  std::string typical_corner;

  double supply = 0;           ///< volt
  double temperature_low = 0;  ///< degree Celsius
  double temperature_high = 0;
  double size_grid = 0;             ///< metre; drawn widths and lengths are multiples of it
  Geometry reference;               ///< the device that stands for a gain of 1
  Geometry rail_diode;              ///< diode of a copied rail: carries the share of the value that its size asks for
  Geometry cell_switch;             ///< M3 and M6
  Geometry splitter;                ///< common-gate devices of a signed node
  Geometry splitter_bias;           ///< the leg that sets their idle current
  std::vector<double> leg_lengths;  ///< channel lengths legs may have, shortest first
  double narrowest_leg = 0;         ///< below this width a leg takes the next longer channel
  /// How far, in unit currents, temperature may move the gain of a leg whose rail moves; infinite: longer channels are
  /// taken for width alone.
  double leg_drift = std::numeric_limits<double>::infinity();
  double min_weight = 0;            ///< smallest gain that a leg of either polarity can make, measured
  double area_overhead_length = 0;  ///< source, drain and spacing added to L in area estimates
  double area_overhead_width = 0;   ///< spacing added to W
  double capacitor_density = 1e-3;  ///< farad per square metre of a capacitor's area

  /// Estimated layout area in square metres of one transistor.
  double area(const Geometry& geometry) const;

  /// A key that changes with everything that decides measured curves: description and bytes of the model files.
  std::string fingerprint;
};

/// Finds technology `name`: "generic180" and "gf180mcu" are built in, anything that ends in ".toml" is read as a
/// description file; "@AREA" behind either scales the gate area of everything that has to match ("generic180@2":
/// twice), widths and lengths alike, as far as the technology's longest channel allows. Model files are looked for
/// below `pdk_root` (or $PDK_ROOT where that is empty) in the layouts the description lists. Throws a bad-input Error
/// that names what is missing and where it was looked for.
Technology load_technology(const std::string& name, const std::filesystem::path& pdk_root = {});

/// Draws everything that has to match narrower and longer, at the same gate area, so that its width over length is
/// `shape` (above 0, up to 1) times the description's, as far as the longest channel allows; the switches of cells only
/// longer. For currents so small that the description's own devices would leak them.
void scale_shape(Technology& technology, double shape);

/// Throws a bad-input Error with the corners there are unless `technology` has `corner`; empty stands for the typical
/// one.
void check_corner(const Technology& technology, const std::string& corner);

/// Names of the built-in technologies.
std::vector<std::string> built_in_technologies();

}  // namespace hysteron::technology
