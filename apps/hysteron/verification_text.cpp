#include "verification_text.h"

#include <fmt/format.h>

#include "hysteron/base/units.h"

namespace {

std::string first_divergence(const hysteron::flow::VerifiedClip& clip) {
  if (!clip.divergence.first) return clip.divergence.bits > 0 ? "by consequence only" : "";
  const hysteron::analysis::CellEvent& event = *clip.divergence.first;
  return fmt::format("frame {}, layer {} cell {}: {}", event.frame, event.layer, event.cell,
                     hysteron::analysis::cause_name(event.cause));
}

void print_clips(const hysteron::flow::Verification& verification, const std::vector<std::string>& labels) {
  fmt::print("{:>6}  {:<12} {:<12} {:>8} {:>11} {:>9}  {}\n", "clip", "software", "circuit", "frames", "wrong bits",
             "ngspice", "first parts at");
  for (const auto& clip : verification.clips) {
    if (clip.failed) {
      fmt::print("{:>6}  failed: {}\n", clip.clip, clip.error);
      continue;
    }
    fmt::print("{:>6}  {:<12} {:<12} {:>7.1f}% {:>11} {:>7.1f} s  {}\n", clip.clip,
               labels[clip.agreement.software_decision], labels[clip.agreement.circuit_decision],
               100.0 * clip.agreement.frame_agreement, clip.divergence.bits, clip.spice_seconds,
               first_divergence(clip));
  }
}

void print_causes(const hysteron::analysis::Divergence& divergence) {
  namespace analysis = hysteron::analysis;
  if (divergence.bits == 0) return;
  fmt::print("\n{:<12}", "wrong bits");
  for (std::size_t c = 0; c < analysis::kCauses; ++c) {
    fmt::print(" {:>10}", analysis::cause_name(static_cast<analysis::Cause>(c)));
  }
  fmt::print(" {:>12} {:>8}\n", "consequence", "all");
  const auto row = [](const std::string& name, const auto& counts, std::size_t consequences, std::size_t all) {
    fmt::print("{:<12}", name);
    for (const analysis::CauseCount& count : counts) fmt::print(" {:>10}", count.bits);
    fmt::print(" {:>12} {:>8}\n", consequences, all);
  };
  for (std::size_t l = 0; l < divergence.cells.size(); ++l) {
    for (std::size_t j = 0; j < divergence.cells[l].size(); ++j) {
      const analysis::CellDivergence& cell = divergence.cells[l][j];
      if (cell.bits > 0) row(fmt::format("layer {} / {}", l, j), cell.causes, cell.consequences, cell.bits);
    }
  }
  row("all", divergence.causes, divergence.consequences, divergence.bits);
  fmt::print("{} frames with another decision, {} of them with every bit right\n", divergence.wrong_frames,
             divergence.wrong_frames_right_bits);
}

void print_figures(const hysteron::flow::Verification& verification) {
  using hysteron::format_si;
  const hysteron::analysis::Agreement& a = verification.agreement;
  fmt::print("\ndecision agreement  {:.4f}  ({} clips)\n", a.decision_agreement, a.clips);
  fmt::print("frame agreement     {:.4f}\n", a.frame_agreement);
  fmt::print("state mismatch      {:.4f}", a.state_mismatch);
  if (a.switching.cells > 0) {
    fmt::print("; {:.4f} of the {} of {} cells that switch\n", a.switching.state_mismatch, a.switching.cells,
               a.switching.all);
  } else {
    fmt::print("; none of the {} cells switches\n", a.switching.all);
  }
  fmt::print("candidate error     {:.4f} rms, {:.4f} largest, {:.4f} relative (unit currents)\n", a.candidate_rms,
             a.candidate_max, a.candidate_relative_rms);
  fmt::print("state error         {:.5f} rms, {:.5f} largest over agreeing bits", a.state_rms, a.state_max);
  if (!a.state_cells.empty()) {
    const auto& worst = a.state_cells.front();
    fmt::print("; worst layer {} cell {}: {:.3f} % of its alpha when on", worst.layer, worst.cell,
               100.0 * worst.on_relative_rms);
  }
  fmt::print("\n");
  fmt::print("power               {} = {} cells + {} feedforward\n", format_si(a.power.total, "W"),
             format_si(a.power.cells, "W"), format_si(a.power.feedforward, "W"));
  const auto& settling = verification.settling;
  fmt::print("settling            {} candidates, {} states, {} logits (99 of 100 within)\n",
             format_si(settling.candidates.p99, "s"), format_si(settling.states.p99, "s"),
             format_si(settling.logits.p99, "s"));
  fmt::print("unsettled when read {:.2f} % of candidates, {:.2f} % of states, {:.2f} % of logits\n",
             100.0 * settling.candidates.unsettled, 100.0 * settling.states.unsettled,
             100.0 * settling.logits.unsettled);
  fmt::print("time                {:.1f} s ngspice, {:.4f} s software\n", verification.spice_seconds,
             verification.software_seconds);
}

}  // namespace

void print_verification(const hysteron::flow::Verification& verification, const std::vector<std::string>& labels) {
  print_clips(verification, labels);
  print_causes(verification.divergence);
  print_figures(verification);
}
