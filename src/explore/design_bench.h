#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "behavioural/die_engine.h"
#include "explore/explore.h"
#include "train/training_data.h"

namespace hysteron::explore {

/// Options of a circuit of `hardware` with legs sized by curves alone.
design::CircuitOptions circuit_options(const explore::Hardware& hardware, const std::filesystem::path& pdk_root);

/// Trains and scores designs that share their data; thread-safe.
class DesignBench {
 public:
  /// Loads the data of `space` on all threads of `pool`.
  DesignBench(const explore::SearchSpace& space, std::filesystem::path pdk_root, ThreadPool& pool, Reporter& reporter,
              const StopFlag& stop);

  /// Loads the technology and its curves and statistics, measured where none are stored. Throws what DesignContext
  /// throws.
  void prepare(const explore::Hardware& hardware) { shop_for(hardware); }

  /// Trains the design on this thread alone, builds its circuit from the curves and scores it. Writes the network as it
  /// was built, small weights left out, to `model`. Throws a bad-input Error for a design that cannot be trained or
  /// built.
  DesignFigures evaluate(const explore::PointDesign& design, const std::filesystem::path& model);

 private:
  /// One technology, unit current and supply, made when the first design asks for it.
  struct Shop {
    std::once_flag once;
    std::unique_ptr<design::DesignContext> context;
    behavioural::DeviceStatistics statistics;
  };

  const Shop& shop_for(const explore::Hardware& hardware);

  const explore::SearchSpace& space_;
  std::filesystem::path pdk_root_;
  Reporter& reporter_;
  const StopFlag& stop_;
  train::TrainingData data_;
  std::vector<std::size_t> die_clips_;  // of the validation clips
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Shop>> shops_;
};

}  // namespace hysteron::explore
