#include "report/agreement_tables.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/units.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::Agreement;
using analysis::CauseCount;
using analysis::CellStateError;
using analysis::Divergence;
using analysis::NetworkSuppression;
using analysis::SwitchingCells;
using Causes = std::array<CauseCount, analysis::kCauses>;

const Table<SwitchingCells>& switching_table() {
  static const auto table =
      Table<SwitchingCells>()
          .figure("cells", "that software turns both on and off", &SwitchingCells::cells)
          .figure("of", "cells of the network", &SwitchingCells::all)
          .figure("state_mismatch", Better::kLower, "fraction of their bits that differ",
                  &SwitchingCells::state_mismatch)
          .figure("state_relative_rms", Better::kLower, "error of their states over alpha, agreeing bits",
                  &SwitchingCells::state_relative_rms);
  return table;
}

const Table<NetworkSuppression>& suppression_table() {
  static const auto table =
      Table<NetworkSuppression>()
          .figure("state_relative_rms", Better::kLower, "error of states over alpha",
                  &NetworkSuppression::state_relative_rms)
          .figure("ratio", Better::kHigher, "relative error of candidates over it", &NetworkSuppression::ratio)
          .figure("n", "number of bits behind it", &NetworkSuppression::bits);
  return table;
}

const Agreement& itself(const Agreement& agreement) { return agreement; }

const Table<Agreement>& all_suppression_table() {
  static const auto table =
      Table<Agreement>()
          .merge(suppression_table(), &Agreement::suppression)
          .figure("candidate_relative_rms", Better::kLower, "as above", &Agreement::candidate_relative_rms)
          .object("on", "the same over bits that are on", suppression_table(), &Agreement::on_suppression);
  return table;
}

std::string mismatch_line(const Agreement& a) {
  const std::string begin = fmt::format("state mismatch      {:.4f}", a.state_mismatch);
  if (a.switching.cells == 0) return begin + fmt::format("; none of the {} cells switches\n", a.switching.all);
  return begin + fmt::format("; {:.4f} of the {} of {} cells that switch\n", a.switching.state_mismatch,
                             a.switching.cells, a.switching.all);
}

std::string state_line(const Agreement& a) {
  std::string line =
      fmt::format("state error         {:.5f} rms, {:.5f} largest over agreeing bits", a.state_rms, a.state_max);
  if (!a.state_cells.empty()) {
    const CellStateError& worst = a.state_cells.front();
    line += fmt::format("; worst layer {} cell {}: {:.3f} % of its alpha when on", worst.layer, worst.cell,
                        100.0 * worst.on_relative_rms);
  }
  return line + "\n";
}

std::string power_line(const Agreement& a) {
  return fmt::format("power               {} = {} cells + {} feedforward\n", format_si(a.power.total, "W"),
                     format_si(a.power.cells, "W"), format_si(a.power.feedforward, "W"));
}

template <std::size_t kCause>
void add_causes(Table<Causes>& table, const Table<CauseCount>& counts) {
  if constexpr (kCause < analysis::kCauses) {
    const auto cause = static_cast<analysis::Cause>(kCause);
    table.object(std::string(analysis::cause_name(cause)), "", counts,
                 [](const Causes& causes) -> const CauseCount& { return causes[kCause]; });
    add_causes<kCause + 1>(table, counts);
  }
}

const Table<Causes>& causes_table() {
  static const auto table = [] {
    const auto counts =
        Table<CauseCount>()
            .figure("events", Better::kLower, "cells with an error of their own", &CauseCount::events)
            .figure("bits", Better::kLower, "wrong bits in those frames and the frames after", &CauseCount::bits);
    Table<Causes> causes;
    add_causes<0>(causes, counts);
    return causes;
  }();
  return table;
}

/// A cell with its place.
struct PlacedCell {
  std::size_t layer = 0;
  std::size_t cell = 0;
  const analysis::CellDivergence* divergence = nullptr;
};

std::vector<PlacedCell> divergent_cells(const Divergence& divergence) {
  std::vector<PlacedCell> cells;
  for (std::size_t l = 0; l < divergence.cells.size(); ++l) {
    for (std::size_t j = 0; j < divergence.cells[l].size(); ++j) {
      if (divergence.cells[l][j].bits > 0) cells.push_back({l, j, &divergence.cells[l][j]});
    }
  }
  return cells;
}

