#include "analysis/cell_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/cell_limits.h"
#include "base/error.h"
#include "base/units.h"

namespace hysteron::analysis {
namespace {

using compile::CellEnvironment;
using compile::CellTarget;

CellTarget target(double threshold, double width, double gain) { return {threshold, threshold - width, gain}; }

const std::vector<CellTarget>& anchor_targets() {
  static const std::vector<CellTarget> targets = {target(10e-12, 5e-12, 10e-12), target(100e-12, 50e-12, 100e-12),
                                                  target(300e-12, 150e-12, 300e-12), target(1e-9, 500e-12, 1e-9),
                                                  target(3e-9, 1.5e-9, 3e-9)};
  return targets;
}

/// One list of targets that is tuned as a whole, remembered in pieces.
class Batch {
 public:
  std::size_t add(const std::vector<CellTarget>& targets) {
    begins_.push_back(targets_.size());
    targets_.insert(targets_.end(), targets.begin(), targets.end());
    return begins_.size() - 1;
  }
  void tune(const CellTestSetup& lab) {
    tuned_ = tune_cells(lab, targets_);
    begins_.push_back(targets_.size());
  }
  std::vector<TunedCell> piece(std::size_t index) const {
    const auto at = [&](std::size_t i) { return tuned_.begin() + static_cast<std::ptrdiff_t>(begins_[i]); };
    return {at(index), at(index + 1)};
  }

 private:
  std::vector<CellTarget> targets_;
  std::vector<std::size_t> begins_;
  std::vector<TunedCell> tuned_;
};

std::vector<CellTarget> targets_of(const std::vector<double>& currents, CellTarget (*make)(double)) {
  std::vector<CellTarget> result;
  for (const double current : currents) result.push_back(make(current));
  return result;
}

std::vector<CellTarget> narrow_targets(const CellStudyRequest& request) {
  std::vector<CellTarget> result;
  for (const double threshold : request.small_thresholds) {
    for (const double width : request.small_widths) result.push_back(target(threshold, width, threshold));
  }
  return result;
}

/// What is programmed and what is read of one of the three currents.
struct Quantity {
  const char* name;
  double (*programmed)(const CellTarget&);
  double (*measured)(const MeasuredLoop&);
};

const Quantity kQuantities[] = {
    {"threshold", [](const CellTarget& t) { return t.rise; }, [](const MeasuredLoop& m) { return m.loop.rise; }},
    {"width", [](const CellTarget& t) { return t.rise - t.fall; }, [](const MeasuredLoop& m) { return m.width(); }},
    {"gain", [](const CellTarget& t) { return t.high; }, [](const MeasuredLoop& m) { return m.loop.high; }}};

LoopRequest again(const TunedCell& cell, const CellEnvironment& environment, bool close) {
  LoopRequest request = measure_loop_at({cell, environment, cell.loop});
  request.close = close && cell.loop.good();
  return request;
}

Linearity linearity_of(const CellTestSetup& lab, const Quantity& quantity, const std::string& beside,
                       std::vector<TunedCell> cells) {
  Linearity result{quantity.name, beside, {}, {}, {}, {}};
  std::vector<LoopRequest> requests;
  for (const TunedCell& cell : cells) requests.push_back(again(cell, lab.nominal_environment(), true));
  LoopProtocol slower;
  slower.slow_seconds *= 2.0;
  const std::vector<MeasuredLoop> repeated = measure_loops(lab, requests, slower);
  std::vector<double> programmed;
  std::vector<double> calibrated;
  std::vector<double> uncalibrated;
  std::vector<double> slow;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    programmed.push_back(quantity.programmed(cells[i].target));
    calibrated.push_back(quantity.measured(cells[i].loop));
    uncalibrated.push_back(quantity.measured(cells[i].uncalibrated));
    slow.push_back(quantity.measured(repeated[i]));
  }
  result.calibrated = fit_line(programmed, calibrated);
  result.uncalibrated = fit_line(programmed, uncalibrated);
  result.slower = fit_line(programmed, slow);
  result.cells = std::move(cells);
  return result;
}

/// The same cells elsewhere; their loops there are measured from what they are at home.
std::vector<PlacedCell> place_at(const CellTestSetup& lab, const std::vector<TunedCell>& cells,
                                 const CellEnvironment& environment) {
  std::vector<LoopRequest> requests;
  for (const TunedCell& cell : cells) requests.push_back(again(cell, environment, false));
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  std::vector<PlacedCell> result;
  for (std::size_t i = 0; i < cells.size(); ++i) result.push_back({cells[i], environment, loops[i]});
  return result;
}

std::vector<EnvironmentRow> measure_anchors(const CellTestSetup& lab, const std::vector<TunedCell>& anchors,
                                            const std::vector<CellEnvironment>& environments) {
  std::vector<LoopRequest> requests;
  for (const CellEnvironment& environment : environments) {
    for (const TunedCell& anchor : anchors) requests.push_back(again(anchor, environment, false));
  }
  std::vector<CellTarget> targets;
  for (const TunedCell& anchor : anchors) targets.push_back(anchor.target);
  const std::vector<MeasuredLoop> loops = measure_loops(lab, requests);
  std::vector<EnvironmentRow> rows;
  for (std::size_t i = 0; i < environments.size(); ++i) {
    const auto begin = loops.begin() + static_cast<std::ptrdiff_t>(i * anchors.size());
    std::vector<MeasuredLoop> there(begin, begin + static_cast<std::ptrdiff_t>(anchors.size()));
    const LoopDeviation worst = worst_deviation(targets, there);
    rows.push_back({environments[i], std::move(there), worst});
  }
  return rows;
}

/// From the highest supply down to the lowest of the search.
std::vector<double> falling_supplies(const CellStudyRequest& request) {
  const double top = *std::max_element(request.supplies.begin(), request.supplies.end());
  const auto steps = static_cast<int>(std::floor((top - request.lowest_supply) / request.supply_step + 1e-9));
  std::vector<double> result;
  for (int i = 0; i <= steps; ++i) result.push_back(top - i * request.supply_step);
  return result;
}

bool is_known(const Sensitivities& sensitivities) {
  const auto is_missing = [](double value) { return std::isnan(value); };
  return std::none_of(sensitivities.begin(), sensitivities.end(),
                      [&](const auto& row) { return std::any_of(row.begin(), row.end(), is_missing); });
}

/// The study, part by part.
class Study {
 public:
  Study(const CellTestSetup& lab, const CellStudyRequest& request, const StageBegins& begins)
      : lab_(lab), request_(request), begins_(begins) {}

