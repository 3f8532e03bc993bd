#include "studies/verification.h"

#include <chrono>

#include "base/parallel.h"
#include "model/inference.h"

namespace hysteron::studies {
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

VerifiedClip compare_clip(const design::Design& design, std::size_t index, const ClipRecord& record,
                          analysis::AgreementCounter& counter, double& software_seconds) {
  const model::Network& network = design.reference();
  const auto features = design.features.clip(index);
  const auto begin = std::chrono::steady_clock::now();
  const model::Trace software = model::run_clip(network, features);
  software_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  VerifiedClip clip;
  clip.agreement = counter.add(software, record.circuit);
  clip.divergence = analysis::find_divergence(network, features, software, record.circuit, record.transients);
  clip.glitches = analysis::find_glitches(network, software, record.circuit, record.transients);
  clip.spice_seconds = record.circuit.seconds;
  return clip;
}

}  // namespace

void compare_with_given(const design::Design& design, Verification& verification) {
  if (!design.prepared.centering) return;
  const model::Network& before = design.prepared.pruning ? design.prepared.pruning->network : design.given;
  std::vector<std::size_t> clips;
  std::size_t same = 0;
  for (VerifiedClip& clip : verification.clips) {
    if (clip.failed) continue;
    clips.push_back(clip.clip);
    const model::Trace trace = model::run_clip(design.given, design.features.clip(clip.clip));
    clip.agreement.software_decision =
        model::majority(model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs));
    same += clip.agreement.software_decision == clip.agreement.circuit_decision ? 1 : 0;
  }
  if (clips.empty()) return;
  ThreadPool pool(design.context.options().jobs);
  const auto change = compile::software_change(before, design.prepared.network, design.features, clips, pool);
  const auto count = static_cast<double>(clips.size());
  verification.agreement.decision_agreement = static_cast<double>(same) / count;
  verification.agreement.centering_frame_change =
      static_cast<double>(change.frames) / (count * static_cast<double>(design.features.frames));
}

Verification verify(const design::Design& design, const ClipFiles& files, Reporter& reporter) {
  const auto outcomes = simulate_records(design, files, reporter);
  analysis::AgreementCounter counter(design.reference());
  SettlingTimes settling;
  Verification result;
  result.prepared = design.prepared;
  std::vector<analysis::Glitch> glitches;
  for (std::size_t i = 0; i < design.clips.size(); ++i) {
    VerifiedClip clip;
    if (outcomes[i].record) {
      const ClipRecord& record = *outcomes[i].record;
      clip = compare_clip(design, design.clips[i], record, counter, result.software_seconds);
      analysis::add_counts(result.divergence, clip.divergence);
      glitches.insert(glitches.end(), clip.glitches.begin(), clip.glitches.end());
      settling.add(record.transients);
      result.spice_seconds += clip.spice_seconds;
    } else {
      clip.failed = true;
      clip.error = outcomes[i].error->what();
      ++result.failed;
    }
    clip.clip = design.clips[i];
    result.reused += outcomes[i].was_stored ? 1 : 0;
    result.clips.push_back(std::move(clip));
  }
  result.agreement = counter.total();
  result.settling = settling.summary(compile::kReadAt * design.compiled.frame_seconds);
  result.glitches = analysis::count_glitches(glitches);
  compare_with_given(design, result);
  for (VerifiedClip& clip : result.clips) {
    clip.software = design.given.labels[clip.agreement.software_decision];
    clip.circuit = design.given.labels[clip.agreement.circuit_decision];
  }
  return result;
}

}  // namespace hysteron::studies
