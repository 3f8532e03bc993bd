#include "hysteron/flow/power_study.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "hysteron/base/random.h"
#include "hysteron/base/units.h"

namespace hysteron::flow {
namespace {

constexpr std::size_t kInputs = 13;
constexpr std::size_t kOutputs = 2;
constexpr std::size_t kLayers = 2;
constexpr std::size_t kLargeDim = 256;
constexpr double kLeastWeight = 0.1;  // of the d x d maps; a channel's own pair has one leg of each of these two
constexpr double kMostWeight = 0.7;
constexpr double kOuterWeight = 0.25;   // of input map and readout
constexpr std::size_t kChannels = 512;  // networks are drawn until they have this many channels
constexpr std::size_t kMostDraws = 128;

/// Weights [dim, dim] of equal rows for twins: columns of a twin pair cancel, but a row's own pair adds up to the
/// difference of the largest and the least weight. The mean magnitude is the same for both.
model::Matrix twin_weights(Eigen::Index dim, Random& random) {
  model::Matrix weight(dim, dim);
  for (Eigen::Index i = 0; i < dim; i += 2) {
    for (Eigen::Index j = 0; j < dim; j += 2) {
      const double size = random.uniform(kLeastWeight, kMostWeight);
      const double sign = random.uniform() < 0.5 ? -1.0 : 1.0;
      const bool is_own = i == j;
      weight(i, j) = static_cast<float>(is_own ? kMostWeight : sign * size);
      weight(i, j + 1) = static_cast<float>(is_own ? -kLeastWeight : -sign * size);
    }
    weight.row(i + 1) = weight.row(i);
  }
  return weight;
}

std::vector<float> drawn_clip(std::size_t frames, std::uint64_t seed) {
  Random random = Random(seed).child("clip");
  std::vector<float> features(frames * kInputs);
  for (float& value : features) value = static_cast<float>(random.normal());
  return features;
}

PowerFit fit(const std::vector<double>& dims, const std::vector<double>& values) {
  const auto count = static_cast<Eigen::Index>(dims.size());
  Eigen::MatrixXd rows(count, 3);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double d = dims[static_cast<std::size_t>(i)];
    rows.row(i) << 1.0, d, d * d;
    rows.row(i) /= values[static_cast<std::size_t>(i)];
  }
  const Eigen::Vector3d found = rows.colPivHouseholderQr().solve(Eigen::VectorXd::Ones(count));
  PowerFit result{found[0], found[1], found[2], 0.0};
  for (Eigen::Index i = 0; i < count; ++i)
    result.worst = std::max(result.worst, std::abs(rows.row(i).dot(found) - 1.0));
  return result;
}

void add(behavioural::PowerSplit& sum, const behavioural::PowerSplit& part, double share) {
  using Split = behavioural::PowerSplit;
  for (double Split::*member : {&Split::inputs, &Split::input_rails, &Split::rails, &Split::square_legs,
                                &Split::other_legs, &Split::reference, &Split::cells}) {
    sum.*member += share * part.*member;
  }
}

compile::Power simulate(const Workshop& workshop, const model::Network& network, std::span<const float> features,
                        Reporter& reporter) {
  const compile::CompiledNetwork compiled = workshop.compile(network, reporter);
  const sim::Testbench bench = compile::make_clip_bench(compiled, features);
  return compile::read_clip(compiled, bench, workshop.engine().run(bench)).power;
}

void summarise_points(PowerStudy& study) {
  const auto column = [&](const std::function<double(const PowerPoint&)>& value, std::size_t from = 0) {
    std::vector<double> result;
    for (const PowerPoint& point : study.points) {
      if (point.dim >= from) result.push_back(value(point));
    }
    return result;
  };
  const auto dim = [](const PowerPoint& point) { return static_cast<double>(point.dim); };
  const auto feedforward = [](const PowerPoint& point) { return point.model.feedforward(); };
  const std::vector<double> dims = column(dim);
  study.total = fit(dims, column([](const PowerPoint& point) { return point.model.total(); }));
  study.feedforward = fit(dims, column(feedforward));
  study.cells = analysis::fit_exponent(dims, column([](const PowerPoint& point) { return point.model.cells; }));
  study.square_legs =
      analysis::fit_exponent(dims, column([](const PowerPoint& point) { return point.model.square_legs; }));
  study.feedforward_large = analysis::fit_exponent(column(dim, kLargeDim), column(feedforward, kLargeDim));
  for (std::size_t i = 1; i < study.points.size(); ++i) {
    study.local.push_back(
        analysis::fit_exponent({dims[i - 1], dims[i]}, {feedforward(study.points[i - 1]), feedforward(study.points[i])})
            .value);
  }
  for (const PowerPoint& point : study.points) {
    if (!point.spice) continue;
    study.worst_model_error =
        std::max(study.worst_model_error, std::abs(point.model_of_first.total() / point.spice->total - 1.0));
  }
}

nlohmann::json split_json(const behavioural::PowerSplit& split) {
  return {{"total", split.total() / kNano},
          {"cells", split.cells / kNano},
          {"feedforward", split.feedforward() / kNano},
          {"inputs", split.inputs / kNano},
          {"input_rails", split.input_rails / kNano},
          {"rails", split.rails / kNano},
          {"square_legs", split.square_legs / kNano},
          {"other_legs", split.other_legs / kNano},
          {"reference", split.reference / kNano}};
}

nlohmann::json fit_json(const PowerFit& fit) {
  return {{"constant_nw", fit.constant / kNano},
          {"linear_nw", fit.linear / kNano},
          {"quadratic_nw", fit.quadratic / kNano},
          {"worst_relative_error", fit.worst}};
}

}  // namespace

