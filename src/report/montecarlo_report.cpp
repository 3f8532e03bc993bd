#include "report/montecarlo_report.h"

#include <algorithm>

#include "base/units.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::Interval;
using studies::ClipYield;
using studies::DieFigures;
using studies::DieYield;
using studies::EngineComparison;
using studies::MarginLaw;
using studies::MonteCarlo;
using studies::ShareEstimate;
using studies::TrimFigures;

constexpr std::size_t kCellsShown = 8;

/// [low, high]; an end that is not finite is null.
Json interval_json(const Interval& interval) { return std::vector<double>{interval.low, interval.high}; }

/// The same; null: there is none.
Json interval_or_null(const std::optional<Interval>& interval) {
  return interval ? interval_json(*interval) : Json(nullptr);
}

const Table<ClipYield>& clip_table() {
  static const auto table =
      Table<ClipYield>()
          .figure("clip", "index", [](const ClipYield& clip) { return clip.reference.clip; })
          .figure("software", "its decision", &ClipYield::software)
          .figure("margin_votes", "votes that the decision is ahead of the next label",
                  [](const ClipYield& clip) { return clip.reference.margin; })
          .figure("dies", "with a result", &ClipYield::dies)
          .figure("decision_yield", Better::kHigher, "share of the dies",
                  [](const ClipYield& clip) { return clip.decision_yield.value; })
          .figure("ci95", "its 95 % interval (Wilson)",
                  [](const ClipYield& clip) { return interval_or_null(clip.decision_yield.ci95); })
          .figure("frame_agreement", Better::kHigher, "share of frames", &ClipYield::frame_agreement);
  return table;
}

const Table<DieYield>& die_table() {
  static const auto table =
      Table<DieYield>()
          .figure("seed", "", &DieYield::seed)
          .figure("clips", "with a result", &DieYield::clips)
          .figure("decision_yield", Better::kHigher, "share of the clips",
                  [](const DieYield& die) { return die.decision_yield.value; })
          .figure("ci95", "its 95 % interval (Wilson)",
                  [](const DieYield& die) { return interval_or_null(die.decision_yield.ci95); })
          .figure("power_nw", "nW", Better::kLower, "mean over clips; of ngspice",
                  [](const DieYield& die) { return die.power ? std::optional(*die.power / kNano) : std::nullopt; })
          .figure("trim_codes", "of `trim.legs`; of trimmed dies", &DieYield::codes);
  return table;
}

const Table<studies::CellMismatch>& cell_table() {
  using studies::CellMismatch;
  static const auto table = Table<CellMismatch>()
                                .figure("layer", "", &CellMismatch::layer)
                                .figure("cell", "", &CellMismatch::cell)
                                .figure("state_mismatch", Better::kLower, "share of its bits over dies and clips",
                                        &CellMismatch::state_mismatch);
  return table;
}

const Table<MarginLaw>& margin_table() {
  static const auto table =
      Table<MarginLaw>()
          .figure("offset", "o of Q(o + s m), m = votes ahead over frames",
                  [](const MarginLaw& law) { return law.fit.law.offset; })
          .figure("offset_ci95", "95 % interval, dies and clips resampled",
                  [](const MarginLaw& law) { return interval_json(law.fit.offset); })
          .figure("slope", "s", [](const MarginLaw& law) { return law.fit.law.slope; })
          .figure("slope_ci95", "as above", [](const MarginLaw& law) { return interval_json(law.fit.slope); })
          .figure("margin_of_1_percent", Better::kLower, "m at which one decision of a hundred flips",
                  &MarginLaw::margin_of_1_percent)
          .figure("rms_error", "of the clips' flip rates around the law",
                  [](const MarginLaw& law) { return law.fit.rms_error; })
          .figure("dispersion", "Pearson's statistic over its degrees of freedom; 1: as independent draws scatter",
                  [](const MarginLaw& law) { return law.fit.dispersion; })
          .figure("resamples", "of them, with flips at two margins",
                  [](const MarginLaw& law) { return law.fit.resamples; });
  return table;
}

