#include "analysis/measured_clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/units.h"
#include "compile/clip_bench.h"

namespace hysteron::analysis {
namespace {

constexpr std::array kPlaces = {0.1, 0.3, 0.5, 0.7, compile::kReadAt};  // of a frame at which alignment looks
constexpr double kSwitched = 0.5;   // of a frame, after which most cells have switched
constexpr std::size_t kRamps = 11;  // shares of a frame that inputs may take to their new values, from 0 to 1
constexpr double kSlack = 0.5;      // frames that a record may be longer before its beginning is looked for
constexpr double kCoarse = 0.25;    // steps of that search, frames
constexpr double kFine = 0.025;
constexpr std::size_t kLooks = 200;  // frames that it looks at
constexpr std::size_t kFineLooks = 2000;
// Frames that rails are behind the inputs by, about. Readings a little early are those of a settled frame or little off
// a slow ramp; late ones are of the next frame.
constexpr double kBehind = 0.15;
constexpr double kRounding = 1e-6;   // frames
constexpr double kUnitSlack = 1e-6;  // relative, for what was rounded when written

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
  if (record.unit_current && std::abs(*record.unit_current / scale.unit_current - 1.0) > kUnitSlack) {
    throw bad_input(
        fmt::format("{}: is of a circuit with a unit current of {}; expected {}, the unit_current that was given",
                    quoted(record.origin), format_si(*record.unit_current, "A"), format_si(scale.unit_current, "A")));
  }
  const auto known = places(clip);
  bool any = false;
  for (const data::MeasuredSignal& signal : record.signals) {
    const auto found = known.find(signal.name);
    if (found == known.end()) {
      refuse(
          record, signal,
          fmt::format(
              "is not a signal of the model; expected layers.L.candidate[J], layers.L.state[J] with L below {} and J "
              "below {}, logit[K] with K below {}, supply or cell_supply",
              clip.candidates.size(), clip.read.cells, clip.logits.size()));
    }
    if (found->second == nullptr) {
      if (!signal.is_voltage) refuse(record, signal, "is a current; expected a voltage");
      continue;
    }
    double factor = 1.0 / scale.unit_current;
    if (signal.is_voltage) {
      if (!scale.transresistance) refuse(record, signal, "is a voltage; expected a current, or a transresistance");
      factor /= *scale.transresistance;
    }
    *found->second = Curve(signal, factor);
    any = true;
  }
  if (!any) throw bad_input(fmt::format("{}: holds no candidate, state or logit", quoted(record.origin)));
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

/// Readings y of a curve at one place of many frames, x0 what software has in the frame before and d how far it is from
/// there to this frame: sums, by which y can be fitted to x0 + w d for any w.
struct WaySums {
  double count = 0.0, y = 0.0, yy = 0.0, last = 0.0, way = 0.0;
  double last_last = 0.0, last_way = 0.0, way_way = 0.0, y_last = 0.0, y_way = 0.0;

