#include "report/features_report.h"

namespace hysteron::report {

const Table<FeaturesResult>& features_table() {
  using data::FeaturesSummary;
  static const auto shape = Table<FeaturesSummary>()
                                .figure("clips", "", &FeaturesSummary::clips)
                                .figure("frames", "of a clip", &FeaturesSummary::frames)
                                .figure("features", "of a frame", &FeaturesSummary::features);
  static const auto table =
      Table<FeaturesResult>()
          .merge(shape, &FeaturesResult::summary)
          .figure("normalisation", "`clip`: over each clip; `none`",
                  [](const FeaturesResult& result) { return result.request.raw ? "none" : "clip"; })
          .text([](const FeaturesResult& result) {
            const FeaturesSummary& summary = result.summary;
            return fmt::format("{} clip{} of {} frames x {} features written to {}\n", summary.clips,
                               summary.clips == 1 ? "" : "s", summary.frames, summary.features,
                               result.request.output.string());
          });
  return table;
}

}  // namespace hysteron::report
