#include "compile/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <string>

#include "base/units.h"
#include "compile/fine_steps.h"
#include "compile/network_builder.h"

namespace hysteron::compile {
namespace {

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

// The ramp protocol, in seconds: quickly to the first window, slowly up through it, hold, quickly to the second window,
// slowly down through it, then to zero. A ramp through a window of 8 % of a threshold moves less than 1 pA in the time
// V0 takes to switch; steps are short where V0 moves, whatever the longest one is. Quick is ten of the longest steps
// and more: on a ramp of 10 ms with steps of 8 ms a candidate of several unit currents flipped cells between two steps.
constexpr double kQuick = 0.04;
constexpr double kSlow = 0.4;
constexpr double kHold = 0.04;
constexpr double kRiseBegin = 2 * kQuick;
constexpr double kRiseEnd = kRiseBegin + kSlow;
constexpr double kHighAt = kRiseEnd + 0.75 * kHold;
constexpr double kFallBegin = kRiseEnd + kHold + kQuick;
constexpr double kFallEnd = kFallBegin + kSlow;
constexpr double kStop = kFallEnd + kQuick + kHold;
constexpr double kLongestStep = 2e-3;

sim::PiecewiseLinear ramp(const RampWindow& window) {
  return {{0.0, 0.0},
          {kQuick, 0.0},
          {kRiseBegin, window.rise_from},
          {kRiseEnd, window.rise_to},
          {kRiseEnd + kHold, window.rise_to},
          {kFallBegin, window.fall_from},
          {kFallEnd, window.fall_to},
          {kFallEnd + kQuick, 0.0},
          {kStop, 0.0}};
}

/// Value of `probe` at `when`; NaN if that is NaN, a crossing that is not there.
double value_at(const sim::Waveforms& waves, std::size_t probe, double when) {
  return std::isnan(when) ? kNever : waves.at(probe, when);
}

RampWindow wide_window(const CellTarget& target, double unit) {
  const double slack = 0.1 * unit;
  return {0.4 * target.rise, 1.6 * target.rise + slack, 1.6 * target.fall + slack, 0.0};
}

/// Room around a threshold that is expected within `doubt`. The fall is the difference of two currents of the size of
/// the rise, so the rise sets the scale of both.
double slack(const CellTarget& target, double doubt, double unit) {
  return std::max({0.004 * target.rise, 0.0015 * unit, doubt});
}

/// Closely around `center`, or wide where it is not known.
RampWindow narrow_window(const CellLoop& center, double rise_doubt, double fall_doubt, const CellTarget& target,
                         double unit) {
  RampWindow window = wide_window(target, unit);
  if (!std::isnan(center.rise)) {
    window.rise_from = std::max(0.0, center.rise - slack(target, rise_doubt, unit));
    window.rise_to = center.rise + slack(target, rise_doubt, unit);
  }
  if (!std::isnan(center.fall)) {
    window.fall_from = center.fall + slack(target, fall_doubt, unit);
    window.fall_to = std::max(0.0, center.fall - slack(target, fall_doubt, unit));
  }
  return window;
}

/// Where a cell of the nominal gains is expected: legs are within some percent of what the curves say of them.
RampWindow first_window(const CellTarget& target, double unit) {
  const double doubt = 0.06 * target.rise + 0.03 * unit;
  return narrow_window({target.rise, target.fall, 0.0, 0.0}, doubt, doubt, target, unit);
}

/// Whether the thresholds that there are to be were crossed on the slow ramps through `window`.
bool is_seen(const CellLoop& loop, const RampWindow& window, const CellTarget& target) {
  const bool rises = loop.rise > window.rise_from && loop.rise < window.rise_to;
  const bool falls = loop.fall < window.fall_from && loop.fall > window.fall_to;
  return rises && (falls || (std::isnan(loop.fall) && target.fall <= 0.0));
}

/// Where to look after the gains were tuned to move `loop` to `target`: around the target, as far as a fifth of the
/// step may have missed.
RampWindow next_window(const CellLoop& loop, const CellTarget& target, double unit) {
  const CellLoop center = {std::isnan(loop.rise) ? kNever : target.rise, std::isnan(loop.fall) ? kNever : target.fall,
                           0.0, 0.0};
  return narrow_window(center, std::abs(loop.rise - target.rise) / 5.0, std::abs(loop.fall - target.fall) / 5.0, target,
                       unit);
}

double threshold_error(const CellLoop& loop, const CellTarget& target, double unit) {
  return std::max(counted_error(loop.rise, target.rise, unit), counted_error(loop.fall, target.fall, unit));
}

/// The rise is M2's current less what V0 leaks; the fall is that less M9's, so a step of M2 moves both.
CellGains improved(const CellGains& gains, const CellLoop& loop, const CellTarget& target, double unit) {
  CellGains next = gains;
  const double rise_step = std::isnan(loop.rise) ? 0.0 : target.rise - loop.rise;
  next.threshold = std::max(0.0, gains.threshold + rise_step / unit);
  if (!std::isnan(loop.fall)) {
    const double fall_step = loop.fall + rise_step - target.fall;
    next.width = std::max(0.0, gains.width + fall_step / unit);
  }
  if (loop.high > 0.0 && target.high > 0.0) next.output = gains.output * std::clamp(target.high / loop.high, 0.5, 2.0);
  return next;
}

}  // namespace

namespace {

/// Some cells side by side, and the run that shows their loops.
class CellRun {
 public:
  explicit CellRun(const CellSetup& setup) : builder_(setup.technology, setup.curves, setup.conditions, false) {
    CompiledNetwork& network = builder_.result();
    // Held stiffly at the diode's own voltage: through a rail that gives way, one cell that switches would push others
    // over their thresholds early.
    bench_.voltage_sources.push_back({network.reference, {{0.0, setup.curves.operating.n_diode}}});
    bench_.voltage_sources.push_back({network.reset, {{0.0, 0.0}}});
    bench_.supply = network.supply;
    bench_.temperature = setup.conditions.temperature;
    bench_.stop_time = kStop;
    bench_.maximum_step = kLongestStep;
  }

