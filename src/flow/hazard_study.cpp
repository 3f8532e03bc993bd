#include "hysteron/flow/hazard_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "flow/rail_times.h"
#include "hysteron/report/circuit_report.h"
#include "hysteron/report/divergence_report.h"

namespace hysteron::flow {
namespace {

/// The search ends when the frame time is known this well, or at these shares of the circuit's own.
constexpr double kRateRatio = 1.12;
constexpr double kShortestShare = 1.0 / 64.0;
constexpr double kLongestShare = 16.0;

void watch_clips(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
                 const data::Features& features, const HazardRequest& request, Reporter& reporter, HazardStudy& study) {
  RailTimes times(compiled);
  std::vector<sim::Testbench> benches;
  for (const std::size_t clip : request.clips) {
    benches.push_back(clip_bench(compiled, features, clip, request.conditions));
    times.watch(benches.back());
  }
  analysis::AgreementCounter counter(network);
  std::vector<analysis::Glitch> all;
  std::vector<float> overdrives;
  std::size_t done = 0;
  const std::string task = "watching every rail";
  std::optional<Error> first_error;
  reporter.progress(task, 0, benches.size(), "");
  workshop.engine().run_each(benches, workshop.options().jobs, [&](std::size_t i, const sim::Outcome& outcome) {
    if (outcome.error) {
      reporter.warning(fmt::format("clip {}: {}", request.clips[i], outcome.error->what()));
      if (!first_error) first_error = outcome.error;
      study.failed.push_back(request.clips[i]);
      reporter.progress(task, ++done, benches.size(), "");
      return;
    }
    const sim::Waveforms& waveforms = outcome.value();
    const auto clip = features.clip(request.clips[i]);
    const model::Trace software = model::run_clip(network, clip);
    const compile::CircuitTrace circuit = compile::read_clip(compiled, benches[i], waveforms);
    const analysis::Transients transients = analysis::read_transients(compiled, benches[i], waveforms);
    times.add(waveforms, software.frames);
    counter.add(software, circuit);
    const std::vector<float> switching = analysis::switch_overdrives(network, software);
    overdrives.insert(overdrives.end(), switching.begin(), switching.end());
    analysis::add_counts(study.divergence, analysis::find_divergence(network, clip, software, circuit, transients));
    for (const analysis::Glitch& glitch : analysis::find_glitches(network, software, circuit, transients)) {
      all.push_back(glitch);
      if (glitch.is_armed) study.glitches.emplace_back(request.clips[i], glitch);
    }
    reporter.progress(task, ++done, benches.size(), "");
  });
  if (first_error && study.failed.size() == benches.size()) throw *first_error;
  std::sort(study.failed.begin(), study.failed.end());
  // In the order of size, and whatever the order in which clips were done.
  std::sort(study.glitches.begin(), study.glitches.end(), [](const auto& a, const auto& b) {
    const auto key = [](const auto& item) {
      return std::tuple(-item.second.size, item.first, item.second.frame, item.second.layer, item.second.cell);
    };
    return key(a) < key(b);
  });
  study.counts = analysis::count_glitches(all);
  study.agreement = counter.total();
  study.rails = times.kinds();
  study.diodes = times.diodes();
  study.advice = advise(study.glitches, std::move(overdrives), workshop.options().mends,
                        compiled.conditions.unit_current, compiled.frame_seconds);
}

void try_mend(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
              const data::Features& features, const HazardRequest& request, Reporter& reporter, HazardStudy& study) {
  const Mend& mend = study.advice.mends.front();
  compile::CompiledNetwork mended = compiled;
  compile::replace_mends(mended, mend.mends);
  const Verification result = verify(workshop, network, mended, features, request.clips, request.conditions, reporter);
  std::vector<analysis::Glitch> glitches;
  for (const VerifiedClip& clip : result.clips) {
    glitches.insert(glitches.end(), clip.glitches.begin(), clip.glitches.end());
  }
  study.trial = {mend, analysis::count_glitches(glitches), result.divergence, result.agreement, result.failed};
}

RatePoint try_rate(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
                   const data::Features& features, const HazardRequest& request, double frame_seconds,
                   Reporter& reporter) {
  compile::CompiledNetwork faster = compiled;
  faster.frame_seconds = frame_seconds;
  faster.input_ramp = std::min(compiled.input_ramp, 0.1 * frame_seconds);
  const Verification result = verify(workshop, network, faster, features, request.clips, request.conditions, reporter);
  return {frame_seconds,
          result.agreement.frame_agreement,
          result.agreement.state_mismatch,
          result.failed == 0 && result.agreement.decision_agreement >= 1.0,
          false,
          result.failed};
}

/// The search for the shortest frame time at which agreement holds.
class RateSearch {
 public:
  RateSearch(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
             const data::Features& features, const HazardRequest& request, Reporter& reporter, HazardStudy& study)
      : workshop_(workshop),
        network_(network),
        compiled_(compiled),
        features_(features),
        request_(request),
        reporter_(reporter),
        study_(study),
        own_(compiled.frame_seconds),
        same_decisions_(study.agreement.decision_agreement >= 1.0) {}

