#include "analysis/cell_characterisation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hysteron::analysis {
namespace {

using compile::CellProbe;
using compile::probe_index;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

double nominal_supply(const CellTestSetup& lab) { return compile::supply_of(lab.technology, lab.conditions); }

double supply_there(const CellTestSetup& lab, const compile::CellEnvironment& environment) {
  return environment.supply > 0.0 ? environment.supply : nominal_supply(lab);
}

double band_position(const compile::CellLoop& loop, double position) {
  return loop.fall + position * (loop.rise - loop.fall);
}

// Steps of the response and of the switching charge are as steep as the inputs of a network.
constexpr double kStep = 1e-4;

/// A candidate in the middle of the band, above it, in the middle, below it, in the middle; each long enough for every
/// rail and V0 to settle at the cell's own currents.
struct Excursion {
  double away = 0.0;    ///< second, beyond a threshold
  double settle = 0.0;  ///< in the band
  double set_at = 0.0;
  double reset_at = 0.0;
  double stop = 0.0;
  double longest_step = 0.0;

  explicit Excursion(double threshold) {
    constexpr double kChargeScale = 6e-12;  // ampere second: 0.6 s at 10 pA, which is 0.1 pC at an overdrive of 2 %
    away = std::clamp(kChargeScale / threshold, 5e-3, 1.0);
    settle = 0.5 * away;
    set_at = settle;
    reset_at = set_at + away + settle;
    stop = reset_at + away + settle;
    longest_step = away / 2500.0;
  }

  sim::PiecewiseLinear wave(double middle, double above, double below) const {
    const double back_at = set_at + away;
    const double last_at = reset_at + away;
    return {{0.0, middle},
            {set_at, middle},
            {set_at + kStep, above},
            {back_at, above},
            {back_at + kStep, middle},
            {reset_at, middle},
            {reset_at + kStep, below},
            {last_at, below},
            {last_at + kStep, middle},
            {stop, middle}};
  }
};

double peak(const sim::Waveforms& waves, std::size_t probe, double begin, double end) {
  double result = 0.0;
  for (std::size_t i = 0; i < waves.time.size(); ++i) {
    if (waves.time[i] >= begin && waves.time[i] <= end) result = std::max(result, waves.values[probe][i]);
  }
  return result;
}

Response read_response(const sim::Waveforms& waves, std::size_t slot, const Excursion& excursion, double high,
                       double supply) {
  const std::size_t gate = probe_index(slot, CellProbe::kSwitch);
  const std::size_t output = probe_index(slot, CellProbe::kOutput);
  sim::Waveforms magnitude;
  magnitude.time = waves.time;
  magnitude.values = {waves.values[gate], waves.values[output]};
  for (double& value : magnitude.values[1]) value = std::abs(value);
  Response response;
  response.set_switch = crossing_time(magnitude, 0, 0.5 * supply, true, excursion.set_at) - excursion.set_at;
  response.set_output = crossing_time(magnitude, 1, 0.9 * high, true, excursion.set_at) - excursion.set_at;
  response.reset_switch = crossing_time(magnitude, 0, 0.5 * supply, false, excursion.reset_at) - excursion.reset_at;
  response.reset_output = crossing_time(magnitude, 1, 0.1 * high, false, excursion.reset_at) - excursion.reset_at;
  return response;
}

}  // namespace

LineFit fit_line(const std::vector<double>& programmed, const std::vector<double>& measured) {
  std::vector<double> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < programmed.size(); ++i) {
    if (std::isnan(programmed[i]) || std::isnan(measured[i])) continue;
    x.push_back(programmed[i]);
    y.push_back(measured[i]);
  }
  LineFit fit{kNever, kNever, kNever, x.size()};
  double mean_x = 0.0;
  double mean_y = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / static_cast<double>(x.size());
    mean_y += y[i] / static_cast<double>(x.size());
  }
  double xx = 0.0;
  double xy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 0.0)) return fit;
  fit.slope = xy / xx;
  fit.offset = mean_y - fit.slope * mean_x;
  fit.worst_residual = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    fit.worst_residual = std::max(fit.worst_residual, std::abs(y[i] - fit.slope * x[i] - fit.offset));
  }
  return fit;
}

