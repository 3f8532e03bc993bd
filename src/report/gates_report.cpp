#include "report/gates_report.h"

#include <algorithm>

#include "base/units.h"
#include "report/cell_tables.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using studies::FastestSpikes;
using studies::GateDies;
using studies::GateHold;
using studies::GateMargins;
using studies::GatePoint;
using studies::GatePoints;
using studies::GateResult;
using studies::GatesResult;
using studies::GateStudy;
using studies::MinMargin;
using studies::SpacingProof;

const Table<studies::SpikeCurrents>& levels_table() {
  using studies::SpikeCurrents;
  static const auto table = Table<SpikeCurrents>()
                                .figure("rest", "A", "of a line", &SpikeCurrents::rest)
                                .figure("beta_hi", "A", "upper threshold", &SpikeCurrents::upper)
                                .figure("beta_lo", "A", "lower threshold", &SpikeCurrents::lower)
                                .figure("positive", "A", "spike", &SpikeCurrents::positive)
                                .figure("negative", "A", "spike", &SpikeCurrents::negative)
                                .figure("alpha", "A", "level of 1", &SpikeCurrents::on);
  return table;
}

const Table<SpacingProof>& spacing_table() {
  static const auto table =
      Table<SpacingProof>()
          .figure("spacing_s", "s", "between the spikes of a word", &SpacingProof::spacing)
          .figure("readings", "one for every output and moment",
                  [](const SpacingProof& proof) { return proof.run.readings; })
          .figure("wrong", Better::kLower, "of them", [](const SpacingProof& proof) { return proof.run.wrong; })
          .figure("first_wrong", "as a sentence; left out where none is", [](const SpacingProof& proof) {
            return proof.run.first_wrong.empty() ? std::nullopt : std::optional(proof.run.first_wrong);
          });
  return table;
}

const Table<FastestSpikes>& fastest_table() {
  static const auto table =
      Table<FastestSpikes>()
          .figure("period_s", "s", Better::kLower, "shortest between spikes; null: the proof is wrong",
                  &FastestSpikes::period)
          .figure("rate_hz", "Hz", Better::kHigher, "its inverse", &FastestSpikes::rate)
          .figure("spacing_s", "s", Better::kLower, "smallest time between the spikes of a word; null: no word has two",
                  &FastestSpikes::spacing)
          .figure("together_period_s", "s", Better::kLower, "that works with the next but one",
                  &FastestSpikes::period_together)
          .figure("together_rate_hz", "Hz", Better::kHigher, "its inverse", &FastestSpikes::rate_together)
          .figure("together_spacing_s", "s", Better::kLower, "", &FastestSpikes::spacing_together)
          .figure("together_energy_j", "J", Better::kLower, "a spike then", &FastestSpikes::energy)
          .figure("failed", Better::kLower, "runs that ngspice could not solve", &FastestSpikes::failed);
  return table;
}

const Table<GateMargins>& margins_table() {
  static const auto margin =
      Table<MinMargin>()
          .figure("current_a", "A", Better::kHigher, "smallest that flips a decision; null: none up to a unit current",
                  &MinMargin::current)
          .figure("node", "where", &MinMargin::node)
          .figure("state", "in which; 0: all low", &MinMargin::state);
  static const auto table = Table<GateMargins>()
                                .object("line", "of an input line at rest", margin, &GateMargins::line)
                                .object("decision", "of the current into a gate's node", margin, &GateMargins::decision)
                                .figure("runs", "", &GateMargins::runs)
                                .figure("failed", Better::kLower, "of them", &GateMargins::failed);
  return table;
}

/// How a point that is not right went wrong.
const Table<GatePoint>& wrong_levels_table() {
  static const auto table =
      Table<GatePoint>()
          .figure("wrong", Better::kLower, "readings",
                  [](const GatePoint& point) {
                    return point.error.empty() ? std::optional(point.run.wrong) : std::nullopt;
                  })
          .figure("first_wrong", "as a sentence",
                  [](const GatePoint& point) {
                    return point.error.empty() ? std::optional(point.run.first_wrong) : std::nullopt;
                  })
          .figure("error", "why it was not simulated", [](const GatePoint& point) {
            return point.error.empty() ? std::nullopt : std::optional(point.error);
          });
  return table;
}

