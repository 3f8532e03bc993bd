#include "hysteron/flow/corners.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <tuple>

#include "hysteron/base/units.h"
#include "hysteron/compile/current_reference.h"
#include "hysteron/report/circuit_report.h"

namespace hysteron::flow {
namespace {

/// The same circuit in units of another current: its inputs and its reference follow, and so does what is read.
compile::CompiledNetwork at_unit_current(const compile::CompiledNetwork& network, double unit) {
  compile::CompiledNetwork result = network;
  const double scale = unit / network.conditions.unit_current;
  result.conditions.unit_current = unit;
  for (auto& layer : result.cells) {
    for (compile::CompiledCell& cell : layer) {
      cell.rise *= scale;
      cell.fall *= scale;
      cell.high *= scale;
    }
  }
  return result;
}

std::vector<CornerPoint> points_of(const Workshop& workshop, const CornersRequest& request) {
  const technology::Technology& technology = workshop.technology();
  std::vector<std::string> corners = request.corners;
  if (corners.empty()) {
    for (const auto& [name, section] : technology.models.sections) corners.push_back(name);
  }
  std::vector<double> supplies = request.supplies;
  if (supplies.empty()) {
    for (const double share : {0.9, 1.0, 1.1}) supplies.push_back(share * workshop.supply());
  }
  std::vector<CornerPoint> points;
  for (const bool counted : {true, false}) {
    for (const std::string& corner : corners) {
      for (const double supply : supplies) {
        for (const double temperature : counted ? request.temperatures : request.beside) {
          points.push_back(
              {corner, supply, temperature, counted, workshop.options().conditions.unit_current, {}, 0, {}});
        }
      }
    }
  }
  return points;
}

std::string point_name(const CornerPoint& point) {
  return fmt::format("{}_{:.4g}V_{:g}C", point.corner, point.supply, point.temperature);
}

/// Decisions against the model as given.
void compare_decisions(const model::Network& given, const data::Features& features, Verification& verification) {
  std::size_t same = 0;
  std::size_t count = 0;
  for (const VerifiedClip& clip : verification.clips) {
    if (clip.failed) continue;
    const model::Trace trace = model::run_clip(given, features.clip(clip.clip));
    const auto decision =
        model::majority(model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs));
    same += decision == clip.agreement.circuit_decision ? 1 : 0;
    ++count;
  }
  verification.agreement.decision_agreement = count == 0 ? 0.0 : static_cast<double>(same) / static_cast<double>(count);
}

/// The reference's other state, without current, is not a drift: a circuit there is not running.
void check_awake(const CornerPoint& point, double sized_current) {
  constexpr double kLeast = 0.1;
  if (point.unit_current >= kLeast * sized_current) return;
  throw simulator_error(fmt::format("the current reference has fallen to {}; it is sized for {}",
                                    format_si(point.unit_current, "A"), format_si(sized_current, "A")));
}

double right_decisions(const CornerPoint& point) {
  return point.agreement.decision_agreement * static_cast<double>(point.agreement.clips);
}

}  // namespace

double Corners::decision_agreement() const {
  double right = 0.0;
  std::size_t all = 0;
  for (const CornerPoint& point : points) {
    if (!point.counted) continue;
    right += right_decisions(point);
    all += point.agreement.clips + point.failed;
  }
  return all == 0 ? 0.0 : right / static_cast<double>(all);
}

const CornerPoint& Corners::worst() const {
  assert(!points.empty());
  return *std::min_element(points.begin(), points.end(), [](const CornerPoint& a, const CornerPoint& b) {
    const auto key = [](const CornerPoint& point) {
      return std::tuple(!point.counted, right_decisions(point), point.agreement.frame_agreement);
    };
    return key(a) < key(b);
  });
}

