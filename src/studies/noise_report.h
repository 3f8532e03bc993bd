#pragma once

#include <nlohmann/json.hpp>

#include "analysis/device_noise.h"
#include "analysis/suppression.h"

namespace hysteron::studies {

/// Protocol A in SI units (docs/noise.md explains every field); null where there is no figure.
nlohmann::ordered_json suppression_json(const analysis::Suppression& result,
                                        const analysis::SuppressionRequest& request);

/// Protocol C, likewise.
nlohmann::ordered_json device_noise_json(const analysis::DeviceNoise& result,
                                         const analysis::DeviceNoiseRequest& request);

}  // namespace hysteron::studies
