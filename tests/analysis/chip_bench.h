#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "analysis/measured_clip.h"
#include "data/features.h"
#include "model/model_testing.h"

// A chip of known constants, and a bench that records it.

namespace hysteron::analysis {

inline constexpr double kUnit = 1e-9;
inline constexpr double kStep = 0.5e-3;  // seconds between samples
inline constexpr double kCharge = 2e-4;  // model units times seconds that a cell takes to switch

/// Values of one clip as a bench records them.
class ChipBench {
 public:
  /// `ramp`: of a frame, that features take to their new values.
  ChipBench(const model::Network& chip, const data::Features& features, double ramp = 0.0)
      : chip_(chip), features_(features), ramp_(ramp) {
    add_signals();
    play();
  }

  data::MeasuredRecord& record() { return record_; }

 private:
  void add(const std::string& name) { record_.signals.push_back({name, "column", false, nullptr, {}}); }

  void add_signals() {
    record_.origin = "bench";
    for (std::size_t l = 0; l < chip_.layers.size(); ++l) {
      for (std::size_t j = 0; j < chip_.layers[l].cells(); ++j) {
        add("layers." + std::to_string(l) + ".candidate[" + std::to_string(j) + "]");
        add("layers." + std::to_string(l) + ".state[" + std::to_string(j) + "]");
      }
    }
    for (std::size_t k = 0; k < chip_.outputs(); ++k) add("logit[" + std::to_string(k) + "]");
  }

  /// A cell switches when it has its charge.
  void play() {
    auto time = std::make_shared<std::vector<double>>();
    std::vector<std::vector<double>> charges;
    std::vector<std::vector<char>> on;
    for (const model::Layer& layer : chip_.layers) {
      charges.emplace_back(layer.cells(), 0.0);
      on.emplace_back(layer.cells(), 0);
    }
    const auto samples =
        static_cast<std::size_t>(std::lround(static_cast<double>(features_.frames) * chip_.frame_seconds / kStep));
    for (std::size_t i = 0; i <= samples; ++i) {
      time->push_back(static_cast<double>(i) * kStep);
      const auto frame =
          std::min(features_.frames - 1, static_cast<std::size_t>(time->back() / chip_.frame_seconds + 1e-9));
      std::size_t signal = 0;
      const auto take = [&](double value) { record_.signals[signal++].values.push_back(value * kUnit); };
      Eigen::VectorXd x(static_cast<Eigen::Index>(features_.width));
      const double place = time->back() / chip_.frame_seconds - static_cast<double>(frame);
      const double there = ramp_ > 0.0 ? std::clamp(place / ramp_, 0.0, 1.0) : 1.0;
      for (Eigen::Index k = 0; k < x.size(); ++k) {
        const float* value = &features_.values[frame * features_.width + static_cast<std::size_t>(k)];
        const double last = frame > 0 ? *(value - features_.width) : *value;
        x[k] = last + there * (*value - last);
      }
      Eigen::VectorXd v = chip_.input.weight.cast<double>() * x + chip_.input.bias.cast<double>();
      for (std::size_t l = 0; l < chip_.layers.size(); ++l) {
        const model::Layer& layer = chip_.layers[l];
        const Eigen::VectorXd c =
            (layer.candidate.weight.cast<double>() * v.cwiseMax(0.0) + layer.candidate.bias.cast<double>())
                .cwiseMax(0.0);
        Eigen::VectorXd h(c.size());
        for (Eigen::Index j = 0; j < c.size(); ++j) {
          const auto cell = static_cast<std::size_t>(j);
          const double beyond = on[l][cell] != 0 ? layer.beta_lo[j] - c[j] : c[j] - layer.beta_hi[j];
          charges[l][cell] = std::max(0.0, charges[l][cell] + beyond * kStep);
          if (charges[l][cell] >= kCharge) {
            on[l][cell] = on[l][cell] != 0 ? 0 : 1;
            charges[l][cell] = 0.0;
          }
          h[j] = on[l][cell] != 0 ? layer.alpha[j] : 0.0;
          take(c[j]);
          take(h[j]);
        }
        v += (layer.output.weight.cast<double>() * h + layer.output.bias.cast<double>()).cwiseMax(0.0);
      }
      const Eigen::VectorXd logits = chip_.readout.weight.cast<double>() * v + chip_.readout.bias.cast<double>();
      for (const double logit : logits) take(logit);
    }
    for (data::MeasuredSignal& signal : record_.signals) signal.time = time;
  }

  const model::Network& chip_;
  const data::Features& features_;
  double ramp_;
  data::MeasuredRecord record_;
};

/// As training makes them: mostly positive weights.
inline model::Network trained_like() {
  Random random(11);
  model::Network network = model::random_network(4, 6, 4, 4);
  for (model::Layer& layer : network.layers) {
    layer.initial_state.setZero();
    layer.candidate.bias = 0.2F * layer.candidate.bias;
    layer.beta_lo = model::random_vector(random, 4, 0.3, 0.5);
    layer.beta_hi = layer.beta_lo + model::random_vector(random, 4, 0.2, 0.5);
  }
  return network;
}

}  // namespace hysteron::analysis
