#pragma once

#include "compile/centering.h"
#include "compile/clip_bench.h"
#include "design/design.h"
#include "report/figures.h"

namespace hysteron::report {

/// Watt in the result, nW in the JSON: `total`, `cells`, `feedforward`.
const Table<compile::Power>& power_table();

/// What a result was found with: `technology`, `supply_v`, `unit_current_a`.
const Table<design::OperatingPoint>& operating_point_table();

/// What was done to the model before it was compiled: `resting_candidates`, and `centring`, `dropping` and `too_small`
/// where there are any. On a terminal what centering did.
const Table<design::PreparedModel>& prepared_model_table();

/// What centering did (docs/centering.md). A margin that is infinite is null.
const Table<compile::Centering>& centering_table();

}  // namespace hysteron::report
