#include <algorithm>
#include <limits>
#include <utility>

#include "studies/gate_study.h"

namespace hysteron::studies {
namespace {

SpikeCurrents spike_currents(double unit) {
  const compile::SpikeLevels levels;
  return {levels.rest * unit,     levels.upper * unit,    levels.lower * unit,
          levels.positive * unit, levels.negative * unit, unit};
}

GateResult summarise(const GateProof& proof) {
  GateResult result;
  result.name = proof.gates.logic.name;
  result.is_right = proof.right();
  result.run = proof.spacings.front().run;
  result.inputs = proof.gates.logic.inputs.size();
  result.outputs = proof.gates.logic.outputs.size();
  result.transistors = proof.gates.network.circuit.transistors().size();
  result.cells = proof.gates.cells.size();
  result.longest_word = analysis::longest_word(result.inputs);
  result.words = proof.words;
  result.spikes = proof.spikes;
  result.spacings = proof.spacings;
  result.lowest_high = result.run.lowest_high;
  for (const SpacingProof& spacing : proof.spacings) {
    result.readings += spacing.run.readings;
    result.lowest_high = std::min(result.lowest_high, spacing.run.lowest_high);
    result.highest_low = std::max(result.highest_low, spacing.run.highest_low);
  }
  return result;
}

}  // namespace

GatePoints count_points(std::vector<GatePoint> points) {
  GatePoints all;
  all.lowest_high = std::numeric_limits<double>::infinity();
  for (const GatePoint& point : points) {
    all.right += point.right() ? 1 : 0;
    if (!point.error.empty()) {
      ++all.failed;
      continue;
    }
    all.most_static = std::max(all.most_static, point.run.most_static);
    all.highest_low = std::max(all.highest_low, point.run.highest_low);
    all.lowest_high = std::min(all.lowest_high, point.run.lowest_high);
  }
  all.points = std::move(points);
  return all;
}

std::size_t GateStudy::failed() const {
  std::size_t failed = 0;
  if (corners) failed += corners->failed;
  if (dies) failed += dies->dies.failed;
  if (hold) failed += hold->states.failed;
  if (margins) failed += margins->failed;
  if (fastest) failed += fastest->failed;
  return failed;
}

std::size_t GatesResult::wrong() const {
  return static_cast<std::size_t>(std::ranges::count(gates, false, &GateResult::is_right));
}

std::size_t GatesResult::failed() const {
  std::size_t failed = 0;
  for (const GateResult& gate : gates) failed += gate.study.failed();
  return failed;
}

GatesResult summarise_gates(const design::DesignContext& context, const std::vector<GateProof>& proofs,
                            const GatesRequest& request, const std::vector<GateStudy>& studies) {
  GatesResult result;
  result.operating_point = context.operating_point();
  const analysis::SpikeTiming timing = spike_timing(request.period, request.period);
  result.period = timing.period;
  result.spike_width = timing.width;
  result.levels = spike_currents(result.operating_point.unit_current);
  for (const GateProof& proof : proofs) result.gates.push_back(summarise(proof));
  for (std::size_t i = 0; i < studies.size(); ++i) result.gates[i].study = studies[i];
  result.is_right = result.wrong() == 0;
  return result;
}

}  // namespace hysteron::studies
