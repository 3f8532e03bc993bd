#pragma once

#include "compile/cell_bench.h"
#include "compile/min_weights.h"
#include "model/network.h"

namespace hysteron::compile {

/// A leg is at most this wide in units of gain; larger weights take several in parallel, which keeps every device
/// inside the model's range and matches the unit device better. The legs of a cell are single.
inline constexpr double kLargestLeg = 10.0;

/// The largest magnitude of a weight or bias: a hundred of the largest legs.
inline constexpr double kLargestWeight = 100.0 * kLargestLeg;

/// Throws a bad-input Error that names the first parameter no width can make, its value and the range that can: weights
/// and biases above kLargestWeight; beta_hi, delta and alpha above kLargestLeg; beta_hi below the floor that leakage
/// and the smallest leg set; beta_lo, unless it is 0, below the one that leakage sets; delta and alpha, unless they are
/// 0, below half the smallest leg. Smaller weights are no error: makeable() says what becomes of them.
void check_limits(const model::Network& network, const Conditions& conditions, const CellFloor& floor,
                  const MinWeights& least);

}  // namespace hysteron::compile
