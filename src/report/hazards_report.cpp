#include "report/hazards_report.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/units.h"
#include "report/agreement_tables.h"

namespace hysteron::report {
namespace {

using studies::HazardAdvice;
using studies::HazardStudy;
using studies::MitigationTrial;
using studies::RailSettling;
using studies::RatePoint;
using ClipGlitch = std::pair<std::size_t, analysis::Glitch>;

constexpr std::size_t kGlitchesShown = 20;

const Table<RailSettling>& rail_table() {
  static const auto table =
      Table<RailSettling>()
          .merge(settling_table(), &RailSettling::seconds)
          .figure("kind", "of rail", &RailSettling::kind)
          .figure("rails", "of this kind", &RailSettling::rails)
          .figure("slowest", "diode of the slowest, by its instance name", &RailSettling::slowest);
  return table;
}

const Table<studies::DiodeSettling>& diode_table() {
  using studies::DiodeSettling;
  static const auto table = Table<DiodeSettling>()
                                .merge(settling_table(), &DiodeSettling::seconds)
                                .figure("name", "instance name", &DiodeSettling::name)
                                .figure("kind", "of its rail", &DiodeSettling::kind);
  return table;
}

const Table<ClipGlitch>& clip_glitch_table() {
  static const auto table =
      Table<ClipGlitch>().merge(glitch_table(), &ClipGlitch::second).figure("clip", "index", &ClipGlitch::first);
  return table;
}

std::string advice_text(const HazardAdvice& advice) {
  std::string text = advice.verdict + "\n";
  for (const studies::Mitigation& mitigation : advice.mitigations) {
    text += fmt::format("  {} {}  {}\n", mitigation.flag, mitigation.value, mitigation.why);
  }
  if (advice.switches == 0) return text;
  text += fmt::format(
      "with {} at V0 a candidate that settles less than {:.3f} unit currents beyond its threshold switches a frame "
      "late:\n{} of {} switchings of the software here",
      format_si(advice.capacitance, "F"), advice.overdrive, advice.late, advice.switches);
  if (advice.largest_capacitance > 0.0) {
    text += fmt::format("; no more of them with up to {}", format_si(advice.largest_capacitance, "F"));
  }
  return text + "\n";
}

const Table<HazardAdvice>& advice_table() {
  using studies::CellNeed;
  using studies::Mitigation;
  static const auto mitigations = Table<Mitigation>()
                                      .figure("flag", "of every command that makes circuits", &Mitigation::flag)
                                      .figure("value", "of the flag", &Mitigation::value)
                                      .figure("why", "what it was measured to do, and its price", &Mitigation::why);
  static const auto cells =
      Table<CellNeed>()
          .figure("layer", "", &CellNeed::layer)
          .figure("cell", "", &CellNeed::cell)
          .figure("flips", Better::kLower, "glitches that flipped it", &CellNeed::flips)
          .figure("charge_c", "C", Better::kLower, "of the largest of them", &CellNeed::charge)
          .figure("capacitance_f", "F", Better::kLower, "at V0 that takes this charge in", &CellNeed::capacitance);
  static const auto table =
      Table<HazardAdvice>()
          .figure("verdict", "whether anything is to be mitigated, in words", &HazardAdvice::verdict)
          .figure("largest_charge_c", "C", Better::kLower, "of all armed glitches", &HazardAdvice::largest_charge)
          .figure("cell_capacitance_f", "F", "at every V0 in place", &HazardAdvice::capacitance)
          .figure("overdrive_to_switch", Better::kLower,
                  "unit currents beyond its threshold that a candidate needs with it", &HazardAdvice::overdrive)
          .figure("switches", "of the software's cells", &HazardAdvice::switches)
          .figure("late_switches", Better::kLower, "of them, with less than that", &HazardAdvice::late)
          .figure("largest_capacitance_f", "F", "with which no further one is late; null: there is no further one",
                  [](const HazardAdvice& advice) {
                    return advice.largest_capacitance > 0.0 ? advice.largest_capacitance
                                                            : std::numeric_limits<double>::quiet_NaN();
                  })
          .list("mends", "flags that suppress such glitches, best first", mitigations, &HazardAdvice::mitigations)
          .list("cells", "that a glitch flipped, most charge first", cells, &HazardAdvice::cells)
          .text(advice_text);
  return table;
}

const Table<MitigationTrial>& trial_table() {
  static const auto table =
      Table<MitigationTrial>()
          .figure("flag", "that was tried", [](const MitigationTrial& trial) { return trial.mitigation.flag; })
          .figure("value", "of the flag", [](const MitigationTrial& trial) { return trial.mitigation.value; })
          .merge(agreement_table(), &MitigationTrial::agreement)
          .merge(divergence_counts_table(), &MitigationTrial::divergence)
          .object("glitch_counts", "over all clips", glitch_count_table(), &MitigationTrial::counts)
          .figure("failed_clips", Better::kLower, "that could not be simulated", &MitigationTrial::failed);
  return table;
}

const Table<RatePoint>& rate_point_table() {
  static const auto table =
      Table<RatePoint>()
          .figure("frame_seconds", "s", "", &RatePoint::frame_seconds)
          .figure("frame_agreement", Better::kHigher, "", &RatePoint::frame_agreement)
          .figure("state_mismatch", Better::kLower, "", &RatePoint::state_mismatch)
          .figure("same_decisions", "whether all are those of software", &RatePoint::same_decisions)
          .figure("failed_clips", Better::kLower, "that could not be simulated", &RatePoint::failed)
          .figure("holds", "whether agreement holds", &RatePoint::holds);
  return table;
}

std::string rates_text(const HazardStudy& study) {
  std::string text = fmt::format("\n{:>11}{:>17}{:>16}\n", "frame", "frame agreement", "state mismatch");
  for (const RatePoint& point : study.rates) {
    text += fmt::format("{:>11}{:>17.4f}{:>16.4f}  {}\n", format_si(point.frame_seconds, "s"), point.frame_agreement,
                        point.state_mismatch, point.holds ? "holds" : "");
  }
  return text + fmt::format("a frame agreement of at least {:.4f} holds up to {:.4g} frames a second\n",
                            study.target_agreement, study.highest_rate);
}

/// Of a study that searched the frame rate.
const Table<HazardStudy>& rate_table() {
  static const auto table =
      Table<HazardStudy>()
          .figure("fastest_frame_seconds", "s", Better::kLower, "shortest frame time at which agreement held",
                  &HazardStudy::fastest_frame)
          .figure("highest_frame_rate_hz", "Hz", Better::kHigher, "its frame rate", &HazardStudy::highest_rate)
          .figure("frame_agreement_wanted", "that had to hold", &HazardStudy::target_agreement)
          .list("frame_rates", "in the order they were tried", rate_point_table(), &HazardStudy::rates)
          .text(rates_text);
  return table;
}

std::string rails_text(const HazardStudy& study) {
  std::string text = fmt::format("{:<24}{:>6}{:>11}{:>11}{:>11}{:>11}  {}\n", "settling of", "rails", "median",
                                 "99 of 100", "worst", "unsettled", "slowest");
  for (const RailSettling& rail : study.rails) {
    text += fmt::format("{:<24}{:>6}{:>11}{:>11}{:>11}{:>9.2f} %  {}\n", rail.kind, rail.rails,
                        format_si(rail.seconds.median, "s"), format_si(rail.seconds.p99, "s"),
                        format_si(rail.seconds.worst, "s"), 100.0 * rail.seconds.unsettled, rail.slowest);
  }
  return text;
}

std::string glitches_text(const HazardStudy& study) {
  const analysis::GlitchCount& counts = study.counts;
  std::string text =
      fmt::format("\n{} glitches, {} of them on cells that could flip, {} of which did; largest {:.3f} unit currents\n",
                  counts.all, counts.armed, counts.flips, counts.largest);
  if (!study.glitches.empty()) {
    text += fmt::format("{:>6}{:>7}{:>7}{:>6}  {:<10}{:>8}{:>10}  {}\n", "clip", "frame", "layer", "cell", "beyond",
                        "by", "for", "");
  }
  for (std::size_t i = 0; i < std::min(kGlitchesShown, study.glitches.size()); ++i) {
    const auto& [clip, glitch] = study.glitches[i];
    text += fmt::format("{:>6}{:>7}{:>7}{:>6}  {:<10}{:>8.3f}{:>10}  {}\n", clip, glitch.frame, glitch.layer,
                        glitch.cell, glitch.is_upper ? "beta_hi" : "beta_lo", glitch.size,
                        format_si(glitch.seconds, "s"), glitch.flipped ? "flipped" : "");
  }
  if (study.glitches.size() > kGlitchesShown) {
    text += fmt::format("... and {} smaller ones (--json has all)\n", study.glitches.size() - kGlitchesShown);
  }
  return text;
}

std::string trial_text(const HazardStudy& before) {
  if (!before.trial) return "";
  std::string text = fmt::format("\n{:<34}{:>10}{:>8}{:>12}{:>17}{:>16}\n", "", "glitches", "flips", "wrong bits",
                                 "frame agreement", "state mismatch");
  const auto row = [&](const std::string& name, const auto& study) {
    text += fmt::format("{:<34}{:>10}{:>8}{:>12}{:>17.4f}{:>16.4f}\n", name, study.counts.armed, study.counts.flips,
                        study.divergence.bits, study.agreement.frame_agreement, study.agreement.state_mismatch);
  };
  const MitigationTrial& after = *before.trial;
  row("as it is", before);
  row(after.mitigation.flag + " " + after.mitigation.value, after);
  if (after.failed > 0) text += fmt::format("{} clips could not be simulated with it\n", after.failed);
  return text;
}

}  // namespace

const Table<HazardStudy>& hazards_table() {
  static const auto table =
      Table<HazardStudy>()
          .merge(agreement_table().without_text(), &HazardStudy::agreement)
          .merge(divergence_counts_table().without_text(), &HazardStudy::divergence)
          .list("rails", "by kind, slowest first; seconds from a frame's begin", rail_table(), &HazardStudy::rails)
          .text(rails_text)
          .list("diodes", "one by one, slowest first; as above", diode_table(), &HazardStudy::diodes)
          .object("glitch_counts", "over all clips", glitch_count_table(), &HazardStudy::counts)
          .list("glitches", "armed ones, largest first", clip_glitch_table(), &HazardStudy::glitches)
          .text(glitches_text)
          .object("advice", "what to do about them", advice_table(), &HazardStudy::advice)
          .text([](const HazardStudy& study) { return advice_table().text(study.advice); })
          .object("trial", "of `--try`: what the first of `advice.mends` did", trial_table(), &HazardStudy::trial)
          .text(trial_text)
          .figure("failed_clips", "indices of clips that could not be simulated", &HazardStudy::failed)
          .merge(rate_table(), [](const HazardStudy& study) { return study.fastest_frame > 0.0 ? &study : nullptr; });
  return table;
}

}  // namespace hysteron::report
