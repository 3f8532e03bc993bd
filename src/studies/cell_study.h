#pragma once

#include <optional>
#include <string>

#include "analysis/cell_study.h"
#include "design/context.h"

namespace hysteron::studies {

/// One cell to be calibrated and measured.
struct CellRequest {
  double threshold = 0.0;             ///< ampere: I_thresh
  double width = 0.0;                 ///< I_width
  double gain = 0.0;                  ///< I_gain
  std::string corner;                 ///< where it is measured; empty: typical
  std::optional<double> temperature;  ///< degree Celsius, where it is measured; absent: that of calibration
  bool trace = false;                 ///< the whole loop too
};

struct CellMeasurement {
  compile::CellEnvironment calibrated_at;  ///< with the corner's name
  analysis::TunedCell cell;                ///< calibrated, and its loop where it was calibrated
  analysis::MeasuredLoop loop;             ///< where it was asked for
  std::optional<analysis::LoopCurve> curve;
};

/// Throws a bad-input Error that names a corner, temperature or supply (0: the technology's) that `technology` cannot
/// have; needs no simulation.
void check_cell(const CellRequest& request, const technology::Technology& technology, double supply);

/// Calibrates a cell at the typical corner under the context's conditions and measures its loop. Throws a bad-input
/// Error for a current that no leg can make or that leakage drowns (the floor is in the message), a width that is not
/// smaller than the threshold, a corner or temperature the technology does not have; a simulator Error where the cell
/// could not be solved or does not switch.
CellMeasurement measure_cell(const design::DesignContext& context, const CellRequest& request, Reporter& reporter);

/// Throws a bad-input Error that names the value unless every current, supply, temperature and corner of `request` is
/// possible in `technology`.
void check_cell_study(const analysis::CellStudyRequest& request, const technology::Technology& technology);

/// What was found out about cells, and with what.
struct CellStudy {
  design::OperatingPoint operating_point;
  std::string engine;               ///< name and version
  double temperature = 0.0;         ///< degree Celsius, of calibration
  analysis::CellStudyResult cells;  ///< its environments have the names of their corners
  std::size_t held = 0;             ///< of the states in cells.retention
};

/// Characterises cells (docs/cell.md). Throws as check_cell_study and the engine.
CellStudy study_cells(const design::DesignContext& context, const analysis::CellStudyRequest& request,
                      Reporter& reporter);

}  // namespace hysteron::studies
