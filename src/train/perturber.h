#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "train/perturbation.h"

namespace hysteron::train {

/// What hardware-aware training does to parameters before a pass and to the gradient after it.
class Perturber {
 public:
  Perturber(const std::vector<Segment>& segments, const Perturbation& perturbation, std::optional<ChipErrors> chip = {})
      : segments_(segments), perturbation_(perturbation), grid_(perturbation), chip_(std::move(chip)) {}

  /// The parameters on their grid.
  std::vector<float> snapped(const std::vector<float>& parameters) const {
    std::vector<float> result = parameters;
    if (perturbation_.has_grid()) grid_.snap(segments_, result);
    return result;
  }

  /// One die's parameters, and the way back.
  struct Drawn {
    std::vector<float> snapped;
    std::vector<float> parameters;
    Die die;

    void pull_back(std::span<float> gradient) const { die.pull_back(snapped, gradient); }
  };

  Drawn draw(const std::vector<float>& parameters, const Random& random) const {
    Drawn drawn{snapped(parameters), std::vector<float>(parameters.size()),
                Die(segments_, perturbation_, random, chip_ ? &*chip_ : nullptr)};
    drawn.die.apply(drawn.snapped, drawn.parameters);
    return drawn;
  }

 private:
  const std::vector<Segment>& segments_;
  Perturbation perturbation_;
  WeightGrid grid_;
  std::optional<ChipErrors> chip_;
};

/// Null where `perturbation` leaves parameters as they are and there is no `chip`. `segments` must outlive it.
inline std::unique_ptr<Perturber> make_perturber(const std::vector<Segment>& segments, const Perturbation& perturbation,
                                                 std::optional<ChipErrors> chip = {}) {
  if (!perturbation.has_errors() && !perturbation.has_grid() && !chip) return nullptr;
  return std::make_unique<Perturber>(segments, perturbation, std::move(chip));
}

}  // namespace hysteron::train
