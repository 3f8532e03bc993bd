#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/network.h"
#include "technology/technology.h"
#include "train/segments.h"

namespace hysteron::train {

/// How a network differs from its software when it is made of devices. A die's errors are drawn once and stay; noise is
/// drawn anew at every frame. Static errors are relative and Gaussian: `weights = 0.1` says that three standard
/// deviations are 10 % of the parameter.
struct Perturbation {
  double additive = 0.0;        ///< deviation of the noise on candidates, over beta_hi of the cell
  double multiplicative = 0.0;  ///< deviation of the noise on candidates, over the candidate
  double weights = 0.0;         ///< 3 sigma of every weight and bias
  double thresholds = 0.0;      ///< 3 sigma of every beta_hi
  double widths = 0.0;          ///< 3 sigma of every beta_hi - beta_lo
  double gains = 0.0;           ///< 3 sigma of every alpha
  std::size_t bits = 0;  ///< weights and biases have 2^bits - 1 levels, symmetric, up to their array's largest; 0: any
  std::string technology;  ///< weights and biases take the widths this technology can make; empty: any

  bool has_errors() const { return weights > 0.0 || thresholds > 0.0 || widths > 0.0 || gains > 0.0; }
  bool has_noise() const { return additive > 0.0 || multiplicative > 0.0; }
  bool has_grid() const { return bits > 0 || !technology.empty(); }
};

/// A perturbation with nothing but additive noise.
inline Perturbation candidate_noise(double additive) {
  Perturbation perturbation;
  perturbation.additive = additive;
  return perturbation;
}

/// The weights that can be made: of `bits` levels, then of drawn channel widths.
class WeightGrid {
 public:
  /// Throws technology::load_technology's errors.
  explicit WeightGrid(const Perturbation& perturbation);

  /// Replaces `weights`, one array of a network, by the nearest that can be made.
  void snap(std::span<float> weights) const;

  /// snap() on every weight and bias among the parameters.
  void snap(const std::vector<Segment>& segments, std::span<float> parameters) const;
  void snap(model::Network& network) const;

 private:
  float nearest_width(float weight) const;

  std::size_t bits_;
  std::optional<technology::Technology> technology_;
};

/// Static errors that `perturbation` asks for and that no parameter in `segments` takes: "thresholds", "widths",
/// "gains".
std::vector<std::string> errors_without_effect(const std::vector<Segment>& segments, const Perturbation& perturbation);

/// Errors that were measured of one chip (model::DieErrors), one a parameter of a flat vector.
struct ChipErrors {
  std::vector<float> relative;  ///< of `lower` segments: of beta_hi
  std::vector<float> added;     ///< model units
};

/// One die's static errors of a flat parameter vector.
class Die {
 public:
  /// Drawn errors, on top of those of `chip` if there is one.
  Die(const std::vector<Segment>& segments, const Perturbation& perturbation, Random random,
      const ChipErrors* chip = nullptr);

  /// The parameters of this die. A band's errors are those of beta_hi and of the width, as in the circuit, so
  /// beta_lo = beta_hi - width takes both; where that is below 0 it is 0.
  void apply(std::span<const float> parameters, std::span<float> perturbed) const;

  /// Turns a gradient with respect to the perturbed parameters into one with respect to the parameters.
  void pull_back(std::span<const float> parameters, std::span<float> gradient) const;

 private:
  const std::vector<Segment>& segments_;
  std::vector<float> errors_;  // relative, one a parameter; of `lower` segments: of beta_hi
  std::vector<float> added_;   // likewise, model units; may be empty: none
};

/// `network` with the static errors of one die.
model::Network make_die(const model::Network& network, const Perturbation& perturbation, Random random);

}  // namespace hysteron::train
