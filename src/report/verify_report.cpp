#include "report/verify_report.h"

#include "base/units.h"
#include "report/agreement_tables.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::CellEvent;
using analysis::Divergence;
using studies::SettlingReport;
using studies::Verification;
using studies::VerifiedClip;

const Table<CellEvent>& event_table() {
  static const auto table =
      Table<CellEvent>()
          .figure("frame", "", &CellEvent::frame)
          .figure("time_s", "s", "start of the frame", &CellEvent::time)
          .figure("layer", "", &CellEvent::layer)
          .figure("cell", "", &CellEvent::cell)
          .figure("cause", "`sizing`, `threshold`, `hazard`, `settling` or `leakage`",
                  [](const CellEvent& event) { return std::string(analysis::cause_name(event.cause)); })
          .figure("circuit_on", "the circuit's state when read", &CellEvent::is_on)
          .figure("software_candidate", "with the circuit's states below, unit currents", &CellEvent::candidate)
          .figure("circuit_candidate", "when read", &CellEvent::measured)
          .figure("lowest", "of the circuit's since the frame before", &CellEvent::lowest)
          .figure("highest", "as above", &CellEvent::highest)
          .figure("threshold", "that the state could cross", &CellEvent::threshold);
  return table;
}

const Divergence& divergence_of(const VerifiedClip& clip) { return clip.divergence; }

std::vector<analysis::Glitch> armed_glitches(const VerifiedClip& clip) {
  std::vector<analysis::Glitch> armed;
  for (const analysis::Glitch& glitch : clip.glitches) {
    if (glitch.is_armed) armed.push_back(glitch);
  }
  return armed;
}

/// `first` is null where the circuit never diverges.
Json first_event(const VerifiedClip& clip) {
  return clip.divergence.first ? event_table().json(*clip.divergence.first) : Json(nullptr);
}

Json first_frame(const VerifiedClip& clip) {
  return clip.divergence.frames.empty() ? Json(nullptr) : Json(clip.divergence.frames.front());
}

/// Of a clip that could be simulated.
const Table<VerifiedClip>& simulated_clip_table() {
  static const auto table =
      Table<VerifiedClip>()
          .figure("software", "its decision", &VerifiedClip::software)
          .figure("circuit", "its decision", &VerifiedClip::circuit)
          .figure("frame_agreement", Better::kHigher, "",
                  [](const VerifiedClip& clip) { return clip.agreement.frame_agreement; })
          .figure("state_mismatch", Better::kLower, "",
                  [](const VerifiedClip& clip) { return clip.agreement.state_mismatch; })
          .merge(divergence_counts_table(), divergence_of)
          .figure("first", "the first event, as in `events`; null: none", first_event)
          .figure("first_frame", "the first frame with another decision; null: none", first_frame)
          .figure("frames", "all of them", [](const VerifiedClip& clip) { return clip.divergence.frames; })
          .list(
              "events", "cells with an error of their own", event_table(),
              [](const VerifiedClip& clip) -> const auto& { return clip.divergence.events; })
          .merge(divergent_cells_table(), divergence_of)
          .list("glitches", "armed ones", glitch_table(), armed_glitches)
          .figure("spice_seconds", "s", Better::kLower, "wall time of ngspice", &VerifiedClip::spice_seconds);
  return table;
}

const Table<VerifiedClip>& clip_table() {
  static const auto table =
      Table<VerifiedClip>()
          .figure("clip", "index", &VerifiedClip::clip)
          .figure("failed", "whether it could not be simulated", &VerifiedClip::failed)
          .figure("error", "why; failed clips only",
                  [](const VerifiedClip& clip) { return clip.failed ? std::optional(clip.error) : std::nullopt; })
          .merge(simulated_clip_table(), [](const VerifiedClip& clip) { return clip.failed ? nullptr : &clip; });
  return table;
}

const Table<SettlingReport>& settling_report_table() {
  static const auto table = Table<SettlingReport>()
                                .object("candidates", "", settling_table(), &SettlingReport::candidates)
                                .object("states", "", settling_table(), &SettlingReport::states)
                                .object("logits", "", settling_table(), &SettlingReport::logits);
  return table;
}

std::string first_divergence(const VerifiedClip& clip) {
  if (!clip.divergence.first) return clip.divergence.bits > 0 ? "only a consequence" : "";
  const CellEvent& event = *clip.divergence.first;
  return fmt::format("frame {}, layer {} cell {}: {}", event.frame, event.layer, event.cell,
                     analysis::cause_name(event.cause));
}

std::string clips_text(const Verification& verification) {
  std::string text = fmt::format("{:>6}  {:<12} {:<12} {:>8} {:>11} {:>9}  {}\n", "clip", "software", "circuit",
                                 "frames", "wrong bits", "ngspice", "first difference");
  for (const VerifiedClip& clip : verification.clips) {
    if (clip.failed) {
      text += fmt::format("{:>6}  failed: {}\n", clip.clip, clip.error);
      continue;
    }
    text += fmt::format("{:>6}  {:<12} {:<12} {:>7.1f}% {:>11} {:>7.1f} s  {}\n", clip.clip, clip.software,
                        clip.circuit, 100.0 * clip.agreement.frame_agreement, clip.divergence.bits, clip.spice_seconds,
                        first_divergence(clip));
  }
  return text;
}

std::string settling_text(const Verification& verification) {
  const SettlingReport& settling = verification.settling;
  return fmt::format(
      "settling            {} candidates, {} states, {} logits (99 of 100 within)\n"
      "unsettled when read {:.2f} % of candidates, {:.2f} % of states, {:.2f} % of logits\n",
      format_si(settling.candidates.p99, "s"), format_si(settling.states.p99, "s"), format_si(settling.logits.p99, "s"),
      100.0 * settling.candidates.unsettled, 100.0 * settling.states.unsettled, 100.0 * settling.logits.unsettled);
}

}  // namespace

const Table<Verification>& verify_table() {
  static const auto table =
      Table<Verification>()
          .merge(prepared_model_table(), &Verification::prepared)
          .list("per_clip", "every clip", clip_table(), &Verification::clips)
          .text(clips_text)
          .merge(divergence_counts_table(), &Verification::divergence)
          .merge(divergent_cells_table(), &Verification::divergence)
          .merge(agreement_table(), &Verification::agreement)
          .list(
              "state_cells", "errors of every cell's state over agreeing bits, worst first", state_cell_table(),
              [](const Verification& verification) -> const auto& { return verification.agreement.state_cells; })
          .object("settling_seconds", "from the start of a frame", settling_report_table(), &Verification::settling)
          .text(settling_text)
          .object("glitches", "over all clips", glitch_count_table(), &Verification::glitches)
          .figure("failed_clips", Better::kLower, "that could not be simulated", &Verification::failed)
          .figure("reused_clips", "that were stored by an earlier run", &Verification::reused)
          .figure("spice_seconds", "s", Better::kLower, "wall time of ngspice, sum over clips",
                  &Verification::spice_seconds)
          .figure("software_seconds", "s", Better::kLower, "wall time of the software, sum over clips",
                  &Verification::software_seconds)
          .text([](const Verification& verification) {
            return fmt::format("time                {:.1f} s ngspice, {:.4f} s software\n", verification.spice_seconds,
                               verification.software_seconds);
          });
  return table;
}

}  // namespace hysteron::report
