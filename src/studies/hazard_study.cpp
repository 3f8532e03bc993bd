#include "studies/hazard_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "studies/rail_times.h"

namespace hysteron::studies {
namespace {

/// The search ends when the frame time is known this well, or at these shares of the circuit's own.
constexpr double kRateRatio = 1.12;
constexpr double kShortestShare = 1.0 / 64.0;
constexpr double kLongestShare = 16.0;

void watch_clips(const design::Design& design, Reporter& reporter, HazardStudy& study) {
  const model::Network& network = design.reference();
  const compile::CompiledNetwork& compiled = design.compiled;
  const design::CircuitOptions& options = design.context.options();
  RailTimes times(compiled);
  std::vector<sim::Testbench> benches;
  for (const std::size_t clip : design.clips) {
    benches.push_back(clip_bench(design, clip));
    times.watch(benches.back());
  }
  analysis::AgreementCounter counter(network);
  std::vector<analysis::Glitch> all;
  std::vector<float> overdrives;
  std::size_t done = 0;
  const std::string task = "watching every rail";
  std::optional<Error> first_error;
  reporter.progress(task, 0, benches.size(), "");
  design.context.engine().run_each(benches, options.jobs, [&](std::size_t i, const sim::Outcome& outcome) {
    if (outcome.error) {
      reporter.warning(fmt::format("clip {}: {}", design.clips[i], outcome.error->what()));
      if (!first_error) first_error = outcome.error;
      study.failed.push_back(design.clips[i]);
      reporter.progress(task, ++done, benches.size(), "");
      return;
    }
    const sim::Waveforms& waveforms = outcome.value();
    const auto clip = design.features.clip(design.clips[i]);
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
      if (glitch.is_armed) study.glitches.emplace_back(design.clips[i], glitch);
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
  study.advice = advise(study.glitches, std::move(overdrives), options.mitigations, compiled.conditions.unit_current,
                        compiled.frame_seconds);
}

void try_mitigation(const design::Design& design, Reporter& reporter, HazardStudy& study) {
  const Mitigation& mitigation = study.advice.mitigations.front();
  design::Design mitigated = design;
  compile::replace_mitigations(mitigated.compiled, mitigation.mitigations);
  const Verification result = verify(mitigated, {}, reporter);
  study.trial = {mitigation, result.glitches, result.divergence, result.agreement, result.failed};
}

RatePoint try_rate(const design::Design& design, double frame_seconds, Reporter& reporter) {
  design::Design faster = design;
  faster.compiled.frame_seconds = frame_seconds;
  faster.compiled.input_ramp = std::min(design.compiled.input_ramp, 0.1 * frame_seconds);
  const Verification result = verify(faster, {}, reporter);
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
  RateSearch(const design::Design& design, double min_agreement, Reporter& reporter, HazardStudy& study)
      : design_(design),
        min_agreement_(min_agreement),
        reporter_(reporter),
        study_(study),
        own_(design.compiled.frame_seconds),
        same_decisions_(study.agreement.decision_agreement >= 1.0) {}

  void run() {
    study_.target_agreement = min_agreement_;
    const bool holds = study_.agreement.frame_agreement >= study_.target_agreement;
    study_.rates.push_back(
        {own_, study_.agreement.frame_agreement, study_.agreement.state_mismatch, same_decisions_, holds, 0});
    if (holds || !lengthen()) shorten();
    while (bad_ > 0.0 && good_ / bad_ > kRateRatio) narrow(std::sqrt(good_ * bad_));
    study_.fastest_frame = good_;
    study_.highest_rate = 1.0 / good_;
  }

 private:
  bool narrow(double frame_seconds) {
    RatePoint point = try_rate(design_, frame_seconds, reporter_);
    point.holds = point.failed == 0 && point.frame_agreement >= study_.target_agreement &&
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
    study_.target_agreement = study_.agreement.frame_agreement;
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

  const design::Design& design_;
  double min_agreement_;
  Reporter& reporter_;
  HazardStudy& study_;
  double own_;
  bool same_decisions_;  // must hold, too
  double good_ = 0.0;    // shortest frame time that held
  double bad_ = 0.0;     // longest one below it that did not; 0: none
};

}  // namespace

HazardStudy study_hazards(const design::Design& design, const HazardRequest& request, Reporter& reporter) {
  HazardStudy study;
  watch_clips(design, reporter, study);
  if (request.try_advice && !study.advice.mitigations.empty()) {
    try_mitigation(design, reporter, study);
  }
  if (request.search_rate && !study.failed.empty()) {
    reporter.warning("the frame rate is not searched, as a clip failed");
  } else if (request.search_rate) {
    RateSearch(design, request.min_agreement, reporter, study).run();
  }
  return study;
}

}  // namespace hysteron::studies
