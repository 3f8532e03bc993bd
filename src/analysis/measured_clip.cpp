#include "hysteron/analysis/measured_clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "hysteron/base/error.h"
#include "hysteron/compile/clip_bench.h"

namespace hysteron::analysis {
namespace {

constexpr double kEarly = 0.3;    // second place of a frame at which alignment looks
constexpr double kSlack = 0.5;    // frames that a record may be longer before its beginning is looked for
constexpr double kCoarse = 0.25;  // steps of that search, frames
constexpr double kFine = 0.025;
constexpr std::size_t kLooks = 200;  // frames that it looks at
constexpr double kRounding = 1e-6;   // frames

[[noreturn]] void refuse(const data::MeasuredRecord& record, const data::MeasuredSignal& signal,
                         const std::string& problem) {
  throw bad_input(fmt::format("{}: {} ({}) {}", quoted(record.origin), signal.place, quoted(signal.name), problem));
}

/// Where in a clip a signal of each name goes; null: it is known and of no use here.
std::map<std::string, Curve*> places(MeasuredClip& clip) {
  std::map<std::string, Curve*> result;
  for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
    for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
      result[fmt::format("layers.{}.candidate[{}]", l, j)] = &clip.candidates[l][j];
      result[fmt::format("layers.{}.state[{}]", l, j)] = &clip.states[l][j];
      result[fmt::format("layers.{}.v0[{}]", l, j)] = nullptr;
    }
  }
  for (std::size_t k = 0; k < clip.logits.size(); ++k) result[fmt::format("logit[{}]", k)] = &clip.logits[k];
  result["supply"] = &clip.supply;
  result["cell_supply"] = &clip.cell_supply;
  return result;
}

void put_signals(const data::MeasuredRecord& record, const BenchScale& scale, MeasuredClip& clip) {
  const auto known = places(clip);
  bool any = false;
  for (const data::MeasuredSignal& signal : record.signals) {
    const auto found = known.find(signal.name);
    if (found == known.end()) {
      refuse(record, signal,
             fmt::format(
                 "is no signal of the model; expected layers.L.candidate[J], layers.L.state[J] with L below {} and J "
                 "below {}, logit[K] with K below {}, supply or cell_supply",
                 clip.candidates.size(), clip.read.cells, clip.logits.size()));
    }
    if (found->second == nullptr) {
      if (!signal.is_voltage) refuse(record, signal, "is a current; expected a voltage");
      continue;
    }
    double factor = 1.0 / scale.unit_current;
    if (signal.is_voltage) {
      if (!scale.transresistance) refuse(record, signal, "is a voltage; expected a current, or --transresistance");
      factor /= *scale.transresistance;
    }
    *found->second = Curve(signal, factor);
    any = true;
  }
  if (!any)
    throw bad_input(
        fmt::format("{}: there is neither a candidate nor a state nor a logit in it", quoted(record.origin)));
}

template <typename Visit>
void for_each_curve(const MeasuredClip& clip, const Visit& visit) {
  for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
    for (const Curve& curve : clip.candidates[l]) visit(curve);
    for (const Curve& curve : clip.states[l]) visit(curve);
  }
  for (const Curve& curve : clip.logits) visit(curve);
  visit(clip.supply);
  visit(clip.cell_supply);
}

/// Squares of what candidates and logits are off the software's, if frame 0 began at clip.begin.
double misfit(const MeasuredClip& clip) {
  const model::Trace& software = clip.software;
  const std::size_t step = std::max<std::size_t>(1, software.frames / kLooks);
  double sum = 0.0;
  for (std::size_t t = 0; t < software.frames; t += step) {
    for (const double place : {kEarly, compile::kReadAt}) {
      const double when = clip.time_of(t, place);
      const auto add = [&](const Curve& curve, double wanted) {
        if (!curve) return;
        const double error = curve.at(when) - wanted;
        sum += error * error;
      };
      for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
        for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
          add(clip.candidates[l][j], software.candidate(l, t, j));
          add(clip.states[l][j], software.state(l, t, j));
        }
      }
      for (std::size_t k = 0; k < clip.logits.size(); ++k)
        add(clip.logits[k], software.logits[t * software.outputs + k]);
    }
  }
  return sum;
}