model::Network twin_network(std::size_t dim, std::uint64_t seed) {
  const auto d = static_cast<Eigen::Index>(dim);
  Random random = Random(seed).child("twins", dim);
  const auto drawn = [&] { return static_cast<float>(random.uniform(-kOuterWeight, kOuterWeight)); };
  model::Network network;
  network.input.weight.resize(d, kInputs);
  network.input.bias = model::Vector::Constant(d, 0.3F);
  for (Eigen::Index i = 0; i < d; i += 2) {
    for (Eigen::Index j = 0; j < static_cast<Eigen::Index>(kInputs); ++j) network.input.weight(i, j) = drawn();
    network.input.weight.row(i + 1) = network.input.weight.row(i);
  }
  for (std::size_t l = 0; l < kLayers; ++l) {
    model::Layer layer;
    layer.candidate = {twin_weights(d, random), model::Vector::Constant(d, 0.1F)};
    layer.beta_lo = model::Vector::Constant(d, 0.2F);
    layer.beta_hi = model::Vector::Constant(d, 0.5F);
    layer.alpha = model::Vector::Constant(d, 1.0F);
    layer.initial_state = model::Vector::Zero(d);
    layer.output = {twin_weights(d, random), model::Vector::Constant(d, 0.05F)};
    network.layers.push_back(std::move(layer));
  }
  network.readout.weight.resize(kOutputs, d);
  for (Eigen::Index i = 0; i < network.readout.weight.size(); ++i) network.readout.weight.data()[i] = drawn();
  network.readout.bias = model::Vector::Constant(kOutputs, 0.1F);
  for (std::size_t k = 0; k < kOutputs; ++k) network.labels.push_back(fmt::format("label{}", k));
  return network;
}

void check_power_request(const PowerRequest& request) {
  std::vector<std::size_t> dims = request.dims;
  dims.insert(dims.end(), request.model_dims.begin(), request.model_dims.end());
  for (const std::size_t dim : dims) {
    if (dim >= 2 && dim % 2 == 0 && dim <= 4096) continue;
    throw bad_input(fmt::format("width {}: expected even widths from 2 to 4096", dim));
  }
  std::sort(dims.begin(), dims.end());
  if (std::adjacent_find(dims.begin(), dims.end()) != dims.end() || dims.size() < 3) {
    throw bad_input("--dims and --model-dims: expected at least three widths, none twice");
  }
  if (request.frames == 0) throw bad_input("--frames is 0; expected at least one");
}

