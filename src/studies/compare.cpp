#include "studies/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "compile/clip_bench.h"
#include "data/measured.h"
#include "data/npy.h"
#include "design/circuit_report.h"
#include "design/finite_or_null.h"

namespace hysteron::studies {
namespace {

using Json = nlohmann::ordered_json;
using design::finite_or_null;

/// Mean of a curve over the frames of its clip, by readings at 20 places of each.
double mean_of(const analysis::Curve& curve, const analysis::MeasuredClip& clip) {
  constexpr std::size_t kPlaces = 20;
  double sum = 0.0;
  for (std::size_t t = 0; t < clip.read.frames; ++t) {
    for (std::size_t i = 0; i < kPlaces; ++i) {
      sum += curve.at(clip.time_of(t, (static_cast<double>(i) + 0.5) / kPlaces));
    }
  }
  return sum / static_cast<double>(clip.read.frames * kPlaces);
}

/// RMS of a signal over all frames over the software's, the median over all signals that were measured and are not
/// silent in software; 1 where there are none.
double level_ratio(const std::vector<analysis::MeasuredClip>& clips) {
  std::vector<double> ratios;
  const auto add = [&](bool measured, std::size_t clip, const auto& read, const auto& target) {
    if (!measured) return;
    double squares[2] = {0.0, 0.0};
    for (std::size_t t = 0; t < clips[clip].read.frames; ++t) {
      squares[0] += std::pow(static_cast<double>(read(t)), 2);
      squares[1] += std::pow(static_cast<double>(target(t)), 2);
    }
    if (squares[1] > 0.0) ratios.push_back(std::sqrt(squares[0] / squares[1]));
  };
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const analysis::MeasuredClip& clip = clips[i];
    for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
      for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
        add(
            static_cast<bool>(clip.candidates[l][j]), i, [&](std::size_t t) { return clip.read.candidate(l, t, j); },
            [&](std::size_t t) { return clip.software.candidate(l, t, j); });
        add(
            static_cast<bool>(clip.states[l][j]), i, [&](std::size_t t) { return clip.read.state(l, t, j); },
            [&](std::size_t t) { return clip.software.state(l, t, j); });
      }
    }
    for (std::size_t k = 0; k < clip.logits.size(); ++k) {
      const auto at = [&](const model::Trace& trace, std::size_t t) { return trace.logits[t * trace.outputs + k]; };
      add(
          static_cast<bool>(clip.logits[k]), i, [&](std::size_t t) { return at(clip.read, t); },
          [&](std::size_t t) { return at(clip.software, t); });
    }
  }
  if (ratios.empty()) return 1.0;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

std::optional<compile::Power> power_of(const std::vector<analysis::MeasuredClip>& clips,
                                       const CompareRequest& request) {
  if (!request.supply) return std::nullopt;
  compile::Power power;
  const double watt = *request.supply * request.scale.unit_current / static_cast<double>(clips.size());
  for (const analysis::MeasuredClip& clip : clips) {
    if (!clip.supply || !clip.cell_supply) return std::nullopt;
    power.feedforward += watt * mean_of(clip.supply, clip);
    power.cells += watt * mean_of(clip.cell_supply, clip);
  }
  power.total = power.feedforward + power.cells;
  return power;
}

Json interval_json(const analysis::Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return nullptr;
  return Json::array({interval.low, interval.high});
}

Json estimate_json(const analysis::Estimate& estimate) {
  return {{"value", finite_or_null(estimate.value)}, {"ci95", interval_json(estimate.interval)}};
}

void add_agreement(const analysis::MeasuredAgreement& agreement, Json& json) {
  const std::pair<const char*, const analysis::Estimate*> figures[] = {
      {"decision_agreement", &agreement.decision_agreement},
      {"frame_agreement", &agreement.frame_agreement},
      {"state_mismatch", &agreement.state_mismatch},
      {"candidate_rms", &agreement.candidate_rms},
      {"candidate_relative_rms", &agreement.candidate_relative_rms},
      {"state_rms", &agreement.state_rms},
      {"state_relative_rms", &agreement.state_relative_rms},
      {"logit_rms", &agreement.logit_rms}};
  json["clips"] = agreement.clips;
  for (const auto& [name, estimate] : figures) json[name] = finite_or_null(estimate->value);
  json["candidate_max"] = finite_or_null(agreement.candidate_max);
  json["state_max"] = finite_or_null(agreement.state_max);
  for (const auto& [name, estimate] : figures) json["ci95"][name] = interval_json(estimate->interval);
  json["blocks"] = agreement.blocks;
}

