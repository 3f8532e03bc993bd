#include "report/circuit_tables.h"

#include "base/units.h"

namespace hysteron::report {
namespace {

using compile::CenteredCell;
using compile::Centering;
using compile::ThresholdMargin;
using compile::WrongBits;

const Table<WrongBits>& wrong_bits_table() {
  static const auto table = Table<WrongBits>()
                                .figure("nominal", Better::kLower, "of the circuit as drawn", &WrongBits::nominal)
                                .figure("die", Better::kLower, "of a die with mismatch", &WrongBits::die);
  return table;
}

const Table<ThresholdMargin>& margin_table() {
  static const auto table =
      Table<ThresholdMargin>()
          .figure("threshold", "model units", &ThresholdMargin::threshold)
          .figure("margin_percent", "%", Better::kHigher,
                  "distance of the nearest thousandth of the critical levels; null: there are fewer",
                  [](const ThresholdMargin& margin) { return 100.0 * margin.distance; })
          .figure("margin_sigma", Better::kHigher, "the same in standard deviations of their errors",
                  &ThresholdMargin::sigmas)
          .object("expected_wrong_bits", "fraction of the cell's bits", wrong_bits_table(), &ThresholdMargin::wrong);
  return table;
}

/// One threshold of a cell before and after centering.
template <ThresholdMargin CenteredCell::*kBefore, ThresholdMargin CenteredCell::*kAfter>
const Table<CenteredCell>& threshold_table() {
  static const auto table =
      Table<CenteredCell>().object("before", "", margin_table(), kBefore).object("after", "", margin_table(), kAfter);
  return table;
}

const CenteredCell& itself(const CenteredCell& cell) { return cell; }

const Table<CenteredCell>& centered_cell_table() {
  static const auto table =
      Table<CenteredCell>()
          .figure("layer", "", &CenteredCell::layer)
          .figure("cell", "", &CenteredCell::cell)
          .object("beta_lo", "the lower threshold",
                  threshold_table<&CenteredCell::lower_before, &CenteredCell::lower_after>(), itself)
          .object("beta_hi", "the upper threshold",
                  threshold_table<&CenteredCell::upper_before, &CenteredCell::upper_after>(), itself);
  return table;
}

const Table<Centering>& wrong_bits_change_table() {
  static const auto table = Table<Centering>()
                                .object("before", "", wrong_bits_table(), &Centering::before)
                                .object("after", "", wrong_bits_table(), &Centering::after);
  return table;
}

std::string number(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : std::string("-");
}

std::string threshold_row(const CenteredCell& cell, const char* name, const ThresholdMargin& before,
                          const ThresholdMargin& after) {
  return fmt::format("layers.{} cell {:<4} {:<8} {:>8.4f} {:>8.4f}  {:>7} {:>7}  {:>6} {:>6}  {:>8.3f} {:>8.3f}\n",
                     cell.layer, cell.cell, name, before.threshold, after.threshold, number(100.0 * before.distance, 2),
                     number(100.0 * after.distance, 2), number(before.sigmas, 2), number(after.sigmas, 2),
                     100.0 * before.wrong.die, 100.0 * after.wrong.die);
}

std::string centering_text(const Centering& centering) {
  std::string text = fmt::format(
      "centering on {} clips: {} thresholds moved, {:.2f} % of the frames changed, {} decisions changed\n"
      "expected wrong bits: nominal {:.3f} % -> {:.3f} %, die {:.3f} % -> {:.3f} %\n\n",
      centering.clips, centering.thresholds_moved, 100.0 * centering.frame_change, centering.decisions_changed,
      100.0 * centering.before.nominal, 100.0 * centering.after.nominal, 100.0 * centering.before.die,
      100.0 * centering.after.die);
  text += fmt::format("{:<23} {:>17}  {:>15}  {:>13}  {:>17}\n", "", "threshold", "margin, %", "margin, sigma",
                      "wrong on a die, %");
  for (const CenteredCell& cell : centering.cells) {
    text += threshold_row(cell, "beta_lo", cell.lower_before, cell.lower_after);
    text += threshold_row(cell, "beta_hi", cell.upper_before, cell.upper_after);
  }
  return text + "\n";
}

const Table<compile::RestingCandidate>& resting_table() {
  using compile::RestingCandidate;
  static const auto table =
      Table<RestingCandidate>()
          .figure("layer", "", &RestingCandidate::layer)
          .figure("cell", "", &RestingCandidate::cell)
          .figure("threshold_name", "`beta_hi` or `beta_lo`",
                  [](const RestingCandidate& one) { return one.upper ? "beta_hi" : "beta_lo"; })
          .figure("threshold", "model units", &RestingCandidate::threshold)
          .figure("candidate", "model units", &RestingCandidate::candidate)
          .figure("distance", Better::kHigher, "of the candidate from the threshold, over the threshold",
                  &RestingCandidate::distance)
          .figure("frames", "fraction of the frames with this candidate; 0: at zero input", &RestingCandidate::frames)
          .figure("text", "the same as a sentence", &RestingCandidate::text);
  return table;
}

/// A change of the model together with what its effect was measured on.
template <typename Change>
struct Measured {
  const Change& change;
  const std::string& on;
};

template <typename Change>
Table<Measured<Change>> effect_table() {
  using Of = Measured<Change>;
  return Table<Of>()
      .figure("clips", "on which the change was measured", [](const Of& of) { return of.change.effect.clips; })
      .figure("measured_on", "`training`, `input` or `random` features", [](const Of& of) { return of.on; })
      .figure("frame_change", Better::kLower, "fraction of the software's frames that change",
              [](const Of& of) { return of.change.effect.frame_change; })
      .figure("decision_change", Better::kLower, "fraction of the clips whose decision changes",
              [](const Of& of) { return of.change.effect.decision_change; });
}

const auto& dropping_table() {
  using Of = Measured<compile::Pruning>;
  static const auto table =
      effect_table<compile::Pruning>()
          .figure("below", "model units; smaller ones are left out", [](const Of& of) { return of.change.below; })
          .figure("parameters", "weights and biases left out", [](const Of& of) { return of.change.dropped; });
  return table;
}

const auto& below_minimum_table() {
  using compile::BelowMinimum;
  using Of = Measured<design::SmallParameters>;
  static const auto parameters = Table<BelowMinimum>()
                                     .figure("parameter", "its name in the model file", &BelowMinimum::parameter)
                                     .figure("target", "as trained, model units", &BelowMinimum::target)
                                     .figure("made", "as the circuit has it; 0: left out", &BelowMinimum::made);
  static const auto table =
      effect_table<design::SmallParameters>()
          .list(
              "parameters", "below the smallest leg", parameters,
              [](const Of& of) -> const auto& { return of.change.changed; })
          .figure("left_out", "those of them left out", [](const Of& of) { return of.change.left_out(); })
          .figure("made_larger", "those of them raised to the smallest leg",
                  [](const Of& of) { return of.change.changed.size() - of.change.left_out(); });
  return table;
}

}  // namespace

const Table<compile::Power>& power_table() {
  using compile::Power;
  static const auto table =
      Table<Power>()
          .figure("total", "nW", Better::kLower, "supply voltage times mean supply current, rails included",
                  [](const Power& power) { return power.total / kNano; })
          .figure("cells", "nW", Better::kLower, "the part in branches M1 to M9 of every cell",
                  [](const Power& power) { return power.cells / kNano; })
          .figure("feedforward", "nW", Better::kLower, "the part everywhere else",
                  [](const Power& power) { return power.feedforward / kNano; });
  return table;
}

const Table<design::OperatingPoint>& operating_point_table() {
  using design::OperatingPoint;
  static const auto table =
      Table<OperatingPoint>()
          .figure("technology", "name, with the gate area factor, e.g. `generic180@4`", &OperatingPoint::technology)
          .figure("supply_v", "V", "supply voltage", &OperatingPoint::supply)
          .figure("unit_current_a", "A", "current that stands for 1.0 of the model", &OperatingPoint::unit_current);
  return table;
}

const Table<Centering>& centering_table() {
  static const auto table =
      Table<Centering>()
          .figure("clips", "centered on", &Centering::clips)
          .figure("frames", "of them all", &Centering::frames)
          .figure("frame_change", Better::kLower, "fraction of the frames whose decision centering changed",
                  &Centering::frame_change)
          .figure("decisions_changed", Better::kLower, "clips; 0 by construction", &Centering::decisions_changed)
          .figure("state_change", Better::kLower, "fraction of the state bits that centering changed",
                  &Centering::state_change)
          .figure("thresholds_moved", "", &Centering::thresholds_moved)
          .figure("mismatch", "standard deviation of a leg of the reference size", &Centering::mismatch)
          .object("expected_wrong_bits", "fraction of all bits", wrong_bits_change_table(),
                  [](const Centering& centering) -> const Centering& { return centering; })
          .list("cells", "every cell, by layer", centered_cell_table(), &Centering::cells)
          .text(centering_text);
  return table;
}

const Table<design::PreparedModel>& prepared_model_table() {
  using design::PreparedModel;
  static const auto table =
      Table<PreparedModel>()
          .list("resting_candidates", "candidates that lie on a threshold", resting_table(), &PreparedModel::resting)
          .object("centring", "what centering did (docs/centering.md)", centering_table(), &PreparedModel::centering)
          .text([](const PreparedModel& model) {
            return model.centering ? centering_table().text(*model.centering) : std::string();
          })
          .object("dropping", "what `drop_below` left out", dropping_table(),
                  [](const PreparedModel& model) {
                    return model.pruning ? std::optional(Measured<compile::Pruning>{*model.pruning, model.effects_on})
                                         : std::nullopt;
                  })
          .object("too_small", "parameters below the smallest leg", below_minimum_table(),
                  [](const PreparedModel& model) {
                    return model.small.changed.empty()
                               ? std::nullopt
                               : std::optional(Measured<design::SmallParameters>{model.small, model.effects_on});
                  });
  return table;
}

}  // namespace hysteron::report