  void run() {
    study_.wanted_agreement = request_.least_agreement;
    const bool holds = study_.agreement.frame_agreement >= study_.wanted_agreement;
    study_.rates.push_back(
        {own_, study_.agreement.frame_agreement, study_.agreement.state_mismatch, same_decisions_, holds, 0});
    if (holds || !lengthen()) shorten();
    while (bad_ > 0.0 && good_ / bad_ > kRateRatio) narrow(std::sqrt(good_ * bad_));
    study_.fastest_frame = good_;
  }

 private:
  bool narrow(double frame_seconds) {
    RatePoint point = try_rate(workshop_, network_, compiled_, features_, request_, frame_seconds, reporter_);
    point.holds = point.failed == 0 && point.frame_agreement >= study_.wanted_agreement &&
                  (point.same_decisions || !same_decisions_);
    study_.rates.push_back(point);
    (point.holds ? good_ : bad_) = frame_seconds;
    return point.holds;
  }

  /// Whether a longer frame than the circuit's own reaches what is wanted; if not, what its own reaches is wanted.
  bool lengthen() {
    const bool own_decides = same_decisions_;
    same_decisions_ = true;
    bad_ = own_;
    for (double next = 2.0 * own_; next <= kLongestShare * own_; next *= 2.0) {
      if (narrow(next)) return true;
    }
    same_decisions_ = own_decides;
    study_.wanted_agreement = study_.agreement.frame_agreement;
    study_.rates.front().holds = true;
    bad_ = 0.0;
    return false;
  }

  /// Halves the frame time while agreement holds.
  void shorten() {
    good_ = own_;
    while (good_ > kShortestShare * own_ && narrow(0.5 * good_)) {
    }
  }

  const Workshop& workshop_;
  const model::Network& network_;
  const compile::CompiledNetwork& compiled_;
  const data::Features& features_;
  const HazardRequest& request_;
  Reporter& reporter_;
  HazardStudy& study_;
  double own_;
  bool same_decisions_;  // must hold, too
  double good_ = 0.0;    // shortest frame time that held
  double bad_ = 0.0;     // longest one below it that did not; 0: none
};

nlohmann::json trial_json(const MendTrial& trial) {
  nlohmann::json json = report::agreement_json(trial.agreement);
  json.update(report::counts_json(trial.divergence));
  json.update({{"flag", trial.mend.flag},
               {"value", trial.mend.value},
               {"glitch_counts", report::glitch_counts_json(trial.counts)},
               {"failed_clips", trial.failed}});
  return json;
}

nlohmann::json rates_json(const HazardStudy& study) {
  nlohmann::json points = nlohmann::json::array();
  for (const RatePoint& point : study.rates) {
    points.push_back({{"frame_seconds", point.frame_seconds},
                      {"frame_agreement", point.frame_agreement},
                      {"state_mismatch", point.state_mismatch},
                      {"same_decisions", point.same_decisions},
                      {"failed_clips", point.failed},
                      {"holds", point.holds}});
  }
  return {{"fastest_frame_seconds", study.fastest_frame},
          {"highest_frame_rate_hz", 1.0 / study.fastest_frame},
          {"frame_agreement_wanted", study.wanted_agreement},
          {"frame_rates", points}};
}

}  // namespace

HazardStudy study_hazards(const Workshop& workshop, const model::Network& network,
                          const compile::CompiledNetwork& compiled, const data::Features& features,
                          const HazardRequest& request, Reporter& reporter) {
  HazardStudy study;
  watch_clips(workshop, network, compiled, features, request, reporter, study);
  if (request.try_advice && !study.advice.mends.empty()) {
    try_mend(workshop, network, compiled, features, request, reporter, study);
  }
  if (request.search_rate && !study.failed.empty()) {
    reporter.warning("the frame rate is not searched, as a clip failed");
  } else if (request.search_rate) {
    RateSearch(workshop, network, compiled, features, request, reporter, study).run();
  }
  return study;
}

nlohmann::json hazard_json(const HazardStudy& study, double frame_seconds) {
  nlohmann::json json = report::agreement_json(study.agreement);
  json.update(report::counts_json(study.divergence));
  json["rails"] = nlohmann::json::array();
  for (const RailSettling& rail : study.rails) {
    nlohmann::json row = report::settling_json(rail.seconds);
    row.update({{"kind", rail.kind}, {"rails", rail.rails}, {"slowest", rail.slowest}});
    json["rails"].push_back(row);
  }
  json["diodes"] = nlohmann::json::array();
  for (const DiodeSettling& diode : study.diodes) {
    nlohmann::json row = report::settling_json(diode.seconds);
    row.update({{"name", diode.name}, {"kind", diode.kind}});
    json["diodes"].push_back(row);
  }
  json["glitch_counts"] = report::glitch_counts_json(study.counts);
  json["glitches"] = nlohmann::json::array();
  for (const auto& [clip, glitch] : study.glitches) {
    nlohmann::json row = report::glitches_json({glitch}, frame_seconds).front();
    row["clip"] = clip;
    json["glitches"].push_back(row);
  }
  json["advice"] = advice_json(study.advice);
  if (study.trial) json["trial"] = trial_json(*study.trial);
  json["failed_clips"] = study.failed;
  if (study.fastest_frame > 0.0) json.update(rates_json(study));
  return json;
}

}  // namespace hysteron::flow