std::vector<PlacedCell> worst_first(const Divergence& divergence) {
  std::vector<PlacedCell> cells = divergent_cells(divergence);
  std::ranges::stable_sort(cells, std::greater(), [](const PlacedCell& cell) { return cell.divergence->bits; });
  return cells;
}

const Table<PlacedCell>& placed_cell_table() {
  static const auto table =
      Table<PlacedCell>()
          .figure("layer", "", &PlacedCell::layer)
          .figure("cell", "", &PlacedCell::cell)
          .figure("wrong_bits", Better::kLower, "", [](const PlacedCell& cell) { return cell.divergence->bits; })
          .figure("consequence_bits", Better::kLower, "those of them that are wrong because a cell below was",
                  [](const PlacedCell& cell) { return cell.divergence->consequences; })
          .object("causes", "of the others", causes_table(),
                  [](const PlacedCell& cell) -> const Causes& { return cell.divergence->causes; });
  return table;
}

std::string cause_row(const std::string& name, const Causes& causes, std::size_t consequences, std::size_t bits) {
  std::string row = fmt::format("{:<12}", name);
  for (const CauseCount& count : causes) row += fmt::format(" {:>10}", count.bits);
  return row + fmt::format(" {:>12} {:>8}\n", consequences, bits);
}

std::string causes_text(const Divergence& divergence) {
  if (divergence.bits == 0) return "";
  std::string text = fmt::format("\n{:<12}", "wrong bits");
  for (std::size_t c = 0; c < analysis::kCauses; ++c) {
    text += fmt::format(" {:>10}", analysis::cause_name(static_cast<analysis::Cause>(c)));
  }
  text += fmt::format(" {:>12} {:>8}\n", "consequence", "all");
  for (const PlacedCell& cell : divergent_cells(divergence)) {
    text += cause_row(fmt::format("layer {} / {}", cell.layer, cell.cell), cell.divergence->causes,
                      cell.divergence->consequences, cell.divergence->bits);
  }
  text += cause_row("all", divergence.causes, divergence.consequences, divergence.bits);
  return text + fmt::format("{} frames with another decision, {} of them with all bits right\n",
                            divergence.wrong_frames, divergence.wrong_frames_right_bits);
}

}  // namespace

const Table<Agreement>& agreement_table() {
  static const auto table =
      Table<Agreement>()
          .figure("clips", Better::kHigher, "clips with a result", &Agreement::clips)
          .figure("decision_agreement", Better::kHigher, "fraction of clips with the same decision",
                  &Agreement::decision_agreement)
          .text([](const Agreement& a) {
            return fmt::format("\ndecision agreement  {:.4f}  ({} clips)\n", a.decision_agreement, a.clips);
          })
          .figure("frame_agreement", Better::kHigher, "fraction of frames with the same argmax of the logits",
                  &Agreement::frame_agreement)
          .shown("frame agreement", "{:.4f}")
          .figure("state_mismatch", Better::kLower, "fraction of state bits that differ", &Agreement::state_mismatch)
          .text(mismatch_line)
          .figure("candidate_rms", Better::kLower, "error of candidates, unit currents", &Agreement::candidate_rms)
          .figure("candidate_max", Better::kLower, "largest error of a candidate, unit currents",
                  &Agreement::candidate_max)
          .figure("candidate_relative_rms", Better::kLower,
                  "RMS error over RMS current of candidates, nodes and frames above 0.05",
                  &Agreement::candidate_relative_rms)
          .text([](const Agreement& a) {
            return fmt::format("candidate error     {:.4f} rms, {:.4f} largest, {:.4f} relative (unit currents)\n",
                               a.candidate_rms, a.candidate_max, a.candidate_relative_rms);
          })
          .figure("state_rms", Better::kLower, "error of states over agreeing bits, unit currents",
                  &Agreement::state_rms)
          .figure("state_max", Better::kLower, "largest of them", &Agreement::state_max)
          .figure("state_worst_relative_rms", Better::kLower, "of the worst cell when on, over its alpha",
                  &Agreement::state_worst_relative_rms)
          .text(state_line)
          .object("switching", "the same over cells that software turns both on and off", switching_table(),
                  &Agreement::switching)
          .object("suppression", "of candidates' errors by the states (docs/noise.md)", all_suppression_table(), itself)
          .figure("logit_rms", Better::kLower, "error of logits, unit currents", &Agreement::logit_rms)
          .figure("centring_frame_change", Better::kLower, "fraction of frames that centering changed in software",
                  &Agreement::centering_frame_change)
          .object("power_nw", "mean over clips", power_table(), &Agreement::power)
          .text(power_line);
  return table;
}

