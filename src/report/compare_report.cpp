#include "report/compare_report.h"

#include "base/units.h"
#include "report/cell_tables.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using analysis::Estimate;
using analysis::MeasuredAgreement;
using analysis::RailConstants;
using studies::ComparedCell;
using studies::Comparison;
using studies::WrittenStimulus;

/// [low, high]; null where there is none.
template <typename Range>
Json interval_value(const Range& range) {
  return std::isfinite(range.low) && std::isfinite(range.high) ? ends_of(range) : Json(nullptr);
}

const Table<Estimate>& estimate_table() {
  static const auto table = Table<Estimate>()
                                .figure("value", "null: not measured", &Estimate::value)
                                .figure("ci95", "[low, high]; null: none",
                                        [](const Estimate& estimate) { return interval_value(estimate.interval); });
  return table;
}

struct AgreementFigure {
  const char* key;
  Better better;
  const char* meaning;
  const char* label;
  Estimate MeasuredAgreement::*estimate;
};

constexpr AgreementFigure kAgreementFigures[] = {
    {"decision_agreement", Better::kHigher, "share of clips with the same decision", "decision agreement",
     &MeasuredAgreement::decision_agreement},
    {"frame_agreement", Better::kHigher, "share of frames with the same argmax of the logits", "frame agreement",
     &MeasuredAgreement::frame_agreement},
    {"state_mismatch", Better::kLower, "share of state bits that differ", "state mismatch",
     &MeasuredAgreement::state_mismatch},
    {"candidate_rms", Better::kLower, "error of candidates, unit currents", "candidate error, RMS",
     &MeasuredAgreement::candidate_rms},
    {"candidate_relative_rms", Better::kLower, "RMS error over RMS current of candidates", "  relative",
     &MeasuredAgreement::candidate_relative_rms},
    {"state_rms", Better::kLower, "error of states over agreeing bits, unit currents", "state error, RMS",
     &MeasuredAgreement::state_rms},
    {"state_relative_rms", Better::kLower, "the same over alpha", "  over alpha",
     &MeasuredAgreement::state_relative_rms},
    {"logit_rms", Better::kLower, "error of logits, unit currents", "logit error, RMS", &MeasuredAgreement::logit_rms}};

std::string estimate_line(const char* label, const Estimate& estimate) {
  const std::string value = estimate.known() ? fmt::format("{:.5g}  ({:.5g} to {:.5g})", estimate.value,
                                                           estimate.interval.low, estimate.interval.high)
                                             : "not measured";
  return fmt::format("{:<24}{}\n", label, value);
}

const Table<MeasuredAgreement>& intervals_table() {
  static const auto table = [] {
    Table<MeasuredAgreement> intervals;
    for (const AgreementFigure& figure : kAgreementFigures) {
      intervals.figure(figure.key, "", Better::kNeither, "[low, high]; null: not measured",
                       [estimate = figure.estimate](const MeasuredAgreement& agreement) {
                         return interval_value((agreement.*estimate).interval);
                       });
    }
    return intervals;
  }();
  return table;
}

const Table<MeasuredAgreement>& measured_agreement_table() {
  static const auto table = [] {
    Table<MeasuredAgreement> figures;
    figures.figure("clips", "records", &MeasuredAgreement::clips);
    for (const AgreementFigure& figure : kAgreementFigures) {
      figures.figure(
          figure.key, "", figure.better, figure.meaning,
          [estimate = figure.estimate](const MeasuredAgreement& agreement) { return (agreement.*estimate).value; });
      figures.text([figure](const MeasuredAgreement& agreement) {
        return estimate_line(figure.label, agreement.*figure.estimate);
      });
    }
    figures
        .figure("candidate_max", Better::kLower, "largest error of a candidate, unit currents",
                &MeasuredAgreement::candidate_max)
        .figure("state_max", Better::kLower, "the same of a state", &MeasuredAgreement::state_max)
        .object(
            "ci95", "95 % intervals", intervals_table(),
            [](const MeasuredAgreement& agreement) -> const auto& { return agreement; })
        .figure("blocks", "of 20 frames, that intervals rest on", &MeasuredAgreement::blocks);
    return figures;
  }();
  return table;
}