  void add(const CellSizes& sizes, const RampWindow& window) {
    const std::size_t i = cells_++;
    circuit::DeviceId diode = 0;
    Signal candidate = builder_.n_diode_signal({fmt::format("c{}", i), {}, circuit::Role::kRail}, &diode);
    CompiledCell cell;
    builder_.cell(candidate, diode, {fmt::format("h{}", i), {fmt::format("cell{}", i), {}}, {1.0, 0.5, 1.0}}, cell);
    CompiledNetwork& network = builder_.result();
    resize_cell(network, cell, sizes);
    bench_.current_sources.push_back({circuit::Circuit::kSupply, candidate.n_rail, ramp(window)});
    bench_.initial_voltages[cell.v0] = 0.0;
    bench_.probes.push_back({sim::Probe::Kind::kVoltage, cell.v0});
    bench_.probes.push_back({sim::Probe::Kind::kDrainCurrent, diode});
    bench_.probes.push_back({sim::Probe::Kind::kDrainCurrent, cell.m[3]});
  }

  /// Refers to this object.
  sim::Testbench bench() {
    bench_.circuit = &builder_.result().circuit;
    return bench_;
  }

  std::vector<CellLoop> loops(const sim::Waveforms& waves) const {
    std::vector<CellLoop> loops(cells_);
    for (std::size_t i = 0; i < cells_; ++i) {
      const std::size_t v0 = 3 * i;
      const double level = 0.5 * bench_.supply;
      loops[i].rise = value_at(waves, v0 + 1, sim::crossing_time(waves, v0, level, true, kQuick));
      loops[i].fall = value_at(waves, v0 + 1, sim::crossing_time(waves, v0, level, false, kHighAt));
      loops[i].high = std::abs(waves.at(v0 + 2, kHighAt));
      loops[i].low = std::abs(waves.at(v0 + 2, kStop));
    }
    return loops;
  }

