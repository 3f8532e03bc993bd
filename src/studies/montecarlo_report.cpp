#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "analysis/margin_fit.h"
#include "analysis/yield.h"
#include "base/random.h"
#include "studies/montecarlo.h"

namespace hysteron::studies {
namespace {

constexpr std::size_t kClose = 5;         // votes
constexpr std::size_t kResamples = 1000;  // of dies and clips

/// Successes among tries, with its interval.
struct Share {
  std::size_t good = 0;
  std::size_t all = 0;

  void add(bool success) {
    good += success ? 1 : 0;
    ++all;
  }
  nlohmann::json value() const {
    if (all == 0) return nullptr;
    return static_cast<double>(good) / static_cast<double>(all);
  }
  nlohmann::json interval() const {
    if (all == 0) return nullptr;
    const analysis::Interval interval = analysis::wilson_interval(good, all);
    return nlohmann::json::array({interval.low, interval.high});
  }
};

/// The share, or what is left of it; null of nothing.
nlohmann::json share_json(std::size_t part, std::size_t whole) {
  return whole == 0 ? nlohmann::json() : nlohmann::json(analysis::share_of(part, whole));
}
nlohmann::json rest_json(std::size_t part, std::size_t whole) {
  return whole == 0 ? nlohmann::json() : nlohmann::json(1.0 - analysis::share_of(part, whole));
}

nlohmann::json per_clip_json(const MonteCarlo& result, const model::Network& network) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t c = 0; c < result.references.size(); ++c) {
    const ClipReference& reference = result.references[c];
    Share yield;
    std::size_t wrong_frames = 0;
    for (const DieResult& die : result.dies) {
      if (die.clips[c].failed) continue;
      yield.add(die.clips[c].decision == reference.decision);
      wrong_frames += die.clips[c].wrong_frames;
    }
    list.push_back({{"clip", reference.clip},
                    {"software", network.labels[reference.decision]},
                    {"margin_votes", reference.margin},
                    {"dies", yield.all},
                    {"decision_yield", yield.value()},
                    {"ci95", yield.interval()},
                    {"frame_agreement", rest_json(wrong_frames, yield.all * reference.frames)}});
  }
  return list;
}

nlohmann::json per_die_json(const MonteCarlo& result) {
  nlohmann::json list = nlohmann::json::array();
  for (const DieResult& die : result.dies) {
    Share yield;
    double power = 0.0;
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (die.clips[c].failed) continue;
      yield.add(die.clips[c].decision == result.references[c].decision);
      power += die.clips[c].power;
    }
    nlohmann::json json = {
        {"seed", die.seed}, {"clips", yield.all}, {"decision_yield", yield.value()}, {"ci95", yield.interval()}};
    if (power > 0.0) json["power_nw"] = 1e9 * power / static_cast<double>(yield.all);
    if (result.trimming) json["trim_codes"] = die.codes;
    list.push_back(std::move(json));
  }
  return list;
}

/// Share of wrong bits of every cell, worst first.
nlohmann::json cells_json(const MonteCarlo& result, const model::Network& network) {
  std::size_t frames = 0;
  for (const DieResult& die : result.dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (!die.clips[c].failed) frames += result.references[c].frames;
    }
  }
  std::vector<nlohmann::json> cells;
  std::size_t index = 0;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    for (std::size_t j = 0; j < network.layers[l].cells(); ++j, ++index) {
      std::size_t wrong = 0;
      for (const DieResult& die : result.dies) wrong += die.wrong_bits[index];
      cells.push_back({{"layer", l}, {"cell", j}, {"state_mismatch", share_json(wrong, frames)}});
    }
  }
  std::stable_sort(cells.begin(), cells.end(),
                   [](const auto& a, const auto& b) { return a["state_mismatch"] > b["state_mismatch"]; });
  return cells;
}

/// Mean of as many of `shares` drawn with replacement.
double resampled_mean(const std::vector<double>& shares, Random& random) {
  double sum = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) sum += shares[random.below(shares.size())];
  return sum / static_cast<double>(shares.size());
}

