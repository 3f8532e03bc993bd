#include "hysteron/flow/hazard_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "hysteron/report/circuit_report.h"
#include "hysteron/report/divergence_report.h"

namespace hysteron::flow {
namespace {

/// The search ends when the frame time is known this well, or at this share of the model's.
constexpr double kRateRatio = 1.12;
constexpr double kShortestShare = 1.0 / 64.0;

/// A diode whose current is a value, and what kind of rail it holds.
struct Rail {
  circuit::DeviceId diode = 0;
  std::string kind;
};

/// Names of signals begin with what they are: see compile::build_network.
std::optional<std::string> rail_kind(const circuit::Transistor& device) {
  if (device.gate != device.drain) return std::nullopt;
  const std::string side = device.polarity == circuit::Polarity::kN ? ", N rail" : ", P rail";
  if (device.role == circuit::Role::kInputRail) return "input" + side;
  if (device.role == circuit::Role::kCell) return device.name == "m4" ? std::optional("state" + side) : std::nullopt;
  if (device.role != circuit::Role::kRail) return std::nullopt;
  switch (device.name.front()) {
    case 'c':
      return "candidate" + side;
    case 'v':
      return "signed value" + side;
    case 'o':
      return "layer output" + side;
    case 'h':
      return "state" + side;
    default:
      return "other" + side;
  }
}

std::vector<Rail> find_rails(const circuit::Circuit& circuit) {
  std::vector<Rail> rails;
  for (circuit::DeviceId id = 0; id < circuit.transistors().size(); ++id) {
    if (auto kind = rail_kind(circuit.transistor(id))) rails.push_back({id, std::move(*kind)});
  }
  return rails;
}

/// Settling times of all rails, clip after clip.
class RailTimes {
 public:
  explicit RailTimes(const compile::CompiledNetwork& network) : network_(network), rails_(find_rails(network.circuit)) {
    for (const Rail& rail : rails_) ++kinds_[rail.kind].rails;
  }

  void watch(sim::Testbench& bench) {
    first_probe_ = bench.probes.size();
    for (const Rail& rail : rails_) bench.probes.push_back({sim::Probe::Kind::kDrainCurrent, rail.diode});
  }

  void add(const sim::Waveforms& waveforms, std::size_t frames) {
    const double tolerance = analysis::kSettledWithin * network_.conditions.unit_current;
    for (std::size_t i = 0; i < rails_.size(); ++i) {
      Kind& kind = kinds_[rails_[i].kind];
      for (const double time :
           analysis::settling_times(waveforms, first_probe_ + i, frames, network_.frame_seconds, tolerance)) {
        kind.seconds.push_back(static_cast<float>(time));
        if (time <= kind.worst) continue;
        kind.worst = time;
        kind.slowest = rails_[i].diode;
      }
    }
  }

  std::vector<RailSettling> summary() const {
    std::vector<RailSettling> result;
    for (const auto& [name, kind] : kinds_) {
      result.push_back({name, kind.rails, analysis::summarise_settling(kind.seconds),
                        "x" + network_.circuit.full_name(kind.slowest)});
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const RailSettling& a, const RailSettling& b) { return a.seconds.p99 > b.seconds.p99; });
    return result;
  }

 private:
  struct Kind {
    std::size_t rails = 0;
    std::vector<float> seconds;
    double worst = -1.0;
    circuit::DeviceId slowest = 0;
  };

  const compile::CompiledNetwork& network_;
  std::vector<Rail> rails_;
  std::map<std::string, Kind> kinds_;
  std::size_t first_probe_ = 0;
};

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
  study.rails = times.summary();
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

/// Halves the frame time while agreement holds, then closes in between the last that held and the first that did not.
void search_rate(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
                 const data::Features& features, const HazardRequest& request, Reporter& reporter, HazardStudy& study) {
  const double wanted = std::min(request.least_agreement, study.agreement.frame_agreement);
  const bool decides = study.agreement.decision_agreement >= 1.0;
  study.rates.push_back(
      {compiled.frame_seconds, study.agreement.frame_agreement, study.agreement.state_mismatch, decides, true, 0});
  double good = compiled.frame_seconds;
  double bad = 0.0;
  while ((bad == 0.0 || good / bad > kRateRatio) && good > kShortestShare * compiled.frame_seconds) {
    const double next = bad == 0.0 ? 0.5 * good : std::sqrt(good * bad);
    RatePoint point = try_rate(workshop, network, compiled, features, request, next, reporter);
    point.holds = point.failed == 0 && point.frame_agreement >= wanted && (point.same_decisions || !decides);
    study.rates.push_back(point);
    (point.holds ? good : bad) = next;
  }
  study.fastest_frame = good;
}

}  // namespace

HazardStudy study_hazards(const Workshop& workshop, const model::Network& network,
                          const compile::CompiledNetwork& compiled, const data::Features& features,
                          const HazardRequest& request, Reporter& reporter) {
  HazardStudy study;
  watch_clips(workshop, network, compiled, features, request, reporter, study);
  if (request.search_rate && study.failed.empty())
    search_rate(workshop, network, compiled, features, request, reporter, study);
  return study;
}

nlohmann::json hazard_json(const HazardStudy& study, const model::Network& network) {
  nlohmann::json json = report::agreement_json(study.agreement);
  json.update(report::counts_json(study.divergence));
  json["rails"] = nlohmann::json::array();
  for (const RailSettling& rail : study.rails) {
    nlohmann::json row = report::settling_json(rail.seconds);
    row.update({{"kind", rail.kind}, {"rails", rail.rails}, {"slowest", rail.slowest}});
    json["rails"].push_back(row);
  }
  json["glitch_counts"] = report::glitch_counts_json(study.counts);
  json["glitches"] = nlohmann::json::array();
  for (const auto& [clip, glitch] : study.glitches) {
    nlohmann::json row = report::glitches_json({glitch}, network.frame_seconds).front();
    row["clip"] = clip;
    json["glitches"].push_back(row);
  }
  json["failed_clips"] = study.failed;
  if (study.fastest_frame > 0.0) {
    json["fastest_frame_seconds"] = study.fastest_frame;
    json["highest_frame_rate_hz"] = 1.0 / study.fastest_frame;
    json["frame_rates"] = nlohmann::json::array();
    for (const RatePoint& point : study.rates) {
      json["frame_rates"].push_back({{"frame_seconds", point.frame_seconds},
                                     {"frame_agreement", point.frame_agreement},
                                     {"state_mismatch", point.state_mismatch},
                                     {"same_decisions", point.same_decisions},
                                     {"failed_clips", point.failed},
                                     {"holds", point.holds}});
    }
  }
  return json;
}

}  // namespace hysteron::flow
