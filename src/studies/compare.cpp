#include "studies/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "compile/clip_bench.h"
#include "data/measured.h"
#include "data/npy.h"

namespace hysteron::studies {
namespace {

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

std::vector<ComparedCell> beside_model(const std::vector<analysis::CellConstants>& cells,
                                       const model::Network& network) {
  std::vector<ComparedCell> compared;
  for (const analysis::CellConstants& cell : cells) {
    const model::Layer& layer = network.layers[cell.layer];
    const auto j = static_cast<Eigen::Index>(cell.cell);
    compared.push_back({cell, layer.beta_hi[j], layer.beta_lo[j], layer.alpha[j]});
  }
  return compared;
}

/// How many cells could be on, and how many of them were often enough.
void count_suppression(Comparison& result) {
  for (const analysis::CellSuppression& cell : result.suppression.cells) {
    if (!cell.on) continue;
    ++result.suppression_cells;
    result.suppression_known += std::isfinite(cell.ratio.low) && std::isfinite(cell.ratio.high) ? 1 : 0;
  }
}

std::string stimulus_csv(const data::Features& features, double frame, double ramp, double unit_current) {
  std::string csv = "time (s)";
  for (std::size_t j = 0; j < features.width; ++j)
    csv += fmt::format(",input[{0}].positive (nA),input[{0}].negative (nA)", j);
  csv += "\n";
  const auto line = [&](double time, std::size_t t) {
    fmt::format_to(std::back_inserter(csv), "{:.9g}", time);
    for (std::size_t j = 0; j < features.width; ++j) {
      const double current = features.values[t * features.width + j] * unit_current / kNano;
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
  return csv;
}

}  // namespace

Comparison compare(const model::Network& network, const data::Features& features, const CompareRequest& request) {
  if (request.measured.size() != request.clips.size()) {
    throw bad_input(fmt::format("{} waveform files and {} clips; expected one file per clip", request.measured.size(),
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
  count_suppression(result);
  const analysis::ThresholdFit thresholds = analysis::fit_thresholds(clips, network);
  result.cells = beside_model(thresholds.cells, network);
  result.sets = thresholds.sets;
  result.resets = thresholds.resets;
  result.rails = analysis::fit_rails(clips, network, features, request.clips, request.seed);
  result.fit = analysis::fit_parameters(clips, thresholds, network, features, request.clips);
  result.level_ratio = level_ratio(clips);
  result.power = power_of(clips, request);
  return result;
}

WrittenStimulus write_stimulus(const std::filesystem::path& folder, const analysis::Stimulus& stimulus,
                               const model::Network& network, const BenchTiming& timing) {
  const data::Features& features = stimulus.features;
  const double frame = network.frame_seconds;
  const double ramp = std::min(timing.input_ramp, frame);
  make_directories(folder);
  data::write_npy(folder / "stimulus.npy", features);
  write_file(folder / "stimulus.csv", stimulus_csv(features, frame, ramp, timing.unit_current));
  return {folder,
          features.frames,
          features.width,
          frame,
          static_cast<double>(features.frames) * frame,
          timing.unit_current,
          ramp,
          compile::kResetShare * frame,
          stimulus.ramps,
          stimulus.unreached};
}

}  // namespace hysteron::studies
