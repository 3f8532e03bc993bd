#include "studies/gate_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include "analysis/gate_margin.h"
#include "base/check_range.h"
#include "base/error.h"
#include "studies/montecarlo.h"

namespace hysteron::studies {
namespace {

using analysis::GateBench;
using analysis::SpikePlan;
using analysis::SpikeTiming;

constexpr double kCloseEnough = 1.1;  // good over bad, where a search ends
constexpr double kShortest = 1e-6;    // second, where it gives up
constexpr double kMinHold = 1e-3;
constexpr double kMaxHold = 1e6;
constexpr double kSupplies[] = {0.9, 1.0, 1.1};
constexpr double kTemperatures[] = {-40.0, 27.0, 85.0};
constexpr const char* kLeakiestCorner = "ff";

/// Between a time that works and one that does not.
struct Search {
  double good = std::numeric_limits<double>::quiet_NaN();
  double bad = 0.0;
  std::size_t failed = 0;  // runs that ngspice could not solve; they count as not working

  bool done() const { return std::isnan(good) || good <= kShortest || (bad > 0.0 && good / bad <= kCloseEnough); }
  double next() const { return bad > 0.0 ? std::sqrt(good * bad) : 0.5 * good; }
  void take(double tried, bool works) { (works ? good : bad) = tried; }
};

class Studies {
 public:
  Studies(const design::DesignContext& context, const std::vector<GateProof>& proofs, const GatesRequest& timing,
          const GateStudyRequest& request, Reporter& reporter)
      : context_(context),
        proofs_(proofs),
        timing_(timing),
        request_(request),
        reporter_(reporter),
        results_(proofs.size()) {}

  std::vector<GateStudy> run() {
    if (request_.fastest) find_fastest();
    if (request_.margins) find_margins();
    if (request_.hold > 0.0) hold();
    if (request_.corners) visit_corners();
    if (request_.dies > 0) draw_dies();
    return std::move(results_);
  }

 private:
  SpikeTiming timing() const { return spike_timing(timing_.period, timing_.period); }
  compile::CellEnvironment typical() const { return {{}, 0.0, context_.options().conditions.temperature}; }

  std::vector<sim::Outcome> run_all(const sim::Engine& engine, const std::vector<sim::Testbench>& benches,
                                    const char* task) {
    return engine.run_all(benches, context_.options().jobs,
                          [&](std::size_t done, std::size_t total) { reporter_.progress(task, done, total, ""); });
  }

  bool is_right(std::size_t circuit, const GateBench& bench, const sim::Outcome& outcome) const {
    return !outcome.error && analysis::judge_gates(proofs_[circuit].gates, bench, outcome.value()).wrong == 0;
  }

  /// Narrows every search at once: `bench(circuit, time)` is what has to work.
  void narrow(std::vector<Search>& searches, const std::function<GateBench(std::size_t, double)>& bench,
              const char* task) {
    for (;;) {
      std::vector<std::size_t> open;
      std::vector<GateBench> benches;
      std::vector<sim::Testbench> runs;
      for (std::size_t i = 0; i < searches.size(); ++i) {
        if (searches[i].done()) continue;
        open.push_back(i);
        benches.push_back(bench(i, searches[i].next()));
        runs.push_back(benches.back().bench);
      }
      if (open.empty()) return;
      const auto outcomes = run_all(context_.engine(), runs, task);
      for (std::size_t k = 0; k < open.size(); ++k) {
        searches[open[k]].failed += outcomes[k].error ? 1 : 0;
        searches[open[k]].take(searches[open[k]].next(), is_right(open[k], benches[k], outcomes[k]));
      }
    }
  }

  SpikePlan orders(std::size_t i) const {
    return analysis::make_spike_plan(proofs_[i].gates.logic, analysis::PlanDepth::kOrders);
  }

  void find_fastest() {
    std::vector<Search> periods(proofs_.size());
    std::vector<Search> spacings(proofs_.size());
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      if (!proofs_[i].right()) continue;
      periods[i].good = timing_.period;
      if (analysis::longest_word(proofs_[i].gates.logic.inputs.size()) > 1) {
        spacings[i].good = proofs_[i].spacings.back().spacing;
      }
    }
    narrow(
        periods,
        [&](std::size_t i, double period) {
          return analysis::make_gate_bench(proofs_[i].gates, orders(i), spike_timing(period, period), typical());
        },
        "searching for the highest rate");
    narrow(
        spacings,
        [&](std::size_t i, double spacing) {
          return analysis::make_gate_bench(proofs_[i].gates, orders(i), spike_timing(timing_.period, spacing),
                                           typical());
        },
        "searching for the smallest spacing");
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      const double none = std::numeric_limits<double>::quiet_NaN();
      const std::size_t failed = periods[i].failed + spacings[i].failed;
      results_[i].fastest = {periods[i].good, 1.0 / periods[i].good, spacings[i].good, none, none, none, none, failed};
    }
    play_together();
  }

