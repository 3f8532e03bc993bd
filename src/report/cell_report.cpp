#include "report/cell_report.h"

#include "base/units.h"
#include "report/cell_tables.h"

namespace hysteron::report {
namespace {

using studies::CellMeasurement;

std::string size_text(const technology::Geometry& size) {
  return fmt::format("{:.4g} x {:.4g} um", 1e6 * size.width, 1e6 * size.length);
}

const Table<technology::Geometry>& geometry_table() {
  using technology::Geometry;
  static const auto table = Table<Geometry>()
                                .figure("width_m", "m", "drawn width", &Geometry::width)
                                .figure("length_m", "m", "drawn length", &Geometry::length);
  return table;
}

const Table<compile::CellSizes>& sizes_table() {
  using compile::CellSizes;
  static const auto table = Table<CellSizes>()
                                .object("m2", "the leg of I_thresh", geometry_table(), &CellSizes::threshold)
                                .object("m8", "the leg of I_width", geometry_table(), &CellSizes::width)
                                .object("m5", "the leg of I_gain", geometry_table(), &CellSizes::gain);
  return table;
}

std::string loop_text(const CellMeasurement& measured) {
  const compile::CellTarget& target = measured.cell.target;
  const compile::CellLoop& loop = measured.loop.loop;
  const compile::CellLoop& before = measured.cell.uncalibrated.loop;
  std::string text = fmt::format("{:<8} {:>10} {:>10} {:>10}\n", "", "target", "measured", "uncalibrated");
  const auto row = [&](const char* name, double wanted, double value, double first) {
    text += fmt::format("{:<8} {:>10} {:>10} {:>10}\n", name, format_si(wanted, "A"), format_si(value, "A", 4),
                        format_si(first, "A", 4));
  };
  row("rise", target.rise, loop.rise, before.rise);
  row("fall", target.fall, loop.fall, before.fall);
  row("high", target.high, loop.high, before.high);
  row("low", 0.0, loop.low, before.low);
  const compile::CellSizes& sizes = measured.cell.sizes;
  text += fmt::format("legs, width x length: M2 {}, M8 {}, M5 {}\n", size_text(sizes.threshold), size_text(sizes.width),
                      size_text(sizes.gain));
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
          .object(
              "legs", "as `compile` makes them for a cell of a network", sizes_table(),
              [](const CellMeasurement& m) -> const auto& { return m.cell.sizes; })
          .text(loop_text);
  return table;
}

}  // namespace hysteron::report