  void add(double reading, double from, double to) {
    const double d = to - from;
    count += 1.0;
    y += reading;
    yy += reading * reading;
    last += from;
    way += d;
    last_last += from * from;
    last_way += from * d;
    way_way += d * d;
    y_last += reading * from;
    y_way += reading * d;
  }
};

struct CurveSums {
  std::array<WaySums, kPlaces.size()> places;
  bool jumps = false;  // a state: it is not on its way, and not read before it has had time to switch
};

/// Mean squares of a curve's distance from its mean, and those of it that stay when software is fitted to it by a gain,
/// not below zero, and an offset.
struct Variance {
  double all = 0.0;
  double left = 0.0;
};

/// `ramp`: of a frame, for which values are on their way to what they then are.
Variance variance(const CurveSums& curve, double ramp) {
  double count = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0;
  for (std::size_t p = 0; p < kPlaces.size(); ++p) {
    const WaySums& sums = curve.places[p];
    const double there = curve.jumps ? 1.0 : std::min(1.0, kPlaces[p] / ramp);
    count += sums.count;
    x += sums.last + there * sums.way;
    y += sums.y;
    xx += sums.last_last + 2.0 * there * sums.last_way + there * there * sums.way_way;
    xy += sums.y_last + there * sums.y_way;
    yy += sums.yy;
  }
  if (count == 0.0) return {};
  const double target = xx - x * x / count;
  const double together = std::max(0.0, xy - x * y / count);
  const double all = std::max(0.0, yy - y * y / count);
  const double explained = target > 0.0 ? together * together / target : 0.0;
  return {all / count, std::max(0.0, all - explained) / count};
}

/// Whether a candidate or a logit was measured.
bool has_rails(const MeasuredClip& clip) {
  bool any =
      std::any_of(clip.logits.begin(), clip.logits.end(), [](const Curve& curve) { return static_cast<bool>(curve); });
  for (const auto& layer : clip.candidates)
    any = any || std::any_of(layer.begin(), layer.end(), [](const Curve& curve) { return static_cast<bool>(curve); });
  return any;
}

/// Of all curves, at every `step`th frame. States are looked at where they are read, and where there is nothing else,
/// which would leave a whole frame open, from the middle of a frame on.
std::vector<CurveSums> curve_sums(const MeasuredClip& clip, std::size_t step) {
  const model::Trace& software = clip.software;
  const double settled = has_rails(clip) ? compile::kReadAt : kSwitched;
  std::vector<CurveSums> result;
  const auto add_curve = [&](const Curve& curve, bool jumps, const auto& value_at) {
    if (!curve) return;
    CurveSums& sums = result.emplace_back();
    sums.jumps = jumps;
    for (std::size_t t = 0; t < software.frames; t += step) {
      for (std::size_t p = 0; p < kPlaces.size(); ++p) {
        if (jumps && kPlaces[p] < settled) continue;
        sums.places[p].add(curve.at(clip.time_of(t, kPlaces[p])), value_at(t == 0 ? t : t - 1), value_at(t));
      }
    }
  };
  for (std::size_t l = 0; l < clip.candidates.size(); ++l) {
    for (std::size_t j = 0; j < clip.candidates[l].size(); ++j) {
      add_curve(clip.candidates[l][j], false, [&](std::size_t t) { return software.candidate(l, t, j); });
      add_curve(clip.states[l][j], true, [&](std::size_t t) { return software.state(l, t, j); });
    }
  }
  for (std::size_t k = 0; k < clip.logits.size(); ++k)
    add_curve(clip.logits[k], false, [&](std::size_t t) { return software.logits[t * software.outputs + k]; });
  return result;
}

/// The share of the variance of all curves that software leaves unexplained if frame 0 begins at clip.begin, with the
/// ramp of the inputs that fits best; 1 for curves that stand still. Looks at about `looks` frames.
double misfit(const MeasuredClip& clip, std::size_t looks) {
  const std::vector<CurveSums> curves = curve_sums(clip, std::max<std::size_t>(1, clip.software.frames / looks));
  double least = 1.0;
  for (std::size_t i = 0; i < kRamps; ++i) {
    const double ramp = static_cast<double>(i) / (kRamps - 1);
    Variance sum;
    for (const CurveSums& curve : curves) {
      const Variance own = variance(curve, ramp);
      sum.all += own.all;
      sum.left += own.left;
    }
    if (sum.all > 0.0) least = std::min(least, sum.left / sum.all);
  }
  return least;
}

void search(MeasuredClip& clip, double from, double to, double step, std::size_t looks) {
  double best = from;
  double least = std::numeric_limits<double>::infinity();
  const auto steps = static_cast<std::size_t>(std::floor((to - from) / step + kRounding));
  for (std::size_t i = 0; i <= steps; ++i) {
    clip.begin = from + static_cast<double>(i) * step;
    const double found = misfit(clip, looks);
    // Of beginnings that fit alike the last: readings are late in a frame, when cells have switched.
    if (found > least) continue;
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
        fmt::format("{}: the record spans {:.9g} s to {:.9g} s; expected {} frames of {:.6g} s starting at {:.9g} s, "
                    "the last of them ending at {:.9g} s",
                    quoted(record.origin), first, last, clip.software.frames, frame, begin, begin + needed));
  }
  clip.begin = begin;
  if (scale.begin || last - first <= needed + kSlack * frame) return;
  const double latest = last - needed;
  search(clip, first, latest, kCoarse * frame, kLooks);
  search(clip, std::max(first, clip.begin - kCoarse * frame), std::min(latest, clip.begin + kCoarse * frame),
         kFine * frame, kFineLooks);
  if (has_rails(clip)) clip.begin = std::max(first, clip.begin - kBehind * frame);
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
        clip.bits[place] =
            model::is_on(read.states[place], network.layers[l].alpha[static_cast<Eigen::Index>(j)]) ? 1 : 0;
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
