#pragma once

#include "behavioural/die_engine.h"
#include "model/die_file.h"

namespace hysteron::behavioural {

/// What a measured chip is worth in the engine: every leg of a weight or bias the value of its parameter in the
/// engine's model with the chip's error, every cell with the chip's thresholds and level. Both legs of a signed value
/// get the one error that was measured of the weight; legs of the skip path and charges stay as drawn. An offset needs
/// the leg of a bias.
DieParameters chip_parameters(const DieEngine& engine, const model::DieErrors& errors);

}  // namespace hysteron::behavioural