 private:
  NetworkBuilder builder_;
  sim::Testbench bench_;
  std::size_t cells_ = 0;
};

}  // namespace

std::vector<CellLoop> measure_cells(const std::vector<CellSizes>& sizes, const std::vector<RampWindow>& windows,
                                    const CellSetup& setup) {
  std::deque<CellRun> runs;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i % kCellsInARun == 0) runs.emplace_back(setup);
    runs.back().add(sizes[i], windows[i]);
  }
  std::vector<sim::Testbench> benches;
  for (CellRun& run : runs) benches.push_back(run.bench());
  const std::vector<sim::Outcome> outcomes = setup.engine.run_all(benches, setup.jobs, setup.on_done);
  std::vector<CellLoop> loops;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::vector<CellLoop> some = runs[i].loops(outcomes[i].value());
    loops.insert(loops.end(), some.begin(), some.end());
  }
  return loops;
}

namespace {

/// Whether both thresholds were seen and are near enough for steps of the drawing grid.
bool is_fine(const CellLoop& loop, const CellTarget& target) {
  return std::max(std::abs(loop.rise - target.rise), std::abs(loop.fall - target.fall)) <= kFineReach * target.rise &&
         loop.rise > loop.fall;
}

double relative_error(double measured, double wanted) { return wanted > 0.0 ? measured / wanted - 1.0 : 0.0; }

/// Of a fall that is to be 0: none where it was never crossed, or only where leakage may cross it; else infinite.
double fall_error(const CellLoop& loop, const CellTarget& target, double unit) {
  if (target.fall > 0.0) return relative_error(loop.fall, target.fall);
  const bool is_right = counted_error(loop.fall, target.fall, unit) <= kCellTolerance;
  return is_right ? 0.0 : std::numeric_limits<double>::infinity();
}

CellErrors errors_of(const CellLoop& loop, const CellTarget& target, double unit) {
  return {true, relative_error(loop.rise, target.rise), fall_error(loop, target, unit),
          relative_error(loop.high, target.high)};
}

/// "fall by +13.4 % (0.402 pA)", or nothing where `error`, relative to `target`, is within the tolerance or the floor.
std::string fault(const char* name, double error, double target, double unit) {
  if (std::isnan(error)) return fmt::format("{} not observed", name);
  if (std::isinf(error)) return fmt::format("{} observed where there should be none", name);
  if (counted_error(target * (1.0 + error), target, unit) <= kCellTolerance) return {};
  return fmt::format("{} by {:+.1f} % ({})", name, 100.0 * error, format_si(std::abs(error) * target, "A"));
}

}  // namespace

double counted_error(double measured, double target, double unit_current) {
  // A lower threshold of 0 is never to be crossed.
  if (std::isnan(measured)) return target > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
  return std::abs(measured - target) / std::max(target, kCellErrorFloor / kCellTolerance * unit_current);
}

CellSizes draw_cell(const CellGains& gains, const technology::Technology& technology, const GainCurves& curves,
                    const Conditions& conditions) {
  const double supply = supply_of(technology, conditions);
  const auto size = [&](CellLeg leg, double gain) {
    return cell_leg_size(curves, technology, supply, leg, gain).geometry;
  };
  return {size(CellLeg::kThreshold, gains.threshold), size(CellLeg::kWidth, gains.width),
          size(CellLeg::kGain, gains.output)};
}

CellGains nominal_gains(const CellTarget& target, const Conditions& conditions) {
  const double unit = conditions.unit_current;
  return {target.rise / unit, (target.rise - target.fall) / unit, target.high / unit};
}

void resize_cell(CompiledNetwork& network, const CompiledCell& cell, const CellSizes& sizes) {
  for (const CellLeg leg : kCellLegs) {
    network.circuit.resize(network.legs[cell.legs[leg]].device, sizes[leg].width, sizes[leg].length);
  }
}

