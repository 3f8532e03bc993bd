#include "analysis/cell_limits.h"

#include <cmath>
#include <limits>

namespace hysteron::analysis {
namespace {

// A cell works at a supply if thresholds and output are within this share of what they are where it was placed.
constexpr double kWorking = 0.1;
constexpr double kContrast = 0.05;  // most of the output that may be left when off

bool works(const MeasuredLoop& loop, const MeasuredLoop& placed) {
  if (!loop.good() || !placed.good()) return false;
  const compile::CellLoop& there = placed.loop;
  return std::abs(loop.loop.rise - there.rise) <= kWorking * there.rise &&
         std::abs(loop.loop.fall - there.fall) <= kWorking * there.rise &&
         std::abs(loop.loop.high - there.high) <= kWorking * there.high && loop.loop.low < kContrast * loop.loop.high;
}

/// The last supply, going down, up to which `good(row)` held without a gap; NaN if it never did.
template <typename Good>
double smallest_supply(const std::vector<EnvironmentRow>& rows, Good good) {
  double smallest = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t row = 0; row < rows.size() && good(row); ++row) smallest = rows[row].environment.supply;
  return smallest;
}

std::vector<PlacedCell> at_supply(std::vector<PlacedCell> cells, double supply) {
  for (PlacedCell& placed : cells) placed.environment.supply = supply;
  return cells;
}

std::vector<EnvironmentRow> measure_rows(const CellTestSetup& lab, const std::vector<PlacedCell>& cells,
                                         const std::vector<double>& supplies) {
  std::vector<LoopRequest> requests;
  for (const double supply : supplies) {
    for (const PlacedCell& placed : at_supply(cells, supply)) requests.push_back(measure_loop_at(placed));
  }
  std::vector<compile::CellTarget> targets;
  for (const PlacedCell& placed : cells) targets.push_back(placed.cell.target);
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  std::vector<EnvironmentRow> rows;
  for (std::size_t i = 0; i < supplies.size(); ++i) {
    const auto begin = loops.begin() + static_cast<std::ptrdiff_t>(i * cells.size());
    std::vector<MeasuredLoop> there(begin, begin + static_cast<std::ptrdiff_t>(cells.size()));
    const LoopDeviation worst = worst_deviation(targets, there);
    rows.push_back({requests[i * cells.size()].environment, std::move(there), worst});
  }
  return rows;
}

}  // namespace

SupplySearch search_supplies(const CellTestSetup& lab, const std::vector<PlacedCell>& cells,
                             const std::vector<double>& supplies) {
  SupplySearch result;
  result.rows = measure_rows(lab, cells, supplies);
  std::vector<RetentionRequest> requests;
  for (const EnvironmentRow& row : result.rows) {
    for (std::size_t c = 0; c < cells.size(); ++c)
      requests.push_back({{cells[c].cell, row.environment, row.loops[c]}, 0.5});
  }
  result.retention = measure_retention(lab, requests, 1.0);
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const auto switches = [&](std::size_t row) { return works(result.rows[row].loops[c], cells[c].loop); };
    const auto holds = [&](std::size_t row) {
      const std::size_t i = 2 * (row * cells.size() + c);
      return result.retention[i].held && result.retention[i + 1].held;
    };
    result.limits.push_back({smallest_supply(result.rows, switches), smallest_supply(result.rows, holds)});
  }
  return result;
}

std::vector<SmallWidth> hold_widths(const CellTestSetup& lab, const std::vector<PlacedCell>& cells) {
  std::vector<RetentionRequest> requests;
  for (const PlacedCell& placed : cells) requests.push_back({placed, 0.5});
  const std::vector<Retention> held = measure_retention(lab, requests, 1.0);
  std::vector<SmallWidth> result;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    result.push_back({cells[i], held[2 * i].held && held[2 * i + 1].held});
  }
  return result;
}

}  // namespace hysteron::analysis