namespace {

constexpr double kTurned = 0.1;  // share of a leg's current, either way

compile::CellGains gains_of(const CellTestSetup& lab, const TunedCell& cell) {
  return compile::gains_of(cell.sizes, lab.curves, lab.cell_setup().supply());
}

/// Loops of a cell with each leg tuned down and up: [legs][down, up].
std::vector<LoopRequest> tuned_legs(const CellTestSetup& lab, const PlacedCell& placed) {
  std::vector<LoopRequest> requests;
  for (std::size_t column = 0; column < 3; ++column) {
    for (const double sign : {-1.0, 1.0}) {
      compile::CellGains gains = gains_of(lab, placed.cell);
      double* const tuned[] = {&gains.threshold, &gains.width, &gains.output};
      *tuned[column] *= 1.0 + sign * kTurned;
      const compile::CellSizes sizes = compile::draw_cell(gains, lab.technology, lab.curves, lab.conditions);
      requests.push_back(measure_loop_at({{placed.cell.target, sizes, {}, {}}, placed.environment, placed.loop}));
    }
  }
  return requests;
}

Sensitivities differences(const compile::CellGains& gains, double unit_current, const MeasuredLoop* loops) {
  const double legs[] = {gains.threshold, gains.width, gains.output};
  Sensitivities result{};
  for (std::size_t column = 0; column < 3; ++column) {
    const MeasuredLoop& low = loops[2 * column];
    const MeasuredLoop& high = loops[2 * column + 1];
    const double step = 2.0 * kTurned * legs[column] * unit_current;
    result[0][column] = (high.loop.rise - low.loop.rise) / step;
    result[1][column] = (high.width() - low.width()) / step;
    result[2][column] = (high.loop.high - low.loop.high) / step;
  }
  return result;
}

}  // namespace

PlacedCell is_nominal(const CellTestSetup& lab, const TunedCell& cell) {
  return {cell, lab.nominal_environment(), cell.loop};
}

LoopRequest measure_loop_at(const PlacedCell& placed) {
  const compile::CellLoop& loop = placed.loop.loop;
  if (!placed.loop.good()) return {placed.cell.sizes, placed.cell.target, placed.environment, false};
  return {placed.cell.sizes, {loop.rise, loop.fall, loop.high}, placed.environment, false};
}

std::vector<Sensitivities> measure_sensitivities(const CellTestSetup& lab, const std::vector<PlacedCell>& cells) {
  std::vector<LoopRequest> requests;
  for (const PlacedCell& placed : cells) {
    const std::vector<LoopRequest> tuned = tuned_legs(lab, placed);
    requests.insert(requests.end(), tuned.begin(), tuned.end());
  }
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  std::vector<Sensitivities> result;
  const std::size_t each = cells.empty() ? 0 : loops.size() / cells.size();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    result.push_back(differences(gains_of(lab, cells[i].cell), lab.conditions.unit_current, &loops[i * each]));
  }
  return result;
}

std::vector<Response> measure_responses(const CellTestSetup& lab, const PlacedCell& placed,
                                        const std::vector<double>& overdrives) {
  const compile::CellLoop& loop = placed.loop.loop;
  const Excursion excursion(placed.cell.target.rise);
  std::vector<Response> responses;
  for (const double overdrive : overdrives) {
    responses.push_back({overdrive, kNever, kNever, kNever, kNever, placed.loop.problem});
  }
  if (!placed.loop.good()) return responses;
  std::vector<CellRun> runs;
  for (const double overdrive : overdrives) {
    const double beyond = overdrive * loop.rise;
    runs.push_back({placed.cell.sizes, placed.environment,
                    excursion.wave(band_position(loop, 0.5), loop.rise + beyond, std::max(0.0, loop.fall - beyond)),
                    false});
  }
  run_cells(
      lab, runs, {excursion.stop, excursion.longest_step, 4},
      [&](std::size_t i, const sim::Waveforms& waves, std::size_t slot) {
        responses[i] = read_response(waves, slot, excursion, loop.high, supply_there(lab, placed.environment));
        responses[i].overdrive = overdrives[i];
      },
      [&](std::size_t i, const std::string& message) { responses[i].problem = message; });
  return responses;
}