  CellStudyResult run() {
    begins_("calibrating cells");
    result_.floor =
        measure_cell_floor(lab_.technology, lab_.curves, lab_.conditions, lab_.conditions.temperature, lab_.engine);
    tune();
    begins_("measuring linearity");
    fit();
    begins_("measuring over supply, temperature and corner");
    result_.environments = measure_anchors(lab_, result_.anchors,
                                           study_environments(request_, lab_.nominal_environment(), lab_.technology));
    begins_("measuring linearity and currents at the extremes");
    measure_extremes();
    begins_("measuring independence, response and currents");
    measure_motion();
    begins_("measuring retention");
    measure_memory();
    begins_("searching for the smallest supply and width");
    find_limits();
    begins_("measuring independence and response at the extremes");
    for (ExtremeRow& row : result_.extremes) measure_motion_at(row);
    begins_("measuring retention and width at the extremes");
    for (ExtremeRow& row : result_.extremes) measure_memory_at(row);
    begins_("searching for the smallest supply at the extremes");
    for (ExtremeRow& row : result_.extremes) find_supply_at(row);
    count_missing();
    return std::move(result_);
  }

 private:
  void tune() {
    Batch batch;
    const std::size_t anchors = batch.add(anchor_targets());
    const std::size_t threshold =
        batch.add(targets_of(request_.currents, [](double i) { return target(i, 0.5 * i, 300e-12); }));
    const std::size_t width =
        batch.add(targets_of(request_.currents, [](double i) { return target(1.25 * i, i, 300e-12); }));
    const std::size_t gain =
        batch.add(targets_of(request_.currents, [](double i) { return target(300e-12, 150e-12, i); }));
    fits_[0] = batch.add(targets_of(request_.fitted, [](double i) { return target(i, kFittedAbove, 200e-12); }));
    fits_[1] = batch.add(targets_of(request_.fitted, [](double i) { return target(kFittedBelow, i, 200e-12); }));
    fits_[2] = batch.add(targets_of(request_.fitted, [](double i) { return target(300e-12, 150e-12, i); }));
    const std::size_t small = batch.add(narrow_targets(request_));
    batch.tune(lab_);
    result_.anchors = batch.piece(anchors);
    result_.sweeps = {{"threshold", "I_width half of it, I_gain 300 pA", batch.piece(threshold)},
                      {"width", "I_thresh 1.25 times it, I_gain 300 pA", batch.piece(width)},
                      {"gain", "I_thresh 300 pA, I_width 150 pA", batch.piece(gain)}};
    narrow_ = batch.piece(small);
    for (std::size_t k = 0; k < 3; ++k) fitted_[k] = batch.piece(fits_[k]);
  }

