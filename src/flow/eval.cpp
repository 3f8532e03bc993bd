#include "hysteron/flow/eval.h"

#include "hysteron/base/parallel.h"
#include "hysteron/data/npy.h"
#include "hysteron/model/model_file.h"
#include "hysteron/train/training_data.h"

namespace hysteron::flow {

EvalResult evaluate_model(const EvalRequest& request, Reporter& reporter, const StopFlag& stop) {
  EvalResult result;
  result.network = model::load_model(request.model);
  ThreadPool pool(request.jobs);
  const train::ClipSet clips =
      train::load_clips_for(result.network, request.data, request.corpus_seed, request.split, pool, reporter, stop);
  result.evaluation = train::evaluate(result.network, clips, pool);
  if (!request.features.empty()) data::write_npy(request.features, clips.features);
  return result;
}

}  // namespace hysteron::flow
