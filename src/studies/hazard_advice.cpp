#include "studies/hazard_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/units.h"

namespace hysteron::studies {
namespace {

using analysis::Glitch;
using compile::HazardMitigations;

constexpr double kFemto = 1e-15;

// What docs/notes/hazards.md measured: ramps of a tenth of a frame, a pedestal of a tenth of a unit current.
constexpr double kRampShare = 0.1;
constexpr double kPedestal = 0.1;

/// Up to the next value of two digits.
double rounded_up(double value) {
  const double step = std::pow(10.0, std::floor(std::log10(value)) - 1.0);
  return std::ceil(value / step * (1.0 - 1e-9)) * step;
}

/// What a circuit runs with.
struct Setting {
  double unit_current;
  double frame_seconds;
  HazardMitigations mitigations;  // in place
  double capacitance;

  double charge(const Glitch& glitch) const { return glitch.size * glitch.seconds * unit_current; }
  double overdrive(double farad) const { return compile::overdrive_to_switch(farad, frame_seconds) / unit_current; }
};

std::vector<CellNeed> cell_needs(const std::vector<std::pair<std::size_t, Glitch>>& glitches, const Setting& setting) {
  std::map<std::pair<std::size_t, std::size_t>, CellNeed> cells;
  for (const auto& [clip, glitch] : glitches) {
    if (!glitch.flipped) continue;
    CellNeed& need = cells[{glitch.layer, glitch.cell}];
    need.layer = glitch.layer;
    need.cell = glitch.cell;
    ++need.flips;
    need.charge = std::max(need.charge, setting.charge(glitch));
  }
  std::vector<CellNeed> result;
  for (auto& [place, need] : cells) {
    need.capacitance = rounded_up(
        std::max(compile::default_cell_capacitance(setting.unit_current), need.charge / compile::kSwitchingSwing));
    result.push_back(need);
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const CellNeed& a, const CellNeed& b) { return a.charge > b.charge; });
  return result;
}

std::size_t late_switches(const std::vector<float>& overdrives, double needed) {
  return static_cast<std::size_t>(
      std::count_if(overdrives.begin(), overdrives.end(), [&](float overdrive) { return overdrive < needed; }));
}

/// Takes in the charge of the largest glitch, as far as larger capacitors were measured to lose nothing.
void offer_capacitor(HazardAdvice& advice, const std::vector<float>& overdrives, const Setting& setting) {
  const double target = advice.cells.front().capacitance;
  const double most = compile::largest_cell_capacitance(setting.unit_current, setting.frame_seconds);
  const double offered = std::min(target, std::max(most, compile::default_cell_capacitance(setting.unit_current)));
  if (offered <= setting.capacitance * (1.0 + 1e-9)) return;
  Mitigation mitigation{"--cell-capacitance", fmt::format("{:.4g}f", offered / kFemto), "", setting.mitigations};
  mitigation.mitigations.cell_capacitance = offered;
  mitigation.why = fmt::format("absorbs {} of the {} of the largest glitch; {} of {} switchings would then be late",
                               target <= offered ? "all" : format_si(compile::kSwitchingSwing * offered, "C"),
                               format_si(advice.cells.front().charge, "C"),
                               late_switches(overdrives, setting.overdrive(offered)), overdrives.size());
  if (target > offered) {
    mitigation.why += fmt::format(
        " ({} would absorb all of it, but above {} capacitors were measured to lose as many bits as they save)",
        format_si(target, "F"), format_si(offered, "F"));
  }
  advice.mitigations.push_back(std::move(mitigation));
}

void offer_slower_inputs(HazardAdvice& advice, const std::vector<std::pair<std::size_t, Glitch>>& glitches,
                         const Setting& setting) {
  const bool is_input_overshoot = std::any_of(glitches.begin(), glitches.end(), [](const auto& item) {
    return item.second.flipped && item.second.is_upper && item.second.layer == 0;
  });
  const double ramp = kRampShare * setting.frame_seconds;
  if (is_input_overshoot && setting.mitigations.input_ramp < ramp) {
    Mitigation mitigation{"--input-ramp", fmt::format("{:.4g}u", ramp / kMicro),
                          "was measured to fix overshoots in the first layer, but not dips or later layers; needs "
                          "inputs that are as slow",
                          setting.mitigations};
    mitigation.mitigations.input_ramp = ramp;
    advice.mitigations.push_back(std::move(mitigation));
  }
  if (setting.capacitance <= 0.0 && setting.mitigations.input_pedestal <= 0.0) {
    Mitigation mitigation{
        "--input-pedestal", fmt::format("{:g}", kPedestal),
        "was measured to fix 13 of 20 wrong bits without cell capacitors, none with them; 5 % more power",
        setting.mitigations};
    mitigation.mitigations.input_pedestal = kPedestal;
    advice.mitigations.push_back(std::move(mitigation));
  }
}

std::string verdict(const HazardAdvice& advice, std::size_t armed, std::size_t flips) {
  if (armed == 0) return "no glitch on a cell that could flip: nothing to mitigate";
  const std::string bears =
      fmt::format("with {} at V0 a cell takes {} to switch", format_si(advice.capacitance, "F"),
                  format_si(compile::kSwitchingSwing * (advice.capacitance + compile::kOwnCapacitance), "C"));
  if (flips == 0) {
    return fmt::format("no glitch flipped its cell: nothing to mitigate (the largest brought {}; {})",
                       format_si(advice.largest_charge, "C"), bears);
  }
  return fmt::format(
      "{} glitch{} flipped {}, the largest with {} ({}){}", flips, flips == 1 ? "" : "es",
      flips == 1 ? "its cell" : "their cells", format_si(advice.cells.front().charge, "C"), bears,
      advice.mitigations.empty() ? "; none of the flags not yet in use was measured to suppress such glitches" : "");
}

}  // namespace

HazardAdvice advise(const std::vector<std::pair<std::size_t, Glitch>>& glitches, std::vector<float> overdrives,
                    const HazardMitigations& mitigations, double unit_current, double frame_seconds) {
  std::sort(overdrives.begin(), overdrives.end());
  const Setting setting{unit_current, frame_seconds, mitigations,
                        mitigations.cell_capacitance.value_or(compile::default_cell_capacitance(unit_current))};
  HazardAdvice advice;
  advice.capacitance = setting.capacitance;
  advice.overdrive = setting.overdrive(setting.capacitance);
  advice.switches = overdrives.size();
  advice.late = late_switches(overdrives, advice.overdrive);
  if (advice.late < overdrives.size()) {
    advice.largest_capacitance =
        compile::capacitance_switched_by(unit_current * overdrives[advice.late], frame_seconds);
  }
  for (const auto& [clip, glitch] : glitches) {
    advice.largest_charge = std::max(advice.largest_charge, setting.charge(glitch));
  }
  advice.cells = cell_needs(glitches, setting);
  std::size_t flips = 0;
  for (const CellNeed& cell : advice.cells) flips += cell.flips;
  if (flips > 0) {
    offer_capacitor(advice, overdrives, setting);
    offer_slower_inputs(advice, glitches, setting);
  }
  advice.verdict = verdict(advice, glitches.size(), flips);
  return advice;
}

}  // namespace hysteron::studies
