#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "compile/compiled_network.h"
#include "sim/engine.h"

namespace hysteron::compile {

/// Runs a calibration in place makes at most, and the relative error of a summing node it is content with.
inline constexpr int kLayerPasses = 3;
inline constexpr double kNodeTolerance = 0.01;

struct LayerCalibration {
  std::vector<NodeError> nodes;
  int passes = 0;  ///< simulations made
};

/// Turns every leg of `network` in its place. The whole circuit plays `features` [frames, inputs] (model units), every
/// leg's current is read at the end of every frame beside the value it copies, and its width is scaled until the two
/// are in the ratio of its weight, in the least-squares sense over the frames: drain voltages, loads, copies of rails
/// and leakage are then what they are in the circuit. Legs whose value stays near zero in all frames keep the size of
/// the curves. Of all passes, the curves' own sizes among them, that with the best worst node is kept. The mapping's
/// sizing errors become the measured ones. Throws what the engine throws.
LayerCalibration calibrate_layers(CompiledNetwork& network, const technology::Technology& technology,
                                  const GainCurves& curves, std::span<const float> features, const sim::Engine& engine,
                                  Reporter& reporter);

/// Features to calibrate on where the user gave none: `frames` x `inputs` standard normal values, the statistics of
/// normalised features, the same for the same shape.
std::vector<float> random_features(std::size_t frames, std::size_t inputs);

/// Frames a calibration in place plays.
inline constexpr std::size_t kCalibrationFrames = 40;

/// kCalibrationFrames frames taken evenly from `features` [frames, inputs], or all of them if there are fewer.
std::vector<float> calibration_frames(std::span<const float> features, std::size_t inputs);

}  // namespace hysteron::compile
