#include "design/prepared_model.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "compile/layer_calibration.h"
#include "compile/limits.h"
#include "data/npy.h"
#include "model/model_file.h"

namespace hysteron::design {

std::optional<data::Features> read_training_features(const std::filesystem::path& path, const model::Network& network) {
  if (path.empty()) return {};
  data::Features features = data::read_npy(path);
  check_clips(network, features, {}, quoted(path.string()));
  return features;
}

namespace {

constexpr std::size_t kMaxNamed = 10;  // parameters that one warning names

/// "layers.0.output.weight[1,2] 0.012 left out; ..."
std::string named(const std::vector<compile::BelowMinimum>& changed) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(changed.size(), kMaxNamed); ++i) {
    const std::string made =
        changed[i].made == 0.0 ? std::string("left out") : fmt::format("made {:.3g}", changed[i].made);
    texts.push_back(fmt::format("{} {:.3g} {}", changed[i].parameter, changed[i].target, made));
  }
  if (changed.size() > kMaxNamed) {
    texts.push_back(fmt::format("and {} more, listed in summary.json of compile", changed.size() - kMaxNamed));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace

std::vector<std::size_t> all_clips(const data::Features& features) {
  std::vector<std::size_t> clips(features.clips);
  std::iota(clips.begin(), clips.end(), std::size_t{0});
  return clips;
}

std::vector<std::size_t> check_clips(const model::Network& network, const data::Features& features,
                                     const std::vector<std::size_t>& clips, const std::string& origin) {
  if (features.width != network.inputs()) {
    throw bad_input(
        fmt::format("{}: features have {} inputs; the model takes {}", origin, features.width, network.inputs()));
  }
  for (const std::size_t clip : clips) {
    if (clip >= features.clips) {
      throw bad_input(fmt::format("{}: there is no clip {}; expected 0 to {}", origin, clip, features.clips - 1));
    }
    if (std::count(clips.begin(), clips.end(), clip) > 1) {
      throw bad_input(fmt::format("{}: clip {} is listed twice; expected each clip once", origin, clip));
    }
  }
  return clips.empty() ? all_clips(features) : clips;
}

namespace {

/// Clips of random features that effects are measured on where there are no others.
constexpr std::size_t kRandomClips = 20;

/// What effects of changes are measured on, and what it is called.
struct Played {
  data::Features random;
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
      random = {kRandomClips, compile::kCalibrationFrames, inputs,
                compile::random_features(kRandomClips * compile::kCalibrationFrames, inputs)};
      features = &random;
      name = "random";
    }
  }
  Played(const Played&) = delete;
  Played& operator=(const Played&) = delete;

  std::string text(const compile::DecisionEffect& effect) const {
    return fmt::format("{:.2f} % of the frames and {:.2f} % of the decisions of {} {} clips change in software",
                       100.0 * effect.frame_change, 100.0 * effect.decision_change, effect.clips, name);
  }
};

/// `network` with the thresholds of `centered`.
model::Network with_thresholds(model::Network network, const model::Network& centered) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    network.layers[l].beta_lo = centered.layers[l].beta_lo;
    network.layers[l].beta_hi = centered.layers[l].beta_hi;
  }
  return network;
}

compile::Centering center(const DesignContext& context, const model::Network& network, const data::Features& features,
                          ThreadPool& pool, Reporter& reporter, const StopFlag& stop) {
  compile::ErrorModel errors = compile::error_model(context.technology(), context.leg_mismatch(reporter));
  const compile::CellFloor floor = context.cell_floor();
  const double unit = context.options().conditions.unit_current;
  errors.min_upper = floor.threshold() / unit;
  errors.min_lower = floor.fall() / unit;
  errors.largest_upper = compile::kLargestLeg;
  const model::Network made = compile::realise_weights(network, context.min_weights()).network;
  compile::Centering centering = compile::center_thresholds(made, features, errors, pool, reporter, stop);
  centering.network = with_thresholds(network, centering.network);
  return centering;
}

SmallParameters find_small(const DesignContext& context, const model::Network& network, const Played& played,
                           ThreadPool& pool, Reporter& reporter) {
  compile::RealisedNetwork made = compile::realise(network, context.min_weights());
  SmallParameters small{std::move(made.changed), {}};
  if (small.changed.empty()) return small;
  small.effect = compile::decision_effect(network, made.network, *played.features, pool);
  reporter.warning(fmt::format("{} {} below the smallest leg: {}; {}", small.changed.size(),
                               small.changed.size() == 1 ? "parameter is" : "parameters are", named(small.changed),
                               played.text(small.effect)));
  return small;
}

}  // namespace

std::size_t SmallParameters::left_out() const {
  return static_cast<std::size_t>(std::ranges::count(changed, 0.0, &compile::BelowMinimum::made));
}

PreparedModel prepare_model(const DesignContext& context, const model::Network& given,
                            const std::optional<data::Features>& training, const data::Features* played_features,
                            Reporter& reporter) {
  ThreadPool pool(context.options().jobs);
  const Played played(training, played_features, given.inputs());
  PreparedModel prepared{given, {}, {}, {}, {}, played.name};
  if (const double below = context.options().drop_below; below > 0.0) {
    prepared.pruning = compile::prune(given, below, *played.features, pool);
    prepared.network = prepared.pruning->network;
    reporter.info(fmt::format("dropped {} weights and biases below {}: {}", prepared.pruning->dropped, below,
                              played.text(prepared.pruning->effect)));
  }
  if (training) {
    prepared.centering = center(context, prepared.network, *training, pool, reporter, context.stop());
    prepared.network = prepared.centering->network;
  }
  prepared.small = find_small(context, prepared.network, played, pool, reporter);
  prepared.resting = compile::resting_on_thresholds(prepared.network, training ? &*training : nullptr, pool);
  for (const compile::RestingCandidate& resting : prepared.resting) {
    reporter.warning(fmt::format(
        "{}; software and circuit may differ there{}", resting.text(),
        training ? " (centering found no better position)"
                 : " (centring on training features moves thresholds where frames that rest there gain by it)"));
  }
  return prepared;
}

}  // namespace hysteron::design
