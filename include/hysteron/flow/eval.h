#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "hysteron/base/reporter.h"
#include "hysteron/data/dataset.h"
#include "hysteron/model/network.h"
#include "hysteron/train/evaluate.h"

namespace hysteron::flow {

/// A model and the clips it is scored on.
struct EvalRequest {
  std::filesystem::path model;
  std::string data;  ///< folder of class folders, or "espeak" for the built-in corpus
  std::uint64_t corpus_seed = 1;
  data::Split split = data::Split::kTest;
  std::filesystem::path features;  ///< also write the clips' features here (.npy, [N, 101, 13]); empty: do not
  int jobs = 0;                    ///< threads; 0: all
};

struct EvalResult {
  model::Network network;
  train::Evaluation evaluation;
};

/// Scores the model on a split of the data; the model's `hysteron.classes` ties its labels to folders, without it
/// labels are folder names. Throws a bad-input Error that names the model, the folder or the file that is wrong.
EvalResult evaluate_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop);

}  // namespace hysteron::flow
