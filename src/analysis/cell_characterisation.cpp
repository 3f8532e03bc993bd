#include "hysteron/analysis/cell_characterisation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hysteron::analysis {
namespace {

using compile::CellProbe;
using compile::probe_index;

constexpr double kNever = std::numeric_limits<double>::quiet_NaN();

double home_supply(const CellLab& lab) {
  return lab.conditions.supply > 0.0 ? lab.conditions.supply : lab.technology.supply;
}

double band_position(const compile::CellLoop& loop, double position) {
  return loop.fall + position * (loop.rise - loop.fall);
}

// Steps of the response and of the switching charge: as steep as the inputs of a network, and apart long enough for
// every rail to settle.
constexpr double kStep = 1e-4;
constexpr double kSettle = 0.1;
constexpr double kAway = 0.3;
constexpr double kFineStep = 1e-4;

/// In the middle of the band, to `above`, back, to `below`, back. Steps begin at kSettle, + kAway, ...
sim::PiecewiseLinear excursion(double middle, double above, double below) {
  const double t1 = kSettle;
  const double t2 = t1 + kAway;
  const double t3 = t2 + kSettle;
  const double t4 = t3 + kAway;
  return {{0.0, middle}, {t1, middle},        {t1 + kStep, above}, {t2, above},          {t2 + kStep, middle},
          {t3, middle},  {t3 + kStep, below}, {t4, below},         {t4 + kStep, middle}, {t4 + kSettle, middle}};
}

constexpr double kSetAt = kSettle;
constexpr double kResetAt = kSettle + kAway + kSettle;
constexpr double kExcursionEnd = kResetAt + kAway + kSettle;

/// Current of the cells' supply over what flows at the ends of [begin, end], integrated.
double charge_beyond(const sim::Waveforms& waves, std::size_t probe, double begin, double end, double settled) {
  return (waves.mean(probe, begin, end) - settled) * (end - begin);
}

double peak(const sim::Waveforms& waves, std::size_t probe, double begin, double end) {
  double result = 0.0;
  for (std::size_t i = 0; i < waves.time.size(); ++i) {
    if (waves.time[i] >= begin && waves.time[i] <= end) result = std::max(result, waves.values[probe][i]);
  }
  return result;
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

Sensitivities measure_sensitivities(const CellLab& lab, const TunedCell& cell) {
  constexpr double kShare = 0.1;
  const compile::CellTarget guess = {cell.loop.loop.rise, cell.loop.loop.fall, cell.loop.loop.high};
  std::vector<LoopRequest> requests;
  for (std::size_t column = 0; column < 3; ++column) {
    for (const double sign : {-1.0, 1.0}) {
      compile::CellGains gains = cell.gains;
      double* const turned[] = {&gains.threshold, &gains.width, &gains.output};
      *turned[column] *= 1.0 + sign * kShare;
      requests.push_back({gains, guess, lab.home()});
    }
  }
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  const double programmed[] = {cell.target.rise, cell.target.rise - cell.target.fall, cell.target.high};
  Sensitivities result{};
  for (std::size_t column = 0; column < 3; ++column) {
    const MeasuredLoop& low = loops[2 * column];
    const MeasuredLoop& high = loops[2 * column + 1];
    const double step = 2.0 * kShare * programmed[column];
    result[0][column] = (high.loop.rise - low.loop.rise) / step;
    result[1][column] = (high.width() - low.width()) / step;
    result[2][column] = (high.loop.high - low.loop.high) / step;
  }
  return result;
}

std::vector<Response> measure_responses(const CellLab& lab, const TunedCell& cell,
                                        const std::vector<double>& overdrives) {
  const compile::CellLoop& loop = cell.loop.loop;
  std::vector<Response> responses(overdrives.size());
  std::vector<CellRun> runs;
  for (std::size_t i = 0; i < overdrives.size(); ++i) {
    responses[i].overdrive = overdrives[i];
    const double beyond = overdrives[i] * loop.rise;
    runs.push_back({cell.gains, lab.home(),
                    excursion(band_position(loop, 0.5), loop.rise + beyond, std::max(0.0, loop.fall - beyond)), false});
  }
  const auto read = [&](std::size_t i, const sim::Waveforms& waves, std::size_t slot) {
    const std::size_t gate = probe_index(slot, CellProbe::kSwitch);
    const std::size_t output = probe_index(slot, CellProbe::kOutput);
    sim::Waveforms magnitude = waves;
    for (double& value : magnitude.values[output]) value = std::abs(value);
    const double half = 0.5 * home_supply(lab);
    Response& response = responses[i];
    response.set_switch = crossing_time(waves, gate, half, true, kSetAt) - kSetAt;
    response.set_output = crossing_time(magnitude, output, 0.9 * loop.high, true, kSetAt) - kSetAt;
    response.reset_switch = crossing_time(waves, gate, half, false, kResetAt) - kResetAt;
    response.reset_output = crossing_time(magnitude, output, 0.1 * loop.high, false, kResetAt) - kResetAt;
  };
  run_cells(lab, runs, kExcursionEnd, kFineStep, 4, read, [&](std::size_t i, const std::string& message) {
    responses[i] = {overdrives[i], kNever, kNever, kNever, kNever, message};
  });
  return responses;
}

CellCurrents measure_currents(const CellLab& lab, const TunedCell& cell) {
  const compile::CellLoop& loop = cell.loop.loop;
  const double middle = band_position(loop, 0.5);
  // Half a threshold beyond each: the charge is read against the current that has settled there.
  const CellRun moving{cell.gains, lab.home(), excursion(middle, 1.5 * loop.rise, 0.5 * loop.fall), false};
  const CellRun dark{cell.gains, lab.home(), {{0.0, 0.0}}, false};
  CellCurrents result;
  const auto fail = [&](std::size_t, const std::string& message) { result.problem = message; };
  run_cells(
      lab, {moving}, kExcursionEnd, kFineStep, 1,
      [&](std::size_t, const sim::Waveforms& waves, std::size_t) {
        const std::size_t supply = waves.values.size() - 1;
        const auto settled = [&](double time) { return waves.mean(supply, time - 0.02, time); };
        result.off_in_band = settled(kSetAt);
        result.on_in_band = settled(kResetAt);
        const double set_end = kSetAt + kAway;
        const double reset_end = kResetAt + kAway;
        result.set_charge = charge_beyond(waves, supply, kSetAt, set_end, settled(set_end));
        result.reset_charge = charge_beyond(waves, supply, kResetAt, reset_end, settled(reset_end));
        result.set_peak = peak(waves, supply, kSetAt, set_end);
        result.reset_peak = peak(waves, supply, kResetAt, reset_end);
      },
      fail);
  run_cells(
      lab, {dark}, 0.2, 1e-3, 1,
      [&](std::size_t, const sim::Waveforms& waves, std::size_t) {
        result.off_at_zero = waves.mean(waves.values.size() - 1, 0.1, 0.2);
      },
      fail);
  return result;
}

std::vector<Retention> measure_retention(const CellLab& lab, const std::vector<RetentionRequest>& requests,
                                         double seconds) {
  std::vector<CellRun> runs;
  std::vector<Retention> results;
  for (const RetentionRequest& request : requests) {
    const double candidate = band_position(request.cell.loop.loop, request.position);
    for (const bool on : {false, true}) {
      runs.push_back({request.cell.gains, request.environment, {{0.0, candidate}}, on});
      results.push_back({request.environment, request.position, on, seconds, false, kNever, {}});
    }
  }
  const auto read = [&](std::size_t i, const sim::Waveforms& waves, std::size_t slot) {
    Retention& result = results[i];
    const double supply = result.environment.supply > 0.0 ? result.environment.supply : home_supply(lab);
    const double gate = waves.values[probe_index(slot, CellProbe::kSwitch)].back();
    result.output = std::abs(waves.values[probe_index(slot, CellProbe::kOutput)].back());
    const bool output_on = result.output > 0.5 * requests[i / 2].cell.target.high;
    result.held = (gate > 0.5 * supply) == result.on && output_on == result.on;
  };
  run_cells(lab, runs, seconds, seconds / 200.0, 8, read,
            [&](std::size_t i, const std::string& message) { results[i].problem = message; });
  return results;
}

}  // namespace hysteron::analysis
