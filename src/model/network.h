#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <string>
#include <vector>

namespace hysteron::model {

/// Row-major, single precision: the layout of model files.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;

/// y = weight x + bias.
struct Affine {
  Matrix weight;  ///< [outputs, inputs]
  Vector bias;    ///< [outputs]
};

/// A layer of m FQ-BMRU cells on a backbone of width d: h = cells(relu(v)), o = relu(output h), v' = o + v.
struct Layer {
  Affine candidate;      ///< [m, d]
  Vector beta_lo;        ///< [m], lower thresholds, >= 0
  Vector beta_hi;        ///< [m], upper thresholds, >= beta_lo
  Vector alpha;          ///< [m], output level of a cell that is on, >= 0
  Vector initial_state;  ///< [m], 0 or 1: off or on before the first frame
  Affine output;         ///< [d, m]

  std::size_t cells() const { return static_cast<std::size_t>(beta_lo.size()); }
};

/// The hardware backbone (design.md section 2): v_0 = input x, a stack of layers, logits = readout v_L at every frame.
struct Network {
  Affine input;  ///< [d, n]
  std::vector<Layer> layers;
  Affine readout;  ///< [k, d]

  std::vector<std::string> labels;  ///< k names
  double frame_seconds = 0.01;
  std::string training;  ///< JSON text with how the model was made; may be empty
  std::string classes;   ///< JSON text, label -> list of data folders; may be empty: labels are folder names

  /// Statistics for features that are normalised with fixed values; both empty: each clip by its own (design.md s. 2).
  Vector feature_mean;       ///< [n]
  Vector feature_deviation;  ///< [n]

  std::size_t inputs() const { return static_cast<std::size_t>(input.weight.cols()); }
  std::size_t width() const { return static_cast<std::size_t>(input.weight.rows()); }
  std::size_t outputs() const { return static_cast<std::size_t>(readout.weight.rows()); }
};

/// Throws a bad-input Error that names `origin`, the tensor and what was expected unless every shape fits, every value
/// is finite, thresholds, widths and gains are not negative, beta_lo <= beta_hi and initial states are 0 or 1.
void check_network(const Network& network, const std::string& origin);

}  // namespace hysteron::model
