#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "compile/centering.h"

namespace hysteron::design {

/// What centering did: totals, and each threshold before and after (docs/centering.md). A margin that is infinite is
/// null.
nlohmann::json centering_json(const compile::Centering& centering);

/// {resting_candidates: [...]} and, unless `centering` is null, {centering: {...}}: fields of `verify` and of
/// summary.json.
nlohmann::json prepared_json(const compile::Centering* centering,
                             const std::vector<compile::RestingCandidate>& resting);

/// The same for a terminal: a line of totals and a table of the thresholds.
std::string centering_table(const compile::Centering& centering);

}  // namespace hysteron::design
