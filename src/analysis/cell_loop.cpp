#include "analysis/cell_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>

#include "base/error.h"

namespace hysteron::analysis {
namespace {

using compile::CellProbe;
using compile::probe_index;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kCellsPerBench = 8;
constexpr int kSearchPasses = 7;

// A candidate moves between windows within kQuick and rests for kRest, long enough for rails at 10 pA to settle.
constexpr double kQuick = 0.01;
constexpr double kRest = 0.04;

// The first, wide window reaches this far beyond the guess; an ever narrower one is this much narrower.
constexpr double kReach = 2.2;
constexpr double kReachExtra = 30e-12;
constexpr double kNarrowing = 8.0;

// A close guess is looked for within this share of the rise and this much more.
constexpr double kCloseShare = 0.015;
constexpr double kCloseExtra = 1.5e-12;

/// Where one threshold is looked for.
struct Search {
  double low = 0.0;
  double high = 0.0;
  double value = kNever;
  bool done = false;
  bool wide = true;
};

struct Cell {
  Search rise;
  Search fall;
  std::string problem;

  bool done() const { return !problem.empty() || (rise.done && fall.done); }
};

struct Timeline {
  double low_at, rise_begin, rise_end, high_at, fall_begin, fall_end, stop;
};

Timeline timeline(const LoopProtocol& protocol) {
  Timeline t{};
  t.low_at = 0.5 * kRest;
  t.rise_begin = kRest + kQuick + kRest;
  t.rise_end = t.rise_begin + protocol.slow_seconds;
  t.high_at = t.rise_end + 0.9 * kRest;
  t.fall_begin = t.rise_end + kRest + kQuick + kRest;
  t.fall_end = t.fall_begin + protocol.slow_seconds;
  t.stop = t.fall_end + kQuick + kRest;
  return t;
}

sim::PiecewiseLinear ramp(const Cell& cell, const LoopProtocol& protocol) {
  const Timeline t = timeline(protocol);
  return {{0.0, 0.0},
          {kRest, 0.0},
          {kRest + kQuick, cell.rise.low},
          {t.rise_begin, cell.rise.low},
          {t.rise_end, cell.rise.high},
          {t.rise_end + kRest, cell.rise.high},
          {t.rise_end + kRest + kQuick, cell.fall.high},
          {t.fall_begin, cell.fall.high},
          {t.fall_end, cell.fall.low},
          {t.fall_end + kQuick, 0.0},
          {t.stop, 0.0}};
}

/// Takes in what a pass saw: a threshold at `value` (NaN: none), inside the slow ramp or not.
void narrow(Search& search, double value, bool inside, double final_half) {
  const double half = 0.5 * (search.high - search.low);
  if (std::isnan(value)) {
    if (search.wide) search.done = true;  // it does not switch
    search.value = kNever;
    const double center = 0.5 * (search.high + search.low);
    search.low = 0.0;
    search.high = kReach * center + kReachExtra;
    search.wide = true;
    return;
  }
  search.value = value;
  search.done = inside && half <= 1.01 * final_half;
  const double next = inside ? std::max(final_half, half / kNarrowing) : std::max(4.0 * half, final_half);
  search.low = std::max(0.0, value - next);
  search.high = value + next;
  search.wide = false;
}

Cell first_search(const compile::CellTarget& guess, bool close) {
  Cell cell;
  if (close) {
    const double half = kCloseShare * guess.rise + kCloseExtra;
    cell.rise = {std::max(0.0, guess.rise - half), guess.rise + half, kNever, false, false};
    cell.fall = {std::max(0.0, guess.fall - half), guess.fall + half, kNever, false, false};
    return cell;
  }
  cell.rise.low = 0.25 * guess.rise;
  cell.rise.high = kReach * guess.rise + kReachExtra;
  cell.fall.low = 0.0;
  cell.fall.high = std::min(kReach * guess.fall + kReachExtra, 1.2 * guess.rise);
  return cell;
}

/// Searches all cells of all requests at once, pass by pass.
class LoopSearch {
 public:
  LoopSearch(const CellTestSetup& lab, const std::vector<LoopRequest>& requests, const LoopProtocol& protocol)
      : lab_(lab), requests_(requests), protocol_(protocol), results_(requests.size()) {
    for (const LoopRequest& request : requests) cells_.push_back(first_search(request.guess, request.close));
  }

  std::vector<MeasuredLoop> run() {
    for (int pass = 0; pass < kSearchPasses; ++pass) {
      if (!run_pass()) break;
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) finish(i);
    return std::move(results_);
  }

