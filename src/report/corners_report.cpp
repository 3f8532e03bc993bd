#include "report/corners_report.h"

#include <limits>

#include "base/units.h"
#include "report/circuit_tables.h"

namespace hysteron::report {
namespace {

using studies::CornerClip;
using studies::CornerPoint;
using studies::Corners;

bool has_result(const CornerPoint& point) { return point.agreement.clips > 0; }

/// A figure of the agreement; NaN where no clip has a result.
template <double analysis::Agreement::*kFigure>
double agreement_figure(const CornerPoint& point) {
  return has_result(point) ? point.agreement.*kFigure : std::numeric_limits<double>::quiet_NaN();
}

const Table<CornerPoint>& point_table() {
  using analysis::Agreement;
  static const auto table =
      Table<CornerPoint>()
          .figure("corner", "of the process", &CornerPoint::corner)
          .figure("supply_v", "V", "", &CornerPoint::supply)
          .figure("temperature_c", "C", "", &CornerPoint::temperature)
          .figure("counted", "whether the worst case counts it", &CornerPoint::counted)
          .figure("unit_current_a", "A", "of the reference there", &CornerPoint::unit_current)
          .figure("reference_nw", "nW", Better::kLower, "power of the reference of transistors",
                  [](const CornerPoint& point) { return point.reference_power / kNano; })
          .figure("clips", Better::kHigher, "with a result",
                  [](const CornerPoint& point) { return point.agreement.clips; })
          .figure("lost_clips", "indices of clips that decide otherwise than the model as given", &CornerPoint::lost)
          .figure("failed_clips", "indices of clips without a result", &CornerPoint::failed)
          .figure("decision_agreement", Better::kHigher,
                  "share of the clips that decide as the model as given does; one that failed does not",
                  &CornerPoint::decision_agreement)
          .figure("frame_agreement", Better::kHigher, "null: no clip has a result",
                  agreement_figure<&Agreement::frame_agreement>)
          .figure("state_mismatch", Better::kLower, "as above", agreement_figure<&Agreement::state_mismatch>)
          .figure("candidate_relative_rms", Better::kLower, "as above",
                  agreement_figure<&Agreement::candidate_relative_rms>)
          .figure("power_nw", "nW",
                  "`total`, `cells` and `feedforward` without the reference, mean over clips; null as above",
                  [](const CornerPoint& point) {
                    return has_result(point) ? power_table().json(point.agreement.power) : Json(nullptr);
                  })
          .figure("error", "why the point could not be simulated; of such points alone", [](const CornerPoint& point) {
            return point.error.empty() ? std::nullopt : std::optional(point.error);
          });
  return table;
}

const Table<CornerClip>& clip_table() {
  static const auto table =
      Table<CornerClip>()
          .figure("clip", "index", &CornerClip::clip)
          .figure("software", "decision of the model as given, index of the label", &CornerClip::decision)
          .figure("margin_votes", "votes that it is ahead of the next label", &CornerClip::votes_ahead)
          .figure("lost_points", Better::kLower, "counted points at which it decides otherwise or failed",
                  &CornerClip::lost_points);
  return table;
}

const CornerPoint& worst_of(const Corners& corners) { return corners.points[corners.worst]; }

std::string points_text(const Corners& corners) {
  std::string text = fmt::format("{:<8}{:>8}{:>9}{:>10}{:>12}{:>9}{:>11}{:>12}\n", "corner", "supply", "temp", "unit",
                                 "decisions", "frames", "bits wrong", "power");
  for (const CornerPoint& point : corners.points) {
    const auto figure = [&](double value) {
      return has_result(point) ? fmt::format("{:.4f}", value) : std::string("-");
    };
    text += fmt::format("{:<8}{:>6.3g} V{:>7g} C{:>10}{:>12}{:>9}{:>11}{:>12}  {}\n", point.corner, point.supply,
                        point.temperature, format_si(point.unit_current, "A"),
                        fmt::format("{} of {}", point.agreement.clips - point.lost.size(), corners.clips.size()),
                        figure(point.agreement.frame_agreement), figure(point.agreement.state_mismatch),
                        has_result(point) ? format_si(point.agreement.power.total, "W") : "-",
                        point.counted ? "" : "beside");
  }
  return text;
}

std::string lost_text(const Corners& corners) {
  std::string text;
  for (const CornerClip& clip : corners.clips) {
    if (clip.lost_points == 0) continue;
    text += fmt::format("lost                clip {} at {} counted points; software decides it by {} votes\n",
                        clip.clip, clip.lost_points, clip.votes_ahead);
  }
  return text;
}

std::string worst_text(const Corners& corners) {
  const CornerPoint& worst = worst_of(corners);
  return fmt::format("worst               {}, {:.3g} V, {:g} C: {:.4f} of decisions, {:.4f} of frames\n", worst.corner,
                     worst.supply, worst.temperature, worst.decision_agreement, worst.agreement.frame_agreement);
}

}  // namespace

const Table<Corners>& corners_table() {
  static const auto table =
      Table<Corners>()
          .merge(operating_point_table(), &Corners::operating_point)
          .list("points", "every corner, supply and temperature", point_table(), &Corners::points)
          .text(points_text)
          .figure("counted_points", "of them", &Corners::counted_points)
          .figure("clips", "at every point", [](const Corners& corners) { return corners.clips.size(); })
          .figure("decision_agreement", Better::kHigher,
                  "share of clips over the counted points that decide as the model as given does; one that failed does "
                  "not",
                  &Corners::decision_agreement)
          .text([](const Corners& corners) {
            return fmt::format("\ndecision agreement  {:.4f} over the counted points\n", corners.decision_agreement);
          })
          .list("per_clip", "every clip over the points", clip_table(), &Corners::clips)
          .text(lost_text)
          .object("worst", "the counted point with the fewest right decisions, then the lowest frame agreement",
                  point_table(), worst_of)
          .text(worst_text)
          .figure("failed_clips", Better::kLower, "runs without a result", &Corners::failed)
          .figure("reference_nw", "nW", Better::kLower, "power of the reference of transistors where it was sized",
                  [](const Corners& corners) { return corners.reference_power / kNano; })
          .text([](const Corners& corners) {
            if (corners.reference_power <= 0.0) return std::string();
            return fmt::format("reference           {} beside the circuit's own power\n",
                               format_si(corners.reference_power, "W"));
          })
          .merge(prepared_model_table().without_text(), &Corners::prepared);
  return table;
}

}  // namespace hysteron::report
