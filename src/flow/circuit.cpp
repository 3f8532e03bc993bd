#include "hysteron/flow/circuit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "hysteron/base/error.h"
#include "hysteron/compile/layer_calibration.h"
#include "hysteron/compile/leg_mismatch.h"
#include "hysteron/compile/limits.h"
#include "hysteron/compile/stored_sizes.h"
#include "hysteron/flow/centring.h"

namespace hysteron::flow {
namespace {

/// Of the key of kept sizes.
std::string_view level_name(CalibrationLevel level) {
  if (level == CalibrationLevel::kCurves) return "curves";
  return level == CalibrationLevel::kCells ? "cells" : "layers";
}

spice::RunOptions run_options(const CircuitOptions& options, const StopFlag& stop) {
  spice::RunOptions result;
  result.time_limit = std::chrono::duration<double>(options.time_limit);
  result.stop = &stop;
  return result;
}

constexpr std::size_t kMostNamed = 10;  // parameters that one warning names

void warn_of_small(const std::vector<compile::TooSmall>& changed, Reporter& reporter) {
  if (changed.empty()) return;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(changed.size(), kMostNamed); ++i) {
    const std::string made =
        changed[i].made == 0.0 ? std::string("left out") : fmt::format("made {:.3g}", changed[i].made);
    texts.push_back(fmt::format("{} {:.3g} {}", changed[i].parameter, changed[i].wanted, made));
  }
  if (changed.size() > kMostNamed) {
    texts.push_back(fmt::format("and {} more, which summary.json of compile names", changed.size() - kMostNamed));
  }
  reporter.warning(fmt::format("{} {} below the smallest leg: {}", changed.size(),
                               changed.size() == 1 ? "parameter is" : "parameters are", fmt::join(texts, "; ")));
}

technology::Technology technology_of(const CircuitOptions& options) {
  technology::Technology technology = technology::load_technology(options.technology, options.pdk_root);
  const double shape = options.conditions.unit_current / kDensityCurrent;
  if (options.keeps_density && shape < 1.0) technology::scale_shape(technology, shape);
  return technology;
}

}  // namespace

Workshop::Workshop(const CircuitOptions& options, Reporter& reporter, const StopFlag& stop)
    : options_(options),
      technology_(technology_of(options)),
      ngspice_({}, std::chrono::duration<double>(options.time_limit)),
      engine_(ngspice_, technology_, run_options(options, stop)),
      varied_technology_(compile::with_mismatch(technology_)),
      varied_engine_(ngspice_, varied_technology_, run_options(options, stop)),
      curves_(compile::load_gain_curves(technology_, engine_, options.conditions, reporter)) {
  if (options.kept_runs.empty()) return;
  kept_.emplace(engine_, options.kept_runs);
  varied_kept_.emplace(varied_engine_, options.kept_runs);
}

double Workshop::supply() const { return compile::supply_of(technology_, options_.conditions); }

void Workshop::calibrate(compile::CompiledNetwork& network, std::span<const float> frames, Reporter& reporter) const {
  if (options_.calibration == CalibrationLevel::kCurves) return;
  compile::calibrate_network(network, technology_, curves_, engine_, options_.jobs, reporter);
  if (options_.calibration == CalibrationLevel::kCells) return;
  network.calibration = compile::calibrate_layers(network, technology_, curves_, frames, engine_, reporter).nodes;
}

compile::CompiledNetwork Workshop::compile(const model::Network& network, Reporter& reporter,
                                           std::span<const float> features, const std::filesystem::path& sizes) const {
  const compile::LeastWeights least = least_weights();
  compile::check_limits(network, options_.conditions, cell_floor(), least);
  warn_of_small(compile::makeable(network, least).changed, reporter);
  compile::CompiledNetwork compiled = compile::build_network(network, technology_, curves_, options_.conditions);
  const auto asked = read_training_features(options_.calibration_features, network);
  const std::span<const float> played = asked ? std::span<const float>(asked->values) : features;
  const std::vector<float> frames = played.empty()
                                        ? compile::drawn_features(compile::kCalibrationFrames, network.inputs())
                                        : compile::calibration_frames(played, network.inputs());
  if (sizes.empty()) {
    calibrate(compiled, frames, reporter);
  } else {
    const compile::StoredSizes store(sizes, compiled, frames, level_name(options_.calibration), engine_);
    if (!store.read(compiled)) {
      calibrate(compiled, frames, reporter);
      store.write(compiled);
    }
  }
  if (options_.calibration != CalibrationLevel::kCurves) compile::warn_of_cells(compiled, reporter);
  for (const compile::NodeError& node : compiled.calibration) {
    if (!(node.after > compile::kNodeTolerance)) continue;  // NaN: it never carries a current
    reporter.warning(
        fmt::format("the currents into {} are off by {:.1f} % RMS after calibration", node.node, 100.0 * node.after));
  }
  compile::apply_mends(compiled, options_.mends);
  return compiled;
}

compile::CellFloor Workshop::cell_floor() const {
  return compile::load_cell_floor(technology_, curves_, options_.conditions, engine_);
}

double Workshop::leg_mismatch(Reporter& reporter) const {
  return compile::load_leg_mismatch(technology_, varied_engine_, options_.conditions, reporter);
}

behavioural::DeviceStatistics Workshop::device_statistics(Reporter& reporter) const {
  return behavioural::load_device_statistics(technology_, curves_, engine_, varied_engine_, options_.conditions,
                                             reporter);
}

CircuitSummary summarise(const compile::CompiledNetwork& network, const technology::Technology& technology) {
  CircuitSummary summary;
  for (const circuit::Transistor& transistor : network.circuit.transistors()) {
    ++summary.transistors;
    ++summary.by_role[std::string(circuit::role_name(transistor.role))];
    summary.area += technology.area({transistor.width, transistor.length});
    const bool is_leg = transistor.role == circuit::Role::kLeg || transistor.role == circuit::Role::kBiasLeg ||
                        transistor.role == circuit::Role::kSkipLeg;
    summary.legs += is_leg ? 1 : 0;
  }
  for (const circuit::Capacitor& capacitor : network.circuit.capacitors()) {
    ++summary.capacitors;
    summary.capacitance += capacitor.capacitance;
  }
  summary.area += summary.capacitance / technology.capacitor_density;
  for (const auto& layer : network.cells) summary.cells += layer.size();
  summary.dropped_parameters = network.dropped_parameters();
  return summary;
}

std::vector<std::size_t> check_clips(const model::Network& network, const data::Features& features,
                                     const std::vector<std::size_t>& clips, const std::string& origin) {
  if (features.width != network.inputs()) {
    throw bad_input(
        fmt::format("{}: features are {} wide; the model takes {}", origin, features.width, network.inputs()));
  }
  std::vector<std::size_t> result = clips;
  for (const std::size_t clip : clips) {
    if (clip >= features.clips) {
      throw bad_input(fmt::format("{}: there is no clip {}; expected 0 to {}", origin, clip, features.clips - 1));
    }
    if (std::count(clips.begin(), clips.end(), clip) > 1) {
      throw bad_input(fmt::format("{}: clip {} is asked for twice; expected every clip once", origin, clip));
    }
  }
  if (result.empty()) {
    for (std::size_t i = 0; i < features.clips; ++i) result.push_back(i);
  }
  return result;
}

}  // namespace hysteron::flow
