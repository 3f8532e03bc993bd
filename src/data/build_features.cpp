#include "data/build_features.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/dataset.h"
#include "data/mfcc.h"
#include "data/npy.h"

namespace hysteron::data {

FeaturesSummary extract_features(const FeaturesRequest& request, Reporter& reporter, const StopFlag& stop) {
  if (request.audio.empty()) throw Error(ErrorKind::kUsage, "features: no audio files given");
  check_writable(request.output, "output");
  const data::Mfcc mfcc(request.raw ? data::Normalisation::kNone : data::Normalisation::kClip);
  ThreadPool pool(request.jobs);
  const data::Features features = data::audio_features(request.audio, mfcc, "reading audio", pool, reporter, stop);
  data::write_npy(request.output, features);
  return {features.clips, features.frames, features.width};
}

}  // namespace hysteron::data