/// What another draw of dies and of clips, won by `least` votes or more, would make of the yield: middle 95 % of the
/// yield and the departures from it of the mean over resampled clips and of that over resampled dies, to first order
/// the two-way bootstrap of crossed factors (A. B. Owen, Ann. Appl. Stat. 1, 2007). Null below two dies or clips;
/// without any width where nothing flips.
nlohmann::json resampled_interval(const std::vector<DieResult>& dies, const std::vector<ClipReference>& references,
                                  std::size_t least, double yield) {
  std::vector<Share> of_clips(references.size());
  std::vector<double> die_yields;
  for (const DieResult& die : dies) {
    Share own;
    for (std::size_t c = 0; c < references.size(); ++c) {
      if (die.clips[c].failed || references[c].margin < least) continue;
      own.add(die.clips[c].decision == references[c].decision);
      of_clips[c].add(die.clips[c].decision == references[c].decision);
    }
    if (own.all > 0) die_yields.push_back(analysis::share_of(own.good, own.all));
  }
  std::vector<double> clip_yields;
  for (const Share& share : of_clips) {
    if (share.all > 0) clip_yields.push_back(analysis::share_of(share.good, share.all));
  }
  if (die_yields.size() < 2 || clip_yields.size() < 2) return nullptr;
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double center = yield - mean(clip_yields) - mean(die_yields);
  Random random = Random(dies.front().seed).child("resampled yield", least);
  std::vector<double> yields;
  for (std::size_t i = 0; i < kResamples; ++i) {
    yields.push_back(center + resampled_mean(clip_yields, random) + resampled_mean(die_yields, random));
  }
  const analysis::Interval interval = analysis::middle_95(std::move(yields));
  return nlohmann::json::array({std::max(interval.low, 0.0), std::min(interval.high, 1.0)});
}

/// Yields and agreements of `dies` over all clips.
nlohmann::json figures_json(const std::vector<DieResult>& dies, const std::vector<ClipReference>& references,
                            std::size_t cells) {
  Share yield;
  Share clear;
  std::size_t frames = 0, wrong_frames = 0, bits = 0, wrong_bits = 0;
  for (const DieResult& die : dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      const ClipReference& reference = references[c];
      const DieClip& clip = die.clips[c];
      if (clip.failed) continue;
      yield.add(clip.decision == reference.decision);
      if (reference.margin >= kClose) clear.add(clip.decision == reference.decision);
      frames += reference.frames;
      wrong_frames += clip.wrong_frames;
      bits += reference.frames * cells;
      wrong_bits += clip.wrong_bits;
    }
  }
  return {
      {"decision_yield", yield.value()},
      {"ci95", yield.interval()},
      {"ci95_resampled", resampled_interval(dies, references, 0, analysis::share_of(yield.good, yield.all))},
      {"decision_yield_clear", clear.value()},
      {"ci95_clear", clear.interval()},
      {"ci95_clear_resampled", resampled_interval(dies, references, kClose, analysis::share_of(clear.good, clear.all))},
      {"frame_agreement", rest_json(wrong_frames, frames)},
      {"state_mismatch", share_json(wrong_bits, bits)}};
}

/// A number, or null where there is none.
nlohmann::json number(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(); }

nlohmann::json margin_fit_json(const MonteCarlo& result) {
  std::vector<analysis::ClipFlips> clips;
  for (std::size_t c = 0; c < result.references.size(); ++c) {
    const ClipReference& reference = result.references[c];
    analysis::ClipFlips clip;
    clip.margin = analysis::share_of(reference.margin, reference.frames);
    for (const DieResult& die : result.dies) {
      const bool has_result = !die.clips[c].failed;
      clip.tried.push_back(has_result ? 1 : 0);
      clip.flipped.push_back(has_result && die.clips[c].decision != reference.decision ? 1 : 0);
    }
    clips.push_back(std::move(clip));
  }
  const analysis::MarginFit fit = analysis::fit_margins(clips, result.dies.front().seed);
  const auto interval = [](const analysis::Interval& of) {
    return nlohmann::json::array({number(of.low), number(of.high)});
  };
  constexpr double kOnePercent = 2.3263478740408408;  // Q of it is 1 %
  return {{"offset", number(fit.law.offset)},
          {"offset_ci95", interval(fit.offset)},
          {"slope", number(fit.law.slope)},
          {"slope_ci95", interval(fit.slope)},
          {"margin_of_1_percent", number((kOnePercent - fit.law.offset) / fit.law.slope)},
          {"rms_error", number(fit.rms_error)},
          {"dispersion", number(fit.dispersion)},
          {"resamples", fit.resamples}};
}

