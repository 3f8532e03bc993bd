#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hysteron/compile/centring.h"

namespace hysteron::report {

/// What centring did: totals, and each threshold before and after (docs/centring.md). A margin that is infinite is
/// null.
nlohmann::json centring_json(const compile::Centring& centring);

/// {resting_candidates: [...]} and, unless `centring` is null, {centring: {...}}: fields of `verify` and of
/// summary.json.
nlohmann::json target_json(const compile::Centring* centring, const std::vector<compile::RestingCandidate>& resting);

/// The same for a terminal: a line of totals and a table of the thresholds.
std::string centring_table(const compile::Centring& centring);

}  // namespace hysteron::report