CellGains gains_of(const CellSizes& sizes, const GainCurves& curves, double supply) {
  const auto gain = [&](CellLeg leg) {
    return curves.gain_of(circuit::Polarity::kN, sizes[leg], cell_leg_voltage(curves, supply, leg));
  };
  return {gain(CellLeg::kThreshold), gain(CellLeg::kWidth), gain(CellLeg::kGain)};
}

namespace {

void take_thresholds(const CellSizes& from, CellSizes& to) {
  to.threshold = from.threshold;
  to.width = from.width;
}

/// One cell under calibration: what it is measured with next, and the best of what it was measured with. M2 and M8 set
/// the thresholds and M5 the output, so the best of each is kept by itself.
class CellSearch {
 public:
  CellSearch(const CellTarget& target, const CellSetup& setup)
      : target_(target),
        setup_(setup),
        window_(first_window(target, setup.conditions.unit_current)),
        sizes_(drawn(nominal_gains(target, setup.conditions))) {
    best_.sizes = sizes_;
  }

  const CellSizes& sizes() const { return sizes_; }
  const RampWindow& window() const { return window_; }
  bool is_done() const { return is_done_; }

  /// Takes what sizes() gave in window() and decides on the next of both.
  void take(const CellLoop& loop) {
    measured_.push_back(sizes_);
    const bool seen = is_seen(loop, window_, target_);
    const bool counts = reach_ == Reach::kClose && seen;
    keep_best(loop, counts);
    if (!seen && reach_ != Reach::kWide) {
      window_ = wide_window(target_, unit());
      reach_ = Reach::kWide;
      return;
    }
    window_ = next_window(loop, target_, unit());
    reach_ = Reach::kClose;
    choose_sizes(loop);
  }

  CalibratedCell best() const {
    CalibratedCell cell = best_;
    cell.worst_error = std::max(threshold_error_, high_error_);
    return cell;
  }

 private:
  enum class Reach { kFirst, kWide, kClose };  ///< how near the window is; only thresholds seen in a close one count

  double unit() const { return setup_.conditions.unit_current; }

  CellSizes drawn(const CellGains& gains) const {
    return draw_cell(gains, setup_.technology, setup_.curves, setup_.conditions);
  }

  void keep_best(const CellLoop& loop, bool counts) {
    const double error = threshold_error(loop, target_, unit());
    if (counts ? !is_judged_ || error < threshold_error_ : !is_judged_ && error <= threshold_error_) {
      threshold_error_ = error;
      take_thresholds(sizes_, best_.sizes);
      best_.loop.rise = loop.rise;
      best_.loop.fall = loop.fall;
      best_.loop.low = loop.low;
    }
    is_judged_ = is_judged_ || counts;
    const double high_error = counted_error(loop.high, target_.high, unit());
    if (high_error > high_error_) return;
    high_error_ = high_error;
    best_.sizes.gain = sizes_.gain;
    best_.loop.high = loop.high;
  }

  void choose_sizes(const CellLoop& loop) {
    const CellGains next = improved(gains_of(sizes_, setup_.curves, setup_.supply()), loop, target_, unit());
    const CellSizes redrawn = drawn(next);
    const bool has_thresholds = is_judged_ && threshold_error_ <= setup_.tolerance;
    const bool has_high = high_error_ <= setup_.tolerance || is_same_size(redrawn.gain, best_.sizes.gain);
    is_done_ = has_thresholds && has_high;
    sizes_ = redrawn;
    if (has_thresholds) {
      take_thresholds(best_.sizes, sizes_);
    } else if (is_judged_ && is_fine(best_.loop, target_)) {
      sizes_ = fine_steps(best_, measured_, target_, setup_);
      sizes_.gain = redrawn.gain;
    }
    if (has_high) sizes_.gain = best_.sizes.gain;
  }