const Table<DieFigures>& figures_table() {
  static const auto table =
      Table<DieFigures>()
          .figure("decision_yield", Better::kHigher, "share of pairs of die and clip that decide as software does",
                  [](const DieFigures& of) { return of.decision_yield.value; })
          .figure("ci95", "its 95 % interval, every pair a draw of its own (Wilson)",
                  [](const DieFigures& of) { return interval_or_null(of.decision_yield.ci95); })
          .figure("ci95_resampled", "95 %, over other dies and clips; null: fewer than two of either",
                  [](const DieFigures& of) { return interval_or_null(of.resampled); })
          .figure("decision_yield_clear", Better::kHigher, "of clips that software decides by 5 votes or more",
                  [](const DieFigures& of) { return of.clear_yield.value; })
          .figure("ci95_clear", "as `ci95`", [](const DieFigures& of) { return interval_or_null(of.clear_yield.ci95); })
          .figure("ci95_clear_resampled", "as `ci95_resampled`",
                  [](const DieFigures& of) { return interval_or_null(of.clear_resampled); })
          .figure("frame_agreement", Better::kHigher, "share of frames with the same argmax of the logits",
                  &DieFigures::frame_agreement)
          .figure("state_mismatch", Better::kLower, "share of state bits that differ", &DieFigures::state_mismatch);
  return table;
}

/// The parameter that a leg sets, by its name in the model file.
std::string leg_parameter(const behavioural::TrimLeg& leg) {
  return fmt::format("layers.{}.{}[{}]", leg.layer, leg.is_width ? "delta" : "beta_hi", leg.cell);
}

const Table<TrimFigures>& trim_table() {
  using behavioural::TrimLeg;
  static const auto legs =
      Table<TrimLeg>()
          .figure("parameter", "", leg_parameter)
          .figure("device", "`m2` or `m8`", [](const TrimLeg& leg) { return leg.is_width ? "m8" : "m2"; })
          .figure("wrong_bits_expected", Better::kLower,
                  "share of the cell's bits that its threshold gets wrong on dies without trims", &TrimLeg::wrong_bits);
  static const auto table =
      Table<TrimFigures>()
          .list("legs", "that have a trim", legs, &TrimFigures::legs)
          .figure("bits", "of every trim", [](const TrimFigures& trim) { return trim.dac.bits; })
          .figure("step", "share of the leg's current", [](const TrimFigures& trim) { return trim.dac.step; })
          .figure("clips_played", "once for every layer with trims", &TrimFigures::clips_played)
          .figure("seconds_played", "s", Better::kLower, "of clips, to every die", &TrimFigures::seconds_played)
          .figure("extra_transistors", Better::kLower, "", &TrimFigures::extra_transistors)
          .figure("storage_bits", Better::kLower, "of a die", &TrimFigures::storage_bits)
          .figure("codes_at_an_end", Better::kLower, "share of the codes that are the lowest or the highest",
                  &TrimFigures::codes_at_an_end)
          .object("before", "the same dies without trims", figures_table(), &TrimFigures::before);
  return table;
}

