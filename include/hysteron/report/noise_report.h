#pragma once

#include <nlohmann/json.hpp>

#include "hysteron/analysis/suppression.h"

namespace hysteron::report {

/// Protocol A in SI units (docs/noise.md explains every field); null where there is no figure.
nlohmann::ordered_json suppression_json(const analysis::Suppression& result,
                                        const analysis::SuppressionRequest& request);

}  // namespace hysteron::report