  const CellTarget& target_;
  const CellSetup& setup_;
  RampWindow window_;
  Reach reach_ = Reach::kFirst;
  CellSizes sizes_;
  std::vector<CellSizes> measured_;
  CalibratedCell best_;
  double threshold_error_ = std::numeric_limits<double>::infinity();
  double high_error_ = std::numeric_limits<double>::infinity();
  bool is_judged_ = false;  ///< whether the best thresholds are of a loop that counts
  bool is_done_ = false;
};

}  // namespace

std::vector<CalibratedCell> calibrate_cells(const std::vector<CellTarget>& targets, const CellSetup& setup,
                                            Reporter& reporter) {
  std::deque<CellSearch> searches;
  for (const CellTarget& target : targets) searches.emplace_back(target, setup);
  std::vector<std::size_t> open(targets.size());  // cells that are still tuned
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (int pass = 0; pass < kCalibrationPasses && !open.empty(); ++pass) {
    std::vector<CellSizes> sizes;
    std::vector<RampWindow> windows;
    for (const std::size_t i : open) {
      sizes.push_back(searches[i].sizes());
      windows.push_back(searches[i].window());
    }
    const std::vector<CellLoop> loops = measure_cells(sizes, windows, setup);
    for (std::size_t k = 0; k < open.size(); ++k) searches[open[k]].take(loops[k]);
    std::erase_if(open, [&](std::size_t i) { return searches[i].is_done(); });
    reporter.progress("calibrating cells", open.empty() ? kCalibrationPasses : static_cast<std::size_t>(pass) + 1,
                      kCalibrationPasses, "");
  }
  std::vector<CalibratedCell> calibrated;
  for (const CellSearch& search : searches) calibrated.push_back(search.best());
  return calibrated;
}

void calibrate_network(CompiledNetwork& network, const technology::Technology& technology, const GainCurves& curves,
                       const sim::Engine& engine, int jobs, Reporter& reporter) {
  std::vector<CompiledCell*> cells;
  std::vector<CellTarget> targets;
  for (auto& layer : network.cells) {
    for (CompiledCell& cell : layer) {
      cells.push_back(&cell);
      targets.push_back({cell.rise, cell.fall, cell.high});
    }
  }
  if (cells.empty()) return;
  const auto calibrated = calibrate_cells(targets, {technology, curves, network.conditions, engine, jobs}, reporter);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellLoop& loop = calibrated[i].loop;
    cells[i]->errors = errors_of(loop, targets[i], network.conditions.unit_current);
    const PerCellLeg<double> measured = {loop.rise, loop.rise - loop.fall, loop.high};
    resize_cell(network, *cells[i], calibrated[i].sizes);
    for (const CellLeg which : kCellLegs) {
      CompiledLeg& leg = network.legs[cells[i]->legs[which]];
      if (leg.nominal_current > 0.0 && !std::isnan(measured[which])) {
        leg.sizing_error = measured[which] / leg.nominal_current - 1.0;
      }
    }
  }
}

void warn_of_cells(const CompiledNetwork& network, Reporter& reporter) {
  const double unit = network.conditions.unit_current;
  for (const auto& layer : network.cells) {
    for (const CompiledCell& cell : layer) {
      std::vector<std::string> faults;
      for (const std::string& text :
           {fault("rise", cell.errors.rise, cell.rise, unit), fault("fall", cell.errors.fall, cell.fall, unit),
            fault("high", cell.errors.high, cell.high, unit)}) {
        if (!text.empty()) faults.push_back(text);
      }
      if (faults.empty()) continue;
      reporter.warning(fmt::format("the cell of {} is off after calibration: {}; the limit is {:g} % or {}",
                                   model::parameter_name(*network.legs[cell.legs.threshold].parameter),
                                   fmt::join(faults, ", "), 100.0 * kCellTolerance,
                                   format_si(kCellErrorFloor * unit, "A")));
    }
  }
}

}  // namespace hysteron::compile