namespace {

/// What the waveforms of one cell alone on its bench say of its current.
void read_currents(const sim::Waveforms& waves, std::size_t slot, const Excursion& excursion, double high,
                   double supply_voltage, CellCurrents& result) {
  const std::size_t supply = waves.values.size() - 1;
  const auto settled = [&](double time) { return waves.mean(supply, time - 0.1 * excursion.away, time); };
  const Response response = read_response(waves, slot, excursion, high, supply_voltage);
  const double set = std::max(response.set_switch, response.set_output);
  const double reset = std::max(response.reset_switch, response.reset_output);
  if (std::isnan(set) || std::isnan(reset)) {
    result.problem = "does not switch within the run";
    return;
  }
  result.off_in_band = settled(excursion.set_at);
  result.on_in_band = settled(excursion.reset_at);
  result.set_charge = waves.mean(supply, excursion.set_at, excursion.set_at + set) * set;
  result.reset_charge = waves.mean(supply, excursion.reset_at, excursion.reset_at + reset) * reset;
  result.set_peak = peak(waves, supply, excursion.set_at, excursion.set_at + excursion.away);
}

}  // namespace

std::vector<CellCurrents> measure_currents(const CellTestSetup& lab, const TunedCell& cell,
                                           const std::vector<compile::CellEnvironment>& environments,
                                           const std::vector<MeasuredLoop>& loops) {
  const Excursion excursion(cell.target.rise);
  std::vector<CellCurrents> results(environments.size());
  std::vector<CellRun> moving;
  std::vector<CellRun> resting;
  for (std::size_t i = 0; i < environments.size(); ++i) {
    const compile::CellLoop& loop = loops[i].loop;
    moving.push_back({cell.sizes, environments[i],
                      excursion.wave(band_position(loop, 0.5), 1.5 * loop.rise, 0.5 * loop.fall), false});
    resting.push_back({cell.sizes, environments[i], {{0.0, 0.0}}, false});
  }
  const auto fail = [&](std::size_t i, const std::string& message) { results[i].problem = message; };
  run_cells(
      lab, moving, {excursion.stop, excursion.longest_step, 1},
      [&](std::size_t i, const sim::Waveforms& waves, std::size_t slot) {
        read_currents(waves, slot, excursion, loops[i].loop.high, supply_there(lab, environments[i]), results[i]);
      },
      fail);
  run_cells(
      lab, resting, {0.2, 1e-3, 1},
      [&](std::size_t i, const sim::Waveforms& waves, std::size_t) {
        results[i].off_at_zero = waves.mean(waves.values.size() - 1, 0.1, 0.2);
      },
      fail);
  return results;
}

CellCurrents measure_currents(const CellTestSetup& lab, const TunedCell& cell) {
  return measure_currents(lab, cell, {lab.nominal_environment()}, {cell.loop}).front();
}

std::vector<Retention> measure_retention(const CellTestSetup& lab, const std::vector<RetentionRequest>& requests,
                                         double seconds) {
  std::vector<CellRun> runs;
  std::vector<std::size_t> run_of;  // which result a run fills: a cell without a band has none
  std::vector<Retention> results;
  for (const RetentionRequest& request : requests) {
    const PlacedCell& placed = request.placed;
    const double candidate = band_position(placed.loop.loop, request.position);
    for (const bool on : {false, true}) {
      results.push_back({placed.environment, request.position, on, seconds, false, kNever, placed.loop.problem});
      if (!placed.loop.good()) continue;
      runs.push_back({placed.cell.sizes, placed.environment, {{0.0, candidate}}, on});
      run_of.push_back(results.size() - 1);
    }
  }
  const auto read = [&](std::size_t run, const sim::Waveforms& waves, std::size_t slot) {
    const std::size_t i = run_of[run];
    Retention& result = results[i];
    const double supply = supply_there(lab, result.environment);
    const double gate = waves.values[probe_index(slot, CellProbe::kSwitch)].back();
    result.output = std::abs(waves.values[probe_index(slot, CellProbe::kOutput)].back());
    const bool output_on = result.output > 0.5 * requests[i / 2].placed.loop.loop.high;
    result.held = (gate > 0.5 * supply) == result.on && output_on == result.on;
  };
  run_cells(lab, runs, {seconds, seconds / 200.0, 8}, read,
            [&](std::size_t run, const std::string& message) { results[run_of[run]].problem = message; });
  return results;
}

}  // namespace hysteron::analysis
