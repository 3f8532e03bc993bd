#include "studies/corners.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <tuple>

#include "analysis/yield.h"
#include "base/file.h"
#include "base/units.h"
#include "compile/current_reference.h"
#include "spice/dialect.h"

namespace hysteron::studies {
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

std::vector<CornerPoint> points_of(const design::DesignContext& context, const CornersRequest& request) {
  const technology::Technology& technology = context.technology();
  std::vector<std::string> corners = request.corners;
  if (corners.empty()) {
    for (const auto& [name, section] : technology.models.sections) corners.push_back(name);
  }
  std::vector<double> supplies = request.supplies;
  if (supplies.empty()) {
    for (const double share : {0.9, 1.0, 1.1}) supplies.push_back(share * context.supply());
  }
  std::vector<CornerPoint> points;
  for (const bool counted : {true, false}) {
    for (const std::string& corner : corners) {
      for (const double supply : supplies) {
        for (const double temperature : counted ? request.temperatures : request.beside) {
          CornerPoint& point = points.emplace_back();
          point.corner = corner;
          point.supply = supply;
          point.temperature = temperature;
          point.counted = counted;
          point.unit_current = context.options().conditions.unit_current;
        }
      }
    }
  }
  return points;
}

std::string point_name(const CornerPoint& point) {
  return fmt::format("{}_{:.4g}V_{:g}C", point.corner, point.supply, point.temperature);
}

std::vector<CornerClip> clips_of(const design::Design& design) {
  std::vector<CornerClip> result;
  for (const std::size_t clip : design.clips) {
    const model::Trace trace = model::run_clip(design.given, design.features.clip(clip));
    const auto frames = model::frame_decisions(trace.logits, trace.outputs);
    result.push_back(
        {clip, model::majority(model::vote_shares(frames, trace.outputs)), model::votes_ahead(frames, trace.outputs)});
  }
  return result;
}

/// What the point comes to, with decisions against those of `clips`, which are in the order of the verification.
void take(const Verification& verification, const std::vector<CornerClip>& clips, CornerPoint& point) {
  point.agreement = verification.agreement;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const VerifiedClip& clip = verification.clips[i];
    assert(clip.clip == clips[i].clip);
    if (clip.failed) {
      point.failed.push_back(clip.clip);
    } else if (clip.agreement.circuit_decision != clips[i].decision) {
      point.lost.push_back(clip.clip);
    }
  }
}

/// The reference of transistors for a context's unit current.
class Reference {
 public:
  explicit Reference(const design::DesignContext& context)
      : context_(context),
        reference_(compile::size_reference(context.technology(), context.curves(), context.options().conditions,
                                           context.engine())) {}

  struct Found {
    double current = 0.0;  ///< ampere
    double power = 0.0;    ///< watt, without that of the current it gives, which the circuit's own power has
  };
  Found at(const std::string& corner, double supply, double temperature) const {
    const compile::ReferenceCurrents currents =
        compile::reference_currents(reference_, context_.curves(), corner, supply, temperature, context_.engine());
    return {currents.output, supply * currents.own};
  }

  void write(const std::filesystem::path& folder) const {
    const spice::Annotations notes = {
        {fmt::format("Current reference of {} for technology {}; the current flows out of port output",
                     format_si(context_.options().conditions.unit_current, "A"), context_.technology().name)},
        {},
        {}};
    make_directories(folder);
    write_file(folder / "reference.spice",
               spice::format_netlist(
                   spice::flat_netlist(reference_.circuit, context_.technology(), "current_reference", notes),
                   spice::Dialect::kNgspice));
  }

 private:
  const design::DesignContext& context_;
  compile::CurrentReference reference_;
};

/// The reference's other state, without current, is not a drift: a circuit there is not running.
void check_awake(const CornerPoint& point, double sized_current) {
  constexpr double kMin = 0.1;
  if (point.unit_current >= kMin * sized_current) return;
  throw simulator_error(fmt::format("the current reference has fallen to {}; it is sized for {}",
                                    format_si(point.unit_current, "A"), format_si(sized_current, "A")));
}