 private:
  bool run_pass() {
    std::vector<CellRun> runs;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i].done()) continue;
      runs.push_back({requests_[i].sizes, requests_[i].environment, ramp(cells_[i], protocol_), false});
      open.push_back(i);
    }
    if (open.empty()) return false;
    run_cells(
        lab_, runs, {timeline(protocol_).stop, protocol_.longest_step, kCellsPerBench},
        [&](std::size_t run, const sim::Waveforms& waves, std::size_t slot) {
          take(open[run], runs[run].candidate, waves, slot);
        },
        [&](std::size_t run, const std::string& message) { cells_[open[run]].problem = message; });
    return true;
  }

  void take(std::size_t i, const sim::PiecewiseLinear& drive, const sim::Waveforms& waves, std::size_t slot) {
    const Timeline t = timeline(protocol_);
    Cell& cell = cells_[i];
    const std::size_t gate = probe_index(slot, CellProbe::kSwitch);
    const double level = 0.5 * supply_of(requests_[i].environment);
    const double set = crossing_time(waves, gate, level, true, 0.0);
    const double reset = crossing_time(waves, gate, level, false, std::isnan(set) ? t.stop : set);
    if (set <= kRest) {
      cell.rise = {0.0, 0.0, 0.0, true, false};
      cell.fall.done = true;
    }
    results_[i].loop.low = std::abs(waves.at(probe_index(slot, CellProbe::kOutput), t.low_at));
    results_[i].loop.high = std::abs(waves.at(probe_index(slot, CellProbe::kOutput), t.high_at));
    if (set <= kRest) return;
    // A cell that rises before its window or falls before the high is read has been caught in a quick ramp.
    const double half =
        protocol_.window_share * std::max(requests_[i].guess.rise, cell_scale(set, drive)) + protocol_.window_extra;
    narrow(cell.rise, std::isnan(set) ? kNever : sim::value_at(drive, set), set > t.rise_begin && set < t.rise_end,
           half);
    if (std::isnan(set)) {  // the fall was not tried
      cell.fall.done = cell.rise.done;
      return;
    }
    narrow(cell.fall, std::isnan(reset) ? kNever : sim::value_at(drive, reset),
           reset > t.fall_begin && reset < t.fall_end, half);
  }

  static double cell_scale(double set, const sim::PiecewiseLinear& drive) {
    return std::isnan(set) ? 0.0 : sim::value_at(drive, set);
  }

  double supply_of(const compile::CellEnvironment& environment) const {
    if (environment.supply > 0.0) return environment.supply;
    return compile::supply_of(lab_.technology, lab_.conditions);
  }

  void finish(std::size_t i) {
    const Cell& cell = cells_[i];
    MeasuredLoop& result = results_[i];
    result.loop.rise = cell.rise.value;
    result.loop.fall = cell.fall.value;
    result.problem = cell.problem;
    result.solved = cell.problem.empty();
    if (!result.solved) {
      result.loop = {kNever, kNever, kNever, kNever};
    } else if (std::isnan(cell.rise.value)) {
      result.problem = "never sets";
    } else if (cell.rise.value <= 0.0) {
      result.problem = "sets without a candidate";
      result.loop = {kNever, kNever, result.loop.high, result.loop.low};
    } else if (cell.fall.value <= 0.0) {
      result.problem = "resets only without a candidate";
      result.loop.fall = kNever;
    } else if (std::isnan(cell.fall.value)) {
      result.problem = "never resets";
    } else if (!cell.done()) {
      result.problem = "thresholds not located accurately enough";
    }
    if (std::isnan(cell.rise.value)) result.loop.high = kNever;
  }

  const CellTestSetup& lab_;
  const std::vector<LoopRequest>& requests_;
  const LoopProtocol& protocol_;
  std::vector<Cell> cells_;
  std::vector<MeasuredLoop> results_;
};

}  // namespace

compile::CellBench build_bench(const CellTestSetup& lab, const std::vector<compile::CellSizes>& sizes) {
  compile::CellBench bench = compile::build_cell_bench(sizes, lab.technology, lab.curves, lab.conditions);
  for (std::size_t i = 0; i < sizes.size() && lab.cell_capacitance > 0.0; ++i) {
    bench.network.circuit.add(
        circuit::Capacitor{"v0", fmt::format("cell{}", i), bench.cells[i].v0, lab.cell_capacitance});
  }
  return bench;
}

