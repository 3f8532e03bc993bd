#include "train/layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hysteron::train {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

}  // namespace

Initialiser constant(double value) {
  return [value](Random&) { return value; };
}

Initialiser uniform_fan_in(std::size_t fan_in) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  return [bound](Random& random) { return random.uniform(-bound, bound); };
}

std::size_t ModelLayout::parameter(const std::string& name, std::size_t rows, std::size_t columns, bool decays,
                                   bool positive, Initialiser initialiser) {
  segments_.push_back({name, parameters_, rows, columns, decays, positive});
  initialisers_.push_back(std::move(initialiser));
  parameters_ += rows * columns;
  return segments_.back().offset;
}

std::size_t ModelLayout::buffer(std::size_t rows) {
  rows_.push_back(rows);
  return rows_.size() - 1;
}

std::size_t ModelLayout::scratch(std::size_t number, std::size_t rows) {
  if (number >= scratch_.size()) scratch_.resize(number + 1, kNone);
  if (scratch_[number] == kNone) scratch_[number] = buffer(0);
  std::size_t& largest = rows_[scratch_[number]];
  largest = std::max(largest, rows);
  return scratch_[number];
}

std::vector<float> ModelLayout::initial(const Random& random) const {
  std::vector<float> parameters(parameters_);
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    Random stream = random.child(segments_[i].name);
    for (std::size_t k = 0; k < segments_[i].size(); ++k) {
      parameters[segments_[i].offset + k] = static_cast<float>(initialisers_[i](stream));
    }
  }
  return parameters;
}

}  // namespace hysteron::train
