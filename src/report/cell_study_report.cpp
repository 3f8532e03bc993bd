#include "report/cell_study_report.h"

#include <algorithm>
#include <limits>

#include "base/units.h"
#include "report/cell_tables.h"

namespace hysteron::report {
namespace {

using analysis::CellCurrents;
using analysis::EnvironmentRow;
using analysis::ExtremeRow;
using analysis::Response;
using analysis::Retention;
using analysis::TunedCell;
using compile::CellTarget;
using studies::CellStudy;

constexpr const char* kQuantities[] = {"threshold", "width", "gain"};

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

const Table<TunedCell>& tuned_cell_table() {
  static const auto table = Table<TunedCell>()
                                .merge(cell_target_table(), &TunedCell::target)
                                .merge(measured_loop_table(), &TunedCell::loop)
                                .object("uncalibrated", "with the legs the gain curves suggest", measured_loop_table(),
                                        &TunedCell::uncalibrated);
  return table;
}

const Table<analysis::LineFit>& line_table() {
  using analysis::LineFit;
  static const auto table =
      Table<LineFit>()
          .figure("slope", "of measured over programmed", &LineFit::slope)
          .figure("offset", "A", "", &LineFit::offset)
          .figure("worst_residual", "A", Better::kLower, "largest distance from the line", &LineFit::worst_residual)
          .figure("points", "with a loop", &LineFit::points);
  return table;
}

const Table<analysis::Linearity>& linearity_table() {
  using analysis::Linearity;
  static const auto table =
      Table<Linearity>()
          .merge(line_table(), &Linearity::calibrated)
          .figure("beside", "what the other two currents were", &Linearity::beside)
          .object("uncalibrated", "with the legs the gain curves suggest", line_table(), &Linearity::uncalibrated)
          .object("slower_ramp", "measured again on ramps half as fast", line_table(), &Linearity::slower)
          .list("cells", "the line is fitted to", tuned_cell_table(), &Linearity::cells);
  return table;
}

const Table<analysis::CellSweep>& sweep_table() {
  using analysis::CellSweep;
  static const auto table = Table<CellSweep>()
                                .figure("beside", "what the other two currents were", &CellSweep::beside)
                                .list("cells", "one a current", tuned_cell_table(), &CellSweep::cells);
  return table;
}

template <typename Named>
const Named* find_named(const std::vector<Named>& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &Named::name);
  return found == list.end() ? nullptr : &*found;
}

/// An object with a part of each current's name, those that are in the list.
template <typename Named>
Table<std::vector<Named>> by_quantity(const Table<Named>& table) {
  Table<std::vector<Named>> result;
  for (const std::string name : kQuantities) {
    result.object(name, "", table, [name](const std::vector<Named>& list) { return find_named(list, name); });
  }
  return result;
}

const Table<compile::CellEnvironment>& environment_table() {
  using compile::CellEnvironment;
  static const auto table = Table<CellEnvironment>()
                                .figure("corner", "", &CellEnvironment::corner)
                                .figure("supply_v", "V", "", &CellEnvironment::supply)
                                .figure("temperature", "C", "", &CellEnvironment::temperature);
  return table;
}

/// A cell's target and its loop somewhere.
struct LoopThere {
  const CellTarget& target;
  const analysis::MeasuredLoop& loop;
};

const Table<LoopThere>& loop_there_table() {
  static const auto table = Table<LoopThere>()
                                .merge(
                                    cell_target_table(), [](const LoopThere& at) -> const auto& { return at.target; })
                                .merge(
                                    measured_loop_table(), [](const LoopThere& at) -> const auto& { return at.loop; });
  return table;
}

/// Conditions and the anchors' loops there.
struct RowOfAnchors {
  const EnvironmentRow& row;
  const std::vector<TunedCell>& anchors;
};

std::vector<LoopThere> loops_there(const RowOfAnchors& at) {
  std::vector<LoopThere> loops;
  for (std::size_t a = 0; a < at.anchors.size(); ++a) loops.push_back({at.anchors[a].target, at.row.loops[a]});
  return loops;
}

std::vector<RowOfAnchors> rows_of(const std::vector<EnvironmentRow>& rows, const std::vector<TunedCell>& anchors) {
  std::vector<RowOfAnchors> result;
  for (const EnvironmentRow& row : rows) result.push_back({row, anchors});
  return result;
}

const Table<RowOfAnchors>& environment_row_table() {
  using analysis::LoopDeviation;
  static const auto worst =
      Table<LoopDeviation>()
          .figure("rise", Better::kLower, "over i_thresh; null: no cell has a loop", &LoopDeviation::rise)
          .figure("fall", Better::kLower, "over i_thresh", &LoopDeviation::fall)
          .figure("high", Better::kLower, "over i_gain", &LoopDeviation::high)
          .figure("cells", Better::kHigher, "with a loop", &LoopDeviation::cells);
  static const auto table =
      Table<RowOfAnchors>()
          .merge(
              environment_table(), [](const RowOfAnchors& at) -> const auto& { return at.row.environment; })
          .object(
              "worst", "largest deviation from what was programmed", worst,
              [](const RowOfAnchors& at) -> const auto& { return at.row.worst; })
          .list("cells", "the anchors there", loop_there_table(), loops_there);
  return table;
}

const Table<Response>& response_table() {
  static const auto table =
      Table<Response>()
          .figure("overdrive", "distance beyond the threshold over i_thresh", &Response::overdrive)
          .figure("set_switch", "s", Better::kLower, "step to V0 at half the supply; null: not within the run",
                  &Response::set_switch)
          .figure("set_output", "s", Better::kLower, "step to nine tenths of the output", &Response::set_output)
          .figure("reset_switch", "s", Better::kLower, "step to V0 at half the supply", &Response::reset_switch)
          .figure("reset_output", "s", Better::kLower, "step to a tenth of the output", &Response::reset_output)
          .figure("problem", "where a figure is missing",
                  [](const Response& response) { return unless_empty(response.problem); });
  return table;
}

const Table<CellCurrents>& currents_table() {
  static const auto table =
      Table<CellCurrents>()
          .figure("off_at_zero", "A", Better::kLower, "off, no candidate", &CellCurrents::off_at_zero)
          .figure("off_in_band", "A", Better::kLower, "off, candidate in the middle of the band",
                  &CellCurrents::off_in_band)
          .figure("on_in_band", "A", Better::kLower, "on, there", &CellCurrents::on_in_band)
          .figure("set_charge", "C", Better::kLower, "coulomb, until V0 and the output are set",
                  &CellCurrents::set_charge)
          .figure("reset_charge", "C", Better::kLower, "coulomb, until they are reset", &CellCurrents::reset_charge)
          .figure("set_peak", "A", Better::kLower, "largest while it sets", &CellCurrents::set_peak)
          .figure("problem", "where a figure is missing",
                  [](const CellCurrents& currents) { return unless_empty(currents.problem); });
  return table;
}

const Table<analysis::AnchorLimits>& limits_table() {
  using analysis::AnchorLimits;
  static const auto table =
      Table<AnchorLimits>()
          .figure("smallest_switching_supply", "V", Better::kLower, "down to which the loop stays within a tenth",
                  &AnchorLimits::smallest_switching_supply)
          .figure("smallest_holding_supply", "V", Better::kLower, "down to which both states are held",
                  &AnchorLimits::smallest_holding_supply);
  return table;
}

/// Whether a state was held; null where that was not measured.
Json held_value(const Retention& retention) { return retention.problem.empty() ? Json(retention.held) : Json(nullptr); }

const Table<analysis::SmallWidth>& small_width_table() {
  using analysis::SmallWidth;
  static const auto table =
      Table<SmallWidth>()
          .merge(
              cell_target_table(), [](const SmallWidth& width) -> const auto& { return width.placed.cell.target; })
          .merge(
              measured_loop_table(), [](const SmallWidth& width) -> const auto& { return width.placed.loop; })
          .figure("width", "A", "as measured: rise less fall",
                  [](const SmallWidth& width) { return width.placed.loop.width(); })
          .figure("holds", "both states for a second, mid-band", &SmallWidth::holds);
  return table;
}

/// Off and on, held for a second.
struct HeldStates {
  const Retention& off;
  const Retention& on;
};

const Table<HeldStates>& held_states_table() {
  static const auto table =
      Table<HeldStates>()
          .figure("off", "null: not measured", [](const HeldStates& states) { return held_value(states.off); })
          .figure("on", "", [](const HeldStates& states) { return held_value(states.on); })
          .figure("problem", "why it was not measured",
                  [](const HeldStates& states) { return unless_empty(states.off.problem); });
  return table;
}

/// What an anchor does, where it was calibrated or at an extreme.
struct Anchor {
  const CellStudy& study;
  const ExtremeRow* extreme = nullptr;
  std::size_t index = 0;

