#include "hysteron/compile/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <string>

#include "compile/fine_steps.h"
#include "compile/network_builder.h"
#include "hysteron/base/units.h"

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

/// Value of `probe` when `gate` first crosses `level` after `from`, upwards or downwards; NaN if it does not.
double value_at_crossing(const sim::Waveforms& waves, std::size_t gate, double level, bool upwards, double from,
                         std::size_t probe) {
  const std::vector<double>& v = waves.values[gate];
  for (std::size_t i = 1; i < waves.time.size(); ++i) {
    if (waves.time[i] < from) continue;
    const bool crossed = upwards ? (v[i - 1] < level && v[i] >= level) : (v[i - 1] > level && v[i] <= level);
    if (!crossed) continue;
    const double share = (level - v[i - 1]) / (v[i] - v[i - 1]);
    return waves.at(probe, waves.time[i - 1] + share * (waves.time[i] - waves.time[i - 1]));
  }
  return kNever;
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

/// Closely around `centre`, or wide where it is not known.
RampWindow narrow_window(const CellLoop& centre, double rise_doubt, double fall_doubt, const CellTarget& target,
                         double unit) {
  RampWindow window = wide_window(target, unit);
  if (!std::isnan(centre.rise)) {
    window.rise_from = std::max(0.0, centre.rise - slack(target, rise_doubt, unit));
    window.rise_to = centre.rise + slack(target, rise_doubt, unit);
  }
  if (!std::isnan(centre.fall)) {
    window.fall_from = centre.fall + slack(target, fall_doubt, unit);
    window.fall_to = std::max(0.0, centre.fall - slack(target, fall_doubt, unit));
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

/// Where to look after the gains were turned to move `loop` to `target`: around the target, as far as a fifth of the
/// step may have missed.
RampWindow next_window(const CellLoop& loop, const CellTarget& target, double unit) {
  const CellLoop centre = {std::isnan(loop.rise) ? kNever : target.rise, std::isnan(loop.fall) ? kNever : target.fall,
                           0.0, 0.0};
  return narrow_window(centre, std::abs(loop.rise - target.rise) / 5.0, std::abs(loop.fall - target.fall) / 5.0, target,
                       unit);
}

double worst_error(const CellLoop& loop, const CellTarget& target, double unit) {
  return std::max({counted_error(loop.rise, target.rise, unit), counted_error(loop.fall, target.fall, unit),
                   counted_error(loop.high, target.high, unit)});
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
  CellRun(const technology::Technology& technology, const GainCurves& curves, const Conditions& conditions)
      : builder_(technology, curves, conditions, false) {
    CompiledNetwork& network = builder_.result();
    // Held stiffly at the diode's own voltage: through a rail that gives way, one cell that switches would push others
    // over their thresholds early.
    bench_.voltage_sources.push_back({network.reference, {{0.0, curves.operating.n_diode}}});
    bench_.voltage_sources.push_back({network.reset, {{0.0, 0.0}}});
    bench_.supply = network.supply;
    bench_.temperature = conditions.temperature;
    bench_.stop_time = kStop;
    bench_.maximum_step = kLongestStep;
  }

  void add(const CellSizes& sizes, const RampWindow& window) {
    const std::size_t i = cells_++;
    circuit::DeviceId diode = 0;
    Signal candidate = builder_.n_diode_signal(fmt::format("c{}", i), "", circuit::Role::kRail, &diode);
    CompiledCell cell;
    builder_.cell(candidate, diode, fmt::format("h{}", i), fmt::format("cell{}", i), 1.0, 0.5, 1.0, false, {}, cell);
    for (std::size_t which = 0; which < sizes.size(); ++which) {
      const circuit::DeviceId leg = builder_.result().mapping[cell.mapping[which]].device;
      builder_.result().circuit.resize(leg, sizes[which].width, sizes[which].length);
    }
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
      loops[i].rise = value_at_crossing(waves, v0, level, true, kQuick, v0 + 1);
      loops[i].fall = value_at_crossing(waves, v0, level, false, kHighAt, v0 + 1);
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
                                    const technology::Technology& technology, const GainCurves& curves,
                                    const Conditions& conditions, const sim::Engine& engine, int jobs) {
  std::deque<CellRun> runs;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i % kCellsInARun == 0) runs.emplace_back(technology, curves, conditions);
    runs.back().add(sizes[i], windows[i]);
  }
  std::vector<sim::Testbench> benches;
  for (CellRun& run : runs) benches.push_back(run.bench());
  const std::vector<sim::Outcome> outcomes = engine.run_all(benches, jobs, {});
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

CellErrors errors_of(const CellLoop& loop, const CellTarget& target) {
  return {true, relative_error(loop.rise, target.rise), relative_error(loop.fall, target.fall),
          relative_error(loop.high, target.high)};
}

/// "fall by +13.4 % (0.402 pA)", or nothing where `error`, relative to `target`, is within the tolerance or the floor.
std::string fault(const char* name, double error, double target, double unit) {
  if (std::isnan(error)) return fmt::format("{} not seen", name);
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
  const double wanted[] = {gains.threshold, gains.width, gains.output};
  CellSizes sizes{};
  for (std::size_t which = 0; which < sizes.size(); ++which) {
    sizes[which] = cell_leg_size(curves, technology, supply, which, wanted[which]).geometry;
  }
  return sizes;
}

CellGains nominal_gains(const CellTarget& target, const Conditions& conditions) {
  const double unit = conditions.unit_current;
  return {target.rise / unit, (target.rise - target.fall) / unit, target.high / unit};
}

std::vector<CalibratedCell> calibrate_cells(const std::vector<CellTarget>& targets,
                                            const technology::Technology& technology, const GainCurves& curves,
                                            const Conditions& conditions, const sim::Engine& engine, int jobs,
                                            Reporter& reporter) {
  const double unit = conditions.unit_current;
  const double supply = supply_of(technology, conditions);
  std::vector<CellGains> gains;
  std::vector<CellSizes> sizes;
  std::vector<RampWindow> windows;
  for (const CellTarget& target : targets) {
    gains.push_back(nominal_gains(target, conditions));
    sizes.push_back(draw_cell(gains.back(), technology, curves, conditions));
    windows.push_back(first_window(target, unit));
  }
  std::vector<CalibratedCell> best(targets.size());
  for (CalibratedCell& cell : best) cell.worst_error = std::numeric_limits<double>::infinity();
  enum class Search { kFirst, kWide, kClose };  // how near its window is; only a close one counts
  std::vector<Search> search(targets.size(), Search::kFirst);
  std::vector<std::vector<CellSizes>> measured(targets.size());  // what each cell was measured with
  std::vector<bool> is_judged(targets.size(), false);            // whether best[i] is of a loop that counts
  std::vector<std::size_t> open(targets.size());                 // cells that are still turned
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (int pass = 0; pass < kCalibrationPasses && !open.empty(); ++pass) {
    std::vector<CellSizes> tried;
    std::vector<RampWindow> looked;
    for (const std::size_t i : open) {
      tried.push_back(sizes[i]);
      measured[i].push_back(sizes[i]);
      looked.push_back(windows[i]);
    }
    const std::vector<CellLoop> loops = measure_cells(tried, looked, technology, curves, conditions, engine, jobs);
    std::vector<std::size_t> left;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      const CellLoop& loop = loops[k];
      const double error = worst_error(loop, targets[i], unit);
      const bool seen = is_seen(loop, windows[i], targets[i]);
      const bool counts = search[i] == Search::kClose && seen;
      if (counts ? !is_judged[i] || error <= best[i].worst_error : !is_judged[i] && error <= best[i].worst_error) {
        best[i] = {sizes[i], loop, error};
      }
      is_judged[i] = is_judged[i] || counts;
      if (counts && error <= kCalibrationTolerance) continue;
      left.push_back(i);
      if (!seen && search[i] != Search::kWide) {
        windows[i] = wide_window(targets[i], unit);
        search[i] = Search::kWide;
        continue;
      }
      windows[i] = next_window(loop, targets[i], unit);
      search[i] = Search::kClose;
      gains[i] = improved(gains[i], loop, targets[i], unit);
      const CellSizes redrawn = draw_cell(gains[i], technology, curves, conditions);
      if (is_judged[i] && is_fine(best[i].loop, targets[i])) {
        sizes[i] = fine_steps(best[i], measured[i], targets[i], technology, curves, supply, unit);
        sizes[i][2] = redrawn[2];
      } else {
        sizes[i] = redrawn;
      }
    }
    open = std::move(left);
    reporter.progress("calibrating cells", open.empty() ? kCalibrationPasses : static_cast<std::size_t>(pass) + 1,
                      kCalibrationPasses, "");
  }
  return best;
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
  const auto calibrated = calibrate_cells(targets, technology, curves, network.conditions, engine, jobs, reporter);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const CellLoop& loop = calibrated[i].loop;
    cells[i]->errors = errors_of(loop, targets[i]);
    const double measured[] = {loop.rise, loop.rise - loop.fall, loop.high};
    for (std::size_t k = 0; k < 3; ++k) {
      MappedInstance& row = network.mapping[cells[i]->mapping[k]];
      const technology::Geometry& size = calibrated[i].sizes[k];
      network.circuit.resize(row.device, size.width, size.length);
      if (row.nominal_current > 0.0) row.sizing_error = measured[k] / row.nominal_current - 1.0;
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
      reporter.warning(fmt::format("the cell of {} is off after calibration: {}; {:g} % or {} is asked for",
                                   network.mapping[cell.mapping[0]].parameter, fmt::join(faults, ", "),
                                   100.0 * kCellTolerance, format_si(kCellErrorFloor * unit, "A")));
    }
  }
}

}  // namespace hysteron::compile