  void fit() {
    const char* const beside[] = {"I_width 60 pA, I_gain 200 pA", "I_thresh 500 pA, I_gain 200 pA",
                                  "I_thresh 300 pA, I_width 150 pA"};
    for (std::size_t k = 0; k < 3; ++k) {
      result_.linearity.push_back(linearity_of(lab_, kQuantities[k], beside[k], fitted_[k]));
    }
  }

  void measure_extremes() {
    const std::vector<CellEnvironment> extremes = study_extremes(request_, lab_.nominal_environment(), lab_.technology);
    std::vector<LoopRequest> requests;
    for (const CellEnvironment& environment : extremes) {
      for (const Linearity& line : result_.linearity) {
        for (const TunedCell& cell : line.cells) requests.push_back(again(cell, environment, false));
      }
    }
    const std::vector<MeasuredLoop> loops = measure_loops(lab_, requests);
    std::size_t next = 0;
    for (const CellEnvironment& environment : extremes) {
      ExtremeRow row;
      row.environment = environment;
      for (std::size_t k = 0; k < result_.linearity.size(); ++k) {
        std::vector<double> programmed;
        std::vector<double> measured;
        for (const TunedCell& cell : result_.linearity[k].cells) {
          programmed.push_back(kQuantities[k].programmed(cell.target));
          measured.push_back(kQuantities[k].measured(loops[next]));
          extreme_loops_.push_back({kQuantities[k].name, environment, cell.target, loops[next++].problem});
        }
        row.lines.push_back(fit_line(programmed, measured));
      }
      result_.extremes.push_back(std::move(row));
    }
    for (std::size_t a = 0; a < result_.anchors.size(); ++a) {
      std::vector<MeasuredLoop> of_anchor;
      for (const CellEnvironment& environment : extremes) of_anchor.push_back(loops_at(environment)[a]);
      const auto currents = measure_currents(lab_, result_.anchors[a], extremes, of_anchor);
      for (std::size_t i = 0; i < extremes.size(); ++i) result_.extremes[i].currents.push_back(currents[i]);
    }
  }

  /// Loops of the anchors at an extreme, which is one of the environments.
  const std::vector<MeasuredLoop>& loops_at(const CellEnvironment& environment) const {
    const auto is_there = [&](const EnvironmentRow& row) { return row.environment == environment; };
    const auto found = std::find_if(result_.environments.begin(), result_.environments.end(), is_there);
    assert(found != result_.environments.end());
    return found->loops;
  }

  std::vector<PlacedCell> anchors_at(const CellEnvironment& environment) const {
    const std::vector<MeasuredLoop>& loops = loops_at(environment);
    std::vector<PlacedCell> result;
    for (std::size_t a = 0; a < loops.size(); ++a) result.push_back({result_.anchors[a], environment, loops[a]});
    return result;
  }

  std::vector<PlacedCell> all_nominal(const std::vector<TunedCell>& cells) const {
    std::vector<PlacedCell> result;
    for (const TunedCell& cell : cells) result.push_back(is_nominal(lab_, cell));
    return result;
  }

  void measure_motion() {
    result_.sensitivities = measure_sensitivities(lab_, all_nominal(result_.anchors));
    for (const TunedCell& anchor : result_.anchors) {
      result_.responses.push_back(measure_responses(lab_, is_nominal(lab_, anchor), request_.overdrives));
      result_.currents.push_back(measure_currents(lab_, anchor));
    }
  }

