#include "hysteron/flow/features.h"

#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/base/parallel.h"
#include "hysteron/data/dataset.h"
#include "hysteron/data/mfcc.h"
#include "hysteron/data/npy.h"

namespace hysteron::flow {

FeaturesSummary extract_features(const FeaturesRequest& request, Reporter& reporter, const StopFlag& stop) {
  if (request.audio.empty()) throw Error(ErrorKind::kUsage, "features: no audio files were given");
  check_writable(request.output, "--output");
  const data::Mfcc mfcc(request.raw ? data::Normalisation::kNone : data::Normalisation::kClip);
  ThreadPool pool(request.jobs);
  const data::Features features = data::audio_features(request.audio, mfcc, "reading audio", pool, reporter, stop);
  data::write_npy(request.output, features);
  return {features.clips, features.frames, features.width};
}

}  // namespace hysteron::flow
