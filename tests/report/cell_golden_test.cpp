#include "golden.h"
#include "report/cell_report.h"
#include "report/cell_study_report.h"

namespace hysteron::report {
namespace {

using analysis::kNoFigure;

analysis::TunedCell sample_cell() {
  analysis::TunedCell cell;
  cell.target = {500e-12, 200e-12, 1e-9};
  cell.loop.loop = {500.1e-12, 199.8e-12, 1.0001e-9, 0.2e-12};
  cell.uncalibrated.loop = {520e-12, 260e-12, 0.97e-9, 0.2e-12};
  return cell;
}

analysis::MeasuredLoop broken_loop() { return {{480e-12, kNoFigure, 0.9e-9, 0.3e-9}, "it never resets", true}; }

TEST(Golden, Cell) {
  studies::CellMeasurement measured;
  measured.calibrated_at = {"tt", 1.8, 27.0};
  measured.cell = sample_cell();
  measured.cell.sizes = {{2.5e-6, 5.005e-6}, {1.4e-6, 4.99e-6}, {5.05e-6, 5e-6}};
  measured.loop.loop = {470e-12, 210e-12, 1.05e-9, kNoFigure};
  check_golden("cell", cell_table(), measured);
}

analysis::SupplySearch sample_search() {
  analysis::SupplySearch search;
  search.rows = {{{"tt", 0.9, 27.0}, {broken_loop()}, {}}};
  search.limits = {{0.9, kNoFigure}};
  return search;
}

analysis::ExtremeRow sample_extreme() {
  analysis::ExtremeRow row;
  row.environment = {"ff", 1.8, 125.0};
  row.lines = {{1.01, 2e-12, 3e-12, 7}, {0.99, -1e-12, 2e-12, 7}, {kNoFigure, kNoFigure, kNoFigure, 1}};
  row.currents = {{}};
  row.currents[0].off_in_band = 225e-12;
  row.currents[0].problem = "the cell does not set there";
  row.sensitivities = {{{{1.0, 0.0, 0.0}, {0.0, kNoFigure, 0.0}, {0.0, 0.0, 1.0}}}};
  row.responses = {{{0.1, 2e-3, 3e-3, kNoFigure, kNoFigure, "no reset within the run"}}};
  analysis::Retention held;
  held.held = true;
  analysis::Retention unknown;
  unknown.problem = "no band";
  row.retention = {unknown, held};
  row.low_supplies = sample_search();
  return row;
}

studies::CellStudy sample_study() {
  studies::CellStudy study;
  study.operating_point = {"generic180", 1.8, 1e-9};
  study.engine = "ngspice-39";
  study.temperature = 27.0;
  analysis::CellStudyResult& cells = study.cells;
  cells.floor = {0.5e-12, 3e-12};
  const analysis::LineFit line = {1.0002, 0.1e-12, 0.2e-12, 7};
  for (const char* name : {"threshold", "width", "gain"}) {
    cells.linearity.push_back({name, "I_gain 300 pA", line, {1.04, 2e-12, 4e-12, 7}, line, {sample_cell()}});
    cells.sweeps.push_back({name, "I_gain 300 pA", {sample_cell()}});
  }
  cells.anchors = {sample_cell()};
  const std::vector<analysis::MeasuredLoop> loops = {cells.anchors[0].loop};
  cells.environments = {{{"tt", 1.8, 85.0}, loops, analysis::worst_deviation({cells.anchors[0].target}, loops)},
                        {{"ss", 1.2, -40.0}, {broken_loop()}, {}}};
  cells.extremes = {sample_extreme()};
  cells.sensitivities = {{{{1.0, 0.01, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}}};
  cells.responses = {{{0.1, 2e-3, 3e-3, 1e-3, 2e-3, ""}}};
  cells.currents = {{1e-12, 225e-12, 900e-12, 30e-15, 20e-15, 2e-9, ""}};
  analysis::Retention off;
  off.position = 0.1;
  off.seconds = 100.0;
  off.held = true;
  off.output = 1e-13;
  analysis::Retention on = off;
  on.on = true;
  on.held = false;
  on.problem = "the engine failed";
  on.output = kNoFigure;
  cells.retention = {off, on};
  study.held = 1;
  cells.low_supplies = sample_search();
  cells.small_widths = {{{sample_cell(), {}, cells.anchors[0].loop}, true}};
  cells.points = 42;
  cells.unsolved = {"anchor of 500 pA at ss, 1.2 V, -40 C: it never resets"};
  return study;
}

TEST(Golden, CellStudy) { check_golden("cell_study", cell_study_table(), {sample_study(), "cell.json"}); }

TEST(Golden, CellStudyFile) {
  check_file("tests/report/golden/cell_study_file.json",
             json_text(cell_study_table().json({sample_study(), std::nullopt}), 1) + "\n");
}

}  // namespace
}  // namespace hysteron::report
