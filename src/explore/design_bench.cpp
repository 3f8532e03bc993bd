#include "explore/design_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "behavioural/power_model.h"
#include "compile/pruning.h"
#include "design/chosen_clips.h"
#include "model/inference.h"
#include "model/model_file.h"
#include "studies/montecarlo.h"
#include "train/confusion.h"
#include "train/trainer.h"

namespace hysteron::explore {
namespace {

/// The magnitude below which `share` of the weights and biases that are not 0 lie.
double threshold_of(const model::Network& network, double share) {
  std::vector<double> magnitudes;
  const auto add = [&](const model::Affine& affine) {
    const auto take = [&](const auto& values) {
      for (Eigen::Index i = 0; i < values.size(); ++i) {
        if (values.data()[i] != 0.0F) magnitudes.push_back(std::abs(static_cast<double>(values.data()[i])));
      }
    };
    take(affine.weight);
    take(affine.bias);
  };
  add(network.input);
  for (const model::Layer& layer : network.layers) {
    add(layer.candidate);
    add(layer.output);
  }
  add(network.readout);
  const auto left_out = static_cast<std::size_t>(share * static_cast<double>(magnitudes.size()));
  if (left_out == 0) return 0.0;
  std::ranges::nth_element(magnitudes, magnitudes.begin() + static_cast<std::ptrdiff_t>(left_out));
  return magnitudes[left_out];
}

train::Confusion decide(const behavioural::DieEngine& engine, const train::ClipSet& clips) {
  train::Confusion confusion = train::empty_confusion(engine.network().model.outputs());
  behavioural::DieEngine::Scratch scratch;
  model::Trace trace;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    engine.run(engine.nominal(), clips.features.clip(i), scratch, trace);
    const auto votes = model::vote_shares(model::frame_decisions(trace.logits, trace.outputs), trace.outputs);
    ++confusion[clips.labels[i]][model::majority(votes)];
  }
  return confusion;
}

/// Mean over `chosen` clips, each from the cells' initial states.
double mean_power(const design::DesignContext& context, const compile::CompiledNetwork& compiled,
                  const data::Features& features, const std::vector<std::size_t>& chosen) {
  double power = 0.0;
  for (const std::size_t clip : chosen) {
    power += behavioural::model_power(compiled.model, features.clip(clip), context.technology(), context.supply(),
                                      compiled.conditions.unit_current)
                 .total();
  }
  return power / static_cast<double>(chosen.size());
}

}  // namespace

design::CircuitOptions circuit_options(const explore::Hardware& hardware, const std::filesystem::path& pdk_root) {
  design::CircuitOptions options;
  options.technology = hardware.technology_name();
  options.pdk_root = pdk_root;
  options.conditions.unit_current = hardware.unit_current;
  options.conditions.supply = hardware.supply;
  options.calibration = design::CalibrationLevel::kCurves;
  options.jobs = 1;
  return options;
}

DesignBench::DesignBench(const explore::SearchSpace& space, std::filesystem::path pdk_root, ThreadPool& pool,
                         Reporter& reporter, const StopFlag& stop)
    : space_(space),
      pdk_root_(std::move(pdk_root)),
      reporter_(reporter),
      stop_(stop),
      data_(train::load_training_data(space.base, pool, reporter, stop)),
      die_clips_(design::choose_clips(data_.validation, data_.labels.size(), space.die_clips)) {}

const DesignBench::Shop& DesignBench::shop_for(const explore::Hardware& hardware) {
  const std::string key = fmt::format("{} {} {}", hardware.technology_name(), hardware.unit_current, hardware.supply);
  Shop* shop = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto& place = shops_[key];
    if (!place) place = std::make_unique<Shop>();
    shop = place.get();
  }
  std::call_once(shop->once, [&] {
    shop->context = std::make_unique<design::DesignContext>(circuit_options(hardware, pdk_root_), reporter_, stop_);
    shop->statistics = shop->context->device_statistics(reporter_);
  });
  return *shop;
}

DesignFigures DesignBench::evaluate(const explore::PointDesign& point, const std::filesystem::path& model) {
  train::TrainConfig config = point.config;
  config.output.clear();  // and no checkpoints: a training that was ended begins anew
  config.metrics.clear();
  config.threads = 1;
  train::check_config(config);
  const Shop& shop = shop_for(point.hardware);
  ThreadPool pool(1);
  SilentReporter silent;
  model::Network network = train::train(config, data_, pool, silent, stop_).network;
  DesignFigures figures;
  figures.drop_below = threshold_of(network, point.hardware.sparsity);
  if (figures.drop_below > 0.0) {
    network = compile::prune(network, figures.drop_below, {0, 0, network.inputs(), {}}, pool).network;
  }
  const design::DesignContext& context = *shop.context;
  const design::Design design = design::build_design(context, {network, data_.validation.features, die_clips_}, silent);
  const behavioural::DieEngine engine(design.compiled, shop.statistics,
                                      data_.validation.features.clip(die_clips_.front()));
  const train::Confusion seen = decide(engine, data_.validation);
  const train::Confusion held_out = decide(engine, data_.test);
  figures.accuracy = train::accuracy(seen);
  figures.balanced_accuracy = train::balanced_accuracy(seen);
  figures.test_accuracy = train::accuracy(held_out);
  figures.test_balanced_accuracy = train::balanced_accuracy(held_out);
  figures.software_accuracy = train::evaluate(network, data_.test, pool).accuracy;
  studies::MonteCarloRequest dies;
  dies.dies = space_.dies;
  figures.yield = studies::decision_yield(studies::run_dies(design, dies, silent));
  figures.power = mean_power(context, design.compiled, data_.validation.features, die_clips_);
  figures.settling = engine.settling_time(shop.statistics, data_.validation.features.clip(die_clips_.front()));
  const design::CircuitSummary summary = design::summarise(design);
  figures.area = summary.area;
  figures.transistors = summary.transistors;
  figures.left_out = design.compiled.dropped_parameters();
  model::save_model(model, network);
  return figures;
}

}  // namespace hysteron::explore
