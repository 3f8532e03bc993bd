#include "hysteron/flow/centring.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hysteron/base/error.h"
#include "hysteron/base/parallel.h"
#include "hysteron/compile/layer_calibration.h"
#include "hysteron/compile/limits.h"
#include "hysteron/data/npy.h"
#include "hysteron/model/model_file.h"
#include "hysteron/report/centring_report.h"

namespace hysteron::flow {

std::optional<data::Features> read_centring_features(const std::filesystem::path& path, const model::Network& network) {
  if (path.empty()) return {};
  data::Features features = data::read_npy(path);
  check_clips(network, features, {}, quoted(path.string()));
  return features;
}

namespace {

/// Clips of drawn features that the effect of dropping is measured on where the user gave none.
constexpr std::size_t kDrawnClips = 20;

compile::Pruning prune(const model::Network& network, double below, const std::optional<data::Features>& features,
                       Reporter& reporter) {
  data::Features drawn{kDrawnClips, compile::kCalibrationFrames, network.inputs(), {}};
  if (!features) drawn.values = compile::drawn_features(kDrawnClips * compile::kCalibrationFrames, network.inputs());
  compile::Pruning pruning = compile::prune(network, below, features ? *features : drawn);
  reporter.info(
      fmt::format("dropped {} weights and biases below {}: {:.2f} % of the frames and {:.2f} % of the decisions "
                  "of {} {} clips change in software",
                  pruning.dropped, below, 100.0 * pruning.frame_change, 100.0 * pruning.decision_change, pruning.clips,
                  features ? "training" : "drawn"));
  return pruning;
}

}  // namespace

Target make_target(const Workshop& workshop, const model::Network& given, const std::optional<data::Features>& features,
                   Reporter& reporter, const StopFlag& stop) {
  ThreadPool pool(workshop.options().jobs);
  Target target{given, {}, {}, {}};
  if (workshop.options().drop_below > 0.0) {
    target.pruning = prune(given, workshop.options().drop_below, features, reporter);
    target.network = target.pruning->network;
  }
  if (features) {
    compile::ErrorModel errors = compile::error_model(workshop.technology(), workshop.leg_mismatch(reporter));
    const compile::CellFloor floor = workshop.cell_floor();
    const double unit = workshop.options().conditions.unit_current;
    errors.least_upper = floor.threshold() / unit;
    errors.least_lower = floor.fall() / unit;
    errors.largest_upper = compile::kLargestLeg;
    target.centring = compile::centre_thresholds(target.network, *features, errors, pool, reporter, stop);
    target.network = target.centring->network;
  }
  target.resting = compile::resting_on_thresholds(target.network, features ? &*features : nullptr, pool);
  for (const compile::RestingCandidate& resting : target.resting) {
    reporter.warning(fmt::format("{}; software and circuit may part there{}", resting.text(),
                                 features ? "" : " (--center FEATURES.npy moves thresholds away)"));
  }
  return target;
}

nlohmann::json target_json(const Target& target) {
  nlohmann::json json = report::target_json(target.centring ? &*target.centring : nullptr, target.resting);
  if (target.pruning) {
    json["dropping"] = {{"below", target.pruning->below},
                        {"parameters", target.pruning->dropped},
                        {"clips", target.pruning->clips},
                        {"frame_change", target.pruning->frame_change},
                        {"decision_change", target.pruning->decision_change}};
  }
  return json;
}

void compare_with_given(const model::Network& given, const Target& target, const data::Features& features,
                        Verification& verification, int jobs) {
  if (!target.centring) return;
  const model::Network& before = target.pruning ? target.pruning->network : given;
  std::vector<std::size_t> clips;
  std::size_t same = 0;
  for (VerifiedClip& clip : verification.clips) {
    if (clip.failed) continue;
    clips.push_back(clip.clip);
    const model::Trace trace = model::run_clip(given, features.clip(clip.clip));
    clip.agreement.software_decision =
        model::majority(model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs));
    same += clip.agreement.software_decision == clip.agreement.circuit_decision ? 1 : 0;
  }
  if (clips.empty()) return;
  ThreadPool pool(jobs);
  const auto change = compile::software_change(before, target.network, features, clips, pool);
  const auto count = static_cast<double>(clips.size());
  verification.agreement.decision_agreement = static_cast<double>(same) / count;
  verification.agreement.centring_frame_change =
      static_cast<double>(change.frames) / (count * static_cast<double>(features.frames));
}

std::vector<std::string> write_circuit(const compile::CompiledNetwork& network, const Target& target,
                                       const technology::Technology& technology, const compile::GainCurves& curves,
                                       const std::filesystem::path& folder, NetlistOptions options) {
  const nlohmann::json additions = target_json(target);
  options.additions = &additions;
  std::vector<std::string> files = write_circuit(network, technology, curves, folder, options);
  if (!target.centring) return files;
  model::save_model(folder / "centred.safetensors", target.network);
  files.emplace_back("centred.safetensors");
  return files;
}

}  // namespace hysteron::flow
