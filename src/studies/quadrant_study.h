#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "train/cell_probe.h"
#include "train/sequence_trainer.h"

namespace hysteron::studies {

/// What the BMRU and its first-quadrant form are compared on.
struct QuadrantRequest {
  std::filesystem::path base;  ///< configuration that every run begins with; empty: the defaults of the study
  std::vector<std::string> tasks;
  std::vector<std::size_t> widths;
  std::size_t seeds = 3;
  std::size_t steps = 0;                        ///< 0: the base's
  std::vector<double> noise = {0.1, 0.2, 0.4};  ///< on candidates, over the threshold, for retention
  std::size_t jobs = 0;                         ///< threads; 0: all
  std::filesystem::path stored;                 ///< file of finished runs, removed in the end; empty: none is stored
};

/// One training.
struct QuadrantRun {
  std::string task;
  std::size_t width = 0;
  std::string cell;
  std::uint64_t seed = 0;
  double test_accuracy = 0.0;
  std::optional<double> test_balanced_accuracy;  ///< none where every frame has a target
  std::vector<train::ValidationPoint> curve;
  std::size_t steps_to_95 = 0;  ///< first validation that reaches 95 % of the run's best (balanced) accuracy
  train::CellActivity activity;
  std::vector<std::optional<double>> retention;  ///< [noise], frames
};

/// Means over the seeds of one task, width and cell.
struct QuadrantRow {
  std::string task;
  std::size_t width = 0;
  std::string cell;
  double test_accuracy = 0.0;
  double worst_test_accuracy = 0.0;
  std::optional<double> test_balanced_accuracy;  ///< none where every frame has a target, like the next
  std::optional<double> worst_test_balanced_accuracy;
  double steps_to_95 = 0.0;
  train::CellActivity activity;
  std::vector<std::optional<double>> retention;  ///< [noise], frames, of the mean rate of flips; none: no flip
};

struct QuadrantStudy {
  std::size_t steps = 0;
  std::size_t seeds = 0;
  std::vector<double> noise;
  std::vector<QuadrantRow> rows;  ///< by task, width, cell
  std::vector<QuadrantRun> runs;  ///< by task, width, cell, seed
};

/// Trains `bmru` and `fq_bmru` in the software backbone on the same tasks, widths, seeds and batches, and looks at what
/// their cells do on the test sequences. What `stored` has of an interrupted study is not trained again. Throws what
/// configurations, tasks and training throw.
QuadrantStudy study_quadrant(const QuadrantRequest& request, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::studies