const GatePoint& itself(const GatePoint& point) { return point; }

std::vector<GatePoint> not_right(const GatePoints& all) {
  std::vector<GatePoint> points;
  for (const GatePoint& point : all.points) {
    if (!point.right()) points.push_back(point);
  }
  return points;
}

/// `place`: where a point is.
Table<GatePoints> points_table(const Table<GatePoint>& place) {
  const auto wrong = Table<GatePoint>().merge(place, itself).merge(wrong_levels_table(), itself);
  return Table<GatePoints>()
      .figure("points", "", [](const GatePoints& all) { return all.points.size(); })
      .figure("right", Better::kHigher, "points", &GatePoints::right)
      .figure("failed", Better::kLower, "points not simulated", &GatePoints::failed)
      .figure("most_static_w", "W", Better::kLower, "worst of all points", &GatePoints::most_static)
      .figure("highest_low_a", "A", Better::kLower, "of outputs that are to be 0", &GatePoints::highest_low)
      .figure("lowest_high_a", "A", Better::kHigher, "of outputs that are to be 1; null: none is",
              &GatePoints::lowest_high)
      .list("not_right", "points", wrong, not_right);
}

const Table<GatePoints>& corners_table() {
  static const auto table = points_table(
      Table<GatePoint>()
          .figure("corner", "", [](const GatePoint& point) { return point.environment.corner; })
          .figure("supply_v", "V", "", [](const GatePoint& point) { return point.environment.supply; })
          .figure("temperature_c", "C", "", [](const GatePoint& point) { return point.environment.temperature; }));
  return table;
}

const Table<GateDies>& dies_table() {
  static const auto dies = points_table(Table<GatePoint>().figure("seed", "of the die", &GatePoint::seed));
  static const auto table =
      Table<GateDies>()
          .merge(dies, &GateDies::dies)
          .figure("yield", Better::kHigher, "share that are right", &GateDies::yield)
          .figure("ci95", "[low, high], Wilson", [](const GateDies& result) { return ends_of(result.interval); });
  return table;
}

const Table<GateStudy>& study_table() {
  static const auto hold = Table<GateHold>()
                               .merge(corners_table(), &GateHold::states)
                               .figure("seconds", "s", Better::kHigher, "without a spike", &GateHold::seconds);
  static const auto table =
      Table<GateStudy>()
          .object("fastest", "with --fastest", fastest_table(), &GateStudy::fastest)
          .object("noise_margin", "with --margins: the smallest disturbances", margins_table(), &GateStudy::margins)
          .object("hold", "with --hold: every state left alone", hold, &GateStudy::hold)
          .object("corners", "with --corners", corners_table(), &GateStudy::corners)
          .object("dies", "with --dies", dies_table(), &GateStudy::dies);
  return table;
}

const Table<GateResult>& gate_table() {
  using analysis::GateRun;
  static const auto power = Table<GateRun>()
                                .figure("mean", "W", Better::kLower, "over the states", &GateRun::mean_static)
                                .figure("most", "W", Better::kLower, "the worst state", &GateRun::most_static);
  static const auto energy =
      Table<GateRun>()
          .figure("energy_j", "J", Better::kLower, "drawn from the supply, by the number of spikes",
                  &GateRun::spike_energy)
          .figure("switching_energy_j", "J", Better::kLower, "of it, beyond the settled power", &GateRun::switch_energy)
          .object(
              "static_power_w", "settled, before a word", power, [](const GateRun& run) -> const auto& { return run; });
  static const auto table =
      Table<GateResult>()
          .figure("name", "", &GateResult::name)
          .figure("right", "whether every level is", &GateResult::is_right)
          .merge(energy, &GateResult::run)
          .figure("inputs", "", &GateResult::inputs)
          .figure("outputs", "", &GateResult::outputs)
          .figure("transistors", Better::kLower, "", &GateResult::transistors)
          .figure("cells", Better::kLower, "", &GateResult::cells)
          .figure("longest_word", "changes of inputs whose orders are played", &GateResult::longest_word)
          .figure("words", "that are played", &GateResult::words)
          .figure("spikes", "of them", &GateResult::spikes)
          .list("spacings", "the same words, spikes ever closer", spacing_table(), &GateResult::spacings)
          .figure("highest_low_a", "A", Better::kLower, "of outputs that are to be 0", &GateResult::highest_low)
          .figure("lowest_high_a", "A", Better::kHigher, "of outputs that are to be 1", &GateResult::lowest_high)
          .merge(study_table(), &GateResult::study);
  return table;
}