const Table<Comparison>& claims_table() {
  static const auto table = Table<Comparison>()
                                .figure("as_software", "`confirmed`, `refuted` or `not decided`",
                                        [](const Comparison& c) { return analysis::name_of(c.agreement.as_software); })
                                .figure("errors_do_not_grow", "as above",
                                        [](const Comparison& c) { return analysis::name_of(c.growth.bounded); })
                                .figure("suppression_at_least_20", "as above",
                                        [](const Comparison& c) { return analysis::name_of(c.suppression.claim); });
  return table;
}

const Table<analysis::ErrorGrowth>& error_growth_table() {
  using analysis::ErrorGrowth;
  static const auto table =
      Table<ErrorGrowth>()
          .object("state_error_rms", "of states that are on, over alpha", estimate_table(), &ErrorGrowth::rms)
          .object("square_per_frame", "slope of its square", estimate_table(), &ErrorGrowth::slope)
          .object("growth", "1: errors add up like a random walk; 0: none stays", estimate_table(),
                  &ErrorGrowth::growth)
          .figure("holds", "of a state", &ErrorGrowth::holds)
          .figure("longest_frames", "of them, frames", &ErrorGrowth::longest);
  return table;
}

const Table<analysis::CellSuppression>& cell_suppression_table() {
  using analysis::CellSuppression;
  static const auto table =
      Table<CellSuppression>()
          .figure("layer", "", &CellSuppression::layer)
          .figure("cell", "", &CellSuppression::cell)
          .figure("state", "`on` or `off`", [](const CellSuppression& cell) { return cell.on ? "on" : "off"; })
          .figure("ratio", Better::kHigher, "relative deviation of the candidate over that of the output",
                  [](const CellSuppression& cell) { return cell.ratio.value; })
          .figure("ci95", "[low, high]; null: too few holds",
                  [](const CellSuppression& cell) { return interval_value(cell.ratio); })
          .figure("holds", "of that state", &CellSuppression::holds);
  return table;
}

const Table<ComparedCell>& compared_cell_table() {
  using analysis::CellConstants;
  static const auto place =
      Table<CellConstants>().figure("layer", "", &CellConstants::layer).figure("cell", "", &CellConstants::cell);
  static const auto constants =
      Table<CellConstants>()
          .object("rise", "candidate that sets it, model units", estimate_table(), &CellConstants::rise)
          .object("fall", "candidate below which it resets", estimate_table(), &CellConstants::fall)
          .object("high", "output when on", estimate_table(), &CellConstants::high)
          .object("low", "output when off", estimate_table(), &CellConstants::low)
          .figure("rises", "slow ramps on which it set", &CellConstants::rises)
          .figure("falls", "and reset", &CellConstants::falls);
  static const auto table = Table<ComparedCell>()
                                .merge(place, &ComparedCell::constants)
                                .figure("beta_hi", "of the model", &ComparedCell::beta_hi)
                                .figure("beta_lo", "of the model", &ComparedCell::beta_lo)
                                .figure("alpha", "of the model", &ComparedCell::alpha)
                                .merge(constants, &ComparedCell::constants);
  return table;
}

const Table<Comparison>& switching_table() {
  using analysis::SpeedLaw;
  static const auto law =
      Table<SpeedLaw>()
          .figure("coefficient", "of the speed, model units a second", &SpeedLaw::coefficient)
          .figure("exponent", "", &SpeedLaw::exponent)
          .figure("residual", Better::kLower, "deviation of the readings, model units", &SpeedLaw::residual);
  static const auto table =
      Table<Comparison>().object("set", "", law, &Comparison::sets).object("reset", "", law, &Comparison::resets);
  return table;
}