nlohmann::json trim_json(const Trimming& trimming, const MonteCarlo& result, std::size_t cells) {
  // A binary DAC is a leg and a switch for every bit, and every bit is stored.
  constexpr std::size_t kTransistorsOfABit = 2;
  nlohmann::json legs = nlohmann::json::array();
  std::set<std::size_t> layers;
  for (const behavioural::TrimLeg& leg : trimming.legs) {
    layers.insert(leg.layer);
    legs.push_back(
        {{"parameter", fmt::format("layers.{}.{}[{}]", leg.layer, leg.is_width ? "delta" : "beta_hi", leg.cell)},
         {"device", leg.is_width ? "m8" : "m2"},
         {"wrong_bits_expected", leg.wrong_bits}});
  }
  std::size_t ends = 0;
  for (const DieResult& die : result.dies) {
    ends += std::count_if(die.codes.begin(), die.codes.end(),
                          [&](int code) { return code == trimming.dac.lowest() || code == trimming.dac.highest(); });
  }
  const std::size_t bits = trimming.dac.bits * trimming.legs.size();
  return {{"legs", legs},
          {"bits", trimming.dac.bits},
          {"step", trimming.dac.step},
          {"clips_played", trimming.clips},
          {"seconds_played", static_cast<double>(layers.size() * trimming.clips) * trimming.clip_seconds},
          {"extra_transistors", kTransistorsOfABit * bits},
          {"storage_bits", bits},
          {"codes_at_an_end", analysis::share_of(ends, result.dies.size() * trimming.legs.size())},
          {"before", figures_json(trimming.before, result.references, cells)}};
}

/// Pairs of die and clip without a result.
nlohmann::json failed_json(const MonteCarlo& result) {
  nlohmann::json failed = nlohmann::json::array();
  for (const DieResult& die : result.dies) {
    for (std::size_t c = 0; c < die.clips.size(); ++c) {
      if (!die.clips[c].failed) continue;
      failed.push_back({{"seed", die.seed}, {"clip", result.references[c].clip}, {"error", die.clips[c].error}});
    }
  }
  return failed;
}

nlohmann::json differing_json(const MonteCarlo& result) {
  nlohmann::json list = nlohmann::json::array();
  for (const DifferingPair& pair : result.differing) {
    list.push_back({{"seed", pair.seed},
                    {"clip", pair.reference.clip},
                    {"margin_votes", pair.reference.margin},
                    {"spice_votes", pair.spice_votes},
                    {"behavioural_votes", pair.behavioural_votes}});
  }
  return list;
}

}  // namespace

nlohmann::json montecarlo_json(const MonteCarlo& result, const model::Network& network) {
  std::size_t cells = 0;
  for (const model::Layer& layer : network.layers) cells += layer.cells();
  const auto close = std::count_if(result.references.begin(), result.references.end(),
                                   [](const ClipReference& reference) { return reference.margin < kClose; });
  nlohmann::json json = {{"dies", result.dies.size()},
                         {"clips", result.references.size()},
                         {"close_clips", close},
                         {"device_noise", result.device_noise},
                         {"per_clip", per_clip_json(result, network)},
                         {"per_die", per_die_json(result)},
                         {"cells", cells_json(result, network)},
                         {"margin_fit", margin_fit_json(result)},
                         {"failed", failed_json(result)},
                         {"seconds", result.seconds}};
  json.update(figures_json(result.dies, result.references, cells));
  if (result.trimming) json["trim"] = trim_json(*result.trimming, result, cells);
  if (result.conformance && result.conformance->clips > 0) {
    const analysis::Conformance& c = *result.conformance;
    json["conformance"] = {{"clips", c.clips},
                           {"same_decisions", c.same_decisions},
                           {"same_frames", c.same_frames},
                           {"same_bits", c.same_bits},
                           {"candidate_relative_rms", c.candidate_relative_rms},
                           {"logit_relative_rms", c.logit_relative_rms},
                           {"lost_in_spice", result.lost.spice},
                           {"lost_in_behavioural", result.lost.behavioural},
                           {"lost_in_both", result.lost.both},
                           {"differing", differing_json(result)}};
  }
  return json;
}

}  // namespace hysteron::studies