void check_corners(const Workshop& workshop, const CornersRequest& request) {
  const technology::Technology& technology = workshop.technology();
  for (const std::string& corner : request.corners) technology::check_corner(technology, corner);
  for (const double supply : request.supplies) {
    if (supply >= 0.5 * workshop.supply() && supply <= 2.0 * workshop.supply()) continue;
    throw bad_input(fmt::format("--supplies: {:g} V; expected half to twice the {:g} V that {} is sized for", supply,
                                workshop.supply(), technology.name));
  }
  for (const auto* list : {&request.temperatures, &request.beside}) {
    for (const double temperature : *list) {
      if (temperature >= technology.temperature_low && temperature <= technology.temperature_high) continue;
      throw bad_input(fmt::format("temperature {:g}: technology {} is modelled from {:g} to {:g} degrees Celsius",
                                  temperature, technology.name, technology.temperature_low,
                                  technology.temperature_high));
    }
  }
}

Corners run_corners(const Workshop& workshop, const model::Network& given, const model::Network& network,
                    const compile::CompiledNetwork& compiled, const data::Features& features,
                    const CornersRequest& request, Reporter& reporter) {
  check_corners(workshop, request);
  Corners result;
  result.points = points_of(workshop, request);
  const compile::Conditions& sized = workshop.options().conditions;
  std::optional<compile::CurrentReference> reference;
  if (request.drifts) {
    reference = compile::size_reference(workshop.technology(), workshop.curves(), sized, workshop.engine());
    constexpr double kBranches = 3.0;  // beside the output, which the circuit's own power has
    result.reference_power = kBranches * workshop.supply() * sized.unit_current;
  }
  std::size_t done = 0;
  for (CornerPoint& point : result.points) {
    try {
      if (reference) {
        point.unit_current = compile::reference_current(*reference, workshop.curves(), point.corner, point.supply,
                                                        point.temperature, workshop.engine());
        check_awake(point, sized.unit_current);
      }
      const compile::CompiledNetwork circuit = at_unit_current(compiled, point.unit_current);
      ClipFiles files;
      if (!request.folder.empty()) files.records = request.folder / point_name(point);
      Verification verification = verify(workshop, network, circuit, features, request.clips,
                                         {point.corner, point.supply, point.temperature}, reporter, files);
      compare_decisions(given, features, verification);
      point.agreement = verification.agreement;
      point.failed = verification.failed;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kSimulator) throw;
      point.failed = request.clips.size();
      point.error = error.what();
      reporter.warning(fmt::format("{}: {}", point_name(point), error.what()));
    }
    reporter.progress("corners", ++done, result.points.size(), point_name(point));
  }
  return result;
}

namespace {

nlohmann::json point_json(const CornerPoint& point) {
  nlohmann::json json = {{"corner", point.corner},
                         {"supply_v", point.supply},
                         {"temperature_c", point.temperature},
                         {"counted", point.counted},
                         {"unit_current_a", point.unit_current},
                         {"clips", point.agreement.clips},
                         {"failed_clips", point.failed},
                         {"decision_agreement", point.agreement.decision_agreement},
                         {"frame_agreement", point.agreement.frame_agreement},
                         {"state_mismatch", point.agreement.state_mismatch},
                         {"candidate_relative_rms", point.agreement.candidate_relative_rms},
                         {"power_nw", report::power_json(point.agreement.power)}};
  if (!point.error.empty()) json["error"] = point.error;
  return json;
}

}  // namespace

nlohmann::json corners_json(const Corners& corners, std::size_t clips) {
  nlohmann::json points = nlohmann::json::array();
  std::size_t counted = 0;
  std::size_t failed = 0;
  for (const CornerPoint& point : corners.points) {
    points.push_back(point_json(point));
    counted += point.counted ? 1 : 0;
    failed += point.failed;
  }
  return {{"points", points},
          {"counted_points", counted},
          {"clips", clips},
          {"decision_agreement", corners.decision_agreement()},
          {"worst", point_json(corners.worst())},
          {"failed_clips", failed},
          {"reference_nw", 1e9 * corners.reference_power}};
}

}  // namespace hysteron::flow