std::string rail_name(const RailConstants& rail) {
  return rail.is_logit ? fmt::format("logit[{}]", rail.index)
                       : fmt::format("layers.{}.candidate[{}]", rail.layer, rail.index);
}

const Table<RailConstants>& rail_table() {
  static const auto table =
      Table<RailConstants>()
          .figure("rail", "`logit[0]` or `layers.0.candidate[0]`", rail_name)
          .object("gain", "over software in the chip's states", estimate_table(), &RailConstants::gain)
          .object("offset", "model units", estimate_table(), &RailConstants::offset)
          .figure("frames", "they are fitted to", &RailConstants::frames);
  return table;
}

const Table<analysis::ParameterFit>& fit_table() {
  using analysis::ParameterFit;
  static const auto table =
      Table<ParameterFit>()
          .figure("frames", "that were fitted", &ParameterFit::frames)
          .figure("rms_before", Better::kLower, "candidates and logits off the software, model units; null: neither",
                  &ParameterFit::before)
          .figure("rms_after", Better::kLower, "and off the software with the constants", &ParameterFit::after)
          .figure("missing", "constants that were not measured", &ParameterFit::missing);
  return table;
}

std::string head_text(const Comparison& comparison) {
  return fmt::format(
      "{} clips, {} blocks of frames; 95 % intervals in brackets, errors in unit currents\n"
      "frame 0 begins at {:.6g} s\n\n",
      comparison.agreement.clips, comparison.agreement.blocks, fmt::join(comparison.begins, ", "));
}

std::string power_text(const Comparison& comparison) {
  if (!comparison.power) return "";
  return fmt::format("{:<24}{} = {} + {} of the cells\n", "power", format_si(comparison.power->total, "W"),
                     format_si(comparison.power->feedforward, "W"), format_si(comparison.power->cells, "W"));
}

std::string claims_text(const Comparison& comparison) {
  std::string text = fmt::format("\n{:<24}{}{}\n", "does what software does", name_of(comparison.agreement.as_software),
                                 comparison.agreement.as_software == analysis::Verdict::kConfirmed
                                     ? ""
                                     : "  (clips of real use tell; a stimulus lingers at thresholds)");
  text += fmt::format("{:<24}{}\n", "errors do not grow", name_of(comparison.growth.bounded));
  return text + fmt::format("{:<24}{}  ({} of {} cells were on often enough)\n\n", "suppression 20 or more",
                            name_of(comparison.suppression.claim), comparison.suppression_known,
                            comparison.suppression_cells);
}

std::string cells_text(const Comparison& comparison) {
  std::string text =
      "off the model's beta_hi, beta_lo and alpha (unit currents where that is 0); -: no ramp that counts, or no "
      "hold\n";
  text += fmt::format("{:<8}{:<6}{:>12}{:>12}{:>12}\n", "layer", "cell", "rise", "fall", "high");
  const auto off = [](const Estimate& found, double target) {
    if (!found.known()) return std::string("-");
    return target > 0.0 ? fmt::format(" {:+.2f} %", 100.0 * (found.value / target - 1.0))
                        : fmt::format(" {:.4f}", found.value);
  };
  for (const ComparedCell& cell : comparison.cells) {
    const analysis::CellConstants& found = cell.constants;
    text += fmt::format("{:<8}{:<6}{:>12}{:>12}{:>12}\n", found.layer, found.cell, off(found.rise, cell.beta_hi),
                        off(found.fall, cell.beta_lo), off(found.high, cell.alpha));
  }
  return text;
}

std::string fit_text(const Comparison& comparison) {
  if (!std::isfinite(comparison.fit.before)) {
    return "\nneither candidates nor logits were measured: no constants of weights and biases\n";
  }
  return fmt::format(
      "\nwith the chip's constants candidates and logits are {:.5f} off, without {:.5f} (RMS, unit currents)\n",
      comparison.fit.after, comparison.fit.before);
}