PowerStudy study_power(const Workshop& workshop, const PowerRequest& request, Reporter& reporter) {
  check_power_request(request);
  std::vector<std::size_t> dims = request.dims;
  dims.insert(dims.end(), request.model_dims.begin(), request.model_dims.end());
  std::sort(dims.begin(), dims.end());
  const std::vector<float> clip = drawn_clip(request.frames, request.seed);
  const std::vector<float> silence(clip.size(), 0.0F);
  const double unit = workshop.options().conditions.unit_current;
  PowerStudy study;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto power_of = [&](const model::Network& network, std::span<const float> features) {
      return behavioural::model_power(network, features, workshop.technology(), workshop.supply(), unit);
    };
    const model::Network first = twin_network(dims[i], request.seed);
    study.frame_seconds = first.frame_seconds;
    PowerPoint point;
    point.dim = dims[i];
    point.draws = std::clamp<std::size_t>(kChannels / dims[i], 1, kMostDraws);
    for (std::size_t draw = 0; draw < point.draws; ++draw) {
      const model::Network network = twin_network(dims[i], request.seed + draw);
      const double share = 1.0 / static_cast<double>(point.draws);
      add(point.model, power_of(network, drawn_clip(request.frames, request.seed + draw)), share);
      add(point.rest, power_of(network, silence), share);
    }
    const bool is_simulated = std::find(request.dims.begin(), request.dims.end(), dims[i]) != request.dims.end();
    if (is_simulated) {
      point.spice = simulate(workshop, first, clip, reporter);
      point.model_of_first = power_of(first, clip);
    }
    study.points.push_back(point);
    reporter.progress("power over width", i + 1, dims.size(), fmt::format("d = {}", dims[i]));
  }
  summarise_points(study);
  return study;
}

nlohmann::json power_study_json(const PowerStudy& study) {
  nlohmann::json json = {{"dims", nlohmann::json::array()},
                         {"total_nw", nlohmann::json::array()},
                         {"cells_nw", nlohmann::json::array()},
                         {"feedforward_nw", nlohmann::json::array()},
                         {"points", nlohmann::json::array()}};
  for (const PowerPoint& point : study.points) {
    json["dims"].push_back(point.dim);
    json["total_nw"].push_back(point.model.total() / kNano);
    json["cells_nw"].push_back(point.model.cells / kNano);
    json["feedforward_nw"].push_back(point.model.feedforward() / kNano);
    nlohmann::json row = {{"dim", point.dim},
                          {"draws", point.draws},
                          {"model_nw", split_json(point.model)},
                          {"rest_nw", split_json(point.rest)},
                          {"energy_per_frame_j", point.model.total() * study.frame_seconds}};
    if (point.spice) {
      row["spice_nw"] = {{"total", point.spice->total / kNano},
                         {"cells", point.spice->cells / kNano},
                         {"feedforward", point.spice->feedforward / kNano}};
      row["model_of_first_nw"] = split_json(point.model_of_first);
    }
    json["points"].push_back(std::move(row));
  }
  json["exponent_cells"] = study.cells.value;
  json["exponent_cells_half_interval"] = study.cells.half_interval;
  json["exponent_feedforward"] = study.square_legs.value;
  json["exponent_feedforward_half_interval"] = study.square_legs.half_interval;
  json["exponent_feedforward_large"] = study.feedforward_large.value;  // null where there are no such widths
  json["local_exponents"] = study.local;
  json["fit_total"] = fit_json(study.total);
  json["fit_feedforward"] = fit_json(study.feedforward);
  json["worst_model_error"] = study.worst_model_error;
  return json;
}

}  // namespace hysteron::flow
