#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "analysis/cell_loop.h"

namespace hysteron::analysis {

/// measured = slope * programmed + offset, by least squares.
struct LineFit {
  double slope = 0.0;
  double offset = 0.0;          ///< ampere
  double worst_residual = 0.0;  ///< ampere, largest distance of a point from the line
  std::size_t points = 0;
};

/// Fits a line; needs two different abscissas, else slope and offset are NaN. Points with a NaN are left out.
LineFit fit_line(const std::vector<double>& programmed, const std::vector<double>& measured);

/// Sensitivities d(rise, width, high) / d(I_thresh, I_width, I_gain): rows are what is measured, columns the current
/// a leg is sized for that is tuned; 1 on the diagonal and 0 elsewhere is ideal. NaN where a cell was not solved.
using Sensitivities = std::array<std::array<double, 3>, 3>;

/// A tuned cell under some conditions, and what its loop is there, which says where its band is.
struct PlacedCell {
  TunedCell cell;
  compile::CellEnvironment environment;
  MeasuredLoop loop;
};

/// The cell where it was calibrated.
PlacedCell is_nominal(const CellTestSetup& lab, const TunedCell& cell);

/// What measures its loop once more under its conditions, beginning at the loop it has.
LoopRequest measure_loop_at(const PlacedCell& placed);

/// Central differences of 10 % around every cell: [cells].
std::vector<Sensitivities> measure_sensitivities(const CellTestSetup& lab, const std::vector<PlacedCell>& cells);

/// How long a cell takes to switch when its candidate steps from the middle of its band beyond a threshold.
struct Response {
  double overdrive = 0.0;   ///< distance beyond the threshold over I_thresh
  double set_switch = 0.0;  ///< second, step to V0 passing half the supply; NaN if it does not within the run
  double set_output = 0.0;  ///< second, step to nine tenths of the output
  double reset_switch = 0.0;
  double reset_output = 0.0;  ///< second, step to a tenth of the output
  std::string problem;
};
std::vector<Response> measure_responses(const CellTestSetup& lab, const PlacedCell& placed,
                                        const std::vector<double>& overdrives);

/// No figure.
inline constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();

/// What one cell draws from the cells' supply; NaN where there is no figure.
struct CellCurrents {
  double off_at_zero = kNoFigure;   ///< ampere, off with no candidate
  double off_in_band = kNoFigure;   ///< off with the candidate in the middle of the band: a copy of it flows in M1
  double on_in_band = kNoFigure;    ///< on, there
  double set_charge = kNoFigure;    ///< coulomb from a step half a threshold beyond the rise until V0 and output set
  double reset_charge = kNoFigure;  ///< from a step to half the fall until V0 and output have reset
  double set_peak = kNoFigure;      ///< ampere, largest current while it sets
  std::string problem;
};

/// Currents of a tuned cell in every environment; `loops` are what the cell does there, which says where its band is.
std::vector<CellCurrents> measure_currents(const CellTestSetup& lab, const TunedCell& cell,
                                           const std::vector<compile::CellEnvironment>& environments,
                                           const std::vector<MeasuredLoop>& loops);

/// The same under the conditions of calibration.
CellCurrents measure_currents(const CellTestSetup& lab, const TunedCell& cell);

/// Whether a cell keeps a state with its candidate at rest in its band.
struct Retention {
  compile::CellEnvironment environment;
  double position = 0.0;  ///< of the candidate: 0 at the lower, 1 at the upper threshold
  bool on = false;        ///< the state it began with
  double seconds = 0.0;   ///< simulated
  bool held = false;
  double output = 0.0;  ///< ampere, at the end
  std::string problem;
};

/// What to hold: a cell under some conditions, and where in the band that it has there.
struct RetentionRequest {
  PlacedCell placed;
  double position = 0.5;
};

/// Both states of every request for `seconds` of simulated time: two results a request, off then on.
std::vector<Retention> measure_retention(const CellTestSetup& lab, const std::vector<RetentionRequest>& requests,
                                         double seconds);

}  // namespace hysteron::analysis