const Table<EngineComparison>& comparison_table() {
  using analysis::Conformance;
  using studies::DifferingPair;
  static const auto conformance =
      Table<Conformance>()
          .figure("clips", "pairs that both engines ran", &Conformance::clips)
          .figure("same_decisions", Better::kHigher, "share of them", &Conformance::same_decisions)
          .figure("same_frames", Better::kHigher, "share of frames", &Conformance::same_frames)
          .figure("same_bits", Better::kHigher, "share of state bits", &Conformance::same_bits)
          .figure("candidate_relative_rms", Better::kLower, "where all bits below are the same",
                  &Conformance::candidate_relative_rms)
          .figure("logit_relative_rms", Better::kLower, "where all bits are the same",
                  &Conformance::logit_relative_rms);
  static const auto pairs =
      Table<DifferingPair>()
          .figure("seed", "", &DifferingPair::seed)
          .figure("clip", "", [](const DifferingPair& pair) { return pair.reference.clip; })
          .figure("margin_votes", "of software", [](const DifferingPair& pair) { return pair.reference.margin; })
          .figure("spice_votes", "frames for each label", &DifferingPair::spice_votes)
          .figure("behavioural_votes", "as above", &DifferingPair::behavioural_votes);
  static const auto table =
      Table<EngineComparison>()
          .merge(conformance, &EngineComparison::conformance)
          .figure("lost_in_spice", Better::kLower, "pairs that decide otherwise than software",
                  [](const EngineComparison& of) { return of.lost.spice; })
          .figure("lost_in_behavioural", Better::kLower, "as above",
                  [](const EngineComparison& of) { return of.lost.behavioural; })
          .figure("lost_in_both", Better::kLower, "as above", [](const EngineComparison& of) { return of.lost.both; })
          .list("differing", "pairs on which the engines decide otherwise", pairs, &EngineComparison::differing);
  return table;
}

std::string with_interval(const ShareEstimate& share) {
  if (!share.ci95) return "-";
  return fmt::format("{:.4f} ({:.4f} to {:.4f})", share.value, share.ci95->low, share.ci95->high);
}

std::string resampled_text(const std::optional<Interval>& interval) {
  if (!interval) return "";
  return fmt::format("    over other dies and clips {:.4f} to {:.4f}{}\n", interval->low, interval->high,
                     interval->low == interval->high ? " (all alike: no measure of what others would do)" : "");
}

std::string clips_text(const MonteCarlo& result) {
  std::string text =
      fmt::format("{:>6}  {:<12}{:>8}  {}\n", "clip", "software", "votes", "yield over dies (95 % interval)");
  for (const ClipYield& clip : result.per_clip) {
    text += fmt::format("{:>6}  {:<12}{:>8}  {}\n", clip.reference.clip, clip.software, clip.reference.margin,
                        with_interval(clip.decision_yield));
  }
  return text;
}

std::string yield_text(const MonteCarlo& result) {
  const DieFigures& figures = result.figures;
  std::string text = fmt::format("\ndecision yield      {} of {} dies x {} clips\n",
                                 with_interval(figures.decision_yield), result.per_die.size(), result.per_clip.size());
  text += resampled_text(figures.resampled);
  text +=
      fmt::format("  margin >= 5 votes {} without {} clips\n", with_interval(figures.clear_yield), result.close_clips);
  text += resampled_text(figures.clear_resampled);
  text += fmt::format("frame agreement     {:.4f}\nstate mismatch      {:.4f}\ncells, worst first ",
                      figures.frame_agreement, figures.state_mismatch);
  for (std::size_t i = 0; i < std::min(kCellsShown, result.cells.size()); ++i) {
    const studies::CellMismatch& cell = result.cells[i];
    text += fmt::format(" {}/{} {:.2f} %", cell.layer, cell.cell, 100.0 * cell.state_mismatch);
  }
  return text + "\n";
}

std::string margin_text(const MarginLaw& law, std::size_t clips) {
  const analysis::MarginFit& fit = law.fit;
  if (!std::isfinite(fit.law.slope)) return "";
  const auto interval = [](const Interval& of) {
    if (!std::isfinite(of.low)) return std::string("no interval");
    return fmt::format("95 % {:.2f} to {:.2f}", of.low, of.high);
  };
  return fmt::format(
      "flips over margin   Q({:.2f} + {:.2f} m), m = votes ahead over frames ({}; {})\n"
      "                    1 % at m = {:.2f}; {} clips are {:.1f} % RMS off it\n",
      fit.law.offset, fit.law.slope, interval(fit.offset), interval(fit.slope), law.margin_of_1_percent, clips,
      100.0 * fit.rms_error);
}