  void measure_motion_at(ExtremeRow& row) {
    const std::vector<PlacedCell> anchors = anchors_at(row.environment);
    row.sensitivities = measure_sensitivities(lab_, anchors);
    for (const PlacedCell& anchor : anchors) {
      row.responses.push_back(measure_responses(lab_, anchor, request_.overdrives));
    }
  }

  void measure_memory() {
    std::vector<RetentionRequest> requests;
    for (const PlacedCell& anchor : all_nominal(result_.anchors)) {
      for (const double position : {0.1, 0.5, 0.9}) requests.push_back({anchor, position});
    }
    result_.retention = measure_retention(lab_, requests, request_.retention_seconds);
  }

  void measure_memory_at(ExtremeRow& row) {
    std::vector<RetentionRequest> requests;
    for (const PlacedCell& anchor : anchors_at(row.environment)) requests.push_back({anchor, 0.5});
    row.retention = measure_retention(lab_, requests, 1.0);
    row.small_widths = hold_widths(lab_, place_at(lab_, narrow_, row.environment));
  }

  void find_limits() {
    result_.low_supplies = search_supplies(lab_, all_nominal(result_.anchors), falling_supplies(request_));
    result_.small_widths = hold_widths(lab_, all_nominal(narrow_));
  }

  void find_supply_at(ExtremeRow& row) {
    if (row.environment.supply != lab_.nominal_environment().supply) return;
    row.low_supplies = search_supplies(lab_, anchors_at(row.environment), falling_supplies(request_));
  }

  /// Counts every measurement and names those that were not solved.
  void count_missing() {
    const auto check = [&](const std::string& what, const std::string& problem) {
      ++result_.points;
      if (!problem.empty()) result_.unsolved.push_back(what + ": " + problem);
    };
    const auto loop = [&](const std::string& what, const CellTarget& target, const MeasuredLoop& measured) {
      check(fmt::format("{}, {}", what, name(target)), measured.problem);
    };
    for (const CellSweep& sweep : result_.sweeps) {
      for (const TunedCell& cell : sweep.cells) loop(sweep.name + " sweep", cell.target, cell.loop);
    }
    for (const Linearity& line : result_.linearity) {
      for (const TunedCell& cell : line.cells) loop(line.name + " linearity", cell.target, cell.loop);
    }
    for (const TunedCell& anchor : result_.anchors) loop("anchor", anchor.target, anchor.loop);
    for (const TunedCell& cell : narrow_) loop("small width", cell.target, cell.loop);
    for (const EnvironmentRow& row : result_.environments) {
      for (std::size_t a = 0; a < row.loops.size(); ++a) {
        loop(name(row.environment), result_.anchors[a].target, row.loops[a]);
      }
    }
    for (const ExtremeLoop& one : extreme_loops_) {
      check(fmt::format("{} linearity at {}, {}", one.quantity, name(one.environment), name(one.target)), one.problem);
    }
    for (const ExtremeRow& row : result_.extremes) {
      for (std::size_t a = 0; a < row.currents.size(); ++a) {
        check(fmt::format("currents at {}, {}", name(row.environment), name(result_.anchors[a].target)),
              row.currents[a].problem);
      }
    }
    for (std::size_t a = 0; a < result_.anchors.size(); ++a) {
      for (const Response& response : result_.responses[a]) {
        check(fmt::format("response at {:g}, {}", response.overdrive, name(result_.anchors[a].target)),
              response.problem);
      }
      check("currents, " + name(result_.anchors[a].target), result_.currents[a].problem);
    }
    count_missing_of(result_.low_supplies, check);
    for (const ExtremeRow& row : result_.extremes) count_missing_at(row, check);
    for (std::size_t a = 0; a < result_.anchors.size(); ++a) {
      const std::string cell = name(result_.anchors[a].target);
      check("independence, " + cell,
            is_known(result_.sensitivities[a]) ? "" : "a cell with an adjusted leg has no loop");
      const std::size_t each = result_.retention.size() / result_.anchors.size();
      for (std::size_t i = a * each; i < (a + 1) * each; ++i) {
        const Retention& held = result_.retention[i];
        check(fmt::format("retention {} at {:g} of the band, {}", held.on ? "on" : "off", held.position, cell),
              held.problem);
      }
    }
    if (result_.unsolved.size() == result_.points) {
      throw simulator_error("no cell could be measured; the first: " + result_.unsolved.front());
    }
  }

