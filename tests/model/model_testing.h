#pragma once

#include "base/random.h"
#include "model/network.h"

namespace hysteron::model {

inline Matrix random_matrix(Random& random, Eigen::Index rows, Eigen::Index columns) {
  Matrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = static_cast<float>(random.normal());
  return matrix;
}

inline Vector random_vector(Random& random, Eigen::Index size, double low = -1.0, double high = 1.0) {
  Vector vector(size);
  for (Eigen::Index i = 0; i < size; ++i) vector[i] = static_cast<float>(random.uniform(low, high));
  return vector;
}

/// A network that passes check_network: two layers of `cells` cells, two labels.
inline Network random_network(std::uint64_t seed, Eigen::Index inputs = 3, Eigen::Index width = 4,
                              Eigen::Index cells = 5) {
  Random random(seed);
  Network network;
  network.input = {random_matrix(random, width, inputs), random_vector(random, width)};
  for (int i = 0; i < 2; ++i) {
    Layer layer;
    layer.candidate = {random_matrix(random, cells, width), random_vector(random, cells)};
    layer.beta_lo = random_vector(random, cells, 0.1, 0.5);
    layer.beta_hi = layer.beta_lo + random_vector(random, cells, 0.1, 1.0);
    layer.alpha = random_vector(random, cells, 0.5, 1.5);
    layer.initial_state = Vector::Zero(cells);
    layer.initial_state[1] = 1.0f;
    layer.output = {random_matrix(random, width, cells), random_vector(random, width)};
    network.layers.push_back(layer);
  }
  network.readout = {random_matrix(random, 2, width), random_vector(random, 2)};
  network.labels = {"yes", "other"};
  return network;
}

}  // namespace hysteron::model
