#include "report/cell_report.h"

#include "base/units.h"
#include "report/cell_tables.h"

namespace hysteron::report {
namespace {

using studies::CellMeasurement;

std::string loop_text(const CellMeasurement& measured) {
  const compile::CellTarget& target = measured.cell.target;
  const compile::CellLoop& loop = measured.loop.loop;
  const compile::CellLoop& before = measured.cell.uncalibrated.loop;
  std::string text = fmt::format("{:<8} {:>10} {:>10} {:>10}\n", "", "wanted", "measured", "uncalibrated");
  const auto row = [&](const char* name, double wanted, double value, double first) {
    text += fmt::format("{:<8} {:>10} {:>10} {:>10}\n", name, format_si(wanted, "A"), format_si(value, "A", 4),
                        format_si(first, "A", 4));
  };
  row("rise", target.rise, loop.rise, before.rise);
  row("fall", target.fall, loop.fall, before.fall);
  row("high", target.high, loop.high, before.high);
  row("low", 0.0, loop.low, before.low);
  return text + fmt::format("uncalibrated: with the legs that the gain curves suggest, at {} and {:g} °C\n",
                            measured.calibrated_at.corner, measured.calibrated_at.temperature);
}

}  // namespace

const Table<CellMeasurement>& cell_table() {
  static const auto table =
      Table<CellMeasurement>()
          .merge(
              loop_table(), [](const CellMeasurement& m) -> const auto& { return m.loop.loop; })
          .object(
              "uncalibrated", "with the legs that the gain curves suggest, at the typical corner", loop_table(),
              [](const CellMeasurement& m) -> const auto& { return m.cell.uncalibrated.loop; })
          .text(loop_text);
  return table;
}

}  // namespace hysteron::report
