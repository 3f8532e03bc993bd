#include "hysteron/flow/centring.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "hysteron/base/error.h"
#include "hysteron/base/parallel.h"
#include "hysteron/compile/layer_calibration.h"
#include "hysteron/compile/limits.h"
#include "hysteron/data/npy.h"
#include "hysteron/model/model_file.h"
#include "hysteron/report/centring_report.h"

namespace hysteron::flow {

std::optional<data::Features> read_training_features(const std::filesystem::path& path, const model::Network& network) {
  if (path.empty()) return {};
  data::Features features = data::read_npy(path);
  check_clips(network, features, {}, quoted(path.string()));
  return features;
}

namespace {

/// Clips of drawn features that effects are measured on where there are no others.
constexpr std::size_t kDrawnClips = 20;

/// What effects of changes are measured on, and what it is called.
struct Played {
  data::Features drawn;
  const data::Features* features = nullptr;
  std::string name;

  Played(const std::optional<data::Features>& training, const data::Features* input, std::size_t inputs) {
    if (training) {
      features = &*training;
      name = "training";
    } else if (input != nullptr) {
      features = input;
      name = "input";
    } else {
      drawn = {kDrawnClips, compile::kCalibrationFrames, inputs,
               compile::drawn_features(kDrawnClips * compile::kCalibrationFrames, inputs)};
      features = &drawn;
      name = "drawn";
    }
  }
  Played(const Played&) = delete;
  Played& operator=(const Played&) = delete;

  std::string text(const compile::DecisionEffect& effect) const {
    return fmt::format("{:.2f} % of the frames and {:.2f} % of the decisions of {} {} clips change in software",
                       100.0 * effect.frame_change, 100.0 * effect.decision_change, effect.clips, name);
  }
};

/// `network` with the thresholds of `centred`.
model::Network with_thresholds(model::Network network, const model::Network& centred) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    network.layers[l].beta_lo = centred.layers[l].beta_lo;
    network.layers[l].beta_hi = centred.layers[l].beta_hi;
  }
  return network;
}

compile::Centring centre(const Workshop& workshop, const model::Network& network, const data::Features& features,
                         ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  compile::ErrorModel errors = compile::error_model(workshop.technology(), workshop.leg_mismatch(reporter));
  const compile::CellFloor floor = workshop.cell_floor();
  const double unit = workshop.options().conditions.unit_current;
  errors.least_upper = floor.threshold() / unit;
  errors.least_lower = floor.fall() / unit;
  errors.largest_upper = compile::kLargestLeg;
  const model::Network made = compile::makeable_weights(network, workshop.least_weights()).network;
  compile::Centring centring = compile::centre_thresholds(made, features, errors, pool, reporter, stop);
  centring.network = with_thresholds(network, centring.network);
  return centring;
}

SmallParameters find_small(const Workshop& workshop, const model::Network& network, const Played& played,
                           ThreadPool& pool, Reporter& reporter) {
  compile::Makeable made = compile::makeable(network, workshop.least_weights());
  SmallParameters small{std::move(made.changed), {}};
  if (small.changed.empty()) return small;
  small.effect = compile::decision_effect(network, made.network, *played.features, pool);
  reporter.info(fmt::format("{} weights, biases and legs of cells are too small to be made as they are: {}",
                            small.changed.size(), played.text(small.effect)));
  return small;
}

nlohmann::json effect_json(const compile::DecisionEffect& effect, const std::string& measured_on) {
  return {{"clips", effect.clips},
          {"measured_on", measured_on},
          {"frame_change", effect.frame_change},
          {"decision_change", effect.decision_change}};
}

nlohmann::json small_json(const SmallParameters& small, const std::string& measured_on) {
  nlohmann::json json = effect_json(small.effect, measured_on);
  json["parameters"] = nlohmann::json::array();
  std::size_t left_out = 0;
  for (const compile::TooSmall& one : small.changed) {
    json["parameters"].push_back({{"parameter", one.parameter}, {"wanted", one.wanted}, {"made", one.made}});
    left_out += one.made == 0.0 ? 1 : 0;
  }
  json["left_out"] = left_out;
  json["made_larger"] = small.changed.size() - left_out;
  return json;
}

}  // namespace

Target make_target(const Workshop& workshop, const model::Network& given, const std::optional<data::Features>& features,
                   Reporter& reporter, const StopFlag& stop, const data::Features* input) {
  ThreadPool pool(workshop.options().jobs);
  const Played played(features, input, given.inputs());
  Target target{given, {}, {}, {}, {}, played.name};
  if (const double below = workshop.options().drop_below; below > 0.0) {
    target.pruning = compile::prune(given, below, *played.features, pool);
    target.network = target.pruning->network;
    reporter.info(fmt::format("dropped {} weights and biases below {}: {}", target.pruning->dropped, below,
                              played.text(target.pruning->effect)));
  }
  if (features) {
    target.centring = centre(workshop, target.network, *features, pool, reporter, stop);
    target.network = target.centring->network;
  }
  target.small = find_small(workshop, target.network, played, pool, reporter);
  target.resting = compile::resting_on_thresholds(target.network, features ? &*features : nullptr, pool);
  for (const compile::RestingCandidate& resting : target.resting) {
    reporter.warning(
        fmt::format("{}; software and circuit may part there{}", resting.text(),
                    features ? " (centring found no better place)"
                             : " (--center FEATURES.npy moves thresholds where frames that rest there gain by it)"));
  }
  return target;
}

nlohmann::json target_json(const Target& target) {
  nlohmann::json json = report::target_json(target.centring ? &*target.centring : nullptr, target.resting);
  if (target.pruning) {
    json["dropping"] = effect_json(target.pruning->effect, target.effects_on);
    json["dropping"]["below"] = target.pruning->below;
    json["dropping"]["parameters"] = target.pruning->dropped;
  }
  if (!target.small.changed.empty()) json["too_small"] = small_json(target.small, target.effects_on);
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
