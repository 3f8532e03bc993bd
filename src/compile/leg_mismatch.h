#pragma once

#include "base/reporter.h"
#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// `technology` with the mismatch of every transistor switched on in its typical corner.
technology::Technology with_mismatch(const technology::Technology& technology);

/// Deviation of the current of a leg of the reference size over its mean, of N and P legs together: one operating point
/// of many legs on one rail of each polarity. `engine` must simulate with_mismatch(technology). Its error is about 3 %
/// of itself.
double measure_leg_mismatch(const technology::Technology& technology, const sim::Engine& engine,
                            const Conditions& conditions);

/// The stored mismatch of this technology, engine and conditions, or a newly measured one, then stored in the cache.
/// Throws a bad-input Error where the technology's mismatch switch changes nothing.
double load_leg_mismatch(const technology::Technology& technology, const sim::Engine& engine,
                         const Conditions& conditions, Reporter& reporter);

}  // namespace hysteron::compile
