#pragma once

#include "data/build_features.h"
#include "report/figures.h"

namespace hysteron::report {

/// What `features` wrote.
struct FeaturesResult {
  data::FeaturesRequest request;
  data::FeaturesSummary summary;
};

/// `features`: docs/data.md.
const Table<FeaturesResult>& features_table();

}  // namespace hysteron::report
