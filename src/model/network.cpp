#include "model/network.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/error.h"

namespace hysteron::model {
namespace {

/// Checks tensor after tensor of one network and names the first that is wrong.
class Checker {
 public:
  explicit Checker(const std::string& origin) : origin_(origin) {}

  [[noreturn]] void refuse(const std::string& name, const std::string& problem) const {
    throw bad_input(fmt::format("{}: {} {}", hysteron::quoted(origin_), name, problem));
  }

  void matrix(const std::string& name, const Matrix& values, Eigen::Index rows, Eigen::Index columns) const {
    if (values.rows() != rows || values.cols() != columns) {
      refuse(name, fmt::format("has shape [{}, {}]; expected [{}, {}]", values.rows(), values.cols(), rows, columns));
    }
    for (Eigen::Index i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values.data()[i])) {
        refuse(fmt::format("{}[{}, {}]", name, i / columns, i % columns),
               fmt::format("is {}; expected a finite number", values.data()[i]));
      }
    }
  }

  void vector(const std::string& name, const Vector& values, Eigen::Index size, bool negative_allowed = true) const {
    if (values.size() != size) refuse(name, fmt::format("has shape [{}]; expected [{}]", values.size(), size));
    for (Eigen::Index i = 0; i < size; ++i) {
      if (!std::isfinite(values[i]) || (!negative_allowed && values[i] < 0.0f)) {
        refuse(fmt::format("{}[{}]", name, i), fmt::format("is {}; expected a finite number{}", values[i],
                                                           negative_allowed ? "" : " that is not negative"));
      }
    }
  }

  void affine(const std::string& name, const Affine& affine, Eigen::Index rows, Eigen::Index columns) const {
    matrix(name + ".weight", affine.weight, rows, columns);
    vector(name + ".bias", affine.bias, rows);
  }

  void layer(const std::string& name, const Layer& layer, Eigen::Index width) const {
    const Eigen::Index cells = layer.candidate.weight.rows();
    if (cells == 0) refuse(name + ".candidate.weight", "has no rows; expected at least one cell");
    affine(name + ".candidate", layer.candidate, cells, width);
    vector(name + ".beta_lo", layer.beta_lo, cells, false);
    vector(name + ".beta_hi", layer.beta_hi, cells, false);
    vector(name + ".alpha", layer.alpha, cells, false);
    vector(name + ".initial_state", layer.initial_state, cells);
    affine(name + ".output", layer.output, width, cells);
    for (Eigen::Index i = 0; i < cells; ++i) {
      if (layer.beta_hi[i] < layer.beta_lo[i]) {
        refuse(fmt::format("{}.beta_hi[{}]", name, i),
               fmt::format("is {}; expected at least beta_lo, {}", layer.beta_hi[i], layer.beta_lo[i]));
      }
      if (layer.initial_state[i] != 0.0f && layer.initial_state[i] != 1.0f) {
        refuse(fmt::format("{}.initial_state[{}]", name, i),
               fmt::format("is {}; expected 0 or 1", layer.initial_state[i]));
      }
    }
  }

 private:
  const std::string& origin_;
};

void check_labels(const Network& network, const Checker& check) {
  if (network.labels.size() != network.outputs()) {
    check.refuse("hysteron.labels", fmt::format("names {} labels; expected {}, one for each row of readout.weight",
                                                network.labels.size(), network.outputs()));
  }
  std::set<std::string> seen;
  for (const std::string& label : network.labels) {
    if (label.empty()) check.refuse("hysteron.labels", "has an empty label");
    if (!seen.insert(label).second) check.refuse("hysteron.labels", "names " + hysteron::quoted(label) + " twice");
  }
}

void check_statistics(const Network& network, const Checker& check) {
  const auto inputs = static_cast<Eigen::Index>(network.inputs());
  if (network.feature_mean.size() == 0 && network.feature_deviation.size() == 0) return;
  check.vector("hysteron.feature_mean", network.feature_mean, inputs);
  check.vector("hysteron.feature_deviation", network.feature_deviation, inputs, false);
}

}  // namespace

void check_network(const Network& network, const std::string& origin) {
  const Checker check(origin);
  const Eigen::Index width = network.input.weight.rows();
  const Eigen::Index inputs = network.input.weight.cols();
  const Eigen::Index outputs = network.readout.weight.rows();
  if (width == 0 || inputs == 0) {
    check.refuse("input.weight", fmt::format("has shape [{}, {}]; expected at least [1, 1]", width, inputs));
  }
  check.affine("input", network.input, width, inputs);
  if (network.layers.empty()) check.refuse("layers.0.candidate.weight", "is missing; expected at least one layer");
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    check.layer(fmt::format("layers.{}", i), network.layers[i], width);
  }
  if (outputs == 0) check.refuse("readout.weight", "has no rows; expected at least one label");
  check.affine("readout", network.readout, outputs, width);
  check_labels(network, check);
  check_statistics(network, check);
  if (!std::isfinite(network.frame_seconds) || network.frame_seconds <= 0.0) {
    check.refuse("hysteron.frame_seconds", fmt::format("is {}; expected a number above 0", network.frame_seconds));
  }
}

}  // namespace hysteron::model