  const TunedCell& cell() const { return study.cells.anchors[index]; }
  const std::vector<Response>& responses() const {
    return (extreme != nullptr ? extreme->responses : study.cells.responses)[index];
  }
  const CellCurrents& currents() const {
    return (extreme != nullptr ? extreme->currents : study.cells.currents)[index];
  }
  const analysis::Sensitivities& sensitivities() const {
    return (extreme != nullptr ? extreme->sensitivities : study.cells.sensitivities)[index];
  }
  const analysis::AnchorLimits* limits() const {
    const auto& found = (extreme != nullptr ? extreme->low_supplies : study.cells.low_supplies).limits;
    return found.empty() ? nullptr : &found[index];
  }
  HeldStates held() const { return {extreme->retention[2 * index], extreme->retention[2 * index + 1]}; }
};

const Table<Anchor>& anchor_figures_table() {
  static const auto table =
      Table<Anchor>()
          .list("response", "to a step from the middle of the band beyond a threshold", response_table(),
                &Anchor::responses)
          .object("currents", "from the cells' supply", currents_table(), &Anchor::currents)
          .figure("independence", "matrix, rows and columns as `independence` names them", &Anchor::sensitivities)
          .merge(limits_table(), &Anchor::limits);
  return table;
}

const Anchor& itself(const Anchor& anchor) { return anchor; }

const Table<Anchor>& anchor_table() {
  static const auto table =
      Table<Anchor>().merge(tuned_cell_table(), &Anchor::cell).merge(anchor_figures_table(), itself);
  return table;
}

const Table<Anchor>& extreme_anchor_table() {
  static const auto table =
      Table<Anchor>()
          .merge(
              cell_target_table(), [](const Anchor& anchor) -> const auto& { return anchor.cell().target; })
          .merge(anchor_figures_table(), itself)
          .object("holds", "each state for a second in the middle of the band there", held_states_table(),
                  &Anchor::held);
  return table;
}

std::vector<Anchor> anchors_of(const CellStudy& study, const ExtremeRow* extreme) {
  std::vector<Anchor> anchors;
  for (std::size_t a = 0; a < study.cells.anchors.size(); ++a) anchors.push_back({study, extreme, a});
  return anchors;
}

struct Extreme {
  const CellStudy& study;
  const ExtremeRow& row;
};

template <std::size_t kQuantity>
const analysis::LineFit* line_of(const Extreme& extreme) {
  return kQuantity < extreme.row.lines.size() ? &extreme.row.lines[kQuantity] : nullptr;
}

const Table<Extreme>& extreme_table() {
  static const auto lines = Table<Extreme>()
                                .object(kQuantities[0], "", line_table(), line_of<0>)
                                .object(kQuantities[1], "", line_table(), line_of<1>)
                                .object(kQuantities[2], "", line_table(), line_of<2>);
  static const auto table =
      Table<Extreme>()
          .merge(
              environment_table(), [](const Extreme& extreme) -> const auto& { return extreme.row.environment; })
          .object(
              "linearity", "lines of the same cells there", lines,
              [](const Extreme& extreme) -> const auto& { return extreme; })
          .list("anchors", "there", extreme_anchor_table(),
                [](const Extreme& extreme) { return anchors_of(extreme.study, &extreme.row); })
          .list(
              "small_widths", "there", small_width_table(),
              [](const Extreme& extreme) -> const auto& { return extreme.row.small_widths; });
  return table;
}

std::vector<Extreme> extremes_of(const CellStudy& study) {
  std::vector<Extreme> extremes;
  for (const ExtremeRow& row : study.cells.extremes) extremes.push_back({study, row});
  return extremes;
}

struct RetentionPoint {
  const CellTarget& target;
  const Retention& retention;
};

std::vector<RetentionPoint> retention_points(const CellStudy& study) {
  const std::vector<Retention>& all = study.cells.retention;
  std::vector<RetentionPoint> points;
  for (std::size_t i = 0; i < all.size(); ++i) {
    points.push_back({study.cells.anchors[i * study.cells.anchors.size() / all.size()].target, all[i]});
  }
  return points;
}

const Table<RetentionPoint>& retention_point_table() {
  static const auto table =
      Table<RetentionPoint>()
          .merge(
              cell_target_table(), [](const RetentionPoint& point) -> const auto& { return point.target; })
          .figure("position", "in the band: 0 at the lower, 1 at the upper threshold",
                  [](const RetentionPoint& point) { return point.retention.position; })
          .figure("state", "`on` or `off`",
                  [](const RetentionPoint& point) { return point.retention.on ? "on" : "off"; })
          .figure("held", "null: not measured", [](const RetentionPoint& point) { return held_value(point.retention); })
          .figure("output", "A", "at the end", [](const RetentionPoint& point) { return point.retention.output; })
          .figure("problem", "why it was not measured",
                  [](const RetentionPoint& point) { return unless_empty(point.retention.problem); });
  return table;
}

double retention_seconds(const CellStudy& study) {
  return study.cells.retention.empty() ? 0.0 : study.cells.retention.front().seconds;
}

const Table<CellStudy>& retention_table() {
  static const auto table =
      Table<CellStudy>()
          .figure("seconds", "s", Better::kHigher, "simulated", retention_seconds)
          .figure("held", Better::kHigher, "states that were held", &CellStudy::held)
          .figure("of", "states", [](const CellStudy& study) { return study.cells.retention.size(); })
          .list("points", "", retention_point_table(), retention_points);
  return table;
}

const Table<compile::CellFloor>& floor_table() {
  using compile::CellFloor;
  static const auto table =
      Table<CellFloor>()
          .figure("leakage", "A", Better::kLower, "of a reference device that is off", &CellFloor::leakage)
          .figure("smallest_leg", "A", Better::kLower, "smallest current of a leg", &CellFloor::smallest_leg)
          .figure("leg", "A", Better::kLower, "lower bound of any of the three currents", &CellFloor::leg)
          .figure("threshold", "A", Better::kLower, "lower bound of i_thresh", &CellFloor::threshold)
          .figure("fall", "A", Better::kLower, "lower bound of the lower threshold", &CellFloor::fall);
  return table;
}

/// What is in the file alone.
const Table<CellStudy>& points_table() {
  static const auto sweeps = by_quantity(sweep_table());
  static const auto table =
      Table<CellStudy>()
          .object(
              "sweeps", "each of the three currents in turn; in the file alone", sweeps,
              [](const CellStudy& study) -> const auto& { return study.cells.sweeps; })
          .list("low_supplies", "the anchors down to the lowest supply; in the file alone", environment_row_table(),
                [](const CellStudy& study) { return rows_of(study.cells.low_supplies.rows, study.cells.anchors); });
  return table;
}

const Table<CellStudy>& matrix_names_table() {
  using Names = std::vector<std::string>;
  static const auto table = Table<CellStudy>()
                                .figure("rows", "of every matrix: what is measured",
                                        [](const CellStudy&) {
                                          return Names{"rise", "width", "high"};
                                        })
                                .figure("columns", "the current a leg is sized for", [](const CellStudy&) {
                                  return Names{"i_thresh", "i_width", "i_gain"};
                                });
  return table;
}

const CellStudy& whole(const CellStudy& study) { return study; }

const Table<CellStudy>& figures_table() {
  static const auto lines = by_quantity(linearity_table());
  static const auto table =
      Table<CellStudy>()
          .figure("study", "`cell`", [](const CellStudy&) { return "cell"; })
          .figure("technology", "", [](const CellStudy& study) { return study.operating_point.technology; })
          .figure("engine", "with its version", &CellStudy::engine)
          .figure("unit_current_a", "A", "", [](const CellStudy& study) { return study.operating_point.unit_current; })
          .figure("supply_v", "V", "of calibration",
                  [](const CellStudy& study) { return study.operating_point.supply; })
          .figure("temperature", "C", "of calibration", &CellStudy::temperature)
          .object(
              "floor", "lower bounds of the currents", floor_table(),
              [](const CellStudy& study) -> const auto& { return study.cells.floor; })
          .object(
              "linearity", "least squares, measured = slope * programmed + offset", lines,
              [](const CellStudy& study) -> const auto& { return study.cells.linearity; })
          .object("independence", "of the matrices d(row) / d(column)", matrix_names_table(), whole)
          .list("anchors", "five cells, where they were calibrated", anchor_table(),
                [](const CellStudy& study) { return anchors_of(study, nullptr); })
          .list("environments", "the anchors at every supply, temperature and corner", environment_row_table(),
                [](const CellStudy& study) { return rows_of(study.cells.environments, study.cells.anchors); })
          .list("extremes", "one axis at a time", extreme_table(), extremes_of)
          .object("retention", "both states at three places in the band", retention_table(), whole)
          .list(
              "small_widths", "cells of small hysteresis", small_width_table(),
              [](const CellStudy& study) -> const auto& { return study.cells.small_widths; })
          .figure("points", "measurements made", [](const CellStudy& study) { return study.cells.points; })
          .figure("unsolved", "those without a figure, each by name",
                  [](const CellStudy& study) { return study.cells.unsolved; });
  return table;
}

std::string picoampere(double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value / kPico) : "none"; }