const Table<CellStateError>& state_cell_table() {
  static const auto table =
      Table<CellStateError>()
          .figure("layer", "", &CellStateError::layer)
          .figure("cell", "", &CellStateError::cell)
          .figure("alpha", "model units", &CellStateError::alpha)
          .figure("bits", "that agree", &CellStateError::bits)
          .figure("on_bits", "of them, on", &CellStateError::on_bits)
          .figure("relative_rms", Better::kLower, "error over alpha", &CellStateError::relative_rms)
          .figure("on_relative_rms", Better::kLower, "the same over bits that are on; null: there are none",
                  [](const CellStateError& cell) {
                    return cell.on_bits > 0 ? cell.on_relative_rms : std::numeric_limits<double>::quiet_NaN();
                  });
  return table;
}

const Table<Divergence>& divergence_counts_table() {
  static const auto table =
      Table<Divergence>()
          .figure("wrong_bits", Better::kLower, "state bits that differ", &Divergence::bits)
          .figure("consequence_bits", Better::kLower, "those of them that are wrong because a cell below was",
                  &Divergence::consequences)
          .object("causes", "of the others (docs/verification.md)", causes_table(), &Divergence::causes)
          .figure("wrong_frames", Better::kLower, "frames with another decision", &Divergence::wrong_frames)
          .figure("wrong_frames_right_bits", Better::kLower, "of them, with every bit of the last layer right",
                  &Divergence::wrong_frames_right_bits)
          .text(causes_text);
  return table;
}

const Table<Divergence>& divergent_cells_table() {
  static const auto table =
      Table<Divergence>().list("cells", "with wrong bits, worst first", placed_cell_table(), worst_first);
  return table;
}

const Table<analysis::GlitchCount>& glitch_count_table() {
  using analysis::GlitchCount;
  static const auto table =
      Table<GlitchCount>()
          .figure("all", Better::kLower, "candidates beyond a threshold between two frames", &GlitchCount::all)
          .figure("armed", Better::kLower, "those of them on a cell in the state that the crossing can flip",
                  &GlitchCount::armed)
          .figure("flips", Better::kLower, "those of them that flipped the cell", &GlitchCount::flips)
          .figure("largest", Better::kLower, "of the armed ones, unit currents", &GlitchCount::largest)
          .figure("longest_harmless_s", "s", "armed, without a flip", &GlitchCount::longest_harmless);
  return table;
}

const Table<analysis::Glitch>& glitch_table() {
  using analysis::Glitch;
  static const auto table = Table<Glitch>()
                                .figure("frame", "the later of the two", &Glitch::frame)
                                .figure("time_s", "s", "its begin", &Glitch::time)
                                .figure("layer", "", &Glitch::layer)
                                .figure("cell", "", &Glitch::cell)
                                .figure("threshold", "`beta_hi` or `beta_lo`",
                                        [](const Glitch& glitch) { return glitch.is_upper ? "beta_hi" : "beta_lo"; })
                                .figure("size", Better::kLower, "beyond the threshold, unit currents", &Glitch::size)
                                .figure("seconds", "s", Better::kLower, "how long", &Glitch::seconds)
                                .figure("flipped", "whether the cell flipped", &Glitch::flipped);
  return table;
}

const Table<analysis::SettlingSummary>& settling_table() {
  using analysis::SettlingSummary;
  static const auto table =
      Table<SettlingSummary>()
          .figure("median", "s", Better::kLower, "from the start of a frame", &SettlingSummary::median)
          .figure("p99", "s", Better::kLower, "99th percentile", &SettlingSummary::p99)
          .figure("worst", "s", Better::kLower, "", &SettlingSummary::worst)
          .figure("unsettled", Better::kLower, "fraction of values not settled when read", &SettlingSummary::unsettled);
  return table;
}

}  // namespace hysteron::report
