#include "studies/power_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "design/synthetic_network.h"
#include "studies/power_scaling.h"

namespace hysteron::studies {
namespace {

using behavioural::PowerSplit;

constexpr std::size_t kLargeDim = 256;
constexpr std::size_t kChannels = 512;  // networks are drawn until they have this many channels
constexpr std::size_t kMinDraws = 8;    // enough for an interval
constexpr std::size_t kMaxDraws = 128;

std::vector<std::size_t> all_dims(const PowerRequest& request) {
  std::vector<std::size_t> dims = request.dims;
  dims.insert(dims.end(), request.model_dims.begin(), request.model_dims.end());
  std::sort(dims.begin(), dims.end());
  return dims;
}

PowerPoint model_point(const design::DesignContext& context, const PowerRequest& request, std::size_t dim) {
  const auto power_of = [&](const model::Network& network, std::span<const float> features) {
    return behavioural::model_power(network, features, context.technology(), context.supply(),
                                    context.options().conditions.unit_current);
  };
  PowerPoint point;
  point.dim = dim;
  const std::size_t draws = std::clamp(kChannels / dim, kMinDraws, kMaxDraws);
  const double share = 1.0 / static_cast<double>(draws);
  for (std::size_t draw = 0; draw < draws; ++draw) {
    const model::Network network = design::synthetic_network(dim, request.seed + draw);
    const std::vector<float> clip = design::random_clip(request.frames, request.seed + draw);
    point.draws.push_back(power_of(network, clip));
    add_share(point.model, point.draws.back(), share);
    add_share(point.rest, power_of(network, std::vector<float>(clip.size(), 0.0F)), share);
  }
  return point;
}

void measure_first(const design::DesignContext& context, const PowerRequest& request, PowerPoint& point,
                   Reporter& reporter) {
  const std::vector<float> clip = design::random_clip(request.frames, request.seed);
  const std::span<const float> played(clip);
  try {
    const auto sizes =
        request.folder.empty() ? std::filesystem::path() : request.folder / fmt::format("sizes_d{}.json", point.dim);
    design::DesignRequest of{design::synthetic_network(point.dim, request.seed)};
    of.sizes = sizes;
    const design::Design design = design::build_design(context, std::move(of), reporter);
    point.measured = measure_power(design, {&played, 1}, request.frames, reporter);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kSimulator) throw;
    point.error = error.what();
    reporter.warning(fmt::format("d = {}: {}", point.dim, point.error));
  }
}

std::vector<PowerSample> samples_of(const PowerStudy& study) {
  std::vector<PowerSample> samples;
  for (const PowerPoint& point : study.points) {
    samples.push_back({point.dim, {}, {}, {}});
    for (const PowerSplit& draw : point.draws) samples.back().add(draw.total(), draw.cells, draw.feedforward());
  }
  return samples;
}

/// What ngspice measured: one network a width.
std::vector<PowerSample> measured_samples(const PowerStudy& study) {
  std::vector<PowerSample> samples;
  for (const PowerPoint& point : study.points) {
    if (!point.measured) continue;
    const PowerSplit& split = point.measured->listening;
    samples.push_back({point.dim, {}, {}, {}});
    samples.back().add(split.total(), split.cells, split.feedforward());
  }
  return samples;
}

/// Of two splits' totals, relative.
double error_of(const PowerSplit& model, const PowerSplit& circuit) {
  return std::abs(model.total() / circuit.total() - 1.0);
}

ModelErrors worst_errors(const std::vector<PowerPoint>& points) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  ModelErrors worst{kNone, kNone, kNone, kNone};
  for (const PowerPoint& point : points) {
    if (!point.measured) continue;
    const MeasuredPower& measured = *point.measured;
    // fmax passes a NaN over.
    worst.own_bits = std::fmax(worst.own_bits, error_of(point.draws.front(), measured.listening));
    worst.same_bits = std::fmax(worst.same_bits, error_of(measured.model_of_bits, measured.listening));
    worst.settled = std::fmax(worst.settled, error_of(measured.model_of_bits, measured.settled));
    worst.at_rest = std::fmax(worst.at_rest, error_of(measured.rest_model_of_bits, measured.rest));
  }
  return worst;
}

/// Exponents, fits and errors of the points.
void fit_points(PowerStudy& study) {
  const auto column = [&](const auto& value, std::size_t from = 0) {
    std::vector<double> result;
    for (const PowerPoint& point : study.points) {
      if (point.dim >= from) result.push_back(value(point));
    }
    return result;
  };
  const auto dim = [](const PowerPoint& point) { return static_cast<double>(point.dim); };
  const auto feedforward = [](const PowerPoint& point) { return point.model.feedforward(); };
  const std::vector<double> dims = column(dim);
  study.cells = analysis::fit_exponent(dims, column([](const PowerPoint& point) { return point.model.cells; }));
  study.square_legs =
      analysis::fit_exponent(dims, column([](const PowerPoint& point) { return point.model.square_legs; }));
  study.feedforward_large = analysis::fit_exponent(column(dim, kLargeDim), column(feedforward, kLargeDim));
  study.local = local_exponents(samples_of(study));
  study.fit_total = fit_power(dims, column([](const PowerPoint& point) { return point.model.total(); }));
  study.fit_feedforward = fit_power(dims, column(feedforward));
  if (const std::vector<PowerSample> measured = measured_samples(study); measured.size() > 1) {
    study.spice_scaling = fit_scaling(measured);
  }
  study.worst_errors = worst_errors(study.points);
  study.failed = static_cast<std::size_t>(
      std::ranges::count_if(study.points, [](const PowerPoint& point) { return !point.error.empty(); }));
}

}  // namespace

void check_power_request(const PowerRequest& request) {
  const std::vector<std::size_t> dims = all_dims(request);
  for (const std::size_t dim : dims) {
    if (dim >= 2 && dim % 2 == 0 && dim <= 4096) continue;
    throw bad_input(fmt::format("width {}: expected even widths from 2 to 4096", dim));
  }
  if (std::adjacent_find(dims.begin(), dims.end()) != dims.end() || dims.size() < 3) {
    throw bad_input("dims and model_dims: expected at least three widths, none twice");
  }
}

PowerStudy study_power(const design::DesignContext& context, const PowerRequest& request, Reporter& reporter) {
  check_power_request(request);
  const std::vector<std::size_t> dims = all_dims(request);
  PowerStudy study;
  study.decision_frames = request.decision_frames;
  study.frame_seconds = design::synthetic_network(dims.front(), request.seed).frame_seconds;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    PowerPoint point = model_point(context, request, dims[i]);
    const bool is_simulated = std::find(request.dims.begin(), request.dims.end(), dims[i]) != request.dims.end();
    if (is_simulated) measure_first(context, request, point, reporter);
    point.energy_per_frame = point.model.total() * study.frame_seconds;
    point.energy_per_decision = point.energy_per_frame * static_cast<double>(study.decision_frames);
    study.points.push_back(std::move(point));
    reporter.progress("power over width", i + 1, dims.size(), fmt::format("d = {}", dims[i]));
  }
  fit_points(study);
  return study;
}

std::size_t PowerResult::failed() const {
  std::size_t count = widths ? widths->failed : 0;
  if (!networks) return count;
  for (const NetworkPower& network : networks->networks) count += network.error.empty() ? 0 : 1;
  return count;
}

}  // namespace hysteron::studies
