#include "design/design.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "compile/layer_calibration.h"
#include "compile/limits.h"
#include "compile/stored_sizes.h"
#include "data/npy.h"
#include "model/model_file.h"

namespace hysteron::design {
namespace {

/// Of the key of stored sizes.
std::string_view level_name(CalibrationLevel level) {
  if (level == CalibrationLevel::kCurves) return "curves";
  return level == CalibrationLevel::kCells ? "cells" : "layers";
}

/// Sizes cells and layers as far as the options ask.
void calibrate(const DesignContext& context, std::span<const float> frames, compile::CompiledNetwork& compiled,
               Reporter& reporter) {
  const CircuitOptions& options = context.options();
  if (options.calibration == CalibrationLevel::kCurves) return;
  compile::calibrate_network(compiled, context.technology(), context.curves(), context.sizing_engine(), options.jobs,
                             reporter);
  if (options.calibration == CalibrationLevel::kCells) return;
  compiled.calibration = compile::calibrate_layers(compiled, context.technology(), context.curves(), frames,
                                                   context.sizing_engine(), reporter)
                             .nodes;
}

/// The frames that layers are calibrated on.
std::vector<float> calibration_frames(const DesignContext& context, const DesignRequest& request) {
  const std::size_t inputs = request.given.inputs();
  const auto asked = read_training_features(context.options().calibration_features, request.given);
  const data::Features* played = asked ? &*asked : request.training ? &*request.training : nullptr;
  return played == nullptr ? compile::random_features(compile::kCalibrationFrames, inputs)
                           : compile::calibration_frames(played->values, inputs);
}

void warn_of_calibration(const compile::CompiledNetwork& compiled, Reporter& reporter) {
  compile::warn_of_cells(compiled, reporter);
  for (const compile::NodeError& node : compiled.calibration) {
    if (!(node.after > compile::kNodeTolerance)) continue;  // NaN: it never carries a current
    reporter.warning(
        fmt::format("the currents into {} are off by {:.1f} % RMS after calibration", node.node, 100.0 * node.after));
  }
}

compile::CompiledNetwork compile_network(const DesignContext& context, const PreparedModel& prepared,
                                         const DesignRequest& request, Reporter& reporter) {
  const CircuitOptions& options = context.options();
  compile::check_limits(prepared.network, options.conditions, context.cell_floor(), context.min_weights());
  compile::CompiledNetwork compiled =
      compile::build_network(prepared.network, context.technology(), context.curves(), options.conditions);
  const std::vector<float> frames = calibration_frames(context, request);
  if (request.sizes.empty()) {
    calibrate(context, frames, compiled, reporter);
  } else {
    const compile::StoredSizes store(request.sizes, compiled, frames, level_name(options.calibration),
                                     context.sizing_engine());
    if (!store.read(compiled)) {
      calibrate(context, frames, compiled, reporter);
      store.write(compiled);
    }
  }
  if (options.calibration != CalibrationLevel::kCurves) warn_of_calibration(compiled, reporter);
  compile::apply_mitigations(compiled, options.mitigations);
  return compiled;
}

}  // namespace

DesignRequest read_design_request(const DesignFiles& files) {
  DesignRequest request{model::load_model(files.model)};
  if (files.frame_seconds > 0.0) request.given.frame_seconds = files.frame_seconds;
  if (!files.input.empty()) {
    request.features = data::read_npy(files.input);
    request.clips = check_clips(request.given, request.features, files.clips, quoted(files.input.string()));
  }
  request.training = read_training_features(files.training, request.given);
  return request;
}

Design build_design(const DesignContext& context, DesignRequest request, Reporter& reporter) {
  technology::check_corner(context.technology(), request.conditions.corner);
  const data::Features* played = request.features.clips > 0 ? &request.features : nullptr;
  PreparedModel prepared = prepare_model(context, request.given, request.training, played, reporter);
  compile::CompiledNetwork compiled = compile_network(context, prepared, request, reporter);
  return {context,
          std::move(request.given),
          std::move(prepared),
          std::move(compiled),
          std::move(request.features),
          std::move(request.clips),
          std::move(request.training),
          std::move(request.conditions)};
}

}  // namespace hysteron::design
