#include "analysis/frozen_network.h"

#include <utility>

namespace hysteron::analysis {
namespace {

using Matrix = FrozenNetwork::Matrix;

Matrix rectified(const Matrix& values) { return values.cwiseMax(0.0); }

/// `values` where `by` is positive, 0 elsewhere.
Matrix masked(const Matrix& values, const Matrix& by) { return (by.array() > 0.0).select(values, 0.0); }

}  // namespace

FrozenNetwork::FrozenNetwork(const model::Network& network, Matrix inputs, std::vector<Matrix> outputs)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  parts_.push_back(add(network.input));
  for (const model::Layer& layer : network.layers) {
    parts_.push_back(add(layer.candidate));
    parts_.push_back(add(layer.output));
  }
  parts_.push_back(add(network.readout));
}

FrozenNetwork::Part FrozenNetwork::add(const model::Affine& affine) {
  const Part part{nominal_.size(), affine.weight.rows(), affine.weight.cols()};
  nominal_.conservativeResize(part.at + affine.weight.size() + affine.bias.size());
  for (Eigen::Index i = 0; i < affine.weight.size(); ++i) nominal_[part.at + i] = affine.weight.data()[i];
  for (Eigen::Index i = 0; i < affine.bias.size(); ++i) nominal_[part.at + affine.weight.size() + i] = affine.bias[i];
  return part;
}

Eigen::Map<const FrozenNetwork::Rows> FrozenNetwork::weight(const Vector& from, const Part& part) {
  return {from.data() + part.at, part.rows, part.columns};
}

Eigen::Map<const FrozenNetwork::Vector> FrozenNetwork::bias(const Vector& from, const Part& part) {
  return {from.data() + part.at + part.rows * part.columns, part.rows};
}

Matrix FrozenNetwork::apply(const Vector& parameters, const Part& part, const Matrix& to) {
  return (weight(parameters, part) * to).colwise() + bias(parameters, part);
}

void FrozenNetwork::gather(const Matrix& gradient, const Matrix& source, const Part& part, Vector& result) {
  Eigen::Map<Rows>(result.data() + part.at, part.rows, part.columns) += gradient * source.transpose();
  Eigen::Map<Vector>(result.data() + part.at + part.rows * part.columns, part.rows) += gradient.rowwise().sum();
}

void FrozenNetwork::unpack(const Vector& parameters, model::Network& network) const {
  const auto put = [&](const Part& part, model::Affine& affine) {
    affine.weight = weight(parameters, part).cast<float>();
    affine.bias = bias(parameters, part).cast<float>();
  };
  put(parts_.front(), network.input);
  for (std::size_t l = 0; l < layers(); ++l) {
    put(parts_[1 + 2 * l], network.layers[l].candidate);
    put(parts_[2 + 2 * l], network.layers[l].output);
  }
  put(parts_.back(), network.readout);
}

FrozenNetwork::Values FrozenNetwork::run(const Vector& parameters) {
  at_ = parameters;
  v_.assign(1, apply(parameters, parts_.front(), inputs_));
  o_.clear();
  Values values;
  for (std::size_t l = 0; l < layers(); ++l) {
    values.push_back(apply(parameters, parts_[1 + 2 * l], rectified(v_[l])));
    o_.push_back(apply(parameters, parts_[2 + 2 * l], outputs_[l]));
    v_.push_back(v_[l] + rectified(o_[l]));
  }
  values.push_back(apply(parameters, parts_.back(), v_.back()));
  return values;
}

FrozenNetwork::Values FrozenNetwork::forward(const Vector& change) const {
  Values values;
  Matrix dv = apply(change, parts_.front(), inputs_);
  for (std::size_t l = 0; l < layers(); ++l) {
    values.push_back(apply(change, parts_[1 + 2 * l], rectified(v_[l])) +
                     weight(at_, parts_[1 + 2 * l]) * masked(dv, v_[l]));
    dv += masked(apply(change, parts_[2 + 2 * l], outputs_[l]), o_[l]);
  }
  values.push_back(apply(change, parts_.back(), v_.back()) + weight(at_, parts_.back()) * dv);
  return values;
}

FrozenNetwork::Vector FrozenNetwork::backward(const Values& weights) const {
  Vector result = Vector::Zero(nominal_.size());
  gather(weights.back(), v_.back(), parts_.back(), result);
  Matrix dv = weight(at_, parts_.back()).transpose() * weights.back();
  for (std::size_t l = layers(); l-- > 0;) {
    gather(masked(dv, o_[l]), outputs_[l], parts_[2 + 2 * l], result);
    gather(weights[l], rectified(v_[l]), parts_[1 + 2 * l], result);
    dv += masked(weight(at_, parts_[1 + 2 * l]).transpose() * weights[l], v_[l]);
  }
  gather(dv, inputs_, parts_.front(), result);
  return result;
}

}  // namespace hysteron::analysis