Json growth_json(const analysis::ErrorGrowth& growth) {
  return {{"state_error_rms", estimate_json(growth.rms)},
          {"square_per_frame", estimate_json(growth.slope)},
          {"growth", estimate_json(growth.growth)},
          {"holds", growth.holds},
          {"longest_frames", growth.longest}};
}

Json suppression_json(const analysis::MeasuredSuppression& suppression) {
  Json cells = Json::array();
  for (const analysis::CellSuppression& cell : suppression.cells) {
    cells.push_back({{"layer", cell.layer},
                     {"cell", cell.cell},
                     {"state", cell.on ? "on" : "off"},
                     {"ratio", finite_or_null(cell.ratio.value)},
                     {"ci95", interval_json({cell.ratio.low, cell.ratio.high})},
                     {"holds", cell.holds}});
  }
  return cells;
}

Json cells_json(const analysis::ThresholdFit& thresholds, const model::Network& network) {
  Json cells = Json::array();
  for (const analysis::CellConstants& cell : thresholds.cells) {
    const model::Layer& layer = network.layers[cell.layer];
    const auto j = static_cast<Eigen::Index>(cell.cell);
    cells.push_back({{"layer", cell.layer},
                     {"cell", cell.cell},
                     {"beta_hi", layer.beta_hi[j]},
                     {"beta_lo", layer.beta_lo[j]},
                     {"alpha", layer.alpha[j]},
                     {"rise", estimate_json(cell.rise)},
                     {"fall", estimate_json(cell.fall)},
                     {"high", estimate_json(cell.high)},
                     {"low", estimate_json(cell.low)},
                     {"rises", cell.rises},
                     {"falls", cell.falls}});
  }
  return cells;
}

Json speed_json(const analysis::SpeedLaw& law) {
  return {{"coefficient", law.coefficient}, {"exponent", law.exponent}, {"residual", finite_or_null(law.residual)}};
}

Json rails_json(const std::vector<analysis::RailConstants>& rails) {
  Json json = Json::array();
  for (const analysis::RailConstants& rail : rails) {
    const std::string name = rail.is_logit ? fmt::format("logit[{}]", rail.index)
                                           : fmt::format("layers.{}.candidate[{}]", rail.layer, rail.index);
    json.push_back({{"rail", name},
                    {"gain", estimate_json(rail.gain)},
                    {"offset", estimate_json(rail.offset)},
                    {"frames", rail.frames}});
  }
  return json;
}

}  // namespace