  using Check = std::function<void(const std::string& what, const std::string& problem)>;

  /// Cells are expected to fail where the smallest supply is looked for: engine failures alone count.
  void count_missing_of(const SupplySearch& search, const Check& check) const {
    for (const EnvironmentRow& row : search.rows) {
      for (std::size_t a = 0; a < row.loops.size(); ++a) {
        const std::string what = fmt::format("{}, {}", name(row.environment), name(result_.anchors[a].target));
        check(what, row.loops[a].solved ? "" : row.loops[a].problem);
      }
    }
    for (std::size_t i = 0; i < search.retention.size(); ++i) {
      const Retention& held = search.retention[i];
      const std::size_t row = i / 2 / result_.anchors.size();
      const std::size_t a = i / 2 % result_.anchors.size();
      if (!search.rows[row].loops[a].good()) continue;  // no band to hold a state in
      check(fmt::format("retention at {}, {}", name(held.environment), name(result_.anchors[a].target)), held.problem);
    }
  }

  void count_missing_at(const ExtremeRow& row, const Check& check) const {
    const std::string where = name(row.environment);
    for (std::size_t a = 0; a < row.responses.size(); ++a) {
      const std::string cell = name(result_.anchors[a].target);
      check(fmt::format("independence at {}, {}", where, cell),
            is_known(row.sensitivities[a]) ? "" : "a cell with an adjusted leg has no loop");
      for (const Response& response : row.responses[a]) {
        check(fmt::format("response to {:g} at {}, {}", response.overdrive, where, cell), response.problem);
      }
    }
    for (std::size_t i = 0; i < row.retention.size(); ++i) {
      check(fmt::format("retention {} at {}, {}", row.retention[i].on ? "on" : "off", where,
                        name(result_.anchors[i / 2].target)),
            row.retention[i].problem);
    }
    for (const SmallWidth& small : row.small_widths) {
      check(fmt::format("small width at {}, {}", where, name(small.placed.cell.target)), small.placed.loop.problem);
    }
    count_missing_of(row.low_supplies, check);
  }

  static std::string name(const CellTarget& target) {
    return fmt::format("I_thresh {}, I_width {}, I_gain {}", format_si(target.rise, "A"),
                       format_si(target.rise - target.fall, "A"), format_si(target.high, "A"));
  }
  std::string name(const CellEnvironment& environment) const {
    return fmt::format("{}, {:g} V, {:g} °C",
                       environment.corner.empty() ? lab_.technology.typical_corner : environment.corner,
                       environment.supply, environment.temperature);
  }

  const CellTestSetup& lab_;
  const CellStudyRequest& request_;
  const StageBegins& begins_;
  CellStudyResult result_;
  std::size_t fits_[3] = {};
  std::vector<TunedCell> fitted_[3];
  std::vector<TunedCell> narrow_;  ///< of small width

  /// How one cell of a line fared at an extreme.
  struct ExtremeLoop {
    const char* quantity;
    CellEnvironment environment;
    CellTarget target;
    std::string problem;
  };
  std::vector<ExtremeLoop> extreme_loops_;
};

}  // namespace

LoopDeviation worst_deviation(const std::vector<CellTarget>& targets, const std::vector<MeasuredLoop>& loops) {
  LoopDeviation worst;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!loops[i].good()) continue;
    const CellTarget& target = targets[i];
    const compile::CellLoop& loop = loops[i].loop;
    // fmax gives the other one of a NaN.
    worst.rise = std::fmax(worst.rise, std::abs(loop.rise - target.rise) / target.rise);
    worst.fall = std::fmax(worst.fall, std::abs(loop.fall - target.fall) / target.rise);
    worst.high = std::fmax(worst.high, std::abs(loop.high - target.high) / target.high);
    ++worst.cells;
  }
  return worst;
}

CellStudyResult study_cells(CellTestSetup lab, const CellStudyRequest& request, const StageBegins& begins) {
  if (!(lab.conditions.supply > 0.0)) lab.conditions.supply = lab.technology.supply;
  return Study(lab, request, begins).run();
}

}  // namespace hysteron::analysis