std::size_t right_decisions(const CornerPoint& point) { return point.agreement.clips - point.lost.size(); }

std::size_t all_clips(const CornerPoint& point) { return point.agreement.clips + point.failed.size(); }

template <typename Value>
void check_no_repeat(const std::vector<Value>& values, const char* parameter) {
  for (auto it = values.begin(); it != values.end(); ++it) {
    if (std::find(values.begin(), it, *it) == it) continue;
    throw bad_input(fmt::format("{}: {} is listed twice; expected each once", parameter, *it));
  }
}

}  // namespace

void count_corners(Corners& corners) {
  assert(!corners.points.empty());
  std::size_t right = 0;
  std::size_t all = 0;
  corners.counted_points = corners.failed = 0;
  for (CornerPoint& point : corners.points) {
    point.decision_agreement = analysis::share_of(right_decisions(point), all_clips(point));
    corners.failed += point.failed.size();
    if (!point.counted) continue;
    ++corners.counted_points;
    right += right_decisions(point);
    all += all_clips(point);
  }
  corners.decision_agreement = analysis::share_of(right, all);
  const auto worst = std::ranges::min_element(corners.points, {}, [](const CornerPoint& point) {
    return std::tuple(!point.counted, right_decisions(point), point.agreement.frame_agreement);
  });
  corners.worst = static_cast<std::size_t>(worst - corners.points.begin());
  for (CornerClip& clip : corners.clips) {
    clip.lost_points = static_cast<std::size_t>(std::ranges::count_if(corners.points, [&](const CornerPoint& point) {
      const auto is_among = [&](const auto& clips) { return std::ranges::find(clips, clip.clip) != clips.end(); };
      return point.counted && (is_among(point.lost) || is_among(point.failed));
    }));
  }
}

void check_corners(const design::DesignContext& context, const CornersRequest& request) {
  const technology::Technology& technology = context.technology();
  check_no_repeat(request.corners, "corners");
  check_no_repeat(request.supplies, "supplies");
  check_no_repeat(request.temperatures, "temperatures");
  check_no_repeat(request.beside, "beside");
  for (const std::string& corner : request.corners) {
    if (corner.empty()) throw bad_input("corners: a name is empty; expected names of corners");
    technology::check_corner(technology, corner);
  }
  for (const double supply : request.supplies) {
    if (supply >= 0.5 * context.supply() && supply <= 2.0 * context.supply()) continue;
    throw bad_input(fmt::format("supplies: {:g} V; expected half to twice the {:g} V that {} is sized for", supply,
                                context.supply(), technology.name));
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

Corners run_corners(const design::Design& design, const CornersRequest& request, Reporter& reporter) {
  const design::DesignContext& context = design.context;
  check_corners(context, request);
  Corners result;
  result.prepared = design.prepared;
  result.operating_point = context.operating_point();
  result.points = points_of(context, request);
  result.clips = clips_of(design);
  const compile::Conditions& sized = context.options().conditions;
  std::optional<Reference> reference;
  if (request.drifts) {
    reference.emplace(context);
    result.reference_power = reference->at("", context.supply(), sized.temperature).power;
    if (!request.folder.empty()) reference->write(request.folder);
  }
  std::size_t begun = 0;
  for (CornerPoint& point : result.points) {
    reporter.info(fmt::format("point {} of {}: {}", ++begun, result.points.size(), point_name(point)));
    try {
      if (reference) {
        const Reference::Found found = reference->at(point.corner, point.supply, point.temperature);
        point.unit_current = found.current;
        point.reference_power = found.power;
        check_awake(point, sized.unit_current);
      }
      design::Design there = design;
      there.compiled = at_unit_current(design.compiled, point.unit_current);
      there.conditions = {point.corner, point.supply, point.temperature};
      ClipFiles files;
      if (!request.folder.empty()) files.records = request.folder / "points" / point_name(point);
      take(verify(there, files, reporter), result.clips, point);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kSimulator) throw;
      point.failed = design.clips;
      point.error = error.what();
      reporter.warning(fmt::format("{}: {}", point_name(point), error.what()));
    }
  }
  count_corners(result);
  return result;
}

}  // namespace hysteron::studies
