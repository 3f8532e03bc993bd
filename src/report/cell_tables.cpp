#include "report/cell_tables.h"

namespace hysteron::report {

const Table<compile::CellLoop>& loop_table() {
  using compile::CellLoop;
  static const auto table =
      Table<CellLoop>()
          .figure("rise", "A", "candidate at which the output rises; null: never", &CellLoop::rise)
          .figure("fall", "A", "candidate at which it falls", &CellLoop::fall)
          .figure("high", "A", "output when on", &CellLoop::high)
          .figure("low", "A", Better::kLower, "output when off", &CellLoop::low);
  return table;
}

const Table<analysis::MeasuredLoop>& measured_loop_table() {
  using analysis::MeasuredLoop;
  static const auto table =
      Table<MeasuredLoop>()
          .merge(loop_table(), &MeasuredLoop::loop)
          .figure("problem", "why the loop is not whole; left out where it is", [](const MeasuredLoop& measured) {
            return measured.good() ? std::nullopt : std::optional(measured.problem);
          });
  return table;
}

const Table<compile::CellTarget>& cell_target_table() {
  using compile::CellTarget;
  static const auto table = Table<CellTarget>()
                                .figure("i_thresh", "A", "programmed upper threshold", &CellTarget::rise)
                                .figure("i_width", "A", "programmed hysteresis width",
                                        [](const CellTarget& target) { return target.rise - target.fall; })
                                .figure("i_gain", "A", "programmed output", &CellTarget::high);
  return table;
}

}  // namespace hysteron::report