const Comparison& whole(const Comparison& comparison) { return comparison; }

const Table<analysis::StimulusRamp>& ramp_table() {
  using analysis::StimulusRamp;
  static const auto table =
      Table<StimulusRamp>()
          .figure("layer", "", &StimulusRamp::layer)
          .figure("cell", "", &StimulusRamp::cell)
          .figure("threshold", "`rise` or `fall`", [](const StimulusRamp& ramp) { return ramp.sets ? "rise" : "fall"; })
          .figure("first_frame", "of the ramp", &StimulusRamp::begin)
          .figure("frames", "of the ramp; 0: there is none", &StimulusRamp::frames);
  return table;
}

}  // namespace

const Table<Comparison>& compare_table() {
  static const auto table =
      Table<Comparison>()
          .text(head_text)
          .merge(measured_agreement_table(), &Comparison::agreement)
          .text([](const Comparison& c) { return estimate_line("growth of state errors", c.growth.growth); })
          .figure("begin_seconds", "s", "of every record, where frame 0 begins", &Comparison::begins)
          .figure("power_nw", "nW", "`total`, `cells`, `feedforward`; null: not measured",
                  [](const Comparison& c) { return c.power ? power_table().json(*c.power) : Json(nullptr); })
          .text(power_text)
          .object("claims", "what the measurement says of them (docs/silicon.md)", claims_table(), whole)
          .text(claims_text)
          .object("growth", "whether errors of states grow while cells hold them", error_growth_table(),
                  &Comparison::growth)
          .list(
              "suppression", "of what moves candidates by cells, on, then off", cell_suppression_table(),
              [](const Comparison& c) -> const auto& { return c.suppression.cells; })
          .list("cells", "constants of every cell", compared_cell_table(), &Comparison::cells)
          .text(cells_text)
          .object("switching", "what speed adds to thresholds", switching_table(), whole)
          .list("rails", "every candidate and logit", rail_table(), &Comparison::rails)
          .object("fit", "of the chip's constants", fit_table(), &Comparison::fit)
          .text(fit_text);
  return table;
}

const Table<Comparison>& die_measurements_table() {
  static const auto table =
      Table<Comparison>()
          .list("cells", "constants of every cell", compared_cell_table(), &Comparison::cells)
          .list("rails", "every candidate and logit", rail_table(), &Comparison::rails)
          .figure("missing", "constants that were not measured", [](const Comparison& c) { return c.fit.missing; });
  return table;
}

const Table<WrittenStimulus>& stimulus_table() {
  static const auto table =
      Table<WrittenStimulus>()
          .figure("frames", "", &WrittenStimulus::frames)
          .figure("inputs", "", &WrittenStimulus::inputs)
          .figure("frame_seconds", "s", "", &WrittenStimulus::frame_seconds)
          .figure("seconds", "s", "of all frames", &WrittenStimulus::seconds)
          .figure("unit_current_a", "A", "current that stands for 1.0 of the model", &WrittenStimulus::unit_current)
          .figure("input_ramp_s", "s", "from one frame's value to the next", &WrittenStimulus::input_ramp)
          .figure("reset_s", "s", "of frame 0, while reset is held high", &WrittenStimulus::reset)
          .list("ramps", "frames in which a candidate passes a threshold", ramp_table(), &WrittenStimulus::ramps)
          .list("unreached", "thresholds that no input was found for", ramp_table(), &WrittenStimulus::unreached)
          .text([](const WrittenStimulus& written) {
            return fmt::format("{}: {} frames of {}, {} ramps, {} thresholds without one\n", written.folder.string(),
                               written.frames, format_si(written.frame_seconds, "s"), written.ramps.size(),
                               written.unreached.size());
          });
  return table;
}

}  // namespace hysteron::report