std::string proofs_text(const GatesResult& result) {
  std::string text = fmt::format("{:<12}{:>7}{:>13}{:>8}{:>10}{:>12}{:>12}{:>12}\n", "circuit", "right", "transistors",
                                 "spikes", "readings", "energy", "switching", "static");
  for (const GateResult& gate : result.gates) {
    text += fmt::format("{:<12}{:>7}{:>13}{:>8}{:>10}{:>12}{:>12}{:>12}\n", gate.name, gate.is_right ? "yes" : "no",
                        gate.transistors, gate.spikes, gate.readings, format_si(gate.run.spike_energy, "J"),
                        format_si(gate.run.switch_energy, "J"), format_si(gate.run.most_static, "W"));
  }
  for (const GateResult& gate : result.gates) {
    for (const SpacingProof& proof : gate.spacings) {
      if (proof.run.wrong == 0) continue;
      text += fmt::format("\n{}, spikes {} apart: {} of {} readings wrong; {}\n", gate.name,
                          format_si(proof.spacing, "s"), proof.run.wrong, proof.run.readings, proof.run.first_wrong);
    }
  }
  return text;
}

bool is_studied(const GateResult& gate) {
  const GateStudy& study = gate.study;
  return study.fastest || study.margins || study.hold || study.corners || study.dies;
}

/// "44 of 45".
std::string right_of(const GatePoints* points) {
  return points != nullptr ? fmt::format("{} of {}", points->right, points->points.size()) : "";
}

std::string si_or_dash(double value, const std::string& unit) {
  return std::isfinite(value) ? format_si(value, unit) : "-";
}

std::string study_row(const GateResult& gate) {
  const GateStudy& study = gate.study;
  return fmt::format("{:<12}{:>12}{:>12}{:>13}{:>13}{:>10}{:>10}{:>12}\n", gate.name,
                     study.fastest ? si_or_dash(study.fastest->rate, "Hz") : "",
                     study.fastest ? si_or_dash(study.fastest->spacing, "s") : "",
                     study.margins ? si_or_dash(study.margins->line.current, "A") : "",
                     study.margins ? si_or_dash(study.margins->decision.current, "A") : "",
                     right_of(study.hold ? &study.hold->states : nullptr),
                     right_of(study.corners ? &*study.corners : nullptr),
                     right_of(study.dies ? &study.dies->dies : nullptr));
}

std::string studies_text(const GatesResult& result) {
  if (std::ranges::none_of(result.gates, is_studied)) return "";
  std::string text = fmt::format("\n{:<12}{:>12}{:>12}{:>13}{:>13}{:>10}{:>10}{:>12}\n", "circuit", "rate", "spacing",
                                 "line margin", "node margin", "held", "corners", "dies");
  for (const GateResult& gate : result.gates) text += study_row(gate);
  return text;
}

}  // namespace

const Table<GatesResult>& gates_table() {
  static const auto table =
      Table<GatesResult>()
          .merge(operating_point_table(), &GatesResult::operating_point)
          .figure("period_s", "s", "from a spike to the reading of the levels", &GatesResult::period)
          .figure("spike_width_s", "s", "", &GatesResult::spike_width)
          .object("levels_a", "of lines and cells", levels_table(), &GatesResult::levels)
          .figure("right", "whether every circuit is", &GatesResult::is_right)
          .list("gates", "one a circuit", gate_table(), &GatesResult::gates)
          .text(proofs_text)
          .text(studies_text);
  return table;
}

}  // namespace hysteron::report
