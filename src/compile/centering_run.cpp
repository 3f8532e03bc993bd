#include "compile/centering_run.h"

#include <algorithm>

namespace hysteron::compile {
namespace {

using Wide = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // [frames, values]

Wide apply(const model::Affine& affine, const Wide& x) {
  return (x * affine.weight.cast<double>().transpose()).rowwise() + affine.bias.cast<double>().transpose();
}

std::vector<std::uint32_t> decide(const model::Affine& readout, const Values& v) {
  const Values logits = apply(readout, v.cast<double>()).cast<float>();
  std::vector<std::uint32_t> decisions(static_cast<std::size_t>(logits.rows()));
  for (Eigen::Index t = 0; t < logits.rows(); ++t) {
    const float* row = logits.data() + t * logits.cols();
    decisions[static_cast<std::size_t>(t)] =
        static_cast<std::uint32_t>(std::max_element(row, row + logits.cols()) - row);
  }
  return decisions;
}

}  // namespace

CenteringRunner::CenteringRunner(const model::Network& network, const ErrorModel& errors)
    : network_(network), errors_{CircuitErrors(network, errors.without_mismatch()), CircuitErrors(network, errors)} {}

void run_cell(const LayerRun& run, std::size_t cell, const CellBand& band, std::uint8_t* on, std::size_t stride) {
  bool state = band.starts_on;
  for (std::size_t t = 0; t < run.frames(); ++t) {
    state = model::next_state(run.candidate(t, cell), band.beta_lo, band.beta_hi, state);
    on[t * stride] = state ? 1 : 0;
  }
}

/// Candidates, their errors and the states of a layer whose input is there.
void CenteringRunner::run_layer(std::size_t layer, LayerRun& run) const {
  const model::Layer& cells = network_.layers[layer];
  const Wide rectified = run.input.cast<double>().cwiseMax(0.0);
  run.candidates = apply(cells.candidate, rectified).cwiseMax(0.0).cast<float>();
  for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
    run.errors[kind] = errors_[kind].candidates(layer, run.input, run.input_errors[kind], run.candidates);
  }
  run.on.resize(run.frames() * run.cells());
  for (std::size_t j = 0; j < run.cells(); ++j) {
    const auto cell = static_cast<Eigen::Index>(j);
    run_cell(run, j, {cells.beta_lo[cell], cells.beta_hi[cell], cells.initial_state[cell] != 0.0F}, run.on.data() + j,
             run.cells());
  }
}

ClipRun CenteringRunner::run(std::span<const float> features) const {
  const auto width = static_cast<Eigen::Index>(network_.inputs());
  const Values x = Eigen::Map<const Values>(features.data(), static_cast<Eigen::Index>(features.size()) / width, width);
  ClipRun result;
  LayerRun& first = result.layers.emplace_back();
  first.input = apply(network_.input, x.cast<double>()).cast<float>();
  for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) first.input_errors[kind] = errors_[kind].input(x);
  run_layer(0, first);
  ClipRun rest = run_behind(0, first, first.on);
  for (LayerRun& layer : rest.layers) result.layers.push_back(std::move(layer));
  result.decisions = std::move(rest.decisions);
  return result;
}

ClipRun CenteringRunner::run_behind(std::size_t layer, const LayerRun& from,
                                    const std::vector<std::uint8_t>& on) const {
  ClipRun result;
  result.layers.reserve(network_.layers.size());
  const LayerRun* below = &from;
  const std::vector<std::uint8_t>* states = &on;
  for (std::size_t l = layer; l < network_.layers.size(); ++l) {
    const model::Layer& cells = network_.layers[l];
    Values h(below->candidates.rows(), below->candidates.cols());
    for (Eigen::Index i = 0; i < h.size(); ++i) {
      h.data()[i] = (*states)[static_cast<std::size_t>(i)] != 0 ? cells.alpha[i % h.cols()] : 0.0F;
    }
    const Wide sums = apply(cells.output, h.cast<double>());
    LayerRun next;
    next.input = (below->input.cast<double>() + sums.cwiseMax(0.0)).cast<float>();
    if (l + 1 == network_.layers.size()) {
      result.decisions = decide(network_.readout, next.input);
      break;
    }
    for (std::size_t kind = 0; kind < kCircuitKinds; ++kind) {
      next.input_errors[kind] = errors_[kind].next(l, below->input, below->input_errors[kind], h, sums.cast<float>());
    }
    run_layer(l + 1, next);
    result.layers.push_back(std::move(next));
    below = &result.layers.back();
    states = &below->on;
  }
  return result;
}

}  // namespace hysteron::compile