void search(MeasuredClip& clip, double from, double to, double step) {
  double best = from;
  double least = std::numeric_limits<double>::infinity();
  const auto steps = static_cast<std::size_t>(std::floor((to - from) / step + kRounding));
  for (std::size_t i = 0; i <= steps; ++i) {
    clip.begin = from + static_cast<double>(i) * step;
    const double found = misfit(clip);
    if (found >= least) continue;
    least = found;
    best = clip.begin;
  }
  clip.begin = best;
}

void find_beginning(const data::MeasuredRecord& record, const BenchScale& scale, MeasuredClip& clip) {
  double first = -std::numeric_limits<double>::infinity();
  double last = std::numeric_limits<double>::infinity();
  for_each_curve(clip, [&](const Curve& curve) {
    if (!curve) return;
    first = std::max(first, curve.time().front());
    last = std::min(last, curve.time().back());
  });
  const double frame = clip.frame_seconds;
  const double needed = (static_cast<double>(clip.software.frames) - 1.0 + compile::kReadAt - kRounding) * frame;
  const double begin = scale.begin.value_or(first);
  if (begin < first - kRounding * frame || begin + needed > last) {
    throw bad_input(
        fmt::format("{}: the record goes from {:.6g} s to {:.6g} s; expected {} frames of {:.6g} s from {:.6g} s on",
                    quoted(record.origin), first, last, clip.software.frames, frame, begin));
  }
  clip.begin = begin;
  if (scale.begin || last - first <= needed + kSlack * frame) return;
  const double latest = last - needed;
  search(clip, first, latest, kCoarse * frame);
  search(clip, std::max(first, clip.begin - kCoarse * frame), std::min(latest, clip.begin + kCoarse * frame),
         kFine * frame);
}

void read_frames(const model::Network& network, MeasuredClip& clip) {
  model::Trace& read = clip.read;
  for (std::size_t t = 0; t < read.frames; ++t) {
    const double when = clip.time_of(t, compile::kReadAt);
    for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
      for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
        const std::size_t place = (l * read.frames + t) * read.cells + j;
        if (clip.candidates[l][j]) read.candidates[place] = static_cast<float>(clip.candidates[l][j].at(when));
        if (clip.states[l][j]) read.states[place] = static_cast<float>(clip.states[l][j].at(when));
        clip.bits[place] = read.states[place] > 0.5F * network.layers[l].alpha[static_cast<Eigen::Index>(j)] ? 1 : 0;
      }
    }
    for (std::size_t k = 0; k < clip.logits.size(); ++k) {
      if (clip.logits[k]) read.logits[t * read.outputs + k] = static_cast<float>(clip.logits[k].at(when));
    }
  }
}

}  // namespace

double Curve::at(double when) const {
  const std::vector<double>& times = time();
  const auto after = std::lower_bound(times.begin(), times.end(), when);
  if (after == times.begin()) return value(0);
  if (after == times.end()) return value(times.size() - 1);
  const auto i = static_cast<std::size_t>(after - times.begin());
  const double share = (when - times[i - 1]) / (times[i] - times[i - 1]);
  return value(i - 1) + share * (value(i) - value(i - 1));
}

bool MeasuredClip::has_logits() const {
  return std::all_of(logits.begin(), logits.end(), [](const Curve& curve) { return static_cast<bool>(curve); });
}

MeasuredClip align(const data::MeasuredRecord& record, const model::Network& network, std::span<const float> features,
                   const BenchScale& scale) {
  MeasuredClip clip;
  clip.frame_seconds = network.frame_seconds;
  for (const model::Layer& layer : network.layers) {
    clip.candidates.emplace_back(layer.cells());
    clip.states.emplace_back(layer.cells());
  }
  clip.logits.resize(network.outputs());
  clip.software = model::run_clip(network, features);
  clip.read = clip.software;
  clip.bits.assign(clip.read.states.size(), 0);
  put_signals(record, scale, clip);
  find_beginning(record, scale, clip);
  read_frames(network, clip);
  return clip;
}

}  // namespace hysteron::analysis