  /// From the shortest period and the least spacing on, ever longer ones until the words are right with both.
  void play_together() {
    std::vector<std::size_t> open;
    std::vector<double> periods(proofs_.size());
    std::vector<double> spacings(proofs_.size());
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      periods[i] = results_[i].fastest->period;
      spacings[i] = results_[i].fastest->spacing;
      if (!std::isnan(periods[i])) open.push_back(i);
    }
    while (!open.empty()) {
      std::vector<GateBench> benches;
      std::vector<sim::Testbench> runs;
      for (const std::size_t i : open) {
        const SpikeTiming timing = spike_timing(periods[i], std::isnan(spacings[i]) ? periods[i] : spacings[i]);
        benches.push_back(analysis::make_gate_bench(proofs_[i].gates, orders(i), timing, typical()));
        runs.push_back(benches.back().bench);
      }
      const auto outcomes = run_all(context_.engine(), runs, "playing the fastest spikes");
      std::vector<std::size_t> slower;
      for (std::size_t k = 0; k < open.size(); ++k) {
        const std::size_t i = open[k];
        FastestSpikes& fastest = *results_[i].fastest;
        fastest.failed += outcomes[k].error ? 1 : 0;
        if (is_right(i, benches[k], outcomes[k])) {
          fastest.period_together = periods[i];
          fastest.rate_together = 1.0 / periods[i];
          fastest.spacing_together = spacings[i];
          fastest.energy = analysis::judge_gates(proofs_[i].gates, benches[k], outcomes[k].value()).spike_energy;
        } else if (periods[i] < timing_.period) {
          periods[i] = std::min(timing_.period, kCloseEnough * periods[i]);
          spacings[i] = std::min(kCloseEnough * spacings[i], proofs_[i].spacings.back().spacing);  // NaN stays
          slower.push_back(i);
        }
      }
      open = std::move(slower);
    }
  }

  void find_margins() {
    struct Owner {
      std::size_t circuit;
      std::size_t state;
      analysis::MarginNode node;
    };
    std::vector<Owner> owners;
    std::vector<analysis::MarginBench> benches;
    std::vector<sim::Testbench> runs;
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      const auto states = analysis::plans_to_states(proofs_[i].gates.logic);
      for (const analysis::MarginNode& node : analysis::margin_nodes(proofs_[i].gates)) {
        for (std::size_t s = 0; s < states.size(); ++s) {
          owners.push_back({i, s, node});
          benches.push_back(analysis::make_margin_bench(proofs_[i].gates, states[s], node, timing(), typical()));
          runs.push_back(benches.back().bench);
        }
      }
      const double none = std::numeric_limits<double>::infinity();
      results_[i].margins = GateMargins{{none, {}, 0}, {none, {}, 0}, 0, 0};
    }
    const auto outcomes = run_all(context_.engine(), runs, "measuring noise margins");
    for (std::size_t k = 0; k < owners.size(); ++k) {
      GateMargins& margins = *results_[owners[k].circuit].margins;
      ++margins.runs;
      if (outcomes[k].error) {
        ++margins.failed;
        continue;
      }
      const double current = analysis::read_margin(benches[k], outcomes[k].value());
      MinMargin& least = owners[k].node.is_line ? margins.line : margins.decision;
      if (current < least.current) least = {current, owners[k].node.name, owners[k].state};
    }
  }

  /// Runs `benches`, of circuit `owners[k]` each: [circuits].
  std::vector<GatePoints> run_points(const sim::Engine& engine, const std::vector<GateBench>& benches,
                                     const std::vector<std::size_t>& owners, const char* task) {
    std::vector<sim::Testbench> runs;
    for (const GateBench& bench : benches) runs.push_back(bench.bench);
    const auto outcomes = run_all(engine, runs, task);
    std::vector<std::vector<GatePoint>> points(proofs_.size());
    for (std::size_t k = 0; k < benches.size(); ++k) {
      const sim::Testbench& bench = benches[k].bench;
      GatePoint point{{bench.corner, bench.supply, bench.temperature}, bench.seed, {}, {}};
      if (outcomes[k].error) {
        point.error = outcomes[k].error->what();
      } else {
        point.run = analysis::judge_gates(proofs_[owners[k]].gates, benches[k], outcomes[k].value());
      }
      points[owners[k]].push_back(std::move(point));
    }
    std::vector<GatePoints> counted;
    for (std::vector<GatePoint>& of_circuit : points) counted.push_back(count_points(std::move(of_circuit)));
    return counted;
  }

  /// The typical corner, and the one in which most leaks, if the technology has it.
  std::vector<compile::CellEnvironment> hold_places() const {
    std::vector<compile::CellEnvironment> places = {typical()};
    if (context_.technology().models.sections.contains(kLeakiestCorner)) {
      places.push_back({kLeakiestCorner, std::end(kSupplies)[-1] * context_.supply(), std::end(kTemperatures)[-1]});
    } else {
      reporter_.warning(fmt::format("{} has no corner {}: states are held at the typical corner only",
                                    context_.technology().name, kLeakiestCorner));
    }
    return places;
  }

  void hold() {
    std::vector<GateBench> benches;
    std::vector<std::size_t> owners;
    const std::vector<compile::CellEnvironment> places = hold_places();
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      for (const SpikePlan& plan : analysis::plans_to_states(proofs_[i].gates.logic)) {
        for (const compile::CellEnvironment& place : places) {
          benches.push_back(analysis::make_hold_bench(proofs_[i].gates, plan, request_.hold, timing(), place));
          owners.push_back(i);
        }
      }
    }
    std::vector<GatePoints> states = run_points(context_.engine(), benches, owners, "holding states");
    for (std::size_t i = 0; i < states.size(); ++i) results_[i].hold = GateHold{request_.hold, std::move(states[i])};
  }

  void visit_corners() {
    std::vector<GateBench> benches;
    std::vector<std::size_t> owners;
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      const SpikePlan plan = orders(i);
      for (const auto& [corner, section] : context_.technology().models.sections) {
        for (const double supply : kSupplies) {
          for (const double temperature : kTemperatures) {
            benches.push_back(analysis::make_gate_bench(proofs_[i].gates, plan, timing(),
                                                        {corner, supply * context_.supply(), temperature}));
            owners.push_back(i);
          }
        }
      }
    }
    std::vector<GatePoints> corners = run_points(context_.engine(), benches, owners, "visiting corners");
    for (std::size_t i = 0; i < corners.size(); ++i) results_[i].corners = std::move(corners[i]);
  }

  void draw_dies() {
    std::vector<GateBench> benches;
    std::vector<std::size_t> owners;
    for (std::size_t i = 0; i < proofs_.size(); ++i) {
      const SpikePlan plan = analysis::make_spike_plan(proofs_[i].gates.logic, analysis::PlanDepth::kNeighbours);
      for (std::size_t die = 0; die < request_.dies; ++die) {
        benches.push_back(analysis::make_gate_bench(proofs_[i].gates, plan, timing(), typical()));
        benches.back().bench.seed = static_cast<unsigned>(request_.seed + die);
        owners.push_back(i);
      }
    }
    std::vector<GatePoints> dies = run_points(context_.mismatch_engine(), benches, owners, "drawing dies");
    for (std::size_t i = 0; i < dies.size(); ++i) {
      const std::size_t right = dies[i].right;
      const std::size_t all = dies[i].points.size();
      results_[i].dies =
          GateDies{std::move(dies[i]), analysis::share_of(right, all), analysis::wilson_interval(right, all)};
    }
  }

  const design::DesignContext& context_;
  const std::vector<GateProof>& proofs_;
  const GatesRequest& timing_;
  const GateStudyRequest& request_;
  Reporter& reporter_;
  std::vector<GateStudy> results_;
};

}  // namespace

void check_gate_study(const GateStudyRequest& request) {
  if (request.hold != 0.0) check_range("hold", request.hold, kMinHold, kMaxHold);
  if (request.dies > 0) {
    MonteCarloRequest dies;
    dies.dies = request.dies;
    dies.seed = request.seed;
    check_dies(dies);
  }
}

std::vector<GateStudy> study_gates(const design::DesignContext& context, const std::vector<GateProof>& proofs,
                                   const GatesRequest& timing, const GateStudyRequest& request, Reporter& reporter) {
  check_gate_study(request);
  return Studies(context, proofs, timing, request, reporter).run();
}

}  // namespace hysteron::studies
