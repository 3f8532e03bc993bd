#include "report/compile_report.h"

#include "base/units.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using design::CellErrors;
using design::CircuitSummary;

const Table<CellErrors>& target_table() {
  static const auto table = Table<CellErrors>()
                                .figure("rise", "A", "", [](const CellErrors& cell) { return cell.compiled.rise; })
                                .figure("fall", "A", "", [](const CellErrors& cell) { return cell.compiled.fall; })
                                .figure("high", "A", "", [](const CellErrors& cell) { return cell.compiled.high; });
  return table;
}

const Table<CellErrors>& cell_error_table() {
  static const auto table =
      Table<CellErrors>()
          .figure("layer", "", &CellErrors::layer)
          .figure("cell", "", &CellErrors::cell)
          .figure("rise", Better::kLower, "relative error of beta_hi",
                  [](const CellErrors& cell) { return cell.compiled.errors.rise; })
          .figure("fall", Better::kLower, "of beta_lo",
                  [](const CellErrors& cell) { return cell.compiled.errors.fall; })
          .figure("high", Better::kLower, "of alpha", [](const CellErrors& cell) { return cell.compiled.errors.high; })
          .object("target_a", "target currents that the errors are relative to", target_table(),
                  [](const CellErrors& cell) -> const CellErrors& { return cell; });
  return table;
}

Json node_errors(const CircuitSummary& summary) {
  Json nodes = Json::object();
  for (const compile::NodeError& node : summary.summing_nodes) {
    Json errors = Json::object();
    errors.set("error_by_curves", node.before);
    errors.set("error", node.after);
    nodes.set(node.node, errors);
  }
  return nodes;
}

std::string summary_text(const CompileResult& result) {
  const CircuitSummary& summary = result.summary;
  std::string text = fmt::format("{} transistors, {} legs, {} cells, {:.0f} um2\n", summary.transistors, summary.legs,
                                 summary.cells, summary.area / (kMicro * kMicro));
  for (const auto& [role, count] : summary.by_role) text += fmt::format("  {:<12} {:>6}\n", role, count);
  if (summary.dropped_parameters > 0) text += fmt::format("  {} parameters left out\n", summary.dropped_parameters);
  text += fmt::format("wrote {} into {}\n", fmt::join(result.files, ", "), result.output.string());
  return text;
}

}  // namespace

const Table<CircuitSummary>& summary_table() {
  static const auto table =
      Table<CircuitSummary>()
          .merge(operating_point_table(), &CircuitSummary::operating_point)
          .figure("temperature_c", "C", "of sizing", &CircuitSummary::temperature)
          .figure("frame_seconds", "s", "frame time of the circuit", &CircuitSummary::frame_seconds)
          .figure("transistors", Better::kLower, "input and bias rails included", &CircuitSummary::transistors)
          .figure("legs", Better::kLower, "learned weights, biases and skip legs", &CircuitSummary::legs)
          .figure("cells", "", &CircuitSummary::cells)
          .figure("area_um2", "um2", Better::kLower, "estimated from gate areas and capacitors",
                  [](const CircuitSummary& summary) { return summary.area / (kMicro * kMicro); })
          .figure("transistors_by_role", "role: count", &CircuitSummary::by_role)
          .figure("capacitors", Better::kLower, "", &CircuitSummary::capacitors)
          .figure("capacitance_f", "F", Better::kLower, "of them all", &CircuitSummary::capacitance)
          .figure("dropped_parameters", Better::kLower, "zero or too small for the smallest leg",
                  &CircuitSummary::dropped_parameters)
          .figure("summing_nodes", "node: RMS error of the currents into it, by the curves and after calibration",
                  node_errors)
          .list("cell_errors", "of calibrated cells", cell_error_table(), &CircuitSummary::cell_errors)
          .figure("cell_error_floor_a", "A", "errors below this are not corrected", &CircuitSummary::cell_error_floor)
          .figure("inputs", "", &CircuitSummary::inputs)
          .figure("outputs", "", &CircuitSummary::outputs)
          .merge(prepared_model_table(), &CircuitSummary::prepared);
  return table;
}

const Table<CompileResult>& compile_table() {
  static const auto table =
      Table<CompileResult>()
          .merge(summary_table(), &CompileResult::summary)
          .figure("output", "the folder", [](const CompileResult& result) { return result.output.string(); })
          .figure("files", "written there", &CompileResult::files)
          .text(summary_text);
  return table;
}

}  // namespace hysteron::report