void run_cells(const CellTestSetup& lab, const std::vector<CellRun>& runs, const RunLimits& limits,
               const ReadCell& read, const FailedCell& fail) {
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto is_unknown = [](const sim::Breakpoint& point) { return std::isnan(point.value); };
    if (std::any_of(runs[i].candidate.begin(), runs[i].candidate.end(), is_unknown)) {
      fail(i, "its thresholds are not known");
      continue;
    }
    const auto fits = [&](const std::vector<std::size_t>& group) {
      return group.size() < limits.cells_per_bench && runs[group.front()].environment == runs[i].environment;
    };
    const auto found = std::find_if(groups.begin(), groups.end(), fits);
    if (found == groups.end()) {
      groups.push_back({i});
    } else {
      found->push_back(i);
    }
  }
  std::deque<compile::CellBench> benches;
  std::vector<sim::Testbench> testbenches;
  for (const auto& group : groups) {
    std::vector<compile::CellSizes> sizes;
    std::vector<sim::PiecewiseLinear> candidates;
    std::vector<bool> starts_on;
    for (const std::size_t i : group) {
      sizes.push_back(runs[i].sizes);
      candidates.push_back(runs[i].candidate);
      starts_on.push_back(runs[i].starts_on);
    }
    benches.push_back(build_bench(lab, sizes));
    testbenches.push_back(
        compile::make_cell_testbench(benches.back(), runs[group.front()].environment, candidates, starts_on));
    testbenches.back().stop_time = limits.stop_time;
    testbenches.back().maximum_step = limits.longest_step;
    testbenches.back().tolerance = lab.tolerance;
    testbenches.back().read_times = lab.read_times;
  }
  const auto outcomes = lab.engine.run_all(testbenches, lab.jobs, lab.on_done);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t slot = 0; slot < groups[g].size(); ++slot) {
      if (outcomes[g].error) {
        fail(groups[g][slot], outcomes[g].error->what());
      } else {
        read(groups[g][slot], *outcomes[g].waveforms, slot);
      }
    }
  }
}

std::vector<MeasuredLoop> measure_loops(const CellTestSetup& lab, const std::vector<LoopRequest>& requests,
                                        const LoopProtocol& protocol) {
  return LoopSearch(lab, requests, protocol).run();
}

std::vector<TunedCell> tune_cells(const CellTestSetup& lab, const std::vector<compile::CellTarget>& targets) {
  SilentReporter silent;
  const std::vector<compile::CalibratedCell> calibrated = compile::calibrate_cells(targets, lab.cell_setup(), silent);
  const compile::CellEnvironment here = lab.nominal_environment();
  std::vector<LoopRequest> requests;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const compile::CellGains nominal = compile::nominal_gains(targets[i], lab.conditions);
    requests.push_back({calibrated[i].sizes, targets[i], here, true});
    requests.push_back(
        {compile::draw_cell(nominal, lab.technology, lab.curves, lab.conditions), targets[i], here, false});
  }
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  std::vector<TunedCell> cells;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    cells.push_back({targets[i], calibrated[i].sizes, loops[2 * i], loops[2 * i + 1]});
  }
  return cells;
}

LoopCurve trace_loop(const CellTestSetup& lab, const compile::CellSizes& sizes, double largest,
                     const compile::CellEnvironment& environment, std::size_t points) {
  constexpr double kRamp = 4.0;
  const CellRun run{
      sizes, environment, {{0.0, 0.0}, {kRest, 0.0}, {kRest + kRamp, largest}, {kRest + 2 * kRamp, 0.0}}, false};
  LoopCurve curve;
  run_cells(
      lab, {run}, {kRest + 2 * kRamp, 4e-3, 1},
      [&](std::size_t, const sim::Waveforms& waves, std::size_t slot) {
        const std::size_t output = probe_index(slot, CellProbe::kOutput);
        for (std::size_t i = 0; i < points; ++i) {
          const double share = static_cast<double>(i) / static_cast<double>(points - 1);
          curve.candidate.push_back(share * largest);
          curve.up.push_back(std::abs(waves.at(output, kRest + share * kRamp)));
          curve.down.push_back(std::abs(waves.at(output, kRest + (2.0 - share) * kRamp)));
        }
      },
      [](std::size_t, const std::string& message) { throw simulator_error(message); });
  return curve;
}

std::string loop_csv(const LoopCurve& curve) {
  std::string text = "candidate_a,output_up_a,output_down_a\n";
  for (std::size_t i = 0; i < curve.candidate.size(); ++i) {
    text += fmt::format("{:.7g},{:.7g},{:.7g}\n", curve.candidate[i], curve.up[i], curve.down[i]);
  }
  return text;
}

}  // namespace hysteron::analysis
