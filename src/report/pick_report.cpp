#include "report/pick_report.h"

#include <nlohmann/json.hpp>

#include "base/units.h"
#include "report/verify_report.h"

namespace hysteron::report {
namespace {

using explore::Pick;

double square_microns(const Pick& pick) { return pick.circuit.area / (kMicro * kMicro); }

std::string circuit_text(const Pick& pick) {
  return fmt::format(
      "expected            {} of power, {:.2f} % of the test clips right\n"
      "circuit             {} transistors, {} cells, {:.0f} um2 in {}\n",
      format_si(pick.point.figures->power, "W"), 100.0 * pick.point.figures->test_accuracy, pick.circuit.transistors,
      pick.circuit.cells, square_microns(pick), pick.folder.string());
}

}  // namespace

const Table<Pick>& pick_table() {
  static const auto table =
      Table<Pick>()
          .merge(verify_table(), &Pick::verification)
          .figure("point", "its variables and figures (docs/explore.md)",
                  [](const Pick& pick) { return Json(explore::point_json(pick.point)); })
          .figure("transistors", Better::kLower, "", [](const Pick& pick) { return pick.circuit.transistors; })
          .figure("legs", Better::kLower, "", [](const Pick& pick) { return pick.circuit.legs; })
          .figure("cells_in_circuit", "", [](const Pick& pick) { return pick.circuit.cells; })
          .figure("area_um2", "um2", Better::kLower, "", square_microns)
          .text(circuit_text);
  return table;
}

}  // namespace hysteron::report
