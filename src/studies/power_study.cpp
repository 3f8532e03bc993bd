#include "studies/power_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "design/finite_or_null.h"
#include "design/synthetic_network.h"
#include "studies/power_scaling.h"

namespace hysteron::studies {
namespace {

using behavioural::PowerSplit;
using design::finite_or_null;

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

nlohmann::json point_json(const PowerPoint& point, const PowerStudy& study) {
  const double per_frame = point.model.total() * study.frame_seconds;
  nlohmann::json row = {{"dim", point.dim},
                        {"draws", point.draws.size()},
                        {"model_nw", split_json(point.model)},
                        {"rest_nw", split_json(point.rest)},
                        {"energy_per_frame_j", per_frame},
                        {"energy_per_decision_j", per_frame * static_cast<double>(study.decision_frames)}};
  if (point.measured) {
    row.update(measured_json(*point.measured));
    row["model_of_first_nw"] = split_json(point.draws.front());
  }
  if (!point.error.empty()) row["error"] = point.error;
  return row;
}

}  // namespace

double PowerStudy::worst_model_error(Against against) const {
  double worst = std::numeric_limits<double>::quiet_NaN();
  for (const PowerPoint& point : points) {
    if (!point.measured) continue;
    const MeasuredPower& measured = *point.measured;
    const PowerSplit& model = against == Against::kOwnBits  ? point.draws.front()
                              : against == Against::kAtRest ? measured.rest_model_of_bits
                                                            : measured.model_of_bits;
    const PowerSplit& circuit = against == Against::kSettled  ? measured.settled
                                : against == Against::kAtRest ? measured.rest
                                                              : measured.listening;
    worst = std::fmax(worst, std::abs(model.total() / circuit.total() - 1.0));
  }
  return worst;
}

std::size_t PowerStudy::failed() const {
  return static_cast<std::size_t>(
      std::count_if(points.begin(), points.end(), [](const PowerPoint& point) { return !point.error.empty(); }));
}

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
    study.points.push_back(std::move(point));
    reporter.progress("power over width", i + 1, dims.size(), fmt::format("d = {}", dims[i]));
  }
  return study;
}

nlohmann::json power_study_json(const PowerStudy& study) {
  using Value = std::function<double(const PowerPoint&)>;
  const auto column = [&](const Value& value, std::size_t from = 0) {
    std::vector<double> result;
    for (const PowerPoint& point : study.points) {
      if (point.dim >= from) result.push_back(value(point));
    }
    return result;
  };
  const Value dim = [](const PowerPoint& point) { return static_cast<double>(point.dim); };
  const Value total = [](const PowerPoint& point) { return point.model.total(); };
  const Value cells = [](const PowerPoint& point) { return point.model.cells; };
  const Value feedforward = [](const PowerPoint& point) { return point.model.feedforward(); };
  const Value square_legs = [](const PowerPoint& point) { return point.model.square_legs; };
  const std::vector<double> dims = column(dim);
  nlohmann::json json = {{"dims", nlohmann::json::array()}, {"points", nlohmann::json::array()}};
  for (const PowerPoint& point : study.points) {
    json["dims"].push_back(point.dim);
    json["points"].push_back(point_json(point, study));
  }
  for (const auto& [name, value] :
       {std::pair{"total_nw", &total}, {"cells_nw", &cells}, {"feedforward_nw", &feedforward}}) {
    json[name] = nlohmann::json::array();
    for (const double watt : column(*value)) json[name].push_back(watt / kNano);
  }
  const auto exponent = [&](const std::string& name, const analysis::Exponent& fit) {
    json[name] = finite_or_null(fit.value);
    json[name + "_half_interval"] = finite_or_null(fit.half_interval);
  };
  exponent("exponent_cells", analysis::fit_exponent(dims, column(cells)));
  exponent("exponent_feedforward", analysis::fit_exponent(dims, column(square_legs)));
  exponent("exponent_feedforward_large",
           analysis::fit_exponent(column(dim, kLargeDim), column(feedforward, kLargeDim)));
  const std::vector<LocalExponents> local = local_exponents(samples_of(study));
  json["local"] = local_json(local);
  json["local_exponents"] = nlohmann::json::array();
  for (const LocalExponents& step : local) json["local_exponents"].push_back(step.feedforward.value);
  json["fit_total"] = fit_json(fit_power(dims, column(total)));
  json["fit_feedforward"] = fit_json(fit_power(dims, column(feedforward)));
  if (const std::vector<PowerSample> measured = measured_samples(study); measured.size() > 1) {
    json["spice_scaling"] = scaling_json(measured);
  }
  json["worst_model_error"] = finite_or_null(study.worst_model_error(PowerStudy::Against::kOwnBits));
  json["worst_model_error_same_bits"] = finite_or_null(study.worst_model_error(PowerStudy::Against::kSameBits));
  json["worst_model_error_settled"] = finite_or_null(study.worst_model_error(PowerStudy::Against::kSettled));
  json["worst_model_error_at_rest"] = finite_or_null(study.worst_model_error(PowerStudy::Against::kAtRest));
  return json;
}

}  // namespace hysteron::studies
