#include "hysteron/flow/verification.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "hysteron/report/circuit_report.h"
#include "hysteron/report/divergence_report.h"

namespace hysteron::flow {
namespace {

/// Settling times of all clips, seconds.
struct SettlingTimes {
  std::vector<float> candidates;
  std::vector<float> states;
  std::vector<float> logits;

  void add(const analysis::Transients& transients) {
    const auto append = [](std::vector<float>& to, const std::vector<float>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(candidates, transients.candidate_settling);
    append(states, transients.state_settling);
    append(logits, transients.logit_settling);
  }

  /// `read`: seconds from a frame's begin to its reading point.
  SettlingReport summary(double read) const {
    return {analysis::summarise_settling(candidates, read), analysis::summarise_settling(states, read),
            analysis::summarise_settling(logits, read)};
  }
};

nlohmann::json clip_json(const VerifiedClip& clip, const model::Network& network) {
  if (clip.failed) return {{"clip", clip.clip}, {"failed", true}, {"error", clip.error}};
  nlohmann::json json = report::divergence_json(clip.divergence, network.frame_seconds);
  json["clip"] = clip.clip;
  json["failed"] = false;
  json["software"] = network.labels[clip.agreement.software_decision];
  json["circuit"] = network.labels[clip.agreement.circuit_decision];
  json["frame_agreement"] = clip.agreement.frame_agreement;
  json["state_mismatch"] = clip.agreement.state_mismatch;
  json["glitches"] = report::glitches_json(clip.glitches, network.frame_seconds);
  json["spice_seconds"] = clip.spice_seconds;
  return json;
}

}  // namespace

Verification verify(const Workshop& workshop, const model::Network& network, const compile::CompiledNetwork& compiled,
                    const data::Features& features, const std::vector<std::size_t>& clips,
                    const SimulationConditions& conditions, Reporter& reporter, const ClipFiles& files) {
  const auto outcomes = simulate_records(workshop, compiled, features, clips, conditions, files, reporter);
  analysis::AgreementCounter counter(network);
  SettlingTimes settling;
  Verification result;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    VerifiedClip clip;
    clip.clip = clips[i];
    clip.failed = !outcomes[i].record.has_value();
    if (clip.failed) {
      clip.error = outcomes[i].error->what();
    } else {
      const ClipRecord& record = *outcomes[i].record;
      const auto begin = std::chrono::steady_clock::now();
      const model::Trace software = model::run_clip(network, features.clip(clips[i]));
      result.software_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      clip.agreement = counter.add(software, record.circuit);
      clip.divergence =
          analysis::find_divergence(network, features.clip(clips[i]), software, record.circuit, record.transients);
      clip.glitches = analysis::find_glitches(network, software, record.circuit, record.transients);
      clip.spice_seconds = record.circuit.seconds;
      analysis::add_counts(result.divergence, clip.divergence);
      settling.add(record.transients);
      result.spice_seconds += clip.spice_seconds;
    }
    result.failed += clip.failed ? 1 : 0;
    result.reused += outcomes[i].was_kept ? 1 : 0;
    result.clips.push_back(std::move(clip));
  }
  result.agreement = counter.total();
  result.settling = settling.summary(compile::kReadAt * compiled.frame_seconds);
  return result;
}

nlohmann::json verification_json(const Verification& verification, const model::Network& network) {
  nlohmann::json json = report::agreement_json(verification.agreement);
  json.update(report::counts_json(verification.divergence));
  json["cells"] = report::cells_json(verification.divergence);
  json["state_cells"] = report::state_cells_json(verification.agreement);
  json["settling_seconds"] = {{"candidates", report::settling_json(verification.settling.candidates)},
                              {"states", report::settling_json(verification.settling.states)},
                              {"logits", report::settling_json(verification.settling.logits)}};
  std::vector<analysis::Glitch> glitches;
  json["per_clip"] = nlohmann::json::array();
  for (const VerifiedClip& clip : verification.clips) {
    json["per_clip"].push_back(clip_json(clip, network));
    glitches.insert(glitches.end(), clip.glitches.begin(), clip.glitches.end());
  }
  json["glitches"] = report::glitch_counts_json(analysis::count_glitches(glitches));
  json["failed_clips"] = verification.failed;
  json["reused_clips"] = verification.reused;
  json["spice_seconds"] = verification.spice_seconds;
  json["software_seconds"] = verification.software_seconds;
  return json;
}

}  // namespace hysteron::flow
