#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "model/network.h"

namespace hysteron::analysis {

/// A network whose cells' outputs are given, over many frames at once, as a function of its weights and biases, in
/// double precision:
///   v_0 = W_in x + b;  c_l = V_l relu(v_l) + b_l;  v_{l+1} = v_l + relu(O_l h_l + d_l);  logits = R v_L + r
/// with its derivative and the transpose of that. Candidates are before their rectifier. Columns are frames.
class FrozenNetwork {
 public:
  using Matrix = Eigen::MatrixXd;
  using Vector = Eigen::VectorXd;

  /// Candidates of every layer, then the logits.
  using Values = std::vector<Matrix>;

  /// `inputs` [n, frames]; `outputs` of cells, [layers] of [m, frames].
  FrozenNetwork(const model::Network& network, Matrix inputs, std::vector<Matrix> outputs);

  std::size_t layers() const { return outputs_.size(); }
  Eigen::Index frames() const { return inputs_.cols(); }

  /// Weights and biases in one vector: of input, of each layer's candidate and output, of the readout; row by row.
  const Vector& nominal() const { return nominal_; }
  /// The same vector as arrays in the shape of `network`; thresholds are left alone.
  void unpack(const Vector& parameters, model::Network& network) const;

  Values run(const Vector& parameters);
  /// Change of run()'s values with the parameters, around those of the last run().
  Values forward(const Vector& change) const;
  /// Gradient of sum(values * weights) there.
  Vector backward(const Values& weights) const;

 private:
  struct Part {
    Eigen::Index at = 0;
    Eigen::Index rows = 0;
    Eigen::Index columns = 0;
  };
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  Part add(const model::Affine& affine);
  static Eigen::Map<const Rows> weight(const Vector& from, const Part& part);
  static Eigen::Map<const Vector> bias(const Vector& from, const Part& part);
  static Matrix apply(const Vector& parameters, const Part& part, const Matrix& to);
  static void gather(const Matrix& gradient, const Matrix& source, const Part& part, Vector& result);

  Matrix inputs_;
  std::vector<Matrix> outputs_;
  Vector nominal_;
  std::vector<Part> parts_;  // input, (candidate, output) a layer, readout
  Vector at_;                // parameters of the last run
  std::vector<Matrix> v_;    // [layers + 1]
  std::vector<Matrix> o_;    // before the rectifier, [layers]
};

}  // namespace hysteron::analysis