std::string percent(double share) { return std::isfinite(share) ? fmt::format("{:.2f}%", 100.0 * share) : "none"; }

std::string conditions_text(const compile::CellEnvironment& environment) {
  return fmt::format("{:<8}{:>8g}{:>8g}", environment.corner, environment.supply, environment.temperature);
}

/// What is no finite number reads as nan.
double finite_or_nan(double value) { return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN(); }

/// Slopes of the three lines, and what the anchor in the middle of the list draws.
std::string extremes_text(const CellStudy& study) {
  if (study.cells.extremes.empty()) return "";
  const std::size_t middle = study.cells.anchors.size() / 2;
  std::string text = fmt::format(
      "\n{:<8}{:>8}{:>8}{:>12}{:>10}{:>10}{:>12}{:>12}   slopes; current of a cell of {} in its band, pA\n", "corner",
      "V", "C", "threshold", "width", "gain", "off", "on", format_si(study.cells.anchors[middle].target.rise, "A"));
  for (const ExtremeRow& row : study.cells.extremes) {
    text += conditions_text(row.environment);
    text += fmt::format("{:>12.5f}{:>10.5f}{:>10.5f}{:>12}{:>12}\n", finite_or_nan(row.lines[0].slope),
                        finite_or_nan(row.lines[1].slope), finite_or_nan(row.lines[2].slope),
                        picoampere(row.currents[middle].off_in_band), picoampere(row.currents[middle].on_in_band));
  }
  return text;
}

