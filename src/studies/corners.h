#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "studies/verification.h"

namespace hysteron::studies {

struct CornersRequest {
  std::vector<std::string> corners;                        ///< empty: all of the technology's
  std::vector<double> supplies;                            ///< volt; empty: 0.9, 1 and 1.1 of the technology's
  std::vector<double> temperatures = {-40.0, 27.0, 85.0};  ///< degree Celsius
  std::vector<double> beside = {125.0};                    ///< temperatures that are reported and not counted
  bool drifts = true;            ///< the unit current is that of a transistor reference; false: ideal
  std::filesystem::path folder;  ///< gets the reference and, in points, what ngspice did; empty: nowhere
};

/// The circuit at one corner, supply and temperature.
struct CornerPoint {
  std::string corner;
  double supply = 0.0;
  double temperature = 0.0;
  bool counted = true;
  double unit_current = 0.0;     ///< ampere; inputs come in units of it
  double reference_power = 0.0;  ///< watt, of the transistor reference beside the circuit's own; 0: ideal
  analysis::Agreement agreement;
  std::vector<std::size_t> lost;    ///< clips that decide otherwise than the model as given
  std::vector<std::size_t> failed;  ///< clips without a result
  std::string error;                ///< why, where all failed

  /// Share of the clips that decide as the model as given does; one that failed does not.
  double decision_agreement = 0.0;
};

struct CornerClip {
  std::size_t clip = 0;
  std::size_t decision = 0;     ///< of the model as given
  std::size_t votes_ahead = 0;  ///< of the model as given, over the next label
  std::size_t lost_points = 0;  ///< counted points at which it decides otherwise or failed
};

struct Corners {
  design::PreparedModel prepared;
  design::OperatingPoint operating_point;
  std::vector<CornerPoint> points;
  std::vector<CornerClip> clips;
  double reference_power = 0.0;     ///< watt, likewise, where the circuit was sized
  std::size_t counted_points = 0;   ///< of `points`
  std::size_t failed = 0;           ///< runs without a result
  double decision_agreement = 0.0;  ///< share of clips over all counted points that decide as software does; a clip
                                    ///< that failed does not
  std::size_t worst = 0;  ///< of `points`: the counted one with the fewest right decisions, then the least frame
                          ///< agreement
};

/// Throws a bad-input Error unless the technology has every corner of `request`, supplies and temperatures are within
/// its range, and none is there twice.
void check_corners(const design::DesignContext& context, const CornersRequest& request);

/// Simulates the design, sized for the typical corner, at every point, and compares as verify; decisions with those of
/// the model as given. A point that cannot be simulated is kept with its error. The folder also gets the reference as a
/// subcircuit, reference.spice.
Corners run_corners(const design::Design& design, const CornersRequest& request, Reporter& reporter);

/// Fills in what follows from the points: agreements, lost points, counts and the worst one.
void count_corners(Corners& corners);

}  // namespace hysteron::studies
