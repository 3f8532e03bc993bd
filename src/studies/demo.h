#pragma once

#include <filesystem>
#include <string>

#include "base/reporter.h"
#include "design/netlist.h"
#include "studies/verification.h"
#include "train/trainer.h"

namespace hysteron::studies {

struct DemoOptions {
  std::filesystem::path output = "demo";  ///< folder for everything the demo writes
  std::string data = "espeak";            ///< folder of class folders; "espeak": the built-in spoken corpus
  std::size_t width = 4;
  std::size_t steps = 5000;
  std::size_t clips = 10;  ///< held-out clips to simulate
  design::CircuitOptions circuit;
};

struct DemoResult {
  DemoOptions options;
  train::TrainResult training;
  design::CircuitSummary circuit;
  Verification verification;
  std::vector<std::string> labels;
  double seconds = 0.0;  ///< wall time of everything
};

/// The whole line, small: trains a network on speech, compiles it, compares software with ngspice on held-out clips.
/// Writes model.safetensors, test.npy (the clips) and circuit/ into the output folder.
DemoResult run_demo(const DemoOptions& options, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::studies