std::string study_text(const CellStudyResult& result) {
  const CellStudy& study = result.study;
  std::string text =
      fmt::format("{:<10}{:>10}{:>12}{:>14}   100-400 pA, calibrated\n", "", "slope", "offset pA", "residual pA");
  for (const analysis::Linearity& line : study.cells.linearity) {
    text += fmt::format("{:<10}{:>10.5f}{:>12}{:>14}\n", line.name, finite_or_nan(line.calibrated.slope),
                        picoampere(line.calibrated.offset), picoampere(line.calibrated.worst_residual));
  }
  text += fmt::format("\n{:<8}{:>8}{:>8}{:>10}{:>10}{:>10}   worst deviation\n", "corner", "V", "C", "rise", "fall",
                      "high");
  for (const EnvironmentRow& row : study.cells.environments) {
    text += conditions_text(row.environment) + fmt::format("{:>10}{:>10}{:>10}\n", percent(row.worst.rise),
                                                           percent(row.worst.fall), percent(row.worst.high));
  }
  text += extremes_text(study);
  text += fmt::format("\nheld {} of {} states for {:g} s\n", study.held, study.cells.retention.size(),
                      retention_seconds(study));
  text += fmt::format("{} points, {} without a figure\n", study.cells.points, study.cells.unsolved.size());
  for (const std::string& point : study.cells.unsolved) text += fmt::format("  {}\n", point);
  return text;
}

}  // namespace

const Table<CellStudyResult>& cell_study_table() {
  static const auto table =
      Table<CellStudyResult>()
          .merge(figures_table(), &CellStudyResult::study)
          .merge(points_table(), [](const CellStudyResult& result) { return result.output ? nullptr : &result.study; })
          .figure("output", "the file; not in the file itself",
                  [](const CellStudyResult& result) {
                    return result.output ? std::optional(result.output->string()) : std::nullopt;
                  })
          .text(study_text);
  return table;
}

}  // namespace hysteron::report
