#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hysteron/behavioural/die_engine.h"
#include "hysteron/flow/explore.h"
#include "hysteron/train/training_data.h"

namespace hysteron::flow {

/// Options of a circuit of `hardware` with legs sized by curves alone.
CircuitOptions circuit_options(const train::Hardware& hardware, const std::filesystem::path& pdk_root);

/// Trains and scores designs that share their data; thread-safe.
class DesignBench {
 public:
  /// Loads the data of `space` on all threads of `pool`.
  DesignBench(const train::SearchSpace& space, std::filesystem::path pdk_root, ThreadPool& pool, Reporter& reporter,
              const StopFlag& stop);

  /// Loads the technology and its curves and statistics, measured where none are stored. Throws what Workshop throws.
  void prepare(const train::Hardware& hardware) { shop_for(hardware); }

  /// Trains the design on this thread alone, builds its circuit from the curves and scores it. Writes the network as it
  /// was built, small weights left out, to `model`. Throws a bad-input Error for a design that cannot be trained or
  /// built.
  DesignFigures evaluate(const train::Design& design, const std::filesystem::path& model);

 private:
  /// One technology, unit current and supply, made when the first design asks for it.
  struct Shop {
    std::once_flag once;
    std::unique_ptr<Workshop> workshop;
    behavioural::DeviceStatistics statistics;
  };

  const Shop& shop_for(const train::Hardware& hardware);

  const train::SearchSpace& space_;
  std::filesystem::path pdk_root_;
  Reporter& reporter_;
  const StopFlag& stop_;
  train::TrainingData data_;
  std::vector<std::size_t> die_clips_;  // of the validation clips
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Shop>> shops_;
};

}  // namespace hysteron::flow