std::string trim_text(const TrimFigures& trim) {
  std::string text = fmt::format("before trimming     {}\n  margin >= 5 votes {}\n",
                                 with_interval(trim.before.decision_yield), with_interval(trim.before.clear_yield));
  text += fmt::format("trimmed             {} legs of {} bits, steps of {:g} %:", trim.legs.size(), trim.dac.bits,
                      100.0 * trim.dac.step);
  for (const behavioural::TrimLeg& leg : trim.legs) text += " " + leg_parameter(leg);
  return text + fmt::format(
                    "\n                    {} transistors and {} bits of storage more, {:.0f} s of clips played to "
                    "every die\n",
                    trim.extra_transistors, trim.storage_bits, trim.seconds_played);
}

std::string comparison_text(const EngineComparison& of) {
  const analysis::Conformance& c = of.conformance;
  return fmt::format(
      "\nbehavioural engine on the dies that ngspice drew: {:.4f} of decisions, {:.4f} of frames, {:.5f} of bits the "
      "same; candidates {:.2f} %, logits {:.2f} % RMS apart\n"
      "pairs that decide otherwise than software: {} in ngspice, {} in the behavioural engine, {} in both\n",
      c.same_decisions, c.same_frames, c.same_bits, 100.0 * c.candidate_relative_rms, 100.0 * c.logit_relative_rms,
      of.lost.spice, of.lost.behavioural, of.lost.both);
}

/// Nothing where no pair has a result.
std::string montecarlo_text(const MonteCarlo& result) {
  if (!result.figures.decision_yield.ci95) return "";
  std::string text = clips_text(result) + yield_text(result) + margin_text(result.margins, result.per_clip.size());
  if (result.trim) text += trim_text(*result.trim);
  text += fmt::format("time                {:.1f} s for the dies, after what is measured and calibrated once\n",
                      result.seconds);
  return result.comparison ? text + comparison_text(*result.comparison) : text;
}

const Table<studies::FailedPair>& failed_table() {
  using studies::FailedPair;
  static const auto table = Table<FailedPair>()
                                .figure("seed", "of the die", &FailedPair::seed)
                                .figure("clip", "", &FailedPair::clip)
                                .figure("error", "", &FailedPair::error);
  return table;
}

}  // namespace

const Table<MonteCarlo>& montecarlo_table() {
  static const auto table =
      Table<MonteCarlo>()
          .merge(operating_point_table(), &MonteCarlo::operating_point)
          .figure("engine", "`behavioural`, `spice` or `both`",
                  [](const MonteCarlo& result) { return studies::simulator_name(result.simulator); })
          .figure("seed", "of the first die; every further die takes the next one", &MonteCarlo::seed)
          .figure("device_noise", "whether devices had noise", &MonteCarlo::device_noise)
          .figure("dies", "", [](const MonteCarlo& result) { return result.per_die.size(); })
          .figure("clips", "", [](const MonteCarlo& result) { return result.per_clip.size(); })
          .figure("close_clips", "that software decides by fewer than 5 votes", &MonteCarlo::close_clips)
          .merge(figures_table(), &MonteCarlo::figures)
          .list("per_clip", "every clip over all dies", clip_table(), &MonteCarlo::per_clip)
          .list("per_die", "every die over all clips", die_table(), &MonteCarlo::per_die)
          .list("cells", "every cell, worst first", cell_table(), &MonteCarlo::cells)
          .object("margin_fit", "flips over the margin of clips", margin_table(), &MonteCarlo::margins)
          .object("trim", "of trimmed dies", trim_table(), &MonteCarlo::trim)
          .object("conformance", "of `--engine both`: the behavioural engine against ngspice", comparison_table(),
                  &MonteCarlo::comparison)
          .list("failed", "pairs of die and clip that could not be simulated", failed_table(), &MonteCarlo::failed)
          .merge(prepared_model_table().without_text(), &MonteCarlo::prepared)
          .figure("seconds", "s", Better::kLower, "for the dies, after what is measured and calibrated once",
                  &MonteCarlo::seconds)
          .text(montecarlo_text);
  return table;
}

}  // namespace hysteron::report