Comparison compare(const model::Network& network, const data::Features& features, const CompareRequest& request) {
  if (request.measured.size() != request.clips.size()) {
    throw bad_input(fmt::format("{} files of waveforms and {} clips; expected one file a clip", request.measured.size(),
                                request.clips.size()));
  }
  std::vector<data::MeasuredRecord> records;
  for (const auto& path : request.measured) records.push_back(data::read_measured(path, network.frame_seconds));
  std::vector<analysis::MeasuredClip> clips;
  Comparison result;
  for (std::size_t i = 0; i < records.size(); ++i) {
    clips.push_back(analysis::align(records[i], network, features.clip(request.clips[i]), request.scale));
    result.begins.push_back(clips.back().begin);
  }
  result.agreement = analysis::measure_agreement(clips, network, request.seed);
  result.growth = analysis::measure_growth(clips, network, request.seed);
  result.suppression = analysis::measure_chip_suppression(clips, network, request.seed);
  result.thresholds = analysis::fit_thresholds(clips, network);
  result.rails = analysis::fit_rails(clips, network, features, request.clips, request.seed);
  result.fit = analysis::fit_parameters(clips, result.thresholds, network, features, request.clips);
  result.level_ratio = level_ratio(clips);
  result.power = power_of(clips, request);
  return result;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison, const model::Network& network) {
  Json json;
  add_agreement(comparison.agreement, json);
  json["begin_seconds"] = comparison.begins;
  json["power_nw"] = comparison.power ? Json(design::power_json(*comparison.power)) : Json(nullptr);
  json["claims"] = {{"as_software", name_of(comparison.agreement.as_software)},
                    {"errors_do_not_grow", name_of(comparison.growth.bounded)},
                    {"suppression_at_least_20", name_of(comparison.suppression.claim)}};
  json["growth"] = growth_json(comparison.growth);
  json["suppression"] = suppression_json(comparison.suppression);
  json["cells"] = cells_json(comparison.thresholds, network);
  json["switching"] = {{"set", speed_json(comparison.thresholds.sets)},
                       {"reset", speed_json(comparison.thresholds.resets)}};
  json["rails"] = rails_json(comparison.rails);
  json["fit"] = {{"frames", comparison.fit.frames},
                 {"rms_before", finite_or_null(comparison.fit.before)},
                 {"rms_after", finite_or_null(comparison.fit.after)},
                 {"missing", comparison.fit.missing}};
  return json;
}

void write_die(const std::filesystem::path& path, const Comparison& comparison, const model::Network& network,
               const std::string& name) {
  const Json more = {{"cells", cells_json(comparison.thresholds, network)},
                     {"rails", rails_json(comparison.rails)},
                     {"missing", comparison.fit.missing}};
  model::write_die_file(path, comparison.fit.errors, network, name, more);
}

nlohmann::ordered_json write_stimulus(const std::filesystem::path& folder, const analysis::Stimulus& stimulus,
                                      const model::Network& network, const BenchTiming& timing) {
  const data::Features& features = stimulus.features;
  const double frame = network.frame_seconds;
  const double ramp = std::min(timing.input_ramp, frame);
  std::string csv = "time (s)";
  for (std::size_t j = 0; j < features.width; ++j)
    csv += fmt::format(",input[{0}].positive (nA),input[{0}].negative (nA)", j);
  csv += "\n";
  const auto line = [&](double time, std::size_t t) {
    fmt::format_to(std::back_inserter(csv), "{:.9g}", time);
    for (std::size_t j = 0; j < features.width; ++j) {
      const double current = features.values[t * features.width + j] * timing.unit_current / kNano;
      // 0.0 first: of two zeros the first is taken, and -0 is no current of a bench.
      fmt::format_to(std::back_inserter(csv), ",{:.7g},{:.7g}", std::max(0.0, current), std::max(0.0, -current));
    }
    csv += "\n";
  };
  line(0.0, 0);
  for (std::size_t t = 1; t < features.frames; ++t) {
    if (ramp < frame || t == 1) line(static_cast<double>(t) * frame, t - 1);
    line(static_cast<double>(t) * frame + ramp, t);
  }
  if (ramp < frame) line(static_cast<double>(features.frames) * frame, features.frames - 1);
  const auto ramps = [](const std::vector<analysis::StimulusRamp>& list) {
    Json json = Json::array();
    for (const analysis::StimulusRamp& at : list) {
      json.push_back({{"layer", at.layer},
                      {"cell", at.cell},
                      {"threshold", at.sets ? "rise" : "fall"},
                      {"first_frame", at.begin},
                      {"frames", at.frames}});
    }
    return json;
  };
  Json json = {{"frames", features.frames},
               {"inputs", features.width},
               {"frame_seconds", frame},
               {"seconds", static_cast<double>(features.frames) * frame},
               {"unit_current_a", timing.unit_current},
               {"input_ramp_s", ramp},
               {"reset_s", compile::kResetShare * frame},
               {"ramps", ramps(stimulus.ramps)},
               {"unreached", ramps(stimulus.unreached)}};
  make_directories(folder);
  data::write_npy(folder / "stimulus.npy", features);
  write_file(folder / "stimulus.csv", csv);
  write_file(folder / "stimulus.json", json.dump(1) + "\n");
  return json;
}

}  // namespace hysteron::studies
